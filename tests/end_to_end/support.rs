//! A folder with models and data in which `camtlc` runs, and what is asked of its output.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The words of the little tasks, each with what it says of opinion, and how warm it is.
const WORDS: [(&str, bool, f32); 8] = [
    ("awful", false, 0.0),
    ("poor", false, 0.5),
    ("dull", false, 1.0),
    ("weak", false, 1.5),
    ("good", true, 3.5),
    ("fine", true, 4.0),
    ("great", true, 4.5),
    ("superb", true, 5.0),
];
const OPENINGS: [&str; 5] = ["the film was", "the book was", "this film is", "a book is", "this was"];

/// Entries of `vocab.txt`, and rows of the word embedding.
pub const VOCAB: usize = 24;

const TASKS_AND_MODULES: &str = r#"
sequence 16

tasks {
    sentiment { classify negative, positive       data tsv "sentiment" }
    agree     { classify same, opposite           data tsv "agree" }
    warmth    { regress 0.0 .. 5.0                data tsv "warmth"   uncertainty as sentiment }
}

attach alignment  after embeddings
attach attention  to layer 1 { blocks 4 }
attach norm       to layer 1
attach bottleneck to layer 1 { width 8 }

train { sampler mt_uncertainty   batch 8   steps 12   evaluate every 6   seed 3 }
"#;

/// A model whose weights all start at random.
pub fn scratch() -> String {
    let backbone =
        format!("tokenizer \"vocab.txt\" layers 2 hidden 16 heads 2 ffn 32 vocab {VOCAB} positions 16");
    format!("model tiny\n\nbackbone bert {{ {backbone} }}\n{TASKS_AND_MODULES}")
}

/// The same on a pretrained backbone whose lower layer is frozen.
pub fn on_checkpoint() -> String {
    let backbone =
        format!("checkpoint \"tiny-bert\" layers 2 hidden 16 heads 2 ffn 32 vocab {VOCAB} positions 16");
    let freeze = "freeze embeddings, layer 0\n";
    format!("model tiny_tuned\n\nbackbone bert {{ {backbone} }}\n{freeze}{TASKS_AND_MODULES}")
}

/// The words of the vocabulary, one a line.
pub fn vocabulary() -> String {
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let openings: BTreeSet<&str> = OPENINGS.iter().flat_map(|opening| opening.split(' ')).collect();
    let words = specials.into_iter().chain(openings).chain(WORDS.map(|(word, ..)| word));
    let text: String = words.map(|word| format!("{word}\n")).collect();
    assert!(text.lines().count() <= VOCAB);
    text
}

/// A temporary folder with `tiny.cam`, `tuned.cam` and `data`.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write("tiny.cam", &scratch());
        place.write("tuned.cam", &on_checkpoint());
        place.write("data/vocab.txt", &vocabulary());
        let rows = || {
            let openings = OPENINGS.iter().enumerate();
            openings.flat_map(|(i, opening)| WORDS.iter().map(move |word| (i, *opening, word)))
        };
        let sentiment = rows().map(|(_, opening, (word, good, _))| {
            format!("{}\t{opening} {word}\n", if *good { "positive" } else { "negative" })
        });
        let warmth = rows().map(|(_, opening, (word, _, warmth))| format!("{warmth}\t{opening} {word}\n"));
        let agree = rows().map(|(i, opening, (word, good, _))| {
            let (other, also_good, _) = WORDS[(3 * i + word.len()) % WORDS.len()];
            let label = if *good == also_good { "same" } else { "opposite" };
            format!("{label}\t{opening} {word}\tthis is {other}\n")
        });
        place.write_task("sentiment", "label\ttext_a", sentiment);
        place.write_task("warmth", "label\ttext_a", warmth);
        place.write_task("agree", "label\ttext_a\ttext_b", agree);
        place
    }

    /// The last opening's rows are for `dev`.
    fn write_task(&self, task: &str, header: &str, rows: impl Iterator<Item = String>) {
        let rows: Vec<String> = rows.collect();
        let (train, dev) = rows.split_at(rows.len() - WORDS.len());
        self.write(&format!("data/{task}/train.tsv"), &format!("{header}\n{}", train.concat()));
        self.write(&format!("data/{task}/dev.tsv"), &format!("{header}\n{}", dev.concat()));
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn lines(&self, path: &str) -> Vec<Value> {
        values(&self.read(path))
    }

    /// Every file and folder below, by its path.
    pub fn listing(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        list(self.folder.path(), &mut found);
        found
    }

    /// `camtlc`, to be run here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_camtlc"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("CAMTL_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("camtl"));
        command.env_remove("CAMTL_RUNTIME").env_remove("RUST_LOG").env("HF_HUB_OFFLINE", "1");
        command
    }

    /// Runs `camtlc` here.
    pub fn camtlc(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Its stdout where it succeeds.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let out = self.camtlc(arguments);
        assert!(out.status.success(), "{arguments:?}: {}", text(&out.stderr));
        text(&out.stdout)
    }

    /// A model's finished program.
    pub fn build(&self, model: &str) -> PathBuf {
        self.build_form(model, None)
    }

    /// The finished program of a variant.
    pub fn build_form(&self, model: &str, variant: Option<&str>) -> PathBuf {
        let variant: Vec<&str> = variant.into_iter().flat_map(|name| ["--variant", name]).collect();
        let said = self.succeed(&[&["build", model], variant.as_slice()].concat());
        let (_, path) = said.trim_end().split_once(": ").unwrap();
        PathBuf::from(path)
    }
}

fn list(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, found);
        }
        found.insert(path);
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// JSON lines.
pub fn values(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
