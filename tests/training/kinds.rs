//! A task of each kind, trained together: files, windows, heads, uncertainty, evaluation, predictions.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use camtl::data::{Example, Examples, Goal, Input, Split, Tokenizer, Unreadable};
use camtl::nn::Model;
use camtl::runner::Cpu;
use camtl::train::plan::{
    AdamW, Backbone, Batch, Family, Fidelity, Format, Kind, Metric, Origin, Plan, Sampler, Schedule, Source,
    Task, Training, Uncertainty, Warmup,
};
use camtl::train::predict::{self, Asked, PredictError, Prediction};
use camtl::train::{Options, Outcome, Predictor, Reading, evaluate, inputs, train};
use serde_json::{Value, json};

mod network {
    use camtl::nn::prelude::*;

    type Layer<D> = EncoderLayer<32, 2, 64, Trained, PlainAttention, CondNorm, NoBottleneck, D>;

    pub struct Encoder<D: Kernels> {
        pub task_embedding: TaskEmbedding<32, D>,
        pub embeddings: Embeddings<32, 32, 16, 2, Trained, D>,
        pub layers: [Layer<D>; 1],
        pub pooler: Pooler<32, Trained, D>,
    }

    impl<D: Kernels> Build<D> for Encoder<D> {
        fn build(at: &Scope<D>) -> Self {
            Self {
                task_embedding: TaskEmbedding::build(&at.child("task_embedding"), 5),
                embeddings: Embeddings::build(&at.child("embeddings")),
                layers: at.layers(0),
                pooler: Pooler::build(&at.child("pooler")),
            }
        }
    }

    parameters!(Encoder { task_embedding, embeddings, layers, pooler });

    impl<D: Kernels> Encode<32, D> for Encoder<D> {
        fn constant(&self, _: &Batch, _: &mut Scoring<D>) -> Constant<32, D> {
            None
        }

        fn encode<T: Tape<f32, D>>(
            &self,
            _: Constant<32, D>,
            batch: &Batch,
            pass: &mut Pass<T, D>,
        ) -> Encoded<32, D> {
            let z = self.task_embedding.forward();
            let x = self.embeddings.forward(batch, pass);
            let x = self.layers.finish(x, &z, batch, pass);
            self.pooler.forward(x, batch, pass)
        }
    }

    pub struct Heads<D: Kernels> {
        pub mood: Classify<32, 2, D>,
        pub warmth: Regress<32, D>,
        pub names: Tag<32, 5, D>,
        pub find: Span<32, D>,
        pub warmer: Choose<32, D>,
    }

    impl<D: Kernels> Build<D> for Heads<D> {
        fn build(at: &Scope<D>) -> Self {
            Self {
                mood: Build::build(&at.child("mood")),
                warmth: Build::build(&at.child("warmth")),
                names: Build::build(&at.child("names")),
                find: Build::build(&at.child("find")),
                warmer: Build::build(&at.child("warmer")),
            }
        }
    }

    parameters!(Heads { mood, warmth, names, find, warmer });

    impl<D: Kernels> Predict<32, D> for Heads<D> {
        fn logits<T: Tape<f32, D>>(
            &self,
            task: usize,
            rows: Tokens<32, D>,
            pass: &mut Pass<T, D>,
        ) -> Logits<D> {
            match task {
                0 => self.mood.forward(rows, pass),
                1 => self.warmth.forward(rows, pass),
                2 => self.names.forward(rows, pass),
                3 => self.find.forward(rows, pass),
                4 => self.warmer.forward(rows, pass),
                _ => unreachable!("five tasks"),
            }
        }
    }
}

const fn task(name: &'static str, kind: Kind, metric: Metric, data: Source) -> Task {
    Task { name, kind, metric, data, weight: 1.0, uncertainty: Uncertainty::Entropy }
}

const TAGS: &[&str] = &["O", "B-hot", "I-hot", "B-cold", "I-cold"];

