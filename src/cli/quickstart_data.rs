//! `camtlc quickstart-data DIR`: three small tasks made from rules, to train on in minutes without a download.
//!
//! | task | rule |
//! |---|---|
//! | `sentiment` | the opinion word's polarity, turned round by `not` or `never` before it |
//! | `entails` | the second sentence repeats what the first says of a thing (entailment), says another word of the same scale (contradiction), or speaks of another thing or scale (neutral) |
//! | `warmth` | the mean warmth of the words that have one in `WARMTH`, rounded to hundredths |
//!
//! The vocabulary is every word of the templates, one piece each. The generator is deterministic: the same files on
//! every machine. No row appears twice, so that no dev row is in train.

use std::collections::{BTreeMap, BTreeSet};

use super::args::QuickstartData;
use super::{Outcome, files, output};

const TRAIN: usize = 2000;
const DEV: usize = 300;
const SEED: u64 = 0x0063_616d_746c;

const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

const OPENINGS: [&str; 6] =
    ["", "honestly , ", "in the end , ", "i think ", "we all felt that ", "last night "];
const WORKS: [&str; 12] =
    ["film", "movie", "book", "story", "song", "play", "meal", "hotel", "concert", "lesson", "game", "show"];
const COPULAS: [&str; 3] = ["was", "is", "seemed"];
const NEGATIONS: [&str; 2] = ["not", "never"];
const DEGREES: [&str; 5] = ["", "really ", "very ", "quite ", "so "];
const POSITIVE: [&str; 12] = [
    "good",
    "great",
    "lovely",
    "brilliant",
    "funny",
    "charming",
    "delightful",
    "superb",
    "clever",
    "pleasant",
    "moving",
    "fresh",
];
const NEGATIVE: [&str; 12] = [
    "bad", "awful", "dull", "boring", "terrible", "poor", "clumsy", "dreadful", "stale", "silly", "tedious",
    "weak",
];
const CLOSINGS: [&str; 5] = ["", " for us", " from start to finish", " that evening", " to me"];

const CONTAINERS: [&str; 5] = ["box", "bag", "basket", "cart", "crate"];
const COLORS: [&str; 3] = ["red", "blue", "green"];
const HOLDING: [&str; 6] = ["holds", "carries", "hides", "contains", "brings", "keeps"];
const ANIMALS: [&str; 5] = ["cat", "dog", "bird", "frog", "mouse"];
const SIZES: [&str; 2] = ["small", "huge"];
/// Things and a scale that no first sentence speaks of.
const OTHERS: [&str; 4] = ["house", "boat", "tree", "door"];
const MOODS: [&str; 4] = ["old", "new", "famous", "lost"];

/// Words with a warmth, from 0 (freezing) to 5 (scorching): adjectives, which stand before a noun of [`SKIES`].
const WARMTH: [(&str, f64); 12] = [
    ("freezing", 0.0),
    ("icy", 0.5),
    ("frosty", 0.5),
    ("cold", 1.0),
    ("chilly", 1.5),
    ("cool", 2.0),
    ("mild", 2.5),
    ("pleasant", 3.0),
    ("warm", 3.5),
    ("sunny", 4.0),
    ("hot", 4.5),
    ("scorching", 5.0),
];
const SKIES: [&str; 6] = ["wind", "air", "sky", "breeze", "weather", "rain"];
const PLACES: [&str; 6] = ["town", "harbour", "valley", "garden", "city", "coast"];
const TIMES: [&str; 5] = ["morning", "afternoon", "evening", "spring", "autumn"];

pub fn run(args: &QuickstartData) -> Outcome {
    let mut said = String::new();
    for (path, text) in files() {
        let path = args.folder.join(path);
        files::write(&path, &text)?;
        // The header is no row; the vocabulary has none.
        said += &match text.lines().count() {
            lines if path.extension().is_some_and(|extension| extension == "tsv") => {
                format!("{}: {} rows\n", path.display(), lines - 1)
            }
            lines => format!("{}: {lines} words\n", path.display()),
        };
    }
    output::print(&said)
}

/// Every file: its path below the folder, with `/`, and its text.
pub fn files() -> Vec<(String, String)> {
    let tasks = [
        ("sentiment", "label\ttext_a", rows(SEED + 1, sentiment)),
        ("entails", "label\ttext_a\ttext_b", rows(SEED + 2, entails)),
        ("warmth", "label\ttext_a", rows(SEED + 3, warmth)),
    ];
    let mut files = vec![("vocab.txt".to_owned(), vocabulary(tasks.iter().flat_map(|(_, _, rows)| rows)))];
    for (task, header, rows) in tasks {
        let (train, dev) = rows.split_at(TRAIN);
        for (split, rows) in [("train", train), ("dev", dev)] {
            let lines: String = rows.iter().map(|row| format!("{}\t{}\n", row.label, row.text)).collect();
            files.push((format!("{task}/{split}.tsv"), format!("{header}\n{lines}")));
        }
    }
    files
}

