//! The pages behind `camtlc explain`: every code has one, in one form, and its examples show what it says.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use camtl::analysis::{self, Files};
use camtl::diagnostics::codes::{CODES, Code};
use camtl::diagnostics::{Diagnostics, Style};
use camtl::explain;
use camtl::fmt;
use camtl::span::Source;

/// Of a page and of what a terminal shows of it.
const WIDTH: usize = 100;

/// What every model has, in the order of a file: a snippet is completed by those that it lacks.
const SKELETON: [(&str, &str); 4] = [
    ("model", "model example\n"),
    (
        "backbone",
        "backbone bert {\n    checkpoint \"bert-base-cased\"\n    layers 12   hidden 768   heads 12   ffn 3072\n    \
         vocab 28996   positions 512\n}\n",
    ),
    ("sequence", "sequence 128\n"),
    ("tasks", "tasks {\n    cola { classify 2   data glue \"CoLA\" }\n}\n"),
];

/// Their examples only hint at the size that is their subject.
const HINTED: [&str; 4] =
    ["cam::item::too_many", "cam::syntax::too_long", "cam::task::too_many", "cam::variant::too_many"];

/// Their subject is what the skeleton would add.
const WHOLE: [&str; 1] = ["cam::item::missing"];

#[test]
fn pages_have_one_form() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/explain/pages");
    assert_eq!(
        fs::read_dir(&folder).expect("the pages are a folder").count(),
        CODES.len(),
        "a page is of no code"
    );
    for entry in fs::read_dir(folder).expect("the pages are a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let text = fs::read_to_string(&path).expect("pages are text");
        assert_eq!(text.lines().next(), Some(&*format!("# cam::{}", name.replacen('_', "::", 1))));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{name} is wider than {WIDTH}");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, ["## Wrong", "## Right"], "{name}");
        for heading in headings {
            assert!(!example(&text, heading).is_empty(), "{name} has no example below `{heading}`");
        }
    }
}

#[test]
fn pages_say_what_the_list_says() {
    for Code { code, meaning, page } in CODES {
        let mut paragraphs = page.split("\n\n").map(|paragraph| paragraph.replace('\n', " "));
        assert_eq!(paragraphs.next(), Some(format!("# {code}")));
        let (first, rest) = meaning.split_at(1);
        assert_eq!(paragraphs.next(), Some(format!("{}{rest}.", first.to_uppercase())), "{code}");
    }
}

#[test]
fn wrong_examples_show_their_code_and_nothing_else() {
    for Code { code, page, .. } in CODES {
        let found = diagnostics(code, &example(page, "## Wrong"));
        let errors = found.errors().filter_map(|error| error.code());
        let others: Vec<String> =
            errors.map(|error| error.to_string()).filter(|error| error != code).collect();
        assert_eq!(others, [""; 0], "beside {code}");
        let is_shown = found.codes().iter().any(|found| found == code);
        assert!(is_shown || HINTED.contains(code), "nothing shows {code}");
    }
}

#[test]
fn right_examples_are_right() {
    for Code { code, page, .. } in CODES {
        let found = diagnostics(code, &example(page, "## Right"));
        let report = found.codes();
        assert!(!found.has_errors() && !report.iter().any(|found| found == code), "{code} shows {report:?}");
    }
}

#[test]
fn examples_are_in_the_standard_layout() {
    for Code { code, page, .. } in CODES.iter().filter(|code| code.area() != "syntax") {
        for heading in ["## Wrong", "## Right"] {
            let (snippet, files) = files(&example(page, heading));
            for text in files.into_values().chain([completed(code, &snippet)]) {
                let layout = fmt::format(&Source::new("example.cam", &*text)).expect("the example parses");
                assert_eq!(layout, text, "{code}");
            }
        }
    }
}

#[test]
fn pages_fit_a_terminal_and_color_changes_no_word() {
    for code in CODES {
        let plain = explain::page(code, Style::Plain);
        assert!(plain.lines().all(|line| line.chars().count() <= WIDTH), "{}", code.code);
        let mut colored = explain::page(code, Style::Color);
        assert_ne!(colored, plain);
        for escape in ["\x1b[1m", "\x1b[1;31m", "\x1b[1;32m", "\x1b[0m"] {
            colored = colored.replace(escape, "");
        }
        assert_eq!(colored, plain);
    }
}

/// The fenced block below a heading.
fn example(page: &str, heading: &str) -> String {
    let below = page.split_once(heading).expect("the heading is there").1;
    let block = below.split_once("```cam\n").expect("a block of code below it").1;
    block.split_once("```").expect("the block ends").0.to_owned()
}

fn diagnostics(code: &str, snippet: &str) -> Diagnostics {
    let (snippet, files) = files(snippet);
    match analysis::compile_model(&Source::new("example.cam", completed(code, &snippet)), &Texts(files)) {
        Ok(mut compiled) => {
            compiled.warnings.append(compiled.failures);
            compiled.warnings
        }
        Err(rejected) => rejected.diagnostics,
    }
}

/// The files that an example shows below the model's own.
struct Texts(HashMap<String, String>);

impl Files for Texts {
    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "there is no such file".to_owned())
    }

    fn checkpoint_config(&self, _: &str) -> Option<String> {
        None
    }
}

/// An example's own text, and those of its files: each stands below a comment that is its path.
fn files(snippet: &str) -> (String, HashMap<String, String>) {
    let mut texts = vec![(String::new(), Vec::new())];
    for line in snippet.lines() {
        match line.strip_prefix("// ").filter(|path| path.ends_with(".cam")) {
            Some(path) => texts.push((path.to_owned(), Vec::new())),
            None => texts.last_mut().expect("never empty").1.push(line),
        }
    }
    let mut texts = texts.into_iter().map(|(path, lines)| (path, lines.join("\n").trim().to_owned() + "\n"));
    let own = texts.next().expect("never empty").1;
    (own, texts.collect())
}

/// The snippet behind the items of the skeleton that it lacks.
fn completed(code: &str, snippet: &str) -> String {
    let has = |keyword: &str| snippet.lines().any(|line| line.split(' ').next() == Some(keyword));
    let lacking = SKELETON.iter().filter(|(keyword, _)| !WHOLE.contains(&code) && !has(keyword));
    lacking.map(|(_, item)| format!("{item}\n")).collect::<String>() + snippet
}