const PLAN: Plan = Plan {
    name: "kinds",
    variant: None,
    fingerprint: "00000000000000000000000000000005",
    backbone: Backbone {
        family: Family::Bert,
        origin: Origin::Scratch { tokenizer: "vocab.txt" },
        layers: 1,
        hidden: 32,
        heads: 2,
        ffn: 64,
        vocab: 32,
        positions: 16,
        token_types: 2,
    },
    sequence: 16,
    tasks: &[
        task("mood", Kind::Classify { labels: &["cold", "hot"] }, Metric::Accuracy, Source::tsv("mood")),
        Task {
            uncertainty: Uncertainty::As(3),
            ..task(
                "warmth",
                Kind::Regress { low: 0.0, high: 1.0, unit: true },
                Metric::Pearson,
                Source::tsv("warmth"),
            )
        },
        task("names", Kind::Tag { labels: TAGS }, Metric::EntityF1, Source::new(Format::Conll, "names")),
        task("find", Kind::Span { stride: 5 }, Metric::ExactMatchF1, Source::new(Format::Squad, "find")),
        task("warmer", Kind::Choose { choices: 2 }, Metric::Accuracy, Source::super_glue("COPA", "warmer")),
    ],
    training: Training {
        sampler: Sampler::MtUncertainty { candidates: 16, rescore: 1 },
        batch: Batch::Examples(16),
        epochs: 1,
        steps: Some(800),
        optimizer: AdamW { lr: 5e-3, weight_decay: 0.0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        schedule: Schedule::Linear { warmup: Warmup::Fraction(0.1) },
        clip: Some(1.0),
        dropout: 0.0,
        evaluate_every: Some(200),
        seed: 3,
        cache: None,
        fidelity: Fidelity::Paper,
    },
};

const HOT: [&str; 4] = ["sun", "sand", "fire", "lava"];
const COLD: [&str; 4] = ["ice", "snow", "rain", "fog"];
const PLAIN: [&str; 5] = ["the", "a", "old", "red", "."];

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }
}

fn write_data(root: &Path) {
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "what", "was", "cause", "of", "this", "?"];
    let vocab: Vec<&str> = specials.into_iter().chain(HOT).chain(COLD).chain(PLAIN).collect();
    fs::write(root.join("vocab.txt"), vocab.join("\n")).unwrap();
    for (split, squad, copa, seed, count) in
        [("train", "train-v1.1.json", "train.jsonl", 1, 120), ("dev", "dev-v1.1.json", "val.jsonl", 2, 40)]
    {
        let mut dice = Dice(seed);
        let table = |dice: &mut Dice, label: [&str; 2]| {
            let rows = (0..count).map(|_| {
                let hot = dice.below(2);
                let word = dice.pick(&[COLD, HOT][hot]);
                format!("{}\t{} {word} {}\n", label[hot], dice.pick(&PLAIN), dice.pick(&PLAIN))
            });
            format!("label\ttext_a\n{}", rows.collect::<String>())
        };
        let put = |path: &str, text: String| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put(&format!("mood/{split}.tsv"), table(&mut dice, ["cold", "hot"]));
        put(&format!("warmth/{split}.tsv"), table(&mut dice, ["0.1", "0.9"]));
        put(&format!("names/{split}.conll"), (0..count).map(|_| sentence(&mut dice)).collect());
        put(&format!("find/{squad}"), questions(&mut dice, count).to_string());
        let copa_lines = (0..count).map(|i| format!("{}\n", choice(&mut dice, i)));
        put(&format!("warmer/{copa}"), copa_lines.collect());
    }
}

