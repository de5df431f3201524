//! What the compiler says of a network without building it, against the network itself: every parameter, and the
//! memory of a training step and of scoring.
#![cfg(all(feature = "compiler", feature = "runtime"))]

mod counted;
mod networks;

use std::sync::Mutex;

use camtl::analysis;
use camtl::data::Goal;
use camtl::ir::cost::{CHUNK, Cost, Load};
use camtl::ir::{self, Fate, Program};
use camtl::nn::{Batch, Encode, Model, pretrained};
use camtl::span::Source;
use camtl::train::Network as _;
use camtl::train::learner::Learner;
use camtl::train::plan::{self, AdamW, Fidelity, Sampler, Schedule, Training, Warmup};
use dfdx::prelude::Cpu;

use networks::{HIDDEN, Heads, LADDER, Ladder, SCRATCH, Scratch, TUNED, Tuned};

type Network<E> = Model<HIDDEN, E, Heads<Cpu>, Cpu>;

/// Held by what builds networks: memory is measured while nothing else allocates.
static ALONE: Mutex<()> = Mutex::new(());

const EXAMPLES: usize = 24;
const LOAD: Load = Load { batch: ir::Batch::Examples(EXAMPLES), length: 32 };

#[test]
fn the_list_of_parameters_is_the_built_networks() {
    let _alone = ALONE.lock();
    compare_parameters::<Scratch<Cpu>>(SCRATCH);
    compare_parameters::<Tuned<Cpu>>(TUNED);
    compare_parameters::<Ladder<Cpu>>(LADDER);
}

#[test]
fn a_chunk_is_as_large_as_the_runtimes() {
    assert_eq!(CHUNK, camtl::train::batches::CHUNK);
}

#[test]
fn memory_is_about_what_is_estimated() {
    let _alone = ALONE.lock();
    // Each thread has buffers of its own: those of many threads would outweigh so small a network.
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global().expect("no test has used threads before");
    measure_memory::<Tuned<Cpu>>(TUNED); // the buffers are made in the first run
    compare_memory::<Scratch<Cpu>>(SCRATCH);
    compare_memory::<Tuned<Cpu>>(TUNED);
    compare_memory::<Ladder<Cpu>>(LADDER);
}

fn compare_parameters<E: Encode<HIDDEN, Cpu>>(text: &str) {
    let program = program(text);
    let is_loaded = matches!(program.backbone.origin, ir::Origin::Checkpoint(_));
    let mut network = Network::<E>::build(Cpu::default());
    let parameters = network.parameters();
    let specs = ir::parameters(&program);
    assert_eq!(parameters.len(), specs.len(), "{}", program.name);
    for (parameter, spec) in parameters.iter().zip(&specs) {
        let (meta, name) = (parameter.meta(), &spec.name);
        assert_eq!(&meta.name, name);
        assert_eq!(parameter.dims(), spec.shape, "{name}");
        assert_eq!(meta.trained, spec.fate.is_trained(), "{name}");
        assert_eq!(meta.loaded && is_loaded, spec.fate != Fate::New, "{name}");
    }
}

fn compare_memory<E: Encode<HIDDEN, Cpu>>(text: &str) {
    let program = program(text);
    let memory = Cost::of(&program, LOAD).memory;
    let estimated = [memory.weights.total(), memory.scoring, memory.resting(), memory.step];
    let measured = measure_memory::<E>(text);
    let whats = ["weights", "scoring", "resting", "a step"];
    for ((what, measured), estimated) in whats.into_iter().zip(measured).zip(estimated) {
        let ratio = measured as f64 / estimated as f64;
        let name = &program.name;
        assert!((0.9..=1.1).contains(&ratio), "{name}: {what}: {measured} bytes, {estimated} estimated");
    }
}

/// Bytes: of the weights, at most in scoring, of weights and optimizer, and at most beyond these in a step.
fn measure_memory<E: Encode<HIDDEN, Cpu>>(text: &str) -> [usize; 4] {
    let before = counted::live();
    let mut network = Network::<E>::build(Cpu::default());
    pretrained::start(&mut network.parameters(), 1);
    let weights = counted::live() - before;

    let batch = batch(EXAMPLES);
    let scoring = counted::peak(|| {
        let constant = network.constant(&batch);
        network.score(constant.clone(), &batch); // it stays, for the step
    });

    let targets: Vec<Goal<'static>> =
        (0..EXAMPLES).map(|i| if i % 3 == 2 { Goal::Value(0.5) } else { Goal::Class(0) }).collect();
    let mut learner = Learner::new(network, training(program(text).training.dropout), 2);
    let mut step = |number: usize| {
        counted::peak(|| {
            let constant = learner.network.constant(&batch);
            learner.step(number, &[1.0; 3], &batch, constant, &targets).expect("one step is finite");
        })
    };
    step(1); // the moments are made
    let resting = counted::live() - before;
    [weights, scoring, resting, step(2)]
}

/// `count` sequences of all tasks in turn.
fn batch(count: usize) -> Batch {
    let words: Vec<u32> = (0..LOAD.length as u32).collect();
    let types = vec![0; LOAD.length];
    Batch::new((0..count).map(|i| (words.as_slice(), types.as_slice(), i % 3)))
}

fn training(dropout: f64) -> Training {
    Training {
        sampler: Sampler::Proportional,
        batch: plan::Batch::Examples(EXAMPLES),
        epochs: 1,
        steps: None,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        schedule: Schedule::Constant { warmup: Warmup::Steps(0) },
        clip: None,
        dropout,
        evaluate_every: None,
        seed: 1,
        cache: None,
        fidelity: Fidelity::Paper,
    }
}

fn program(text: &str) -> Program {
    match analysis::compile(&Source::new("network.cam", text)) {
        Ok((program, _)) => program,
        Err(mistakes) => panic!("mistakes: {:?}", mistakes.codes()),
    }
}
