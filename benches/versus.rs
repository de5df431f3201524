//! Our half of `benches/versus_torch.py`: measures one thing in a process of its own, and prints it as a line of JSON.
//!
//!     cargo bench --features runtime --bench versus -- step --size minilm
//!
//! Times are seconds, one a repeat, after two that do not count; memory is the most that the process ever had resident.

mod support;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use camtl::data::{Goal, Split, Tokenizer};
use camtl::kernels::Kernels;
use camtl::nn::pretrained;
use camtl::runner::keep_freed_memory;
use camtl::runner::profile::{Profile, Sizes};
use camtl::train::batches::{At, Batches};
use camtl::train::draws::{Draw, Draws};
use camtl::train::plan::Uncertainty;
use camtl::train::sampler::Sampler;
use camtl::train::{Network, Reading, inputs, uncertainty};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use support::{BATCH, BertBase, CANDIDATES, MiniLm, PLAN, SEQUENCE, bert_base, minilm, products, seconds};

#[global_allocator]
static ALLOCATOR: camtl::runner::Allocator = camtl::runner::ALLOCATOR;

/// Repeats that do not count.
const WARM_UP: usize = 2;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Passed by cargo
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum What {
    /// A training step, 32 x 128 tokens
    Step(Repeats),
    /// Scoring of 8 x 32 candidates of 128 tokens
    Score(Repeats),
    /// Training steps on GLUE, MT-Uncertainty included
    Real(Real),
    /// The matrix products of a layer, ours and by gemm alone
    Products(Repeats),
}

#[derive(Args)]
struct Repeats {
    #[arg(long, value_enum, default_value_t = Size::Minilm)]
    size: Size,
    #[arg(long, default_value_t = 7)]
    repeats: usize,
    /// Of a step: say where the time went
    #[arg(long)]
    profile: bool,
}

