//! `camtlc` as a user meets it: exit codes, and what stands on stdout and stderr. Nothing is built here.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const QUICKSTART: &str = "models/quickstart.cam";

#[test]
fn a_good_model_is_checked() {
    let out = camtlc(&["check", QUICKSTART]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stdout(&out).contains("`quickstart` is fine"), "{}", stdout(&out));
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_with_a_cause_and_a_help() {
    for command in ["check", "fmt", "graph", "stats", "build", "train"] {
        let out = camtlc(&[command, "no/such.cam"]);
        assert_eq!(code(&out), 1, "{command}");
        assert!(stderr(&out).contains("cannot read `no/such.cam`"), "{command}: {}", stderr(&out));
        assert!(stderr(&out).contains("help: "), "{command}: {}", stderr(&out));
        assert!(stdout(&out).is_empty(), "{command}: {}", stdout(&out));
    }
}

#[test]
fn a_wrong_model_is_shown_under_its_lines_and_the_next_file_is_checked_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let wrong = folder.path().join("wrong.cam");
    fs::write(&wrong, "model wrong\nbackbone bert { heds 12 }\n").expect("written");
    let out = camtlc(&["check", &text(&wrong), QUICKSTART]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("wrong.cam:2"), "{}", stderr(&out));
    assert!(stderr(&out).contains("heds"), "{}", stderr(&out));
    assert!(stdout(&out).contains("`quickstart` is fine"), "{}", stdout(&out));
}

