//! What one training learned, taken over by another, and asked about other data.

use std::fs;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use camtl::nn::Model;
use camtl::runner::Cpu;
use camtl::train::plan::{Kind, Metric, Plan, Source, Task, Uncertainty};
use camtl::train::{Options, TrainError, train, zero_shot};
use serde_json::Value;

use super::tiny::{PLAN, Place, build, names};

mod wider {
    //! The tiny network with a task before its own, one of them gone, and a narrower bottleneck.
    use camtl::nn::prelude::*;

    type LowerLayer<D> = EncoderLayer<16, 2, 32, Frozen, PlainAttention, PlainNorm, NoBottleneck, D>;
    type UpperLayer<D> =
        EncoderLayer<16, 2, 32, Trained, BlockAttention<12, 3>, CondNorm, CondBottleneck<4>, D>;

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
            let x = self.upper.finish(x, &z, batch, pass);
            self.pooler.forward(x, batch, pass)
        }
    }

    pub struct Heads<D: Kernels> {
        pub season: Classify<16, 2, D>,
        pub weather: Classify<16, 2, D>,
    }

    impl<D: Kernels> Build<D> for Heads<D> {
        fn build(at: &Scope<D>) -> Self {
            Self { season: Build::build(&at.child("season")), weather: Build::build(&at.child("weather")) }
        }
    }

    parameters!(Heads { season, weather });

    impl<D: Kernels> Predict<16, D> for Heads<D> {
        fn logits<T: Tape<f32, D>>(
            &self,
            task: usize,
            rows: Tokens<16, D>,
            pass: &mut Pass<T, D>,
        ) -> Logits<D> {
            match task {
                0 => self.season.forward(rows, pass),
                1 => self.weather.forward(rows, pass),
                _ => unreachable!("two tasks"),
            }
        }
    }
}

const SEASON: Task = Task {
    name: "season",
    kind: Kind::Classify { labels: &["warm", "cold"] },
    metric: Metric::Accuracy,
    data: Source::tsv("weather"),
    weight: 1.0,
    uncertainty: Uncertainty::Entropy,
};

const WIDER: Plan = Plan {
    name: "wider",
    fingerprint: "00000000000000000000000000000002",
    tasks: &[SEASON, PLAN.tasks[0]],
    ..PLAN
};

/// Enough for the tiny network to know its words.
const LEARNS: [(&str, &str); 4] =
    [("sampler", "proportional"), ("steps", "800"), ("evaluate_every", "800"), ("dropout", "0")];

fn take_over(place: &Place, plan: &'static Plan, name: &str) -> Result<camtl::train::Outcome, TrainError> {
    let options = Options {
        from: Some(place.out("first")),
        ..place.options(name, &[("steps", "1"), ("lr", "1e-9"), ("dropout", "0")])
    };
    let network: Model<16, wider::Encoder<Cpu>, wider::Heads<Cpu>, Cpu> = Model::build(Cpu::default());
    train(plan, "model wider", network, &options, &AtomicBool::new(false))
}

#[test]
fn what_fits_is_taken_over_and_what_is_new_is_named() {
    let place = Place::new();
    let first = place.train("first", &LEARNS);
    let figure = |outcome: &camtl::train::Outcome, task: &str| {
        let evaluation = outcome.evaluation.as_ref().unwrap();
        evaluation.tasks.iter().find(|(name, _)| *name == task).unwrap().1.main
    };
    assert!(figure(&first, "weather") > 0.9, "{:?}", first.evaluation);

    let second = take_over(&place, &WIDER, "second").unwrap();
    let transfer = second.run.record.transfer.clone().unwrap();
    assert_eq!(transfer.step, 800);
    let new = |start: &str| transfer.new.iter().filter(|name| name.starts_with(start)).count();
    assert!(transfer.new.contains(&"task_embedding.weight, row of season".to_owned()), "{transfer}");
    assert_eq!((new("heads.season."), new("heads.weather.")), (2, 0), "{transfer}");
    let bottleneck = transfer.new.iter().filter(|name| name.contains("[4, 16] here, [8, 16] in the run"));
    assert_eq!(bottleneck.count(), 1, "{transfer}");
    assert_eq!(
        transfer.left,
        ["task_embedding.weight, row of warmth", "heads.warmth.bias", "heads.warmth.weight"],
        "{transfer}"
    );
    // one step at next to no rate: what was learned of weather is still there, under a new neighbour
    let kept = second.evaluation.as_ref().unwrap();
    assert!(figure(&second, "season") < 0.9, "{kept}");
    let record = fs::read_to_string(second.run.folder.join("run.json")).unwrap();
    assert!(serde_json::from_str::<Value>(&record).unwrap()["transfer"]["loaded"].as_u64() > Some(20));
    assert_eq!(names(&second.run.folder.join("tokenizer")), ["vocab.txt"]);
}

