//! A whole training: from the inputs to the last checkpoint.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::batches::{At, Batches};
use super::cached::Cached;
use super::checkpoint::{self, Best, CheckpointError, State, Which};
use super::evaluate::{Evaluation, evaluate};
use super::events::{self, Event, Log, Time};
use super::files::FileError;
use super::inputs::{self, InputError, Inputs, Reading, expected};
use super::learner::{Diverged, Learner};
use super::metrics::KindError;
use super::network::Network;
use super::picks::{self, PickLog, PicksError};
use super::plan::{Batch, Plan, Training};
use super::progress::Progress;
use super::report;
use super::resume::ResumeError;
use super::run::{self, Counts, Fingerprints, Finished, Paths, Record, Run, RunError};
use super::sampler::Sampler;
use super::transfer::{self, TransferError};
use super::weights;
use crate::authors::AuthorsError;
use crate::data::{Goal, Split, Unreadable};
use crate::nn::pretrained::{self, PretrainedError};

/// What a training is asked to do, besides what its plan says.
#[derive(Clone, Debug)]
pub struct Options {
    /// The plan's settings, with what was overridden.
    pub training: Training,
    /// The data folder.
    pub data: PathBuf,
    /// Where the pretrained weights lie, if not where the plan says.
    pub backbone: Option<PathBuf>,
    /// A checkpoint of the authors' code that the parameters start from, if not from their own start and the backbone.
    pub weights: Option<PathBuf>,
    /// Another run, whose weights the training starts from.
    pub from: Option<PathBuf>,
    /// A log of picks to train on, instead of what the sampler would choose.
    pub replay: Option<PathBuf>,
    /// Write every pick with its score to the run's folder.
    pub log_picks: bool,
    /// What is done about rows that cannot be read.
    pub unreadable: Unreadable,
    /// The run's folder.
    pub out: PathBuf,
    /// A folder for token caches, and for that of the constant layers; `None` to tokenize anew.
    pub cache: Option<PathBuf>,
    /// For the record.
    pub model_path: Option<PathBuf>,
    /// Where it computes and how exactly, for the record.
    pub device: String,
}

/// What came of a training.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub run: Run,
    pub finished: Finished,
    /// The last one; `None` if the training, or what was resumed of it, was interrupted before any.
    pub evaluation: Option<Evaluation>,
    /// The last one.
    pub checkpoint: PathBuf,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum TrainError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pretrained(#[from] PretrainedError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Authors(#[from] AuthorsError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Metric(#[from] KindError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Diverged(#[from] Diverged),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Transfer(#[from] TransferError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Picks(#[from] PicksError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Resume(#[from] ResumeError),
}