#[derive(Args)]
struct Real {
    /// The folder that the GLUE sets lie in
    #[arg(long)]
    data: PathBuf,
    /// A folder with all-MiniLM-L6-v2
    #[arg(long)]
    minilm: PathBuf,
    /// Where tokens are kept
    #[arg(long)]
    cache: Option<PathBuf>,
    /// Where the token counts of each step's candidates and picks go, a line of JSON a step
    #[arg(long)]
    dump: Option<PathBuf>,
    #[arg(long, default_value_t = 12)]
    repeats: usize,
    /// Say where the time went
    #[arg(long)]
    profile: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Size {
    Minilm,
    BertBase,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    keep_freed_memory();
    rayon::scope(|_| measure()).map_err(Into::into)
}

fn measure() -> Result<(), String> {
    let figures = match Arguments::parse().what {
        Some(What::Step(Repeats { size: Size::Minilm, repeats, profile })) => {
            step(support::random::<384, _, _>() as MiniLm, repeats, profile)
        }
        Some(What::Step(Repeats { repeats, profile, .. })) => {
            step(support::random::<768, _, _>() as BertBase, repeats, profile)
        }
        Some(What::Score(Repeats { size: Size::Minilm, repeats, .. })) => {
            score(&(support::random() as MiniLm), repeats)
        }
        Some(What::Score(Repeats { repeats, .. })) => score(&(support::random() as BertBase), repeats),
        Some(What::Real(arguments)) => real(&arguments).map_err(|error| error.to_string())?,
        Some(What::Products(Repeats { repeats, .. })) => products(repeats),
        None => {
            println!("name what is to be measured, or run benches/versus_torch.py");
            return Ok(());
        }
    };
    let mut line = figures;
    line.insert("threads".to_owned(), json!(rayon::current_num_threads()));
    line.insert("peak_mib".to_owned(), json!(peak_mib()));
    println!("{}", Value::Object(line));
    Ok(())
}

fn step<N: Network>(network: N, repeats: usize, profile: bool) -> Map<String, Value> {
    let mut learner = support::learner(network);
    let batch = support::batch(BATCH, SEQUENCE);
    let targets = support::targets(&batch);
    let mut loss = 0.0;
    let mut times = |repeats| {
        repeat(repeats, |number| seconds(|| loss = support::step(&mut learner, number, &batch, &targets)))
    };
    let times = profiled(profile, || times(repeats));
    object(json!({ "times": times, "samples": BATCH, "loss": loss }))
}

/// `work`; where it is asked for, with a summary of where the time went.
fn profiled(ask: bool, work: impl FnOnce() -> Vec<f64>) -> Vec<f64> {
    if !ask {
        return work();
    }
    let (times, profile) = Profile::of(work);
    eprintln!("{}", profile.summary(Sizes { all: 0, trained: 0 }));
    times
}

fn score<N: Network>(network: &N, repeats: usize) -> Map<String, Value> {
    let batch = support::batch(BATCH, SEQUENCE);
    let candidates = CANDIDATES * PLAN.tasks.len();
    let mut entropy = 0.0;
    let times = repeat(repeats, |_| {
        seconds(|| {
            // chunks as those of a training's scoring
            let chunks = vec![&batch; candidates / BATCH];
            let logits = N::Device::map(chunks, |batch| support::score(network, batch));
            entropy = logits.iter().flatten().map(|logits| uncertainty::entropy(logits)).sum();
        })
    });
    object(json!({ "times": times, "samples": candidates, "entropy": entropy }))
}

/// Whole steps of a training: candidates are drawn and scored, the picks are trained on.
fn real(arguments: &Real) -> Result<Map<String, Value>, Box<dyn std::error::Error>> {
    let mut network: MiniLm = support::random();
    let checkpoint = pretrained::Checkpoint::open(&arguments.minilm)?;
    pretrained::load(&mut network.parameters(), &checkpoint, &inputs::expected(&PLAN.backbone))?;
    let tokenizer = Tokenizer::open(&arguments.minilm, PLAN.backbone.vocab, SEQUENCE)?;
    let train = inputs::split(
        &PLAN,
        Split::Train,
        Reading::strict(&arguments.data, arguments.cache.as_deref()),
        &tokenizer,
    )?;
    let mut dump = arguments.dump.as_ref().map(File::create).transpose()?.map(BufWriter::new);

    let tasks = PLAN.tasks;
    let mut sampler = Sampler::new(PLAN.training, tasks, &train);
    let mut draws = Draws::new(PLAN.training, lengths(&train)); // the same ones, to be written down
    let mut learner = support::learner(network);
    let weights: Vec<f64> = tasks.iter().map(|task| task.weight).collect();
    let mut lines = Vec::new();
    let once = |number| {
        let candidates = candidates(draws.next(), &train);
        let mut picks: Vec<At> = Vec::new();
        let time = seconds(|| {
            let drawn = sampler.next(&learner.network, tasks, &train);
            let targets: Vec<Goal<'_>> = drawn
                .examples
                .iter()
                .map(|&at| match train.goal(at) {
                    Goal::Value(value) => Goal::Value(tasks[at.task].kind.to_unit(value)),
                    target => target,
                })
                .collect();
            let stepped = learner.step(number, &weights, &drawn.batch, drawn.constant, &targets);
            stepped.expect("a small learning rate does not diverge");
            picks = drawn.examples;
        });
        let picks: Vec<usize> = picks.iter().map(|&at| train.tokens(at)).collect();
        lines.push(json!({ "candidates": candidates, "picks": picks }));
        time
    };
    let times = profiled(arguments.profile, || repeat(arguments.repeats, once));
    for line in &lines {
        if let Some(file) = &mut dump {
            writeln!(file, "{line}")?;
        }
    }
    let picked: Vec<u64> =
        lines.iter().flat_map(|line| line["picks"].as_array()).flatten().filter_map(Value::as_u64).collect();
    let mean = picked.iter().sum::<u64>() as f64 / picked.len() as f64;
    Ok(object(json!({ "times": times, "samples": BATCH, "mean_tokens": mean })))
}

/// Tokens of the candidates of a draw that are scored, in the order of their tasks.
fn candidates(draw: Option<Draw>, train: &Batches) -> Vec<usize> {
    let Some(Draw::Candidates(hands)) = draw else { return Vec::new() };
    let hands = hands.into_iter().enumerate();
    let scored = hands.filter(|(task, _)| PLAN.tasks[*task].uncertainty == Uncertainty::Entropy);
    scored
        .flat_map(|(task, hand)| hand.into_iter().map(move |example| train.tokens(At { task, example })))
        .collect()
}

/// Tokens of every example of every task.
fn lengths(train: &Batches) -> Vec<Vec<u32>> {
    train.datasets().iter().map(|set| (0..set.len()).map(|i| set.tokens(i) as u32).collect()).collect()
}

/// Of each size: our forward pass and our forward and backward, the same by gemm alone; and what a step consists of.
fn products(repeats: usize) -> Map<String, Value> {
    let sizes = [
        size::<384>(384, 4, repeats),
        size::<384>(1152, 0, repeats),
        size::<384>(1536, 1, repeats),
        size::<1536>(384, 1, repeats),
    ];
    let flops = |hidden, ffn, layers, width| {
        json!({
            "flops": step_flops(hidden, ffn, layers, width),
        })
    };
    object(json!({
        "sizes": sizes,
        "minilm": flops(minilm::HIDDEN, minilm::FFN, minilm::LAYERS, minilm::WIDTH),
        "bert_base": flops(bert_base::HIDDEN, bert_base::FFN, bert_base::LAYERS, bert_base::WIDTH),
    }))
}

fn size<const IN: usize>(output: usize, times_a_layer: usize, repeats: usize) -> Value {
    let times = products::compare::<IN>(output, 5 * repeats);
    json!({
        "in": IN,
        "out": output,
        "times_a_layer": times_a_layer,
        "flops": products::flops(IN, output),
        "forward_s": times.forward,
        "both_s": times.both,
        "gemm_forward_s": times.gemm_forward,
        "gemm_both_s": times.gemm_both,
    })
}

/// Floating point operations of a step's products: backward has twice as many as forward. The generators of the
/// modules, which run once a task, are left out.
fn step_flops(hidden: usize, ffn: usize, layers: usize, width: usize) -> f64 {
    let linear = layers * (4 * hidden * hidden + 2 * hidden * ffn) + 2 * hidden * width; // multiply-adds a token
    let attention = layers * 2 * SEQUENCE * hidden;
    let pooler = BATCH * hidden * hidden;
    3.0 * 2.0 * (BATCH * SEQUENCE * (linear + attention) + pooler) as f64
}

/// The times of `once`, which gets the number of the repeat, from 1.
fn repeat(repeats: usize, mut once: impl FnMut(usize) -> f64) -> Vec<f64> {
    (1..=WARM_UP + repeats).map(&mut once).skip(WARM_UP).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// The most memory that was ever resident; `None` where the system does not say.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
}