/// With the same network nothing is new, and nothing is lost but the optimizer's state.
#[test]
fn a_training_from_its_own_run_starts_where_that_ended() {
    let place = Place::new();
    let first = place.train("first", &[("steps", "40"), ("evaluate_every", "40")]);
    let options = Options {
        from: Some(place.out("first")),
        ..place.options("second", &[("steps", "1"), ("lr", "1e-12")])
    };
    let second = train(&PLAN, "", build(), &options, &AtomicBool::new(false)).unwrap();
    let transfer = second.run.record.transfer.unwrap();
    assert_eq!((transfer.new.len(), transfer.left.len()), (0, 0), "{transfer}");
    let (a, b) = (first.evaluation.unwrap(), second.evaluation.unwrap());
    assert!((a.mean - b.mean).abs() < 1e-6, "{a} and {b}");
}

#[test]
fn labels_in_another_order_are_another_head() {
    const TURNED: Plan = Plan {
        tasks: &[SEASON, Task { kind: Kind::Classify { labels: &["warm", "cold"] }, ..PLAN.tasks[0] }],
        ..WIDER
    };
    let place = Place::new();
    place.train("first", &[("steps", "1")]);
    let transfer = take_over(&place, &TURNED, "second").unwrap().run.record.transfer.unwrap();
    let turned = "heads.weather.weight: task `weather` is of another kind, or has other labels, in the run";
    assert!(transfer.new.iter().any(|name| name == turned), "{transfer}");
}

#[test]
fn a_run_of_another_backbone_is_refused() {
    const OTHER: Plan =
        Plan { backbone: camtl::train::plan::Backbone { heads: 4, ..PLAN.backbone }, ..WIDER };
    let place = Place::new();
    place.train("first", &[("steps", "1")]);
    let error = take_over(&place, &OTHER, "second").unwrap_err().to_string();
    assert!(error.contains("`backbone.heads` is 2 in the checkpoint and 4 in the model"), "{error}");
    assert_eq!(place.runs(), ["first"]);
    fs::remove_file(place.out("first").join("run.json")).unwrap();
    let error = take_over(&place, &WIDER, "second").unwrap_err().to_string();
    assert!(error.ends_with("is not a run"), "{error}");
}

#[test]
fn a_head_is_asked_about_data_with_other_labels() {
    let place = Place::new();
    place.train("run", &LEARNS);
    let folder = place.data().join("seasons");
    fs::create_dir(&folder).unwrap();
    let rows = "label\ttext_a\nsummer\tthe sun\nwinter\told snow\nautumn\tthe fog\nsummer\ta lava\n";
    fs::write(folder.join("dev.tsv"), rows).unwrap();

    let ask = |name: &str, map: &[(&str, &str)]| {
        let map: Vec<_> = map.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let question = zero_shot::question(&PLAN, &PLAN.tasks[0], name, &map)?;
        let model = camtl::train::Predictor::load(&PLAN, build, place.out("run")).unwrap();
        let request = camtl::data::Request {
            task: name,
            source: question.task.data,
            kind: question.task.kind,
            split: camtl::data::Split::Dev,
            root: &place.data(),
            unreadable: camtl::data::Unreadable::Fail,
            cache: None,
        };
        let data = camtl::data::load(&request, model.tokenizer()).unwrap();
        question.ask(&model, data, name)
    };
    let map = [("warm", "summer"), ("cold", "winter"), ("cold", "autumn")];
    let answer = ask("tsv:seasons", &map).unwrap();
    assert_eq!((answer.examples, answer.commonest), (4, Some(0.5)));
    assert_eq!(answer.scores.figures, [("accuracy", 1.0)]);
    let turned = [("cold", "summer"), ("warm", "winter"), ("warm", "autumn")];
    assert_eq!(ask("tsv:seasons", &turned).unwrap().scores.main, 0.0);
    // its own data by the task's name
    assert!(ask("weather", &[]).unwrap().scores.main > 0.9);

    let refused = |name: &str, map: &[(&str, &str)]| ask(name, map).unwrap_err().to_string();
    assert_eq!(refused("warmth", &[]), "task `weather` classifies, and `warmth` regresses");
    assert_eq!(refused("rain", &[]), "`rain` is neither a task of the model nor a format of data");
    assert_eq!(refused("tsv", &[]), "`tsv` names no set or folder");
    assert_eq!(refused("weather", &[("hot", "warm")]), "`hot` in --map is no label of task `weather`");
}

#[test]
fn other_data_are_named_on_the_command_line() {
    let place = Place::new();
    place.train("run", &[("steps", "1")]);
    let text = |path: std::path::PathBuf| path.into_os_string().into_string().unwrap();
    let (run, data) = (text(place.out("run")), text(place.data()));
    let eval = |more: &[&str]| {
        let arguments = [&["tiny", "eval", "--run", &run, "--data", &data][..], more].concat();
        camtl::runner::run::<16, crate::tiny::Tiny>(&PLAN, "model tiny", arguments)
    };
    let turned = ["--task", "weather", "--as", "weather", "--map", "cold=warm,warm=cold"];
    assert_eq!(eval(&turned), ExitCode::SUCCESS);
    assert_eq!(eval(&[&turned[..], &["--json"]].concat()), ExitCode::SUCCESS);
    assert_eq!(eval(&["--task", "weather", "--as", "fog"]), ExitCode::FAILURE);
    assert_eq!(eval(&["--task", "rain", "--as", "weather"]), ExitCode::FAILURE);
    assert_eq!(eval(&["--task", "weather"]), ExitCode::from(2), "about what?");
    assert_eq!(eval(&["--map", "cold=warm"]), ExitCode::from(2));
}
