//! What writes: `new`, `completions`, `quickstart-data`.

use std::fs;

use crate::support::{camtlc, code, command, rooted, stderr, stdout, text};

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
fn a_first_model_is_written_into_the_current_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = command(&["new", "support_desk"]).current_dir(folder.path()).output().expect("camtlc runs");
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    assert!(folder.path().join("support_desk.cam").is_file());
}
