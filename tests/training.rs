//! Training from end to end: a tiny network, written as the compiler would lower it, on data made here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use camtl::data::{Split, Tokenizer};
use camtl::nn::Model;
use camtl::runner::Cpu;
use camtl::train::plan::{
    AdamW, Backbone, Kind, Metric, Origin, Plan, Sampler, Schedule, Source, Task, Training, Uncertainty,
    Warmup,
};
use camtl::train::{Options, Outcome, Run, TrainError, checkpoint, evaluate, inputs, predict, train};
use serde_json::Value;

mod network {
    //! Hidden 16, two layers: the lower one frozen and constant, the upper one with everything attached.
    use camtl::nn::prelude::*;

    type LowerLayer<D> = EncoderLayer<16, 2, 32, Frozen, PlainAttention, PlainNorm, NoBottleneck, D>;
    type UpperLayer<D> =
        EncoderLayer<16, 2, 32, Trained, BlockAttention<12, 3>, CondNorm, CondBottleneck<8>, D>;

    pub struct Encoder<D: Kernels> {
        pub task_embedding: TaskEmbedding<16, D>,
        pub embeddings: Embeddings<16, 16, 12, 2, Frozen, D>,
        pub lower: [LowerLayer<D>; 1],
        pub upper: [UpperLayer<D>; 1],
        pub pooler: Pooler<16, Trained, D>,
    }

    impl<D: Kernels> Build<D> for Encoder<D> {
        fn build(at: &Scope<D>) -> Self {
            Self {
                task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 2),
                embeddings: Embeddings::build(&at.child("embeddings")),
                lower: at.layers(0),
                upper: at.layers(1),
                pooler: Pooler::build(&at.child("pooler")),
            }
        }
    }

    parameters!(Encoder { task_embedding, embeddings, lower, upper, pooler });

    impl<D: Kernels> Encode<16, D> for Encoder<D> {
        fn constant(&self, batch: &Batch, pass: &mut Scoring<D>) -> Constant<16, D> {
            let x = self.embeddings.forward(batch, pass);
            Some(self.lower.forward(x, &NoTask, batch, pass))
        }

        fn encode<T: Tape<f32, D>>(
            &self,
            constant: Constant<16, D>,
            batch: &Batch,
            pass: &mut Pass<T, D>,
        ) -> Encoded<16, D> {
            let x = constant.expect("embeddings and the lower layer are constant");
            let z = self.task_embedding.forward();
            let x = self.upper.forward(x, &z, batch, pass);
            self.pooler.forward(x, batch, pass)
        }
    }

    pub struct Heads<D: Kernels> {
        pub weather: Classify<16, 2, D>,
        pub warmth: Regress<16, D>,
    }

    impl<D: Kernels> Build<D> for Heads<D> {
        fn build(at: &Scope<D>) -> Self {
            Self { weather: Build::build(&at.child("weather")), warmth: Build::build(&at.child("warmth")) }
        }
    }

    parameters!(Heads { weather, warmth });

    impl<D: Kernels> Predict<16, D> for Heads<D> {
        fn logits<T: Tape<f32, D>>(
            &self,
            task: usize,
            rows: Tokens<16, D>,
            pass: &mut Pass<T, D>,
        ) -> Logits<D> {
            match task {
                0 => self.weather.forward(rows, pass),
                1 => self.warmth.forward(rows, pass),
                _ => unreachable!("two tasks"),
            }
        }
    }
}

const PLAN: Plan = Plan {
    name: "tiny",
    variant: None,
    fingerprint: "00000000000000000000000000000001",
    backbone: Backbone {
        origin: Origin::Scratch { tokenizer: "vocab.txt" },
        layers: 2,
        hidden: 16,
        heads: 2,
        ffn: 32,
        vocab: 16,
        positions: 12,
        token_types: 2,
    },
    sequence: 12,
    tasks: &[
        Task {
            name: "weather",
            kind: Kind::Classify { labels: &["cold", "warm"] },
            metric: Metric::Accuracy,
            data: Source::Tsv { folder: "weather" },
            weight: 1.0,
            uncertainty: Uncertainty::Entropy,
        },
        Task {
            name: "warmth",
            kind: Kind::Regress { low: 0.0, high: 5.0 },
            metric: Metric::Pearson,
            data: Source::Tsv { folder: "warmth" },
            weight: 1.0,
            uncertainty: Uncertainty::As(0),
        },
    ],
    training: Training {
        sampler: Sampler::MtUncertainty { candidates: 8 },
        batch: 8,
        epochs: 1,
        steps: Some(60),
        optimizer: AdamW { lr: 3e-3, weight_decay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        schedule: Schedule::Linear { warmup: Warmup::Fraction(0.1) },
        clip: Some(1.0),
        dropout: 0.1,
        evaluate_every: Some(20),
        seed: 7,
    },
};

const WORDS: [(&str, f32); 8] = [
    ("ice", 0.0),
    ("snow", 0.5),
    ("rain", 1.0),
    ("fog", 1.5),
    ("sun", 3.5),
    ("sand", 4.0),
    ("fire", 4.5),
    ("lava", 5.0),
];

/// A data folder: one word tells class and value, some others do not matter.
fn write_data(root: &Path) {
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "a", "old"];
    let vocab: Vec<&str> = specials.into_iter().chain(WORDS.map(|(word, _)| word)).collect();
    fs::write(root.join("vocab.txt"), vocab.join("\n")).unwrap();
    let label = |warmth: f32| if warmth > 2.0 { "warm".to_owned() } else { "cold".to_owned() };
    let value = |warmth: f32| warmth.to_string();
    write_task(&root.join("weather"), &label);
    write_task(&root.join("warmth"), &value);
}