#[test]
fn wrong_usage_is_told_from_a_mistake() {
    for arguments in [
        &["chek"][..],
        &["check"],
        &["graph", QUICKSTART, "--format", "png"],
        &["train", QUICKSTART, "--set", "lr"],
        &["predict", "run", "--task", "cola"],
        &["predict", "run", "--task", "cola", "--text", "a", "--in", "b"],
    ] {
        assert_eq!(code(&camtlc(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn version_and_help_are_there() {
    let version = camtlc(&["--version"]);
    assert_eq!(stdout(&version), format!("camtlc {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["train", "--help"], &["predict", "--help"]] {
        let out = camtlc(arguments);
        assert_eq!(code(&out), 0);
        assert!(stdout(&out).contains("Usage: camtlc"), "{}", stdout(&out));
    }
}

#[test]
fn graphs_and_stats_go_to_stdout() {
    for format in ["text", "dot", "mermaid", "svg", "json"] {
        let out = camtlc(&["graph", QUICKSTART, "--format", format]);
        assert_eq!(code(&out), 0, "{format}: {}", stderr(&out));
        assert!(stdout(&out).contains("embeddings"), "{format}");
    }
    let out = camtlc(&["stats", QUICKSTART, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(json["model"], "quickstart");
}

#[test]
fn a_code_is_explained_by_its_long_and_its_short_name() {
    let out = camtlc(&["explain", "cam::shape::heads"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(
        stdout(&out).starts_with("cam::shape::heads\n\nThe heads do not divide hidden.\n"),
        "{}",
        stdout(&out)
    );
    assert!(stdout(&out).contains("\nWrong\n\n    backbone bert {\n"), "{}", stdout(&out));
    assert_eq!(stdout(&camtlc(&["explain", "shape::heads"])), stdout(&out));
}

#[test]
fn codes_are_listed_by_area() {
    let all = camtlc(&["explain"]);
    assert_eq!(code(&all), 0, "{}", stderr(&all));
    let heads = stdout(&all).lines().find(|line| line.starts_with("cam::shape::heads ")).map(str::to_owned);
    assert!(heads.is_some_and(|line| line.ends_with("  the heads do not divide hidden")), "{}", stdout(&all));

    let shapes = camtlc(&["explain", "shape"]);
    assert_eq!(code(&shapes), 0, "{}", stderr(&shapes));
    assert!(stdout(&shapes).lines().all(|line| line.starts_with("cam::shape::")), "{}", stdout(&shapes));
}

#[test]
fn an_unknown_code_is_a_mistake_with_a_help() {
    for (name, help) in [
        ("shape::head", "did you mean `cam::shape::heads`?"),
        ("cam::shape_heads", "did you mean `cam::shape::heads`?"),
        ("E0308", "`camtlc explain` lists all codes"),
    ] {
        let out = camtlc(&["explain", name]);
        assert_eq!(code(&out), 1);
        assert!(stderr(&out).contains("camtlc::explain"), "{}", stderr(&out));
        assert!(stderr(&out).contains(&format!("no code is called `{name}`")), "{}", stderr(&out));
        assert!(stderr(&out).contains(help), "{}", stderr(&out));
        assert!(stdout(&out).is_empty(), "{}", stdout(&out));
    }
}

#[test]
fn costs_are_those_of_the_step_that_is_asked_for() {
    let figures = |arguments: &[&str]| -> serde_json::Value {
        let out = camtlc(&[&["stats", QUICKSTART, "--json"], arguments].concat());
        assert_eq!(code(&out), 0, "{}", stderr(&out));
        serde_json::from_slice(&out.stdout).expect("JSON")
    };
    let (own, double) = (figures(&[]), figures(&["--batch", "64", "--length", "32"]));
    assert_eq!(own["load"], serde_json::json!({ "batch": 32, "length": 32 }));
    let layers = |figures: &serde_json::Value| {
        let components = figures["components"].as_array().expect("a list");
        let layers = components.iter().find(|part| part["component"] == "layers").expect("layers");
        layers["flops"]["step"].as_u64().expect("a number")
    };
    assert_eq!(layers(&double), 2 * layers(&own));

    let out = camtlc(&["stats", QUICKSTART, "--length", "33"]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("`--length 32`"), "{}", stderr(&out));
    for wrong in ["0", "-1", "many", "1000001"] {
        assert_eq!(code(&camtlc(&["stats", QUICKSTART, "--batch", wrong])), 2, "{wrong}");
    }
}

#[test]
fn two_models_are_compared() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let narrow = folder.path().join("narrow.cam");
    let text_of_it = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    fs::write(&narrow, text_of_it.replace("width 32", "width 16")).expect("written");

    let out = camtlc(&["diff", QUICKSTART, QUICKSTART]);
    assert_eq!((code(&out), stdout(&out).as_str()), (0, "no difference\n"), "{}", stderr(&out));

    let out = camtlc(&["diff", QUICKSTART, &text(&narrow)]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    // Both are called `quickstart`.
    assert!(stdout(&out).starts_with(&format!("{QUICKSTART} -> {}\n", text(&narrow))), "{}", stdout(&out));
    assert!(stdout(&out).contains("to layer 3 { width 32 } -> to layer 3 { width 16 }"), "{}", stdout(&out));

    let out = camtlc(&["diff", QUICKSTART, "models/camtl_minilm.cam", "--length", "16", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!((&json["from"]["model"], &json["to"]["load"]["length"]), (&"quickstart".into(), &16.into()));
    assert_eq!(json["equal"], false);

    for arguments in [["no/such.cam", QUICKSTART], [QUICKSTART, "no/such.cam"]] {
        let out = camtlc(&[&["diff"], &arguments[..]].concat());
        assert_eq!(code(&out), 1);
        assert!(stderr(&out).contains("cannot read `no/such.cam`"), "{}", stderr(&out));
    }
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let mut child = command(&["graph", QUICKSTART, "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("camtlc starts");
    drop(child.stdout.take());
    let out = child.wait_with_output().expect("camtlc ends");
    assert_eq!(code(&out), 0, "{}", stderr(&out));
}

#[test]
fn fmt_checks_and_then_rewrites() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("untidy.cam");
    let tidy = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    let untidy = tidy.replacen("model quickstart", "model    quickstart", 1);
    assert_ne!(tidy, untidy);
    fs::write(&file, &untidy).expect("written");

    let out = camtlc(&["fmt", "--check", &text(&file)]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("untidy.cam is not in the standard layout"), "{}", stderr(&out));
    assert_eq!(fs::read_to_string(&file).expect("read"), untidy);

    assert_eq!(code(&camtlc(&["fmt", &text(&file)])), 0);
    assert_eq!(code(&camtlc(&["fmt", "--check", &text(&file)])), 0);
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "a temporary file was left");
}

#[test]
fn fmt_reads_stdin() {
    let tidy = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    let out = camtlc_with(&["fmt", "-"], &tidy.replacen("model quickstart", "model   quickstart", 1));
    assert_eq!(code(&out), 0);
    assert!(stdout(&out).contains("model quickstart\n"), "{}", stdout(&out));
}

#[test]
fn a_new_model_is_fine_and_says_what_to_do_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = folder.path().join("a/b");
    let file = text(&made.join("support_desk.cam"));
    let out = camtlc(&["new", "support_desk", "--dir", &text(&made)]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    for expected in
        [format!("camtlc check {file}"), text(&made.join("support_desk/topic")), "text_b".to_owned()]
    {
        assert!(stdout(&out).contains(&expected), "{expected}: {}", stdout(&out));
    }

    let out = camtlc(&["check", &file]);
    assert_eq!((code(&out), stderr(&out).as_str()), (0, ""));
    assert!(stdout(&out).contains("`support_desk` is fine"), "{}", stdout(&out));
    let out = camtlc(&["fmt", "--check", &file]);
    assert_eq!((code(&out), stderr(&out).as_str()), (0, ""));
}

#[test]
fn a_new_model_needs_a_name_and_a_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = text(folder.path());
    for (name, said, help) in [
        ("My-Model", "the model name `My-Model` is not in snake case", "`my_model` is one"),
        ("my model", "the model name `my model` is not in snake case", "`my_model` is one"),
        ("a/../b", "the model name `a/../b` is not in snake case", "is one"),
        ("9x", "the model name `9x` starts with a digit", "`model_9x` is one"),
        ("std", "the model name `std` is reserved", "`std_model` is one"),
        ("train", "the model name `train` is a word of the language", "`train_model`"),
        ("a\nb {", "is not in snake case", "is one"),
    ] {
        let out = camtlc(&["new", name, "--dir", &place]);
        assert_eq!(code(&out), 1, "{name}");
        assert!(stderr(&out).contains(said), "{name}: {}", stderr(&out));
        assert!(stderr(&out).contains(help), "{name}: {}", stderr(&out));
    }
    assert_eq!(code(&camtlc(&["new", ""])), 2);
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0);

    let mine = folder.path().join("mine.cam");
    fs::write(&mine, "mine").expect("written");
    let out = camtlc(&["new", "mine", "--dir", &place]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("is there already"), "{}", stderr(&out));
    assert_eq!(fs::read_to_string(&mine).expect("read"), "mine");
}

#[test]
fn shells_learn_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = camtlc(&["completions", shell]);
        assert_eq!(code(&out), 0, "{shell}: {}", stderr(&out));
        assert!(stdout(&out).contains("train"), "{shell}: {}", stdout(&out));
    }
    assert_eq!(code(&camtlc(&["completions", "none"])), 2);
}

#[test]
fn the_quickstarts_data_is_written_anywhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = folder.path().join("new/data");
    let out = camtlc(&["quickstart-data", &text(&made)]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stdout(&out).contains(&format!("{}: 2000 rows\n", text(&made.join("warmth/train.tsv")))));
    for file in ["vocab.txt", "entails/dev.tsv"] {
        let committed = rooted("models/quickstart").join(file);
        let committed = fs::read_to_string(committed).expect("read").replace("\r\n", "\n");
        assert!(fs::read_to_string(made.join(file)).expect("read") == committed, "{file}");
    }

    let taken = folder.path().join("taken");
    fs::write(&taken, "a file").expect("written");
    let out = camtlc(&["quickstart-data", &text(&taken)]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("cannot create the folder"), "{}", stderr(&out));
    assert!(stdout(&out).is_empty(), "{}", stdout(&out));
}

#[test]
fn a_folder_without_a_model_is_no_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for arguments in [vec!["eval", "RUN"], vec!["predict", "RUN", "--task", "cola", "--text", "a"]] {
        let run = text(folder.path());
        let arguments: Vec<&str> =
            arguments.into_iter().map(|word| if word == "RUN" { run.as_str() } else { word }).collect();
        let out = camtlc(&arguments);
        assert_eq!(code(&out), 1);
        assert!(stderr(&out).contains("is not the folder of a run"), "{}", stderr(&out));
    }
}

#[test]
fn an_unknown_task_is_found_before_anything_is_built() {
    let run = tempfile::tempdir().expect("a temporary folder");
    fs::copy(rooted(QUICKSTART), run.path().join("model.cam")).expect("copied");
    let out = camtlc(&["predict", &text(run.path()), "--task", "nonsense", "--text", "a"]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("`quickstart` has no task `nonsense`"), "{}", stderr(&out));
}

#[test]
fn a_crate_is_emitted_and_others_folders_are_left_alone() {
    let Sandbox { home, mut command } = sandbox(&["build", QUICKSTART, "--emit"]);
    let target = home.path().join("emitted");
    // cargo is not there, so the build fails, but after the crate has been written.
    let out = command.arg(&target).output().expect("camtlc runs");
    assert_eq!(code(&out), 1);
    assert!(target.join("src/network.rs").is_file());
    assert!(target.join("README.md").is_file());

    let taken = home.path().join("taken");
    fs::create_dir(&taken).expect("created");
    fs::write(taken.join("notes.txt"), "mine").expect("written");
    let Sandbox { home: _home, mut command } = sandbox(&["build", QUICKSTART, "--emit"]);
    let out = command.arg(&taken).output().expect("camtlc runs");
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("holds files that camtlc did not make"), "{}", stderr(&out));
    assert_eq!(fs::read_dir(&taken).expect("listed").count(), 1);
}

#[test]
fn a_missing_toolchain_is_said_in_one_sentence() {
    let Sandbox { home: _home, mut command } = sandbox(&["build", QUICKSTART]);
    let out = command.output().expect("camtlc runs");
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("could not be started"), "{}", stderr(&out));
    assert!(stderr(&out).contains("https://rustup.rs"), "{}", stderr(&out));
}

#[test]
fn a_runtime_that_is_none_is_refused() {
    let Sandbox { home, mut command } = sandbox(&["build", QUICKSTART]);
    let out = command.env("CAMTL_RUNTIME", home.path()).output().expect("camtlc runs");
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("CAMTL_RUNTIME"), "{}", stderr(&out));
}

/// A cargo that "builds" a program which prints its arguments and exits with 7.
#[cfg(unix)]
fn pretend_cargo(folder: &Path, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let (cargo, program) = (folder.join("cargo"), folder.join("program"));
    fs::write(&program, "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 7\n").expect("written");
    let message = serde_json::json!({
        "reason": "compiler-artifact",
        "target": { "name": name },
        "executable": program,
    });
    fs::write(&cargo, format!("#!/bin/sh\necho '{message}'\n")).expect("written");
    for file in [&cargo, &program] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("permitted");
    }
    cargo
}

#[cfg(unix)]
#[test]
fn a_model_is_built_once_and_its_program_gets_the_arguments() {
    let Sandbox { home, mut command } = sandbox(&["build", QUICKSTART]);
    let cargo = pretend_cargo(home.path(), "quickstart");
    let out = command.env("CARGO", &cargo).env("RUSTC", "true").output().expect("camtlc runs");
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stdout(&out).starts_with("built in "), "{}", stdout(&out));

    let again = |arguments: &[&str]| {
        let mut command = self::command(arguments);
        // Without cargo: nothing is to be built any more.
        command.env("CAMTL_HOME", home.path().join("camtl")).env("CARGO", "none").env("RUSTC", "true");
        command.output().expect("camtlc runs")
    };
    let out = again(&["build", QUICKSTART]);
    assert!(stdout(&out).starts_with("up to date: "), "{}", stdout(&out));

    let out = again(&["train", QUICKSTART, "--data", "d", "--steps", "5", "--seed", "1", "--set", "lr=1e-4"]);
    assert_eq!(code(&out), 7, "{}", stderr(&out));
    let expected =
        ["train", "--model", QUICKSTART, "--data", "d", "--steps", "5", "--seed", "1", "--set", "lr=1e-4"];
    assert_eq!(stdout(&out).lines().collect::<Vec<_>>(), expected);

    let run = home.path().join("run");
    fs::create_dir(&run).expect("created");
    fs::copy(rooted(QUICKSTART), run.join("model.cam")).expect("copied");
    let out = again(&["eval", &text(&run), "--json"]);
    assert_eq!(code(&out), 7, "{}", stderr(&out));
    assert_eq!(
        stdout(&out).lines().collect::<Vec<_>>(),
        ["eval", "--run", &text(&run), "--split", "dev", "--json"]
    );
}

#[cfg(unix)]
#[test]
fn a_failing_cargo_leaves_a_log_and_one_sentence() {
    use std::os::unix::fs::PermissionsExt as _;

    let Sandbox { home, mut command } = sandbox(&["build", QUICKSTART]);
    let cargo = home.path().join("cargo");
    let words = "error[E0308]: mismatched types\nerror: could not compile `quickstart` (bin)";
    fs::write(&cargo, format!("#!/bin/sh\necho '{words}' >&2\nexit 101\n")).expect("written");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("permitted");
    let out = command.env("RUSTC", "true").output().expect("camtlc runs");
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("build.log"), "{}", stderr(&out));
    assert!(stderr(&out).contains("a bug of camtlc"), "{}", stderr(&out));
    assert!(!stderr(&out).contains("E0308"), "{}", stderr(&out));
}