/// Words next to each other of one temperature are one entity.
fn sentence(dice: &mut Dice) -> String {
    let mut lines = String::new();
    let mut before = "O";
    for _ in 0..3 + dice.below(5) {
        let (kind, words): (&str, &[&'static str]) =
            [("hot", &HOT[..]), ("cold", &COLD[..]), ("O", &PLAIN[..])][dice.below(3)];
        let tag = match kind {
            "O" => "O".to_owned(),
            kind => format!("{}-{kind}", if before == kind { "I" } else { "B" }),
        };
        lines += &format!("{}\t{tag}\n", dice.pick(words));
        before = kind;
    }
    lines + "\n"
}

/// The answer is the only hot word of the context, which is longer than a sequence.
fn questions(dice: &mut Dice, count: usize) -> Value {
    let questions = (0..count).map(|i| {
        let length = 4 + dice.below(24);
        let mut words: Vec<&str> = (0..length).map(|_| dice.pick(&PLAIN)).collect();
        let at = dice.below(length);
        words[at] = dice.pick(&HOT);
        let start = words[..at].iter().map(|word| word.len() + 1).sum::<usize>();
        json!({
            "context": words.join(" "),
            "qas": [{
                "id": format!("q{i}"), "question": "what ?",
                "answers": [{ "text": words[at], "answer_start": start }]
            }]
        })
    });
    json!({ "version": "1.1", "data": [{ "title": "t", "paragraphs": questions.collect::<Vec<_>>() }] })
}

fn choice(dice: &mut Dice, idx: usize) -> Value {
    let right = dice.below(2);
    let mut choices = [dice.pick(&COLD), dice.pick(&COLD)];
    choices[right] = dice.pick(&HOT);
    json!({
        "premise": "the", "choice1": choices[0], "choice2": choices[1], "question": "cause",
        "label": right, "idx": idx
    })
}

type Network = Model<32, network::Encoder<Cpu>, network::Heads<Cpu>, Cpu>;

fn build() -> Network {
    Model::build(Cpu::default())
}

fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    write_data(&folder.path().join("data"));
    folder
}

fn run(folder: &Path, name: &str, steps: usize) -> Outcome {
    let options = Options {
        training: Training { steps: Some(steps), ..PLAN.training },
        data: folder.join("data"),
        from: None,
        replay: None,
        log_picks: false,
        unreadable: Unreadable::Fail,
        out: folder.join(name),
        backbone: None,
        weights: None,
        cache: Some(folder.join("cache")),
        model_path: None,
        device: "cpu".to_owned(),
    };
    train(&PLAN, "model kinds", build(), &options, &AtomicBool::new(false)).unwrap()
}

fn tokenizer(folder: &Path) -> Tokenizer {
    Tokenizer::open(&folder.join("data/vocab.txt"), 32, 16).unwrap()
}

#[test]
fn every_kind_learns_under_mt_uncertainty_and_answers() {
    let folder = place();
    let outcome = run(folder.path(), "run", 800);
    let evaluation = outcome.evaluation.unwrap();
    for (name, scores) in &evaluation.tasks {
        assert!(scores.main > 0.85, "{name} has {:?}", scores.figures);
    }
    let events = super::lines(&outcome.run.events());
    for (name, scored) in [("mood", true), ("names", true), ("find", true), ("warmer", true)] {
        let entropies = events.iter().map(|event| event["tasks"][name]["entropy"].as_f64().unwrap());
        let entropies: Vec<f64> = entropies.collect();
        assert!(entropies.iter().all(|share| (0.0..=1.0 + 1e-9).contains(share)), "{name}: {entropies:?}");
        assert!(entropies[0] > 0.5 && entropies[399] < 0.5 * entropies[0], "{name}: {scored}");
        assert!(events.iter().any(|event| event["tasks"][name]["picks"] != json!(0)), "{name}");
    }

    // the same figures from the saved model, and the data from the cache
    let model = Predictor::load(&PLAN, build, outcome.run.folder.as_path()).unwrap();
    let data: PathBuf = folder.path().join("data");
    let cached = Some(folder.path().join("cache"));
    let dev = inputs::split(&PLAN, Split::Dev, Reading::strict(&data, cached.as_deref()), model.tokenizer())
        .unwrap();
    let fresh = inputs::split(&PLAN, Split::Dev, Reading::strict(&data, None), model.tokenizer()).unwrap();
    assert_eq!(dev.datasets(), fresh.datasets());
    let evaluate = |data| evaluate::evaluate(model.network(), PLAN.tasks, data, evaluate::UNWATCHED).unwrap();
    let again = evaluate(&dev);
    assert_eq!(evaluate(&fresh), again);

    let ask = |task: usize, asked: Asked| {
        let example = predict::example(&PLAN.tasks[task], asked)?;
        let examples = Examples::of(vec![example]);
        Ok::<_, PredictError>(model.predict_examples(PLAN.tasks[task].name, &examples)?.remove(0))
    };
    let of = |text: &str| Asked { text: text.to_owned(), ..Asked::default() };
    let Prediction::Tags { tags } = ask(2, of("the sun fire ice red")).unwrap() else { panic!("tags") };
    assert_eq!(tags, ["O", "B-hot", "I-hot", "B-cold", "O"]);
    // far behind the first window
    let context = "the a old red . the a old red . the a old red . the lava .";
    let asked = Asked { text_b: Some(context.to_owned()), ..of("what ?") };
    let Prediction::Answer { answer, start, probability } = ask(3, asked).unwrap() else { panic!("answer") };
    assert_eq!((answer.as_str(), start), ("lava", context.find("lava").unwrap()));
    assert!((0.5..=1.0).contains(&probability), "{probability}");
    let choices = ["snow".to_owned(), "sand".to_owned()].to_vec();
    let Prediction::Choice { choice, probabilities } =
        ask(4, Asked { choices, ..of("the What was the cause of this?") }).unwrap()
    else {
        panic!("a choice")
    };
    assert!(choice == 1 && (probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{probabilities:?}");
    // what is not the task's is an error, not a panic
    let text = Examples::of(vec![Example::text("sun", None, 1)]);
    assert!(matches!(model.predict_examples("find", &text), Err(PredictError::Input { .. })));
    assert!(matches!(ask(3, of("what ?")), Err(PredictError::Parts { .. })));
}

#[test]
fn the_same_seed_gives_the_same_run_with_windows_and_choices() {
    let folder = place();
    let [one, other] = ["one", "other"].map(|name| run(folder.path(), name, 6));
    assert_eq!(super::timeless(&one.run.events()), super::timeless(&other.run.events()));
}

#[test]
fn a_context_is_read_in_windows_that_overlap() {
    let folder = place();
    let tokenizer = tokenizer(folder.path());
    let dev =
        inputs::split(&PLAN, Split::Dev, Reading::strict(&folder.path().join("data"), None), &tokenizer)
            .unwrap();
    let set = &dev.datasets()[3];
    assert_eq!(set.examples(), 40);
    assert!(set.len() > 60, "{} windows", set.len());
    let mut whole = 0;
    for i in 0..set.len() {
        let marks = set.marks(i).unwrap();
        assert!(set.tokens(i) <= 16 && marks[0] == 0);
        assert_eq!(set.ids(i)[3], 3, "[CLS] what ? [SEP]");
        assert_eq!(marks[1..], (4..set.tokens(i) - 1).collect::<Vec<_>>());
        let Goal::Span { start, end } = set.goal(i) else { panic!("{:?}", set.goal(i)) };
        if start > 0 {
            let accepted: Vec<&str> = set.answers(set.example(i)).collect();
            assert_eq!([set.span(i, start as usize, end as usize)], *accepted);
            whole += 1;
        }
    }
    assert!(whole >= 40, "every answer is whole in a window");
    // windows 5 apart that hold 11 tokens: of a context of 27 there are those from 0, 5, 10, 15 and 20
    let words: Vec<&str> = (0..27).map(|_| "red").collect();
    let input = Input::Context { question: "what ?".to_owned(), context: words.join(" ") };
    let example = Example { input, ..Example::text("", None, 1) };
    let examples = Examples::of(vec![example]);
    let kind = PLAN.tasks[3].kind;
    let set = camtl::data::Dataset::encode(&examples, &tokenizer, kind, blake3::hash(b"")).unwrap();
    let lengths: Vec<usize> = (0..set.len()).map(|i| set.tokens(i) - 5).collect();
    assert_eq!(lengths, [11, 11, 11, 11, 7]);
    assert_eq!(set.span_bytes(4, 1, 7), 20 * 4..27 * 4 - 1);
}
