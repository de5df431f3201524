//! Files that are made to hurt, through the real `camtlc`: each ends with the right answer or a clear mistake, in
//! bounded time, memory and words.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

/// What a run may use: seconds of a processor and KiB of address space. The tests' own build is slow and its
/// neighbours many, so this tells linear from quadratic, no more.
const SECONDS: usize = 20;
const MEMORY: usize = 1 << 20;

/// Bytes that a report may have.
const WORDS: usize = 1 << 20;

/// The largest file that is read.
const LIMIT: usize = 1 << 20;

const HEAD: &str = "model hard\n\
    backbone bert { checkpoint \"x\" layers 12 hidden 96 heads 4 ffn 8 vocab 8 positions 64 }\n\
    sequence 64\n";
const TASKS: &str = "tasks { only { classify 2 data tsv \"only\" } }\n";

// ---- size ----------------------------------------------------------------------------------------------------

#[test]
fn files_beyond_the_limit_are_refused_unread() {
    let large = 10 << 20;
    for text in [
        fill("tasks {\n", |i| format!("t{i} {{ classify 2 data tsv \"t{i}\" }}\n"), "}", large),
        fill("freeze layer 0", |_| ", layer 0".to_owned(), "\n", large),
        "\"".repeat(large),
        " ".repeat(LIMIT + 1),
    ] {
        for command in ["check", "fmt", "graph", "stats"] {
            let run = camtlc(command, text.as_bytes());
            run.fails("cam::syntax::too_long");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_end_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(folder, &["check", "/dev/zero"]).fails("cam::syntax::too_long");
}

#[test]
fn a_file_at_the_limit_is_read() {
    let padded = format!("{HEAD}{TASKS}//{}", "x".repeat(LIMIT - HEAD.len() - TASKS.len() - 2));
    assert_eq!(padded.len(), LIMIT);
    camtlc("check", padded.as_bytes()).succeeds();
    camtlc("fmt", padded.as_bytes()).succeeds();
}

#[test]
fn too_many_tasks_are_one_mistake() {
    let text =
        fill(&format!("{HEAD}tasks {{\n"), |i| format!("t{i} {{ classify 2 data tsv \"d\" }}\n"), "}", LIMIT);
    camtlc("check", text.as_bytes()).fails("cam::");
    camtlc("fmt", text.as_bytes()).succeeds();
}

#[test]
fn a_thousand_tasks_are_not_too_many() {
    let task = |i: usize| format!("t{i} {{ classify 2 data tsv \"d\" }}\n");
    let tasks: String = (0..1_000).map(task).collect();
    let text = format!("{HEAD}tasks {{\n{tasks}}}\n");
    for command in ["check", "fmt", "graph", "stats"] {
        camtlc(command, text.as_bytes()).succeeds();
    }
}

// ---- many mistakes -------------------------------------------------------------------------------------------

#[test]
fn many_mistakes_of_every_kind_are_bounded() {
    let labels = fill("classify ", |i| format!("l{i}, "), "end data tsv \"d\"", LIMIT - 400);
    let twice = fill("classify ", |i| format!("l{}, ", i / 2), "end data tsv \"d\"", LIMIT - 400);
    let regressing =
        fill("tasks {\n", |i| format!("t{i} {{ regress 0 .. 1 data tsv \"d\" }}\n"), "}", LIMIT / 4);
    let borrowing =
        |i: usize| format!("t{i:0300} {{ classify 2 data tsv \"d\" uncertainty as u{i:0300} }}\n");
    for text in [
        // The same setting, over and over.
        fill(&format!("{HEAD}{TASKS}train {{\n"), |_| "batch 0\n".to_owned(), "}", 400_000),
        fill(&format!("{HEAD}{TASKS}train {{\n"), |i| format!("k{i} {i}\n"), "}", LIMIT),
        // A number that is none, over and over.
        fill(&format!("{HEAD}{TASKS}train {{\n"), |_| "seed 1x\n".to_owned(), "}", LIMIT),
        // One key as long as the file, and a value.
        format!("{HEAD}{TASKS}train {{ {} 1 }}", "k".repeat(LIMIT - 400)),
        format!("{HEAD}{TASKS}train {{ sampler {} }}", "s".repeat(LIMIT - 400)),
        format!("{HEAD}{TASKS}train {{ batch {} }}", "9".repeat(LIMIT - 400)),
        format!("{HEAD}{TASKS}train {{ batch \"{}\" }}", "text ".repeat((LIMIT - 400) / 5)),
        format!("model {}\n{}", "M".repeat(LIMIT - 400), &HEAD["model hard\n".len()..]),
        // A list where none belongs.
        fill(&format!("{HEAD}{TASKS}train {{ batch 1"), |i| format!(", {i}"), "}", LIMIT),
        // Modules at one place, names that are taken, parts that are frozen.
        fill(&format!("{HEAD}{TASKS}"), |_| "attach norm to layers 0..12\n".to_owned(), "", 30_000 * 28),
        fill(
            &format!("{HEAD}{TASKS}"),
            |_| "attach bottleneck to layer 0 { width 1 }\n".to_owned(),
            "",
            LIMIT,
        ),
        fill(&format!("{HEAD}{TASKS}"), |_| "attach alignment after embeddings\n".to_owned(), "", LIMIT),
        fill(&format!("{HEAD}tasks {{\n"), |_| "t { classify 2 data tsv \"d\" }\n".to_owned(), "}", LIMIT),
        fill(&format!("{HEAD}tasks {{\n"), |_| "t {}\n".to_owned(), "}", LIMIT),
        fill(&format!("{HEAD}{TASKS}freeze layer 0"), |_| ", layers 0..12".to_owned(), "", LIMIT),
        fill(&format!("{HEAD}{TASKS}"), |_| "freeze embeddings\n".to_owned(), "", LIMIT),
        fill(&format!("{HEAD}{TASKS}"), |_| "model m\n".to_owned(), "", LIMIT),
        // Assertions, each about the whole model.
        fill(&format!("{HEAD}{TASKS}"), |_| "assert flops <= 1\n".to_owned(), "", LIMIT),
        // Labels: 150 000 at least, different or each twice.
        format!("{HEAD}tasks {{ only {{ {twice} }} }}"),
        format!("{HEAD}tasks {{ only {{ {labels} metric f1 }} }}"),
        // Help that lists all tasks, for each task.
        format!("{HEAD}{regressing}"),
        fill(&format!("{HEAD}tasks {{ a {{ classify 2 data tsv \"d\" }}\n"), borrowing, "}", 300_000),
        fill(&format!("{HEAD}tasks {{ a {{ classify 2 data tsv \"d\" }}\n"), borrowing, "}", LIMIT),
    ] {
        let run = camtlc("check", text.as_bytes());
        run.fails("cam::");
    }
}

/// A prime length, so that the nearest legal one is far, asked again for each module.
#[test]
fn advice_is_cheap() {
    let sizes = "model hard\nbackbone bert { checkpoint \"x\" layers 1000 hidden 99991 heads 50000 ffn 8 vocab 8 \
        positions 100000 }\nsequence 50000\n";
    let uneven = sizes.replace("sequence 50000", "sequence 99991").replace("heads 50000", "heads 1");
    let places = |text: &str, options: &str| {
        let attach = |i: usize| format!("attach attention to layer {} {options}\n", i % 1_000);
        fill(&format!("{text}{TASKS}"), attach, "", LIMIT)
    };
    for text in [places(sizes, ""), places(&uneven, "{ blocks 2 }"), places(&uneven, "{ blocks 50000 }")] {
        camtlc("check", text.as_bytes()).fails("cam::");
    }
}

// ---- large but legal -----------------------------------------------------------------------------------------

#[test]
fn many_labels_are_read() {
    let labels = fill("classify ", |i| format!("l{i}, "), "end data tsv \"d\"", LIMIT - 400);
    let run = camtlc("check", format!("{HEAD}tasks {{ only {{ {labels} }} }}").as_bytes());
    assert!(matches!(run.code(), 0 | 1), "{}", run.stderr());
}

/// A small text may ask for much: tasks that only count their labels.
#[test]
fn many_tasks_of_many_labels_are_bounded() {
    let tasks: String = (0..1_000).map(|i| format!("t{i} {{ classify 100000 data tsv \"d\" }}\n")).collect();
    let run = camtlc("check", format!("{HEAD}tasks {{ {tasks} }}").as_bytes());
    assert!(matches!(run.code(), 0 | 1), "{}", run.stderr());
}

#[test]
fn assertions_that_hold_are_cheap() {
    let text = fill(&format!("{HEAD}{TASKS}"), |_| "assert flops > 1\n".to_owned(), "", LIMIT);
    camtlc("check", text.as_bytes()).fails("cam::item::too_many");
    let text = format!("{HEAD}{TASKS}{}", "assert flops > 1\n".repeat(4_000));
    camtlc("check", text.as_bytes()).succeeds();
}

/// Each variant is checked as a model, with all that the model has.
#[test]
fn many_variants_of_a_large_model_are_bounded() {
    let variants: String = (0..100).map(|i| format!("variant v{i} {{ fidelity reference }}\n")).collect();
    let labels = fill("classify ", |i| format!("l{i}, "), "end data tsv \"d\"", LIMIT - 10_000);
    let counts: String = (0..1_000).map(|i| format!("t{i} {{ classify 100 data tsv \"d\" }}\n")).collect();
    for tasks in [labels, counts] {
        let tasks = if tasks.starts_with("classify") { format!("only {{ {tasks} }}") } else { tasks };
        let run = camtlc("check", format!("{HEAD}tasks {{ {tasks} }}\n{variants}").as_bytes());
        assert!(matches!(run.code(), 0 | 1), "{}", run.stderr());
    }
}

/// Warnings, however many, hide no mistake behind them.
#[test]
fn mistakes_are_not_lost_among_warnings() {
    let sizes = HEAD.replace("layers 12", "layers 1000");
    let uneven: String =
        (0..1_000).map(|i| format!("attach attention to layer {i} {{ blocks 3 }}\n")).collect();
    let text = format!("{sizes}{TASKS}{uneven}");
    camtlc("check", text.as_bytes()).succeeds();
    camtlc("check", format!("{text}train {{ dropout 2 }}\n").as_bytes()).fails("cam::train::dropout");
}

/// Each of them could be any of a thousand tasks.
#[test]
fn advice_about_names_is_cheap() {
    let tasks: String = (0..1_000).map(|i| format!("t{i:04} {{ classify 2 data tsv \"d\" }}\n")).collect();
    let text = format!("{HEAD}tasks {{ {tasks} }}\nvariant v {{ drop a");
    let text = fill(&text, |i| format!(", u{i:05}"), " }", LIMIT);
    camtlc("check", text.as_bytes()).fails("cam::variant::drop");
}

#[test]
fn the_deepest_backbone_is_shown() {
    let text = format!("{HEAD}{TASKS}").replace("layers 12", "layers 1000");
    let modules: String = (0..1_000)
        .map(|i| format!("attach norm to layer {i}\nattach bottleneck to layer {i} {{ width {} }}\n", i + 1))
        .collect();
    for command in ["check", "graph", "stats"] {
        camtlc(command, format!("{text}{modules}").as_bytes()).succeeds();
    }
}

// ---- nesting and quotes --------------------------------------------------------------------------------------

#[test]
fn braces_and_quotes_without_end_are_unexpected() {
    for text in [
        "{".repeat(100_000),
        "tasks {".repeat(100_000),
        format!("tasks {{ {}", "a { ".repeat(100_000)),
        format!("train {{ {}", "a b { c d ".repeat(100_000)),
        format!("{HEAD}{}", "}".repeat(100_000)),
        "\"".repeat(LIMIT - 1),
        format!("backbone bert {{ checkpoint \"{}", "x".repeat(LIMIT - 100)),
        format!("backbone bert {{ checkpoint \"{}\" }}", "\\".repeat(LIMIT - 101)),
        "/".repeat(LIMIT - 1).replacen('/', " ", 1).replacen('/', "\n@", 1),
        ",".repeat(LIMIT),
        format!("{HEAD}{TASKS}@ {}", "x ".repeat(500_000)),
    ] {
        camtlc("check", text.as_bytes()).fails("cam::syntax::unexpected");
        camtlc("fmt", text.as_bytes()).fails("cam::syntax::unexpected");
    }
}

#[test]
fn an_unfinished_text_is_told_from_an_unfinished_block() {
    let run = camtlc("check", b"model m\nbackbone bert { checkpoint \"abc");
    run.fails("cam::syntax::unexpected");
    assert!(run.stderr().contains("a text ends on its line"), "{}", run.stderr());
    let run = camtlc("check", b"model m\nbackbone bert { layers 3");
    run.fails("cam::syntax::unexpected");
    assert!(run.stderr().contains("a block is not closed"), "{}", run.stderr());
}

// ---- letters -------------------------------------------------------------------------------------------------

#[test]
fn what_is_no_text_is_refused_by_name() {
    let model = format!("{HEAD}{TASKS}").into_bytes();
    for bytes in [&b"\xff\xfe\x00"[..], b"model \xc3\x28", &[&model[..], b"// \xe2\x82"].concat()] {
        for command in ["check", "fmt"] {
            let run = camtlc(command, bytes);
            run.fails("hard.cam");
            assert!(run.stderr().contains("UTF-8"), "{}", run.stderr());
        }
    }
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_white_space() {
    let model = format!("\u{feff}{HEAD}{TASKS}// the end").replace('\n', "\r\n");
    camtlc("check", model.as_bytes()).succeeds();
    let run = camtlc("fmt", model.as_bytes());
    run.succeeds();
    assert!(!run.text().contains(['\r', '\u{feff}']), "{:?}", run.text());
}

#[test]
fn letters_that_are_no_white_space_are_unexpected_where_they_stand() {
    for (letter, column) in [('\0', 7), ('\u{a0}', 7), ('\u{2003}', 7), ('\u{200b}', 7), ('\u{202e}', 7)] {
        let run = camtlc("check", format!("\nmodel {letter}hard").as_bytes());
        run.fails("cam::syntax::unexpected");
        assert!(run.stderr().contains(&format!(":2:{column}]")), "{letter:?}: {}", run.stderr());
    }
}

#[test]
fn columns_are_counted_in_letters() {
    let tasks =
        "tasks { only { classify \"\u{1F600}\u{1F600}\", \"\u{e9}\" metric mathews data tsv \"x\" } }\n";
    let run = camtlc("check", format!("{HEAD}{tasks}").as_bytes());
    run.fails("cam::task::unknown_metric");
    let before = tasks.split("mathews").next().expect("split gives one at least");
    let letters = before.chars().count();
    assert!(run.stderr().contains(&format!(":4:{}]", letters + 1)), "{}", run.stderr());
}

#[test]
fn numbers_beyond_their_range_are_mistakes() {
    for (entry, code) in [
        ("seed 18446744073709551616", "cam::syntax::number"),
        ("batch 99999999999999999999999999999999999999", "cam::syntax::number"),
        ("batch 18446744073709551615", "cam::value::too_large"),
        ("batch -0", "cam::value::expected"),
        ("batch -1", "cam::value::expected"),
        ("batch 4096 token", "cam::value::expected"),
        ("batch 4096 MiB", "cam::value::expected"),
        ("batch 1.5 tokens", "cam::value::expected"),
        ("batch 0 tokens", "cam::value::zero"),
        ("batch 63 tokens", "cam::train::budget"),
        ("batch 64 tokens sampler proportional", ""),
        ("batch 100000001 tokens", "cam::value::too_large"),
        ("epochs 3 tokens", "cam::value::expected"),
        ("sampler mt_uncertainty { rescore every 0 }", "cam::value::zero"),
        ("sampler mt_uncertainty { rescore 4 }", "cam::value::expected"),
        ("sampler mt_uncertainty { rescore every 1_000_000_000 }", "cam::sampler::rescore"),
        ("sampler mt_uncertainty { rescore every 1_000_000_001 }", "cam::value::too_large"),
        ("cache 2", "cam::value::expected"),
        ("cache 2 gib", "cam::value::expected"),
        ("cache 0 GiB", "cam::value::expected"),
        ("cache -1 GiB", "cam::value::expected"),
        ("cache 10% GiB", "cam::value::expected"),
        ("cache 1025 TiB", "cam::value::expected"),
        ("cache 1e300 TiB", "cam::value::expected"),
        ("cache on", "cam::value::expected"),
        ("cache off", ""),
        ("dropout 1e999", "cam::syntax::number"),
        ("dropout -1e999", "cam::syntax::number"),
        ("dropout 1e-999", ""),
        ("dropout -0", ""),
        ("seed -0", "cam::value::expected"),
        ("clip 1e-999", "cam::train::clip"),
        ("clip -0.0", "cam::train::clip"),
        ("optimizer adamw { lr -0 }", "cam::train::optimizer"),
        ("optimizer adamw { weight_decay -0 }", ""),
        ("schedule linear { warmup 1e999% }", "cam::syntax::number"),
        ("schedule linear { warmup -0% }", ""),
        ("seed 0x10", "cam::syntax::number"),
        ("seed 1_", ""),
    ] {
        let run = camtlc("check", format!("{HEAD}{TASKS}train {{ {entry} }}\n").as_bytes());
        match code {
            "" => run.succeeds(),
            code => run.fails(code),
        }
    }
}

/// Scores are computed in single precision: their range has to be one there.
#[test]
fn ranges_of_scores_fit_single_precision() {
    for range in ["-1e300 .. 1e300", "0 .. 1e39", "-3e38 .. 3e38", "0 .. 1e-60", "1 .. 1.000000000001"] {
        let task = format!(
            "tasks {{ only {{ regress {range} data tsv \"d\" }} }} train {{ sampler proportional }}\n"
        );
        camtlc("check", format!("{HEAD}{task}").as_bytes()).fails("cam::task::range");
    }
}

// ---- nothing at all ------------------------------------------------------------------------------------------

#[test]
fn a_file_with_nothing_in_it_lacks_all() {
    for text in ["", "\n", "// only\n// comments", "\u{feff}", " \t\r\n"] {
        camtlc("check", text.as_bytes()).fails("cam::item::missing");
        camtlc("fmt", text.as_bytes()).succeeds();
    }
}

#[test]
fn a_folder_is_no_file() {
    for command in ["check", "fmt", "graph", "stats"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("hard.cam")).expect("created");
        let run = run(folder, &[command, "hard.cam"]);
        run.fails("cannot read `hard.cam`");
    }
}

// ---- running -------------------------------------------------------------------------------------------------

/// `head`, then as many of `part(0)`, `part(1)`, .. as make a text of about `length` bytes, then `tail`.
fn fill(head: &str, part: impl Fn(usize) -> String, tail: &str, length: usize) -> String {
    let mut text = head.to_owned();
    for i in 0.. {
        let next = part(i);
        if text.len() + next.len() + tail.len() > length {
            break;
        }
        text += &next;
    }
    text + tail
}

/// An ended `camtlc`, and the folder that it ran in.
struct Run {
    folder: TempDir,
    output: Output,
}

/// Runs a command on a file `hard.cam` with this content.
fn camtlc(command: &str, content: &[u8]) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("hard.cam"), content).expect("written");
    run(folder, &[command, "hard.cam"])
}