fn write_task(folder: &Path, label: &dyn Fn(f32) -> String) {
    fs::create_dir(folder).unwrap();
    let table = |openings: &[&str]| {
        let rows = openings.iter().flat_map(|opening| {
            WORDS.iter().map(move |(word, warmth)| format!("{}\t{opening} {word}\n", label(*warmth)))
        });
        format!("label\ttext_a\n{}", rows.collect::<String>())
    };
    fs::write(folder.join("train.tsv"), table(&["the", "a", "the old", "a old", "the the old"])).unwrap();
    fs::write(folder.join("dev.tsv"), table(&["old", "a the"])).unwrap();
}

fn build() -> Model<16, network::Encoder<Cpu>, network::Heads<Cpu>, Cpu> {
    Model::build(Cpu::default())
}

/// A folder with data, in which runs may be made.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        write_data(&folder.path().join("data"));
        fs::create_dir(folder.path().join("runs")).unwrap();
        Self { folder }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("runs").join(name)
    }

    fn options(&self, name: &str, set: &[(&str, &str)]) -> Options {
        let mut training = PLAN.training;
        for (key, value) in set {
            training.set(key, value).unwrap();
        }
        Options {
            training,
            data: self.data(),
            backbone: None,
            out: self.out(name),
            cache: None,
            model_path: None,
        }
    }

    fn try_train(&self, name: &str, set: &[(&str, &str)]) -> Result<Outcome, TrainError> {
        train(&PLAN, "model tiny", build(), &self.options(name, set), &AtomicBool::new(false))
    }

    fn train(&self, name: &str, set: &[(&str, &str)]) -> Outcome {
        self.try_train(name, set).unwrap()
    }

    /// What is in the folder of runs.
    fn runs(&self) -> Vec<String> {
        names(&self.out(""))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The lines but for what is measured in seconds.
fn timeless(path: &Path) -> Vec<Value> {
    let mut lines = lines(path);
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("time").expect("every step has its time");
    }
    lines
}

fn mean_loss(events: &[Value]) -> f64 {
    events.iter().map(|event| event["loss"].as_f64().unwrap()).sum::<f64>() / events.len() as f64
}

#[test]
fn a_run_is_complete() {
    let place = Place::new();
    let outcome = place.train("run", &[]);
    let events = lines(&outcome.run.events());
    assert_eq!(events.len(), 60);
    assert_eq!(events[59]["tasks"]["weather"]["candidates"], 8);
    let picks = |task: &str| events[59]["tasks"][task]["picks"].as_u64().unwrap();
    assert_eq!(picks("weather") + picks("warmth"), 8);

    let run = outcome.run.folder;
    let expected =
        ["checkpoints", "eval.jsonl", "events.jsonl", "model.cam", "report.html", "run.json", "tokenizer"];
    assert_eq!(names(&run), expected);
    assert_eq!(names(&run.join("tokenizer")), ["vocab.txt"]);
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(report.contains("<polyline") && report.contains("model tiny"));
    let record: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["finished"]["step"], 60);
    assert_eq!(record["data"]["weather"]["train"]["examples"], 40);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let place = Place::new();
    let set = [("steps", "12"), ("evaluate_every", "6")];
    let (a, b) = (place.train("a", &set).run, place.train("b", &set).run);
    assert_eq!(timeless(&a.events()), timeless(&b.events()));
    assert_eq!(lines(&a.evaluations()), lines(&b.evaluations()));
    let other = place.train("c", &[("steps", "12"), ("evaluate_every", "6"), ("seed", "8")]).run;
    assert_ne!(timeless(&a.events()), timeless(&other.events()));
}