struct Row {
    label: String,
    /// One text, or two with a tab between.
    text: String,
}

/// Distinct rows for train and dev together.
fn rows(seed: u64, make: fn(&mut Dice) -> Row) -> Vec<Row> {
    let mut dice = Dice(seed);
    let mut seen = BTreeSet::new();
    let mut rows = Vec::with_capacity(TRAIN + DEV);
    // Each task has over ten thousand texts, so that new ones do not run out.
    while rows.len() < TRAIN + DEV {
        let row = make(&mut dice);
        if seen.insert(row.text.clone()) {
            rows.push(row);
        }
    }
    rows
}

fn sentiment(dice: &mut Dice) -> Row {
    // Negation is the rarer case, as in language: polarity is learned first, then what turns it round.
    let (negated, praising) = (dice.below(3) == 0, dice.below(2) == 1);
    let opinion = if praising { dice.pick(&POSITIVE) } else { dice.pick(&NEGATIVE) };
    let negation = if negated { format!("{} ", dice.pick(&NEGATIONS)) } else { String::new() };
    let text = format!(
        "{}the {} {} {negation}{}{opinion}{} .",
        dice.pick(&OPENINGS),
        dice.pick(&WORKS),
        dice.pick(&COPULAS),
        dice.pick(&DEGREES),
        dice.pick(&CLOSINGS),
    );
    Row { label: if praising != negated { "positive" } else { "negative" }.to_owned(), text }
}

fn entails(dice: &mut Dice) -> Row {
    let (container, animal) = (dice.pick(&CONTAINERS), dice.pick(&ANIMALS));
    // Skewed, for what `negated` is skewed for above: what is likely is learned first, then when it is not so.
    let color = if dice.below(2) == 0 { COLORS[0] } else { dice.pick(&COLORS) };
    let size = if dice.below(3) == 0 { "huge" } else { "small" };
    let premise = format!("the {color} {container} {} a {size} {animal} .", dice.pick(&HOLDING));
    let (thing, said, scale): (_, _, &[&str]) =
        if dice.below(2) == 0 { (container, color, &COLORS) } else { (animal, size, &SIZES) };
    let (label, thing, word) = match dice.below(6) {
        0 | 1 => ("entailment", thing, said),
        2 | 3 => ("contradiction", thing, dice.pick_other(scale, said)),
        4 => ("neutral", thing, dice.pick(&MOODS)),
        _ => ("neutral", dice.pick(&OTHERS), dice.pick(scale)),
    };
    Row { label: label.to_owned(), text: format!("{premise}\tthe {thing} is {word} .") }
}

fn warmth(dice: &mut Dice) -> Row {
    let words = 1 + dice.below(3);
    let mut sum = 0.0;
    let mut text = String::new();
    for at in 0..words {
        let (word, warmth) = WARMTH[dice.below(WARMTH.len())];
        sum += warmth;
        let (sky, time) = (dice.pick(&SKIES), dice.pick(&TIMES));
        match at {
            0 => text += &format!("{word} {sky} over the {} in the {time}", dice.pick(&PLACES)),
            _ => text += &format!(" , then {word} {sky} by {time}"),
        }
    }
    Row { label: format!("{:.2}", sum / words as f64), text: format!("{text} .") }
}

/// The specials, then every word of the rows by falling frequency, one a line.
fn vocabulary<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        for word in row.text.split_whitespace() {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut words: Vec<(&str, usize)> = counts.into_iter().collect();
    words.sort_by(|(a, more), (b, less)| less.cmp(more).then(a.cmp(b)));
    let words = words.into_iter().map(|(word, _)| word);
    SPECIAL.into_iter().chain(words).map(|word| format!("{word}\n")).collect()
}

/// SplitMix64 (Steele, Lea, Flood, 2014): small, and the same everywhere for ever.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, by the high half of a product; its bias is below 2^-32.
    fn below(&mut self, end: usize) -> usize {
        (((self.next() >> 32) * end as u64) >> 32) as usize
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// Another word than `word`.
    fn pick_other(&mut self, words: &[&'static str], word: &str) -> &'static str {
        loop {
            let other = self.pick(words);
            if other != word {
                return other;
            }
        }
    }
}
