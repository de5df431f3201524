//! What builds and runs: `build`, `train`, `resume`, `eval`, `predict`, with a cargo that only pretends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{QUICKSTART, camtlc, code, command, rooted, stderr, stdout, text};

#[test]
fn a_folder_without_a_model_is_no_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for arguments in
        [vec!["eval", "RUN"], vec!["resume", "RUN"], vec!["predict", "RUN", "--task", "cola", "--text", "a"]]
    {
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
    let out = again(&["resume", &text(&run), "--data", "d", "--profile"]);
    assert_eq!(code(&out), 7, "{}", stderr(&out));
    assert_eq!(
        stdout(&out).lines().collect::<Vec<_>>(),
        ["resume", "--run", &text(&run), "--data", "d", "--profile"]
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