fn run(folder: TempDir, arguments: &[&str]) -> Run {
    let output = limited().args(arguments).current_dir(folder.path()).output().expect("camtlc runs");
    Run { folder, output }
}

/// `camtlc` with bounded time and memory: the system ends it where it needs more.
fn limited() -> Command {
    let camtlc = env!("CARGO_BIN_EXE_camtlc");
    if cfg!(not(unix)) {
        return Command::new(camtlc);
    }
    let mut command = Command::new("sh");
    let limits = format!("ulimit -t {SECONDS}; ulimit -v {MEMORY}; exec \"$0\" \"$@\"");
    command.args(["-c", &limits, camtlc]);
    command
}

impl Run {
    /// `None` of the shell's signals is an exit by itself.
    fn code(&self) -> i32 {
        self.output.status.code().unwrap_or_else(|| panic!("{}: {}", self.output.status, self.stderr()))
    }

    fn succeeds(&self) {
        assert_eq!(self.code(), 0, "{}", self.stderr());
    }

    /// With a bounded report that says this.
    fn fails(&self, words: &str) {
        assert_eq!(self.code(), 1, "{}", self.stderr());
        let length = self.output.stderr.len();
        assert!(length <= WORDS, "a report of {length} bytes: {}", self.stderr());
        let whole = String::from_utf8_lossy(&self.output.stderr);
        assert!(whole.contains(words), "no {words}: {}", self.stderr());
    }

    /// What is in the file now.
    fn text(&self) -> String {
        fs::read_to_string(self.folder.path().join("hard.cam")).expect("it is still there")
    }

    /// The beginning of it: enough to see what went wrong.
    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).chars().take(4_000).collect()
    }
}