/// Under proportional sampling: MT-Uncertainty changes the tasks' shares of the loss from step to step.
#[test]
fn the_loss_falls() {
    let place = Place::new();
    let set = [
        ("sampler", "proportional"),
        ("steps", "off"),
        ("epochs", "80"),
        ("dropout", "0"),
        ("evaluate_every", "800"),
    ];
    let outcome = place.train("run", &set);
    let events = lines(&outcome.run.events());
    assert_eq!(events.len(), 80 * 10); // 80 examples in batches of 8
    let (first, last) = (mean_loss(&events[..10]), mean_loss(&events[790..]));
    assert!(last < 0.02 * first, "{first} to {last}");
    let evaluation = outcome.evaluation.as_ref().unwrap();
    assert!(evaluation.mean > 0.95, "{evaluation}");
    assert!(events[0]["tasks"]["weather"]["entropy"].is_null());
    assert!(outcome.finished.data_used > 0.9, "{}", outcome.finished.data_used);
}

#[test]
fn a_checkpoint_gives_the_same_figures() {
    let place = Place::new();
    let outcome = place.train("run", &[("steps", "30"), ("evaluate_every", "10")]);
    let run = Run::open(&outcome.run.folder, &PLAN).unwrap();
    let best = outcome.finished.best.unwrap();

    let mut network = build();
    let folder = checkpoint::find(&run.checkpoints(), "best").unwrap();
    let step = checkpoint::load(&folder, &PLAN, &mut network.parameters()).unwrap();
    assert_eq!(step, best.step);
    let tokenizer = run.tokenizer(&PLAN).unwrap();
    let dev = inputs::split(&PLAN, Split::Dev, &run.record.paths.data, &tokenizer, None).unwrap();
    let found = evaluate::evaluate(&network, PLAN.tasks, &dev).unwrap();
    // as text: reading a number back may lose its last bit
    let kept = fs::read_to_string(run.evaluations()).unwrap();
    let found = found.to_json(step, Split::Dev).to_string();
    assert!(kept.lines().any(|line| line == found), "{found} is not in\n{kept}");

    // at most the best and the last are kept
    let steps = names(&run.checkpoints());
    assert!(steps.contains(&"step-30".to_owned()) && steps.len() <= 3, "{steps:?}");
}