/// Trains `network`, whatever values its parameters have, as `plan` and `options` say. Between two steps, a true
/// `stop` ends the training with a checkpoint.
///
/// # Errors
/// Whatever is wrong with the inputs is found before the run's folder is made. Later errors (a full disk, a
/// training that diverges) leave the run with the checkpoints that it has.
pub fn train<N: Network>(
    plan: &'static Plan,
    source: &str,
    mut network: N,
    options: &Options,
    stop: &AtomicBool,
) -> Result<Outcome, TrainError> {
    run::check_free(&options.out)?;
    let from = options.from.as_deref().map(Run::of_any).transpose()?;
    let Options { data, unreadable, cache, .. } = options;
    let reading = Reading { data, unreadable: *unreadable, cache: cache.as_deref() };
    let inputs = match &from {
        Some(run) => {
            run.tokenizer(plan)?;
            Inputs::from_run(plan, reading, transfer::tokenizer(run))?
        }
        None => Inputs::open(plan, reading, options.backbone.as_deref())?,
    };
    let training = options.training;
    let mut parameters = network.parameters();
    pretrained::start(&mut parameters, training.seed);
    let loaded = match &inputs.backbone {
        Some((_, weights)) => Some(pretrained::load(&mut parameters, weights, &expected(&plan.backbone))?),
        None => None,
    };
    if let Some(path) = &options.weights {
        weights::load(plan, &mut parameters, path)?;
    }

    let transfer = match &from {
        Some(run) => Some(transfer::take_over(run, plan, &mut parameters)?),
        None => None,
    };

    let mut network = cached(network, training, cache.as_deref());
    let schedule = Steps::new(&training, &inputs.train);
    let read = |log: &PathBuf| picks::read(log, plan.tasks, &inputs.train, schedule.total);
    let replayed = options.replay.as_ref().map(read).transpose()?;
    let fingerprint = replayed.as_deref().map(picks::fingerprint);
    let sampler = match replayed {
        Some(picks) => Sampler::replay(picks, 0, training, &inputs.train),
        None => Sampler::new(training, plan.tasks, &inputs.train),
    };
    let counts = counts(&mut network, loaded.is_some() || transfer.is_some(), options.weights.is_some());
    let mut record = Record { transfer, ..record(plan, options, &inputs, counts, schedule.total) };
    record.fingerprints.replayed = fingerprint;
    let run = Run::create(&options.out, source, &inputs.tokenizer_path, record)?;
    let progress = Progress::new(schedule.total, 0);
    progress.say(&summary(&run.record, &inputs));
    tell_left_out(plan, &inputs, &progress);
    if let (Some(loaded), Some((folder, _))) = (loaded, &inputs.backbone) {
        progress.say(&format!("{}: {loaded}", folder.display()));
    }
    if let Some(transfer) = &run.record.transfer {
        progress.say(&transfer.to_string());
    }
    if let Some(log) = &options.replay {
        progress.say(&format!("the picks of {} are replayed", log.display()));
    }
    if let Some(kept) = network.kept() {
        progress.say(&format!("constant layers: {kept} texts in the cache"));
    }
    let used = inputs.train.sizes().into_iter().map(|size| vec![false; size]).collect();
    let trainer = Trainer {
        plan,
        held: run.hold()?,
        log: Log::open(&run.events())?,
        evaluations: Log::open(&run.evaluations())?,
        picks: match options.log_picks {
            true => Some(PickLog::create(&run.picks(), plan.tasks, &inputs.train)?),
            false => None,
        },
        sampler,
        learner: Learner::new(network, training, schedule.total),
        progress,
        started: Instant::now(),
        before: 0.0,
        done: 0,
        due: false,
        best: None,
        used,
        used_count: 0,
        training,
        schedule,
        run,
        train: inputs.train,
        dev: inputs.dev,
    };
    trainer.run(stop)
}

/// How many steps, and after which of them the network is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    pub total: usize,
    /// That cover the data once.
    pub epoch: usize,
    evaluate_every: usize,
}

impl Steps {
    /// An epoch is as many steps as batches cover the training examples, or budgets their tokens, once; also under
    /// MT-Uncertainty, which picks its examples more than once or never.
    pub fn new(training: &Training, train: &Batches) -> Self {
        let epoch = match training.batch {
            Batch::Examples(count) => train.sizes().iter().sum::<usize>().div_ceil(count),
            Batch::Tokens(count) => {
                let tokens = train.datasets().iter().map(|set| set.total_tokens());
                tokens.sum::<usize>().div_ceil(count)
            }
        };
        let total = training.steps.unwrap_or(epoch * training.epochs);
        Self { total, epoch, evaluate_every: training.evaluate_every.unwrap_or(epoch) }
    }

    pub(super) fn evaluates(&self, step: usize) -> bool {
        step.is_multiple_of(self.evaluate_every) || step == self.total
    }
}

/// A training under way.
pub(super) struct Trainer<N: Network> {
    pub plan: &'static Plan,
    pub training: Training,
    pub schedule: Steps,
    pub train: Batches,
    pub dev: Batches,
    pub sampler: Sampler<N::Constant>,
    pub learner: Learner<N>,
    pub run: Run,
    /// What keeps other processes from training it.
    #[expect(dead_code, reason = "it is held, not read")]
    pub held: File,
    pub log: Log,
    pub evaluations: Log,
    pub picks: Option<PickLog>,
    pub progress: Progress,
    pub started: Instant,
    /// Seconds that a training took which is resumed.
    pub before: f64,
    /// The last step that was made.
    pub done: usize,
    /// Whether an evaluation after that one was left out.
    pub due: bool,
    /// Of each task, which examples entered a gradient step, and how many of all did.
    pub used: Vec<Vec<bool>>,
    pub used_count: usize,
    pub best: Option<Best>,
}

