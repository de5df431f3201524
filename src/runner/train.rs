//! `train`: from data and backbone to a run folder.

use miette::Result;

use super::device::Placement;
use super::output::print;
use super::profile::{Profile, Sizes};
use super::{args, interrupt};
use crate::train::plan::{Plan, Training};
use crate::train::run::Counts;
use crate::train::{self, Network, Options, Outcome, TrainError, report, run};

pub fn run<N: Network>(
    plan: &'static Plan,
    source: &str,
    build: impl FnOnce() -> N,
    args: &args::Train,
) -> Result<()> {
    let options = Options {
        training: settings(plan, args)?,
        data: args.data.clone(),
        backbone: args.backbone.clone(),
        weights: args.weights.clone(),
        from: args.from.clone(),
        replay: args.replay.clone(),
        log_picks: args.log_picks,
        unreadable: args.reading.unreadable(),
        out: args.out.clone().unwrap_or_else(|| run::free_folder(&plan.full_name())),
        cache: args.reading.cache(),
        model_path: args.model.clone(),
        device: args.placement.to_string(),
    };
    let work = || {
        let network = build();
        #[cfg(feature = "cuda")]
        let network = remembered(plan, &options.training, network, false);
        train::train(plan, source, network, &options, interrupt::watch())
    };
    let outcome = if args.profile { profiled(work)? } else { work()? };
    tell(outcome, args.placement, args.reading.skip_unreadable)
}

/// Says what came of a training, and how it would go on.
pub fn tell(outcome: Outcome, placement: Placement, skip_unreadable: bool) -> Result<()> {
    let Outcome { run, finished, evaluation, checkpoint } = outcome;
    let mut text = String::new();
    if let Some(evaluation) = evaluation {
        text += &format!("{evaluation}\n\n");
    }
    if finished.interrupted {
        text += &format!("interrupted after step {}: {}\n", finished.step, checkpoint.display());
        let skip = if skip_unreadable { " --skip-unreadable" } else { "" };
        text += &format!("go on with  camtlc resume {}{}{skip}\n", run.folder.display(), placement.flags());
    }
    if let Some(best) = finished.best {
        text += &format!("best        step {}, mean {:.4}\n", best.step, best.mean);
    }
    text += &format!("data used   {:.1}%\n", 100.0 * finished.data_used);
    text += &format!("time        {:.1} s, {} steps\n", finished.seconds, finished.step);
    text += &format!("run         {}\n", run.folder.display());
    print(&text)
}

/// The network, its size kept for whom the GPU's memory does not suffice.
#[cfg(feature = "cuda")]
pub fn remembered<N: Network>(plan: &Plan, training: &Training, mut network: N, resumed: bool) -> N {
    let (mut all, mut trained) = (0, 0);
    for parameter in network.parameters() {
        let size = parameter.dims().iter().product::<usize>() as u64;
        all += size;
        trained += if parameter.meta().trained { size } else { 0 };
    }
    super::memory::remember(super::memory::Load::of(plan, training, all, trained, resumed));
    network
}

/// Trains, shows where time and memory went, and adds that to the run's folder.
pub fn profiled(work: impl FnOnce() -> Result<Outcome, TrainError>) -> Result<Outcome> {
    let (outcome, profile) = Profile::of(work);
    let outcome = outcome?;
    let Counts { all, trained, .. } = outcome.run.record.parameters;
    let summary = profile.summary(Sizes { all, trained });
    eprintln!("{summary}");
    report::add_profile(&outcome.run, &summary)?;
    Ok(outcome)
}

/// The model's settings with those of the command line; of one that is given twice the more special option wins.
fn settings(plan: &Plan, args: &args::Train) -> Result<Training> {
    let mut training = plan.training;
    for (key, value) in &args.set {
        training.set(key, value)?;
    }
    let options = [
        ("epochs", args.epochs.map(|n| n.to_string())),
        ("steps", args.steps.map(|n| n.to_string())),
        ("seed", args.seed.map(|n| n.to_string())),
    ];
    for (key, value) in options {
        if let Some(value) = value {
            training.set(key, &value)?;
        }
    }
    training.check(plan.sequence, plan.tasks.len())?;
    Ok(training)
}
