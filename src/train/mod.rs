//! Learning: what a model's training is, the loop that does it, and what a trained model is asked.
//!
//! | file | holds |
//! |---|---|
//! | [`plan`] | what a generated crate states about its model: tasks, metrics, settings |
//! | [`network`] | the network without its type parameters: constant part, logits, parameters |
//! | [`batches`] | examples of all tasks, assembled to flat batches |
//! | [`cached`] | the network with its constant part kept on disk |
//! | [`draws`], [`ahead`], [`sampler`], [`scoring`], [`uncertainty`] | which examples a step trains on, MT-Uncertainty among it |
//! | [`picks`] | the log of these, and a training on just what is in it |
//! | [`losses`], `loss_scale`, [`optimizer`], [`learner`] | one step: objective, gradient, AdamW |
//! | [`decode`], [`metrics`], [`evaluate`], [`predict`] | what a trained network says, and how well |
//! | [`simulate`] | what a training would draw |
//! | [`zero_shot`], [`transfer`] | a head on data that it was not trained on; a training from what another learned |
//! | [`saved_model`], [`predictor`] | a trained model, back from where it lies, and what it is asked |
//! | [`submission`] | what it says of all tasks' test data, as the benchmarks want it |
//! | [`checkpoint`], [`events`], [`report`], [`run`] | what is kept of a run, all in one folder |
//! | [`weights`], [`export`] | weights of the authors' code; a trained model in the files of other programs |
//! | [`inputs`], [`trainer`], `progress` | the whole training, from the paths to the last checkpoint |
//! | [`resume`] | one that was interrupted goes on |
//!
//! The same seed gives the same run: examples, dropout and start values are functions of it, and no reduction
//! depends on how threads are timed. Only what is measured in seconds differs.

pub mod ahead;
pub mod batches;
pub mod cached;
pub mod checkpoint;
pub mod decode;
pub mod draws;
pub mod evaluate;
pub mod events;
pub mod export;
mod files;
pub mod inputs;
pub mod learner;
mod loss_scale;
pub mod losses;
pub mod metrics;
pub mod network;
pub mod optimizer;
pub mod picks;
pub mod plan;
pub mod predict;
pub mod predictor;
pub(crate) mod progress;
mod remarked;
pub mod report;
pub mod resume;
pub mod run;
pub mod sampler;
pub mod saved_model;
pub mod scoring;
pub mod simulate;
pub mod submission;
pub mod trainer;
pub mod transfer;
pub mod uncertainty;
pub mod weights;
pub mod zero_shot;

pub use inputs::{InputError, Inputs, Reading};
pub use network::Network;
pub use predictor::Predictor;
pub use resume::{Resume, ResumeError, resume};
pub use run::{Run, RunError};
pub use saved_model::{SavedModel, SavedModelError};
pub use trainer::{Options, Outcome, TrainError, train};