impl<N: Network> Trainer<N> {
    pub fn run(mut self, stop: &AtomicBool) -> Result<Outcome, TrainError> {
        let _span = tracing::trace_span!(target: "camtl::profile", "train").entered();
        let mut evaluation = None;
        if self.due {
            evaluation = Some(self.evaluate(self.done)?);
        }
        if self.done > 0 {
            self.settle(self.done)?; // a process that was killed may not have
        }
        for step in self.done + 1..=self.schedule.total {
            self.step(step)?;
            self.done = step;
            let stopped = stop.load(Ordering::Relaxed) && step < self.schedule.total;
            if self.schedule.evaluates(step) && !stopped {
                evaluation = Some(self.evaluate(step)?);
            }
            if self.schedule.evaluates(step) || stopped {
                self.save(step)?;
            }
            if stopped {
                break;
            }
        }
        let finished = Finished {
            step: self.done,
            interrupted: self.done < self.schedule.total,
            best: self.best,
            data_used: self.data_used(),
            seconds: self.seconds(),
        };
        self.run.finish(finished)?;
        report::write(&self.run)?;
        let checkpoint = checkpoint::find(&self.run.checkpoints(), Which::Last)?;
        Ok(Outcome { run: self.run, finished, evaluation, checkpoint })
    }

    fn step(&mut self, step: usize) -> Result<(), TrainError> {
        let _span = tracing::trace_span!(target: "camtl::profile", "step").entered();
        let began = Instant::now();
        let tasks = self.plan.tasks;
        let drawn = self.sampler.next(&self.learner.network, tasks, &self.train);
        let goals: Vec<Goal<'_>> = drawn
            .examples
            .iter()
            .map(|&at| match self.train.goal(at) {
                Goal::Value(value) => Goal::Value(tasks[at.task].kind.to_unit(value)),
                goal => goal,
            })
            .collect();
        if let Some(log) = &mut self.picks {
            log.write(step, tasks, &self.train, &drawn.examples, &drawn.scores)?;
        }
        let weights: Vec<f64> = tasks.iter().map(|task| task.weight).collect();
        let stepped = self.learner.step(step, &weights, &drawn.batch, drawn.constant, &goals)?;
        for At { task, example } in drawn.examples {
            let before = std::mem::replace(&mut self.used[task][example], true);
            self.used_count += usize::from(!before);
        }

        let tokens = drawn.batch.segments.rows();
        let tokens_per_s = tokens as f64 / began.elapsed().as_secs_f64();
        let event = Event {
            step,
            loss: stepped.loss,
            lr: stepped.applied.lr,
            grad_norm: stepped.applied.grad_norm,
            tokens,
            data_used: self.data_used(),
            tasks: events::tasks(tasks, &stepped, &drawn.tasks),
            time: Time { seconds: self.seconds(), tokens_per_s },
        };
        self.log.write(&event)?;
        self.progress.step(step, event.loss, event.lr, tokens_per_s);
        Ok(())
    }

    fn evaluate(&mut self, step: usize) -> Result<Evaluation, TrainError> {
        let _span = tracing::trace_span!(target: "camtl::profile", "evaluate").entered();
        let watch = |done, all| self.progress.part("evaluating", done, all);
        let evaluation = evaluate(&self.learner.network, self.plan.tasks, &self.dev, &watch)?;
        self.evaluations.write(&evaluation.to_json(step, Split::Dev))?;
        self.progress.say(&format!("step {step}: dev mean {:.4}", evaluation.mean));
        self.best = Some(Best { step, mean: evaluation.mean }.or(self.best));
        Ok(evaluation)
    }

    fn save(&mut self, step: usize) -> Result<(), TrainError> {
        let _span = tracing::trace_span!(target: "camtl::profile", "checkpoint").entered();
        let state = State {
            step,
            seed: self.training.seed,
            optimizer: self.learner.optimizer().save().collect(),
            loss_scale: self.learner.loss_scale(),
            used: self.used.clone(),
            sampler: self.sampler.position(),
        };
        self.log.sync()?;
        self.evaluations.sync()?;
        self.picks.iter().try_for_each(PickLog::sync)?;
        let checkpoints = self.run.checkpoints();
        checkpoint::save(&checkpoints, self.plan, &self.learner.network.parameters(), &state)?;
        self.settle(step)
    }

