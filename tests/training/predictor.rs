//! A trained model, loaded and asked as a user's own program does it.

use std::fs;

use camtl::runner::Cpu;
use camtl::train::checkpoint::Which;
use camtl::train::plan::Plan;
use camtl::train::predict::{self, PredictError, Prediction};
use camtl::train::{Predictor, SavedModel, SavedModelError};

use crate::tiny::{PLAN, Place, build, network};

type Network = camtl::nn::Model<16, network::Encoder<Cpu>, network::Heads<Cpu>, Cpu>;
type Model = Predictor<Network>;

fn load(saved: impl Into<SavedModel>) -> Result<Model, SavedModelError> {
    Predictor::load(&PLAN, build, saved)
}

fn values(predictions: &[Prediction]) -> Vec<f32> {
    let value = |prediction: &Prediction| match prediction {
        Prediction::Value { value } => *value,
        other => panic!("{other:?} is no value"),
    };
    predictions.iter().map(value).collect()
}

#[test]
fn a_saved_model_is_found_by_run_step_and_checkpoint() {
    let place = Place::new();
    let outcome = place.train("run", &[("steps", "4"), ("evaluate_every", "2")]);
    let (run, best) = (outcome.run.folder, outcome.finished.best.unwrap().step);
    assert_eq!(load(run.as_path()).unwrap().step(), best);
    assert_eq!(load(SavedModel::run(&run, Which::Last)).unwrap().step(), 4);
    let model = load(SavedModel::run(&run, Which::Step(4))).unwrap();
    assert_eq!(model.step(), 4);

    // as it would be deployed: away from the run, in one folder
    let alone = place.folder.path().join("alone");
    fs::create_dir(&alone).unwrap();
    fs::copy(run.join("checkpoints/step-4/model.safetensors"), alone.join("model.safetensors")).unwrap();
    fs::copy(run.join("tokenizer/vocab.txt"), alone.join("vocab.txt")).unwrap();
    fs::remove_dir_all(&run).unwrap();
    let deployed = load(SavedModel::checkpoint(&alone, &alone)).unwrap();
    let texts = ["the old ice", "lava"];
    assert_eq!(deployed.predict("weather", &texts).unwrap(), model.predict("weather", &texts).unwrap());
}

#[test]
fn predictions_are_typed_and_in_the_order_of_the_texts() {
    let place = Place::new();
    let model = load(place.train("run", &[("steps", "2")]).run.folder).unwrap();
    assert_eq!(model.tasks().iter().map(|task| task.name).collect::<Vec<_>>(), ["weather", "warmth"]);

    let texts = ["the the the old sun", "ice", "", "a word that no vocabulary has"];
    let together = values(&model.predict("warmth", &texts).unwrap());
    for (text, value) in texts.iter().zip(together) {
        let alone = values(&model.predict("warmth", &[text]).unwrap());
        assert!((alone[0] - value).abs() < 1e-5, "{text}");
    }
    let one = values(&model.predict_pairs("warmth", &[("ice", "sun")]).unwrap());
    let other = values(&model.predict_pairs("warmth", &[("sun".to_owned(), "ice")]).unwrap());
    assert_ne!(one, other, "the second text counts");
    assert!(model.predict("weather", &[""; 0]).unwrap().is_empty());

    let answers = model.predict("weather", &["sun"]).unwrap();
    let [Prediction::Class { label, probabilities }] = answers.as_slice() else { panic!("{answers:?}") };
    let [("cold", cold), ("warm", warm)] = probabilities[..] else { panic!("{probabilities:?}") };
    assert!((cold + warm - 1.0).abs() < 1e-5);
    assert_eq!(*label, if warm > cold { "warm" } else { "cold" });
}

#[test]
fn a_file_of_texts_names_the_line_that_is_none() {
    let place = Place::new();
    let file = place.folder.path().join("texts.jsonl");
    fs::write(&file, "{\"text_a\": \"ice\"}\n\n{\"text_a\": \"ice\", \"text_b\": \"sun\"}\n").unwrap();
    assert_eq!(predict::read(&file, &PLAN.tasks[1]).unwrap().rows.len(), 2);
    fs::write(&file, "{\"text_a\": \"ice\"}\n{\"text\": \"sun\"}\n").unwrap();
    let error = predict::read(&file, &PLAN.tasks[1]).unwrap_err().to_string();
    assert!(error.contains("texts.jsonl:2"), "{error}");
}

#[test]
fn what_cannot_be_loaded_or_asked_is_a_typed_error() {
    let place = Place::new();
    let refused = |saved: SavedModel| load(saved).unwrap_err().to_string();
    let nowhere = place.out("nowhere");
    assert!(refused(nowhere.as_path().into()).ends_with("nowhere` is not a run"));
    assert!(refused(SavedModel::checkpoint(&nowhere, place.data())).contains("model.safetensors"));
    assert!(refused(SavedModel::checkpoint(&nowhere, &nowhere)).contains("there is no tokenizer"));

    let run = place.train("run", &[("steps", "2")]).run.folder;
    assert!(refused(SavedModel::run(&run, Which::Step(7))).ends_with("step-7`"));
    let error = load(run.as_path()).unwrap().predict("rain", &["ice"]).unwrap_err();
    assert!(matches!(&error, PredictError::Task { task, .. } if task == "rain"), "{error}");

    const OTHER: Plan = Plan { fingerprint: "00000000000000000000000000000002", ..PLAN };
    let error = Predictor::load(&OTHER, build, run.as_path()).unwrap_err().to_string();
    assert!(error.contains("is of another program") && error.contains("00000002"), "{error}");
    const RENAMED: Plan = Plan { name: "other", ..PLAN };
    let error = Predictor::load(&RENAMED, build, run.as_path()).unwrap_err().to_string();
    assert!(error.ends_with("is a run of the model `tiny`, this is `other`"), "{error}");

    fs::write(run.join("checkpoints/best.json"), "{").unwrap();
    assert!(refused(run.as_path().into()).contains("best.json"));
    fs::write(run.join("run.json"), "{}").unwrap();
    assert!(refused(run.into()).contains("run.json` cannot be understood"));
}

/// A server keeps one model for all of its threads.
#[test]
fn a_model_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Model>();
}
