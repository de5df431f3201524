//! Which file of a source's folder holds a split.

use std::path::{Path, PathBuf};

use super::glue;
use super::read::ReadError;
use super::source::{Format, Source, Split};

/// The file of a split of a task below the data folder `root`, which must exist: the one that the source names, or
/// the first that is there of those that its format is known to have.
///
/// # Errors
/// [`ReadError::UnknownSet`], or a folder or file that is missing.
pub fn locate(task: &str, source: Source, split: Split, root: &Path) -> Result<PathBuf, ReadError> {
    let names = match source.files[split as usize] {
        Some(file) => vec![file.to_owned()],
        None => usual(task, source.format, split)?,
    };
    let folder = root.join(source.folder);
    if !folder.is_dir() {
        return Err(ReadError::NoFolder { task: task.to_owned(), folder, root: root.to_owned() });
    }
    if let Some(path) = names.iter().map(|name| folder.join(name)).find(|path| path.is_file()) {
        return Ok(path);
    }
    let (first, others) = names.split_first().expect("a format has a file for each split");
    Err(ReadError::NoFile {
        task: task.to_owned(),
        path: folder.join(first),
        others: others.iter().map(|name| format!(", and no `{name}` beside it")).collect(),
        split,
        root: root.to_owned(),
    })
}

/// The names that files of a format have, the likeliest first; at least one.
fn usual(task: &str, format: Format, split: Split) -> Result<Vec<String>, ReadError> {
    let names: &[&str] = match (format, split) {
        (Format::Glue(set), _) => return Ok(vec![glue_set(task, set)?.file(split).to_owned()]),
        (Format::Mrqa(set), _) => return Ok(mrqa(set, split)),
        (Format::SuperGlue(_), Split::Train) => &["train.jsonl"],
        (Format::SuperGlue(_), Split::Dev) => &["val.jsonl"],
        (Format::SuperGlue(_), Split::Test) => &["test.jsonl"],
        (Format::Squad, Split::Train) => &["train-v1.1.json", "train.json", "train-v2.0.json"],
        (Format::Squad, Split::Dev) => &["dev-v1.1.json", "dev.json", "dev-v2.0.json"],
        (Format::Squad, Split::Test) => &["test-v1.1.json", "test.json"],
        (Format::Conll, Split::Train) => &["train.conll", "train.txt", "wnut17train.conll", "eng.train"],
        (Format::Conll, Split::Dev) => {
            &["dev.conll", "dev.txt", "valid.txt", "emerging.dev.conll", "eng.testa"]
        }
        (Format::Conll, Split::Test) => {
            &["test.conll", "test.annotated.conll", "test.txt", "emerging.test.annotated", "eng.testb"]
        }
        (Format::Snli, Split::Train) => &["snli_1.0_train.jsonl", "train.jsonl"],
        (Format::Snli, Split::Dev) => &["snli_1.0_dev.jsonl", "dev.jsonl"],
        (Format::Snli, Split::Test) => &["snli_1.0_test.jsonl", "test.jsonl"],
        (Format::SciTail, _) => return Ok(scitail(split)),
        (Format::Csv(_), _) => return Ok(vec![format!("{split}.csv")]),
        (Format::Tsv(_), _) => return Ok(vec![format!("{split}.tsv")]),
        (Format::JsonLines(_), _) => return Ok(vec![format!("{split}.jsonl"), format!("{split}.jsonl.gz")]),
    };
    Ok(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The official distribution has a folder a split, and in it a file a set.
fn mrqa(set: &str, split: Split) -> Vec<String> {
    let stems = [split.name().to_owned(), format!("{split}/{set}")];
    stems.iter().flat_map(|stem| [format!("{stem}.jsonl.gz"), format!("{stem}.jsonl")]).collect()
}

fn scitail(split: Split) -> Vec<String> {
    let snli = format!("scitail_1.0_{split}.txt");
    let predictor = format!("scitail_1.0_structure_{split}.jsonl");
    vec![
        format!("snli_format/{snli}"),
        format!("predictor_format/{predictor}"),
        snli,
        predictor,
        format!("{split}.jsonl"),
    ]
}

/// The layout of a GLUE set.
pub fn glue_set(task: &str, set: &str) -> Result<&'static glue::Set, ReadError> {
    glue::Set::named(set).ok_or_else(|| ReadError::UnknownSet {
        task: task.to_owned(),
        benchmark: "GLUE",
        set: set.to_owned(),
        known: glue::SETS.map(|set| set.name).join(", "),
    })
}