    /// Says which checkpoint is the best, and keeps that one and the last, which is of `step`.
    fn settle(&self, step: usize) -> Result<(), TrainError> {
        let checkpoints = self.run.checkpoints();
        if let Some(best) = self.best {
            checkpoint::save_best(&checkpoints, best)?;
        }
        let keep: Vec<usize> = self.best.iter().map(|best| best.step).chain([step]).collect();
        Ok(checkpoint::prune(&checkpoints, &keep)?)
    }

    /// That the training took so far.
    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    /// Distinct training examples that entered a gradient step, over all.
    fn data_used(&self) -> f64 {
        self.used_count as f64 / self.train.sizes().iter().sum::<usize>() as f64
    }
}

/// The network with its cache in `folder`, if there is to be one.
pub(super) fn cached<N: Network>(network: N, training: Training, folder: Option<&Path>) -> Cached<N> {
    match (training.cache, folder) {
        (Some(limit), Some(folder)) => Cached::open(network, &folder.join("constant"), limit),
        (Some(_), None) => {
            tracing::warn!("constant layers are not cached: there is no folder for it; --cache names one");
            Cached::without(network)
        }
        (None, _) => Cached::without(network),
    }
}

pub(super) fn tell_left_out(plan: &Plan, inputs: &Inputs, progress: &Progress) {
    for (split, batches) in [(Split::Train, &inputs.train), (Split::Dev, &inputs.dev)] {
        if let Some(left_out) = inputs::left_out(plan, split, batches) {
            progress.say(&left_out);
        }
    }
}

/// What is about to happen, in a line.
pub(super) fn summary(record: &Record, inputs: &Inputs) -> String {
    let sets = inputs.train.datasets();
    let examples: usize = inputs.train.sizes().iter().sum();
    let cut: usize = sets.iter().map(|set| set.truncated()).sum();
    let cut = match cut {
        0 => String::new(),
        cut => format!(" ({cut} cut to {} tokens)", inputs.tokenizer.sequence()),
    };
    let Record { steps, parameters: Counts { all, trained, .. }, .. } = record;
    let model = record.full_name();
    format!(
        "{model}: {} tasks, {examples} training examples{cut}, {all} parameters of which {trained} trained, {steps} steps",
        sets.len()
    )
}

/// Without a checkpoint all parameters are new, with one of the authors' code none.
fn counts<N: Network>(network: &mut N, pretrained: bool, weights: bool) -> Counts {
    let mut counts = Counts::default();
    for parameter in network.parameters() {
        let (size, meta) = (parameter.dims().iter().product::<usize>(), parameter.meta());
        counts.all += size;
        counts.trained += if meta.trained { size } else { 0 };
        counts.new += if weights || meta.loaded && pretrained { 0 } else { size };
    }
    counts
}

fn record(plan: &Plan, options: &Options, inputs: &Inputs, parameters: Counts, steps: usize) -> Record {
    // a path that cannot be resolved here was read all the same: it is kept as given
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Record {
        model: plan.name.to_owned(),
        variant: plan.variant.map(str::to_owned),
        model_path: options.model_path.clone(),
        camtl: env!("CARGO_PKG_VERSION").to_owned(),
        fingerprints: Fingerprints {
            program: plan.fingerprint.to_owned(),
            tokenizer: inputs.tokenizer.fingerprint(),
            backbone: inputs.backbone.as_ref().map(|(_, weights)| weights.fingerprint()),
            replayed: None,
        },
        seed: options.training.seed,
        settings: json!(options.training),
        steps,
        parameters,
        paths: Paths {
            data: absolute(&options.data),
            backbone: inputs.backbone.as_ref().map(|(path, _)| absolute(path)),
            weights: options.weights.as_deref().map(absolute),
        },
        data: run::describe_data(plan, &inputs.train, &inputs.dev),
        transfer: None,
        replayed: options.replay.as_deref().map(absolute),
        device: Some(options.device.clone()),
        started: now(),
        resumed: Vec::new(),
        finished: None,
    }
}

/// Seconds since 1970; a clock before that is as good as none.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
