//! `eval`: the figures of a trained model on a split of its data, or of one head on other data.

use miette::Result;

use super::args;
use super::output::print;
use crate::data::{Request, Split, load};
use crate::train::evaluate::evaluate;
use crate::train::plan::Plan;
use crate::train::progress::Progress;
use crate::train::{Network, Predictor, Reading, Run, inputs, predict, zero_shot};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Eval) -> Result<()> {
    let run = Run::open(&args.saved.run, plan)?;
    if let (Some(task), Some(data)) = (&args.task, &args.data_of) {
        return other_data(plan, build, &run, args, task, data);
    }
    let model = model(plan, build, &run, args)?;
    let split = Split::from(args.split);
    let data = args.data.as_ref().unwrap_or(&run.record.paths.data);
    let cache = args.reading.cache();
    let reading = Reading { data, unreadable: args.reading.unreadable(), cache: cache.as_deref() };
    let batches = inputs::split(plan, split, reading, model.tokenizer())?;
    if let Some(left_out) = inputs::left_out(plan, split, &batches) {
        eprintln!("{left_out}");
    }
    let progress = Progress::new(batches.all().len(), 0);
    let evaluation = evaluate(model.network(), plan.tasks, &batches, &|done, _| progress.reach(done))?;
    drop(progress);
    if args.json {
        print(&format!("{}\n", evaluation.to_json(model.step(), split)))
    } else {
        print(&format!("{evaluation}\n"))
    }
}

/// The run's network, with its own weights or those that were named.
fn model<N: Network>(
    plan: &'static Plan,
    build: impl FnOnce() -> N,
    run: &Run,
    args: &args::Eval,
) -> Result<Predictor<N>> {
    Ok(match &args.weights {
        Some(weights) => Predictor::of_weights(plan, build, run, weights)?,
        None => Predictor::of_run(plan, build, run, args.saved.checkpoint)?,
    })
}

/// A head on data that it was not trained on.
fn other_data<N: Network>(
    plan: &'static Plan,
    build: impl FnOnce() -> N,
    run: &Run,
    args: &args::Eval,
    task: &str,
    name: &str,
) -> Result<()> {
    let (_, task) = predict::find_task(plan, task)?;
    let question = zero_shot::question(plan, task, name, &args.map)?;
    let model = model(plan, build, run, args)?;
    let split = Split::from(args.split);
    let cache = args.reading.cache();
    let request = Request {
        task: name,
        source: question.task.data,
        kind: question.task.kind,
        split,
        root: args.data.as_ref().unwrap_or(&run.record.paths.data),
        unreadable: args.reading.unreadable(),
        cache: cache.as_deref(),
    };
    let data = load(&request, model.tokenizer())?;
    if data.left_out().unreadable > 0 {
        eprintln!("{name}, {split}: {}", data.left_out());
    }
    let answer = question.ask(&model, data, name)?;
    if args.json {
        print(&format!("{}\n", answer.to_json(task.name, name, model.step(), split.name())))
    } else {
        print(&format!("{} as {name}  {answer}\n", task.name))
    }
}
