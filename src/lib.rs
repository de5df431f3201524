//! `camtl`: a small declarative language for task-conditioned multi-task Transformers, and its compiler.
//!
//! A `.cam` file says which pretrained network is shared, what of it is frozen, where the conditional modules
//! of CA-MTL (Pilault, El hattami, Pal, ICLR 2021) attach, which tasks are learned and how. The compiler checks
//! it and lowers it to a Rust crate whose network is typed by const generics on dfdx; the runtime trains it.
//!
//! | stage | room | takes | gives |
//! |---|---|---|---|
//! | parse | [`syntax`] | text | [`syntax::ast`]: what was written, with spans |
//! | analyse | [`analysis`] | ast | [`ir::Program`]: what was meant, or every mistake at once |
//! | print | [`fmt`], [`graph`], [`stats`], [`diff`] | ast or ir | text |
//! | explain | [`explain`] | the code of a mistake | text |
//! | lower | [`codegen`] | ir | the files of a Rust crate |
//! | embed | [`build`] | text | a module of the user's own crate, from its build script |
//! | compute | `kernels`, `nn` | tensors | the conditional network on dfdx's tape |
//! | feed | `data` | files | tokenized batches |
//! | learn | `train` | network, batches | a run folder: events, evaluations, checkpoints |
//! | prove | `authors`, `compare` | the authors' checkpoints and numbers | the largest difference of every result |
//! | fetch | `hub` | the id of a checkpoint | a folder with its files |
//! | drive | [`cli`], `runner` | arguments | `camtlc`, and the command line of a built model |
//!
//! The upper half (feature `compiler`) never imports the lower one (feature `runtime`), nor the reverse: their
//! only contract is the paths that `codegen` prints. Only `cli`, `build`, `disk`, `hub` and `runner` touch the file
//! system, the terminal or other processes on the compiler's side; `syntax` to `codegen` are functions from values to values.
//! `tests/architecture.rs` fails when a room imports what it may not.

#[cfg(feature = "compiler")]
pub mod analysis;
#[cfg(feature = "compiler")]
pub mod build;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "compiler")]
pub mod codegen;
#[cfg(feature = "compiler")]
pub mod diagnostics;
#[cfg(feature = "compiler")]
pub mod diff;
#[cfg(feature = "compiler")]
pub mod disk;
#[cfg(feature = "compiler")]
pub mod explain;
#[cfg(feature = "compiler")]
mod figures;
#[cfg(feature = "compiler")]
pub mod fmt;
#[cfg(feature = "compiler")]
pub mod graph;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "compiler")]
pub mod ir;
#[cfg(feature = "compiler")]
pub mod span;
#[cfg(feature = "compiler")]
pub mod stats;
#[cfg(feature = "compiler")]
pub mod syntax;

#[cfg(feature = "runtime")]
pub mod authors;
#[cfg(feature = "runtime")]
pub mod compare;
#[cfg(feature = "runtime")]
pub mod data;
#[cfg(feature = "runtime")]
pub mod kernels;
#[cfg(feature = "runtime")]
pub mod nn;
#[cfg(feature = "runtime")]
pub mod runner;
#[cfg(feature = "runtime")]
pub mod train;

/// Includes the model that `camtl::build::compile` made in the crate's `build.rs`, as a module with the model's name.
///
/// ```ignore
/// camtl::include_model!("reviews");
///
/// let model = reviews::load("runs/reviews")?;
/// let answers = model.predict("sentiment", &["a joy from start to end ."])?;
/// ```
///
/// | in the module | what |
/// |---|---|
/// | `load` | opens a trained model: a run's best checkpoint, or another `camtl::train::SavedModel` |
/// | `Model` | what it gives, a `camtl::train::Predictor` |
/// | `network` | `Encoder` and `Heads`, typed by their shapes; together `Network` |
/// | `PLAN` | tasks, backbone and training, as a constant |
/// | `SOURCE` | the model's text |
#[cfg(feature = "runtime")]
#[macro_export]
macro_rules! include_model {
    ($name:literal) => {
        include!(concat!(
            env!("OUT_DIR", "the crate has no build.rs, which should call `camtl::build::compile`"),
            "/camtl/",
            $name,
            ".rs"
        ));
    };
}
