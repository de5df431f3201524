//! Files that are filled, cut, damaged, shared and full.

use super::*;

fn identity() -> blake3::Hash {
    blake3::hash(b"network")
}

fn open(folder: &Path, limit: u64) -> Store {
    Store::open(folder, &identity(), limit).expect("a cache")
}

fn own(folder: &Path, file: &str) -> PathBuf {
    folder.join(&identity().to_hex()[..32]).join(file)
}

/// Sequence `i` has 10 * (i + 1) bytes, all of them `i`.
fn sequence(i: u8) -> (Key, Vec<u8>) {
    ([i; 16], vec![i; 10 * (usize::from(i) + 1)])
}

fn holds(store: &mut Store, i: u8) -> bool {
    let (key, rows) = sequence(i);
    let found = store.get(&key);
    assert!(found.is_none_or(|found| found == rows), "the rows of another");
    found.is_some()
}

fn filled(folder: &Path) {
    open(folder, 1 << 20).put((0..4).map(sequence));
}

#[test]
fn what_is_put_is_got_now_and_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), 1 << 20);
    assert!(!holds(&mut store, 0));
    store.put([sequence(0), sequence(2)]);
    store.put([sequence(2), sequence(3), sequence(3)]);
    assert_eq!([0, 1, 2, 3].map(|i| holds(&mut store, i)), [true, false, true, true]);
    drop(store);
    let mut store = open(folder.path(), 1 << 20);
    assert_eq!([0, 1, 2, 3].map(|i| holds(&mut store, i)), [true, false, true, true]);
    assert_eq!((store.len(), fs::metadata(own(folder.path(), ROWS)).unwrap().len()), (3, 80));
    store.put([sequence(1)]);
    assert!((0..4).all(|i| holds(&mut store, i)));
}

#[test]
fn the_files_never_exceed_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let limit = RECORD as u64 * 3 + 30; // the head, the first two sequences
    let mut store = open(folder.path(), limit);
    store.put((0..4).map(sequence));
    assert_eq!([0, 1, 2, 3].map(|i| holds(&mut store, i)), [true, true, false, false]);
    let size = || [INDEX, ROWS].map(|file| fs::metadata(own(folder.path(), file)).unwrap().len());
    assert_eq!(size().iter().sum::<u64>(), limit);
    drop(store);
    let mut store = open(folder.path(), limit - 1); // it begins anew
    store.put((0..4).map(sequence));
    assert_eq!([0, 1, 2, 3].map(|i| holds(&mut store, i)), [true, false, false, false]);
    assert!(size().iter().sum::<u64>() < limit);
}

#[test]
fn what_a_dead_process_left_half_written_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let index = own(folder.path(), INDEX);
    let whole = fs::read(&index).unwrap();
    fs::write(&index, &whole[..whole.len() - 5]).unwrap();
    let mut store = open(folder.path(), 1 << 20);
    assert_eq!([0, 1, 2, 3].map(|i| holds(&mut store, i)), [true, true, true, false]);
    store.put([sequence(3)]);
    drop(store);
    assert_eq!(fs::read(&index).unwrap(), whole);
    assert!(holds(&mut open(folder.path(), 1 << 20), 3));
}

#[test]
fn damage_is_noticed_and_mended() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        (INDEX, |bytes| bytes[60] ^= 1),
        (INDEX, |bytes| bytes.fill(0)),
        (ROWS, |bytes| bytes.truncate(99)),
        (ROWS, |bytes| bytes.fill(9)),
    ];
    for (file, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let mut bytes = fs::read(own(folder.path(), file)).unwrap();
        damage(&mut bytes);
        fs::write(own(folder.path(), file), bytes).unwrap();
        let mut store = open(folder.path(), 1 << 20);
        assert!((0..4).all(|i| !holds(&mut store, i)), "{file}");
        store.put((0..4).map(sequence));
        assert!((0..4).all(|i| holds(&mut store, i)));
        drop(store);
        let mut store = open(folder.path(), 1 << 20);
        assert!((0..4).all(|i| holds(&mut store, i)));
    }
}

#[test]
fn one_damaged_sequence_is_the_only_one_lost() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let mut bytes = fs::read(own(folder.path(), ROWS)).unwrap();
    bytes[15] ^= 1; // of the second
    fs::write(own(folder.path(), ROWS), bytes).unwrap();
    let mut store = open(folder.path(), 1 << 20);
    assert_eq!([0, 1, 2, 3].map(|i| holds(&mut store, i)), [true, false, true, true]);
}

#[test]
fn a_second_process_reads_what_the_first_wrote() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let mut first = open(folder.path(), 1 << 20);
    let mut second = open(folder.path(), 1 << 20);
    first.put([sequence(4)]);
    second.put([sequence(5)]);
    assert_eq!([0, 4, 5].map(|i| holds(&mut first, i)), [true, true, false]);
    assert_eq!([0, 4, 5].map(|i| holds(&mut second, i)), [true, false, false]);
}

#[test]
fn a_failure_to_write_ends_the_writing_only() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let mut store = open(folder.path(), 1 << 20);
    store.rows = File::open(own(folder.path(), ROWS)).unwrap(); // not for writing
    store.put([sequence(4)]);
    assert!(!store.appends && holds(&mut store, 3) && !holds(&mut store, 4));
}

#[test]
fn without_a_folder_there_is_no_cache() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("a file");
    fs::write(&blocked, "").unwrap();
    assert!(Store::open(&blocked, &identity(), 1 << 20).is_none());
}

#[test]
fn room_is_made_by_removing_what_was_not_used_for_longest() {
    let folder = tempfile::tempdir().unwrap();
    let other = |name: &str| blake3::hash(name.as_bytes());
    let limit = 280;
    let held = Store::open(folder.path(), &other("held"), limit).unwrap();
    for name in ["old", "new"] {
        let mut store = Store::open(folder.path(), &other(name), limit).unwrap();
        store.put([sequence(0)]);
    }
    let old = folder.path().join(&other("old").to_hex()[..32]);
    let long_ago = SystemTime::now() - std::time::Duration::from_secs(3600);
    File::options().write(true).open(old.join(INDEX)).unwrap().set_modified(long_ago).unwrap();

    let mut store = open(folder.path(), limit);
    store.put([sequence(1)]); // 116 bytes, beside 106, 106, and 48 of the one that is held
    assert!(holds(&mut store, 1) && !old.exists());
    let there = |name: &str| folder.path().join(&other(name).to_hex()[..32]).join(INDEX).exists();
    assert!(there("new") && there("held"));
    store.put([sequence(2)]); // 194 bytes
    assert!(holds(&mut store, 2) && !there("new"));
    drop(held);
}