#[test]
fn a_checkpoint_of_another_program_names_what_differs() {
    let place = Place::new();
    let outcome = place.train("run", &[("steps", "1")]);
    let mut other = PLAN;
    other.sequence = 10;
    other.backbone.ffn = 64;
    let mut network = build();
    let before = network.parameters()[0].read();
    let error = checkpoint::load(&outcome.checkpoint, &other, &mut network.parameters()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`backbone.ffn` is 32 in the checkpoint and 64 in the model"), "{text}");
    assert!(text.contains("`sequence` is 12 in the checkpoint and 10 in the model"), "{text}");
    assert_eq!(network.parameters()[0].read(), before);
}

#[test]
fn predictions_come_in_the_order_of_the_texts() {
    let place = Place::new();
    let outcome = place.train("run", &[("steps", "2")]);
    let mut network = build();
    checkpoint::load(&outcome.checkpoint, &PLAN, &mut network.parameters()).unwrap();
    let tokenizer: Tokenizer = outcome.run.tokenizer(&PLAN).unwrap();

    let file = place.folder.path().join("texts.jsonl");
    fs::write(&file, "{\"text_a\": \"the the the old sun\"}\n{\"text_a\": \"ice\"}\n").unwrap();
    let task = PLAN.task("warmth").unwrap();
    let both = predict::read(&file, task.1).unwrap();
    let predict = |examples: &_| predict::predict(&network, &tokenizer, task, examples).unwrap();
    let together = predict(&both);
    for (row, prediction) in both.rows.iter().zip(&together) {
        let alone = predict(&camtl::data::Examples { rows: vec![row.clone()], skipped: 0 });
        let value = |prediction: &predict::Prediction| match prediction {
            predict::Prediction::Value { value } => *value,
            predict::Prediction::Class { .. } => panic!("a value"),
        };
        assert!((value(&alone[0]) - value(prediction)).abs() < 1e-5);
    }

    fs::write(&file, "{\"text_a\": \"ice\"}\n{\"text\": \"sun\"}\n").unwrap();
    let error = predict::read(&file, task.1).unwrap_err().to_string();
    assert!(error.contains("texts.jsonl:2"), "{error}");
}

#[test]
fn the_command_line_tells_success_from_mistakes() {
    let place = Place::new();
    let folder = |path: PathBuf| path.into_os_string().into_string().unwrap();
    let (data, out) = (folder(place.data()), folder(place.out("run")));
    let cache = folder(place.folder.path().join("cache"));
    let run = |arguments: &[&str]| {
        let arguments = ["tiny"].iter().chain(arguments).copied();
        camtl::runner::run::<16, network::Encoder<_>, network::Heads<_>>(&PLAN, "model tiny", arguments)
    };
    let train = ["train", "--data", &data, "--out", &out, "--cache", &cache, "--steps", "3"];
    assert_eq!(run(&[&train[..], &["--set", "lr=1e-3"]].concat()), ExitCode::SUCCESS);
    assert_eq!(run(&train), ExitCode::FAILURE, "the run exists");
    assert_eq!(run(&[&train[..], &["--set", "speed=1"]].concat()), ExitCode::FAILURE);
    assert_eq!(run(&["train", "--steps", "many"]), ExitCode::from(2));
    assert!(!names(Path::new(&cache)).is_empty());
    let record: Value =
        serde_json::from_slice(&fs::read(place.out("run").join("run.json")).unwrap()).unwrap();
    assert_eq!(
        (record["steps"].as_u64(), &record["settings"]["optimizer"]["lr"]),
        (Some(3), &Value::from(1e-3))
    );

    assert_eq!(run(&["eval", "--run", &out, "--cache", &cache, "--json"]), ExitCode::SUCCESS);
    assert_eq!(run(&["eval", "--run", &data]), ExitCode::FAILURE);
    assert_eq!(run(&["eval", "--run", &out, "--checkpoint", "step-9"]), ExitCode::FAILURE);

    let texts = place.folder.path().join("texts.tsv");
    fs::write(&texts, "text_a\nthe sun\nold ice\n").unwrap();
    let (texts, predictions) = (folder(texts), place.folder.path().join("predictions.jsonl"));
    let ask = ["predict", "--run", &out, "--task", "weather"];
    let given = ["--in", &texts, "--out", predictions.to_str().unwrap()];
    assert_eq!(run(&[&ask[..], &given].concat()), ExitCode::SUCCESS);
    let predictions = lines(&predictions);
    assert_eq!(predictions.len(), 2);
    assert!(predictions[0]["probabilities"]["warm"].is_number());
    assert_eq!(run(&[&ask[..], &["--text", "the sun"]].concat()), ExitCode::SUCCESS);
    assert_eq!(run(&ask), ExitCode::from(2), "no text");
    assert_eq!(run(&["predict", "--run", &out, "--task", "rain", "--text", "x"]), ExitCode::FAILURE);
    assert_eq!(run(&["parameters"]), ExitCode::SUCCESS);
}

#[test]
fn an_interrupted_training_leaves_a_checkpoint() {
    let place = Place::new();
    let options = place.options("run", &[]);
    let outcome = train(&PLAN, "model tiny", build(), &options, &AtomicBool::new(true)).unwrap();
    assert!(outcome.finished.interrupted && outcome.evaluation.is_none());
    assert_eq!(names(&outcome.run.checkpoints()), ["step-1"]);
    assert!(checkpoint::find(&outcome.run.checkpoints(), "best").unwrap().ends_with("step-1"));
}

#[test]
fn a_mistake_in_the_inputs_leaves_nothing_behind() {
    let place = Place::new();
    let refused = |name: &str| {
        let error = place.try_train(name, &[("steps", "1")]).unwrap_err();
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        format!("{error} | {help}")
    };

    let rows = place.data().join("weather/train.tsv");
    let good = fs::read_to_string(&rows).unwrap();
    fs::write(&rows, format!("{good}mild\tthe fog\n")).unwrap();
    let message = refused("label");
    assert!(message.contains("train.tsv:42: `mild` is not a label of the task"), "{message}");
    assert!(message.contains("`cold`, `warm`"), "{message}");
    fs::write(&rows, good).unwrap();

    fs::rename(place.data().join("warmth"), place.data().join("elsewhere")).unwrap();
    let message = refused("folder");
    assert!(message.contains("task `warmth`: there is no folder"), "{message}");
    fs::rename(place.data().join("elsewhere"), place.data().join("warmth")).unwrap();

    let mut options = place.options("data", &[]);
    options.data = place.folder.path().join("nowhere");
    let error = train(&PLAN, "", build(), &options, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains("there is no data folder"), "{error}");

    let mut options = place.options("backbone", &[]);
    options.backbone = Some(place.data());
    let error = train(&PLAN, "", build(), &options, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains("--backbone has no use"), "{error}");
    assert_eq!(place.runs(), [""; 0]);

    place.train("taken", &[("steps", "1")]);
    let before = names(&place.out("taken"));
    let message = refused("taken");
    assert!(message.contains("already holds a run") && message.contains("--out"), "{message}");
    assert_eq!(names(&place.out("taken")), before);
    assert_eq!(place.runs(), ["taken"]);
}