/// A camtlc with a home of its own, and without cargo and rustc.
struct Sandbox {
    home: TempDir,
    command: Command,
}

fn sandbox(arguments: &[&str]) -> Sandbox {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = command(arguments);
    command.env("CAMTL_HOME", home.path().join("camtl"));
    command.env("CARGO", home.path().join("cargo")).env("RUSTC", home.path().join("rustc"));
    Sandbox { home, command }
}

/// With a text on stdin.
fn camtlc_with(arguments: &[&str], text: &str) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("camtlc starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(text.as_bytes()).expect("written");
    drop(stdin);
    child.wait_with_output().expect("camtlc ends")
}

fn camtlc(arguments: &[&str]) -> Output {
    command(arguments).output().expect("camtlc runs")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_camtlc"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("CAMTL_HOME").env_remove("CAMTL_RUNTIME");
    command
}

fn rooted(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn code(out: &Output) -> i32 {
    out.status.code().expect("camtlc ends by itself")
}

fn stdout(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn check_reads_stdin_and_tells_everything_as_json() {
    let text = "model wrong\nbackbone bert { heds 12 }\nsequence é\n";
    let out = camtlc_with(&["check", "--json", "-"], text);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).is_empty(), "{}", stderr(&out));
    let json: serde_json::Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    let file = &json["files"][0];
    assert_eq!(file["file"], "stdin");
    assert_eq!(file["errors"], file["diagnostics"].as_array().map(Vec::len).expect("a list"));
    let mut found = file["diagnostics"].as_array().expect("a list").iter();
    let unexpected = found.find(|one| one["code"] == "cam::syntax::unexpected");
    let label = &unexpected.expect("the sequence is no number")["labels"][0];
    assert_eq!(label["file"], "stdin");
    assert_eq!(label["start"], serde_json::json!({ "line": 3, "column": 10, "offset": 47 }));

    let out = camtlc(&["check", "--json", QUICKSTART, "no/such.cam"]);
    assert_eq!(code(&out), 1);
    let json: serde_json::Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    assert_eq!(json["files"][0]["model"], "quickstart");
    assert_eq!(json["files"][1]["diagnostics"][0]["code"], "camtlc::file");
}

