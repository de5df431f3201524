//! `camtlc train`: build the model's program and become it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::Train;
use super::{Outcome, backbone, become_binary, driver, load};

pub fn run(args: &Train) -> Outcome<ExitCode> {
    let model = load::load(&args.model)?;
    // before the build, which takes long, since this may fail; another run brings its own
    let backbone = match &args.from {
        Some(_) => None,
        None => backbone::folder(&model.program, args.backbone.as_deref())?,
    };
    let mut command = driver::command(&model, "train", &args.placement)?;
    command.arg("--model").arg(&args.model.path);
    command.arg("--data").arg(args.data.clone().unwrap_or_else(|| data_of(&args.model.path)));
    if let Some(folder) = &backbone {
        command.arg("--backbone").arg(folder);
    }
    if let Some(run) = &args.from {
        command.arg("--from").arg(run);
    }
    if args.log_picks {
        command.arg("--log-picks");
    }
    if let Some(log) = &args.replay {
        command.arg("--replay").arg(log);
    }
    if let Some(folder) = &args.out {
        command.arg("--out").arg(folder);
    }
    if let Some(steps) = args.steps {
        command.arg("--steps").arg(steps.to_string());
    }
    if let Some(seed) = args.seed {
        command.arg("--seed").arg(seed.to_string());
    }
    for setting in &args.set {
        command.arg("--set").arg(setting);
    }
    if args.profile {
        command.arg("--profile");
    }
    if let Some(file) = &args.weights {
        command.arg("--weights").arg(file);
    }
    if args.skip_unreadable {
        command.arg("--skip-unreadable");
    }
    become_binary::run(command)
}

/// `models/quickstart/` for `models/quickstart.cam`, where there is such a folder; else `data`.
pub fn data_of(model: &Path) -> PathBuf {
    let beside = model.with_extension("");
    if beside != model && beside.is_dir() { beside } else { PathBuf::from("data") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::data_of;

    #[test]
    fn data_lies_beside_a_model_or_in_the_current_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let model = folder.path().join("small.cam");
        assert_eq!(data_of(&model), Path::new("data"));
        std::fs::create_dir(folder.path().join("small")).expect("created");
        assert_eq!(data_of(&model), folder.path().join("small"));
    }
}
