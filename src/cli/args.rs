//! The command line as data.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValue};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::device::Device;
use crate::graph::Format;

/// Compiler for camtl, a small language for task-conditioned multi-task Transformers.
///
/// A .cam file says which pretrained network is shared, what of it is frozen, where the conditional modules of
/// CA-MTL attach, and which tasks are learned. camtlc checks it, shows it, and builds the program that trains it.
#[derive(Debug, Parser)]
#[command(name = "camtlc", version, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  camtlc new support_desk                       a first model of your own, every line explained
  camtlc check models/*.cam                     every mistake at once, with its place and a way out
  camtlc graph models/camtl_base.cam            what is constant, passed through and trained, and why
  camtlc stats models/camtl_base.cam            parameters, operations and memory
  camtlc train models/quickstart.cam            build the model's program and train it
  camtlc eval runs/quickstart                   measure a trained run on the development sets

Built programs and their dependencies are kept in CAMTL_HOME (default: ~/.cache/camtl).";

#[derive(Debug, Subcommand)]
pub enum Command {
    Check(Check),
    Explain(Explain),
    Fmt(Fmt),
    Graph(Graph),
    Stats(Stats),
    Diff(Diff),
    Build(Build),
    Simulate(Simulate),
    Train(Train),
    Resume(Resume),
    Eval(Eval),
    Predict(Predict),
    Compare(Compare),
    Export(Export),
    New(New),
    QuickstartData(QuickstartData),
    Doctor(Doctor),
    Completions(Completions),
}

/// A model, or one of its variants.
#[derive(Debug, Args)]
pub struct ModelFile {
    /// The model; `-` is stdin
    #[arg(value_name = "FILE", id = "model")]
    pub path: PathBuf,
    /// One of its variants, instead of the model itself
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
}

/// Check models with all their variants, and show all mistakes and warnings
#[derive(Debug, Args)]
pub struct Check {
    /// The models; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The variant that the verdict is about (all are checked)
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Everything that was found as JSON on stdout, for editors and CI
    #[arg(long)]
    pub json: bool,
    /// Fail on warnings too
    #[arg(long)]
    pub deny_warnings: bool,
}

/// Say more about a mistake or warning: why the rule is there, and an example, wrong and right
#[derive(Debug, Args)]
pub struct Explain {
    /// Its code, with or without `cam::`, an area such as `shape`, or `fidelity`, which differences it makes [default: all codes, a line each]
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// Lay models out in the one standard style, in place
#[derive(Debug, Args)]
pub struct Fmt {
    /// The models; `-` formats stdin to stdout
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and fail if there are any
    #[arg(long)]
    pub check: bool,
}

/// Show every part of the network: its shape, its parameters, and whether it is trained
#[derive(Debug, Args)]
pub struct Graph {
    #[command(flatten)]
    pub model: ModelFile,
    /// How to show it
    #[arg(long, default_value = "text")]
    pub format: Format,
}

/// Count what a model costs: parameters, operations and memory, part by part
#[derive(Debug, Args)]
pub struct Stats {
    #[command(flatten)]
    pub model: ModelFile,
    #[command(flatten)]
    pub load: Workload,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Show how two models or variants differ: in what they say, in what they cost, and for a checkpoint
#[derive(Debug, Args)]
#[command(after_help = "\
With one file: the model against its variant, or two of its variants against each other.
With two files, `--variant` names a variant of both, or, given twice, one of each.")]
pub struct Diff {
    /// The one model
    #[arg(value_name = "FROM")]
    pub from: PathBuf,
    /// The other [default: the same]
    #[arg(value_name = "TO", required_unless_present = "variant")]
    pub to: Option<PathBuf>,
    /// A variant; may be given twice
    #[arg(long, value_name = "NAME", num_args = 1)]
    pub variant: Vec<String>,
    #[command(flatten)]
    pub load: Workload,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Where a model's program computes.
#[derive(Debug, Args)]
pub struct Placement {
    /// Where to compute: cpu, cuda, or cuda:N for another GPU than the first, N from 0 [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<Device>,
    /// What matrix products on CUDA are computed in: f32; tf32, which is faster and rounds to 11 bits of mantissa; or amp,
    /// mixed precision, with f16 for what enters a product and f32 for all else
    #[arg(long, value_enum, value_name = "PRECISION", hide_possible_values = true)]
    pub precision: Option<Precision>,
}

impl Placement {
    /// What the program is built for.
    pub fn device(&self) -> Device {
        self.device.unwrap_or(Device::Cpu)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F32,
    Tf32,
    Amp,
}

impl Precision {
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Amp => "amp",
        }
    }
}

/// What a training step is measured with.
#[derive(Debug, Args)]
pub struct Workload {
    /// Examples a step [default: the model's batch]
    #[arg(long, value_name = "N", value_parser = count)]
    pub batch: Option<usize>,
    /// Mean length of an example in word pieces [default: the model's sequence]
    #[arg(long, value_name = "N", value_parser = count)]
    pub length: Option<usize>,
}

/// Build the model's program: it trains, evaluates and predicts without camtlc or cargo
#[derive(Debug, Args)]
pub struct Build {
    #[command(flatten)]
    pub model: ModelFile,
    /// Also write the generated crate into this folder
    #[arg(long, value_name = "DIR")]
    pub emit: Option<PathBuf>,
    /// For any processor of this kind: the default, since the instructions are chosen when it runs
    #[arg(long, conflicts_with = "native")]
    pub portable: bool,
    /// For this machine's processor alone
    #[arg(long)]
    pub native: bool,
    /// What it shall run on: cpu, or cuda, which runs on both
    #[arg(long, value_name = "DEVICE", default_value_t = Device::Cpu)]
    pub device: Device,
}

/// Tell, before training, what is drawn of each task, how many steps that takes, and what they cost
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    pub model: ModelFile,
    /// The tasks' data [default: the folder beside the model and named like it, if there is one, or `data`]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The pretrained backbone, whose tokenizer counts, instead of the checkpoint that the model names
    #[arg(long, value_name = "DIR")]
    pub backbone: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Leave rows out that cannot be read, and tell how many and where the first are
    #[arg(long)]
    pub skip_unreadable: bool,
}

/// Train a model
#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    pub model: ModelFile,
    /// The tasks' data [default: the folder beside the model and named like it, if there is one, or `data`]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The pretrained backbone, instead of the checkpoint that the model names
    #[arg(long, value_name = "DIR")]
    pub backbone: Option<PathBuf>,
    /// Start from a safetensors file of the authors' code, by their names for the parameters
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Start from what another run learned: all that fits by name and shape is taken over, what is new is named
    #[arg(long, value_name = "RUN", conflicts_with = "backbone")]
    pub from: Option<PathBuf>,
    /// Write every example that is trained on, with its score, to picks.jsonl of the run
    #[arg(long)]
    pub log_picks: bool,
    /// Train on the examples of such a log, in its order, whatever the sampler
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// The run's folder
    #[arg(long, value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// Optimizer steps, instead of the model's
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
    /// Seed of everything random, instead of the model's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Any other training setting, instead of the model's; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<String>,
    /// Measure where the steps' time and the memory go; the figures end up on stderr and in the run's profile.json
    #[arg(long)]
    pub profile: bool,
    /// Leave rows out that cannot be read, and tell how many and where the first are
    #[arg(long)]
    pub skip_unreadable: bool,
    #[command(flatten)]
    pub placement: Placement,
}

/// Go on with a training that was interrupted, from its last checkpoint, as if it had never stopped
#[derive(Debug, Args)]
pub struct Resume {
    /// The run's folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The tasks' data [default: where it was]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Measure where the steps' time and the memory go; the figures end up on stderr and in the run's profile.json
    #[arg(long)]
    pub profile: bool,
    /// Leave rows out that cannot be read, and tell how many and where the first are
    #[arg(long)]
    pub skip_unreadable: bool,
    #[command(flatten)]
    pub placement: Placement,
}

/// Measure a trained run
#[derive(Debug, Args)]
pub struct Eval {
    /// The run's folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The tasks' data [default: where it was in training]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Which part of the data
    #[arg(long, value_name = "SPLIT", default_value = "dev")]
    pub split: String,
    /// Instead of the run's weights those of a safetensors file of the authors' code, by their names for the parameters
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// The one task whose head is asked, about the data of --as
    #[arg(long, value_name = "NAME", requires = "data_of")]
    pub task: Option<String>,
    /// Data that the head was not trained on: another task, as FORMAT, FORMAT:SET or FORMAT:SET:FOLDER, like scitail, glue:RTE or tsv:reviews
    #[arg(long = "as", id = "data_of", value_name = "DATA", requires = "task")]
    pub data_of: Option<String>,
    /// With --as: what the head's labels are called in the data; equal labels need no pair
    #[arg(long, value_name = "HEAD=DATA,..", value_delimiter = ',', value_parser = key_value, requires = "data_of")]
    pub map: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Leave rows out that cannot be read, and tell how many and where the first are
    #[arg(long)]
    pub skip_unreadable: bool,
    #[command(flatten)]
    pub placement: Placement,
}

/// Predict with a trained run
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("input").required(true).args(["text", "file", "all"]))]
pub struct Predict {
    /// The run's folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Which task
    #[arg(long, value_name = "T", required_unless_present = "all", conflicts_with = "all")]
    pub task: Option<String>,
    /// Every task, for a split of its data: a file a task in the folder --out, as GLUE, SuperGLUE and SQuAD accept it
    #[arg(long, requires = "out")]
    pub all: bool,
    /// With --all: the folder with the tasks' data [default: that of the training]
    #[arg(long, value_name = "DIR", requires = "all")]
    pub data: Option<PathBuf>,
    /// With --all: train, dev or test
    #[arg(long, value_name = "SPLIT", default_value = "test")]
    pub split: String,
    /// The text, or the first of a pair; words between spaces, to be tagged; the question, to be answered
    #[arg(long, value_name = "A")]
    pub text: Option<String>,
    /// The second text of a pair; the context of a question
    #[arg(long, value_name = "B", requires = "text")]
    pub text_b: Option<String>,
    /// One of the texts to choose from; to be repeated
    #[arg(long, value_name = "TEXT", requires = "text")]
    pub choice: Vec<String>,
    /// A file with an example a line: text_a [TAB text_b]
    #[arg(long = "in", id = "file", value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Where the predictions go [default: stdout]; with --all a folder that is not there yet
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub placement: Placement,
}

/// Hold a model of `fidelity reference` against numbers of the authors' code, tensor by tensor
#[derive(Debug, Args)]
pub struct Compare {
    #[command(flatten)]
    pub model: ModelFile,
    /// The folder with these numbers: params, inputs, acts and grads.safetensors, and meta.json
    #[arg(long, value_name = "DIR")]
    pub golden: PathBuf,
    /// The largest difference that passes, relative to a tensor's largest value [default: 1e-5]
    #[arg(long, value_name = "X")]
    pub tolerance: Option<f64>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub placement: Placement,
}

/// Write a trained run in the files of other programs
#[derive(Debug, Args)]
pub struct Export {
    /// The run's folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Whose files
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// The folder that is made
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which checkpoint: best, last, or step-N [default: best]
    #[arg(long, value_name = "WHICH")]
    pub checkpoint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Every parameter, by the names of the authors' code; the model has to be of `fidelity reference`
    Reference,
    /// The backbone alone, as Hugging Face's BertModel or RobertaModel
    Hf,
}

impl ExportFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Hf => "hf",
        }
    }
}

/// Write a first model, every line explained, to start one's own from
#[derive(Debug, Args)]
pub struct New {
    /// The model's name, also of its file: a word in snake case
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub name: String,
    /// Its folder, which is made where it is missing [default: the current one]
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub dir: PathBuf,
}

/// Write the data of models/quickstart.cam: three small tasks made from rules, the same on every machine
#[derive(Debug, Args)]
pub struct QuickstartData {
    /// The folder, which is made where it is missing
    #[arg(value_name = "DIR", default_value = "models/quickstart")]
    pub folder: PathBuf,
}

/// Tell what this machine has to build and run models, and what to install for what it has not
#[derive(Debug, Args)]
pub struct Doctor {
    /// What is needed: with cuda, what is missing for it counts as a failure
    #[arg(long, value_name = "DEVICE", default_value_t = Device::Cpu)]
    pub device: Device,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Print what lets a shell complete camtlc's commands and options
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// A whole number from 1 to a million, the most that a batch may be in a model.
fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1_000_000) => Ok(count),
        _ => Err("expected a whole number from 1 to 1000000".to_owned()),
    }
}

fn key_value(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() => Ok(text.to_owned()),
        _ => Err("expected a pair joined by `=`, as in `lr=1e-4`".to_owned()),
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Dot, Self::Mermaid, Self::Svg, Self::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Text => PossibleValue::new("text").help("a table for the terminal"),
            Self::Dot => PossibleValue::new("dot").help("for Graphviz"),
            Self::Mermaid => PossibleValue::new("mermaid").help("for Markdown"),
            Self::Svg => PossibleValue::new("svg").help("a picture, for a browser or a README"),
            Self::Json => PossibleValue::new("json").help("for other programs, every layer on its own"),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