#[test]
fn warnings_are_mistakes_on_request() {
    let file = "models/camtl_base.cam";
    assert_eq!(code(&camtlc(&["check", file])), 0);
    assert_eq!(code(&camtlc(&["check", "--deny-warnings", file])), 1);
    assert_eq!(code(&camtlc(&["check", "--deny-warnings", QUICKSTART])), 0);
}

#[test]
fn a_variant_is_chosen_by_its_name() {
    let file = "models/camtl_base.cam";
    let out = camtlc(&["check", file, "--variant", "baseline"]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(stdout(&out).contains("`camtl_base.baseline` is fine"), "{}", stdout(&out));
    let conditional = stdout(&camtlc(&["graph", file]));
    let plain = stdout(&camtlc(&["graph", file, "--variant", "baseline"]));
    assert!(conditional.contains("(conditional)") && !plain.contains("(conditional)"), "{plain}");
    for command in ["check", "graph", "stats", "build", "train"] {
        let out = camtlc(&[command, file, "--variant", "basline"]);
        assert_eq!(code(&out), 1, "{command}");
        assert!(stderr(&out).contains("did you mean `baseline`?"), "{command}: {}", stderr(&out));
    }
}

#[test]
fn what_is_not_compiled_yet_is_not_built() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("model.cam");
    let quickstart = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    fs::write(&file, format!("{quickstart}\nfidelity reference\n")).expect("written");
    let out = camtlc(&["build", &text(&file)]);
    assert_eq!(code(&out), 1);
    assert!(stderr(&out).contains("fidelity reference"), "{}", stderr(&out));
}

#[test]
fn a_file_that_is_no_text_is_told_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("model.cam");
    fs::write(&file, b"model a\n// caf\xe9\n").expect("written");
    for command in ["check", "fmt", "graph"] {
        let out = camtlc(&[command, &text(&file)]);
        assert_eq!(code(&out), 1);
        assert!(stderr(&out).contains("line 2 is not UTF-8"), "{}", stderr(&out));
    }
}

#[test]
fn an_assertion_that_does_not_hold_stops_what_builds_and_not_what_shows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("model.cam");
    let quickstart = fs::read_to_string(rooted(QUICKSTART)).expect("read");
    fs::write(&file, format!("{quickstart}\nassert parameters < 1 k\n")).expect("written");
    let file = text(&file);
    for (arguments, expected) in [
        (&["check", &file] as &[&str], 1),
        (&["build", &file], 1),
        (&["train", &file], 1),
        (&["stats", &file], 0),
        (&["graph", &file], 0),
        (&["diff", &file, QUICKSTART], 0),
    ] {
        let out = camtlc(arguments);
        assert_eq!(code(&out), expected, "{arguments:?}: {}", stderr(&out));
        assert!(stderr(&out).contains("`parameters < 1 k` does not hold"), "{arguments:?}: {}", stderr(&out));
    }
}

#[test]
fn a_first_model_is_written_into_the_current_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = command(&["new", "support_desk"]).current_dir(folder.path()).output().expect("camtlc runs");
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(folder.path().join("support_desk.cam").is_file());
}
