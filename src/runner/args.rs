//! The arguments of a built model, as data.

use std::path::PathBuf;

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};

use super::device::{Device, Placement, Precision};
use crate::data::{Split, Unreadable};
use crate::train::checkpoint::Which;
use crate::train::export::Format;

#[derive(Debug, Parser)]
#[command(about = "A multi-task Transformer made by camtlc", arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell as JSON what a training would draw; `camtlc simulate` adds what it costs
    Simulate(Simulate),
    /// Train the model; everything of it is kept in a run folder
    Train(Train),
    /// Go on with a training that was interrupted, from its last checkpoint
    Resume(Resume),
    /// Measure a trained model on a split of its data
    Eval(Eval),
    /// Ask a trained model about texts
    Predict(Predict),
    /// Hold the network against numbers of the authors' code
    Compare(Compare),
    /// Write a trained model in the files of other programs
    Export(Export),
    /// List the parameters as JSON: name, shape, trained or frozen
    Parameters,
}

impl Command {
    /// Where to compute; what needs no network, or only its parameters, is done on the CPU.
    pub fn placement(&self) -> Placement {
        match self {
            Self::Train(args) => args.placement,
            Self::Resume(args) => args.placement,
            Self::Eval(args) => args.placement,
            Self::Predict(args) => args.placement,
            Self::Compare(args) => args.placement,
            Self::Simulate(_) | Self::Export(_) | Self::Parameters => {
                Placement { device: Device::Cpu, precision: Precision::F32 }
            }
        }
    }
}

/// How the tasks' data are read.
#[derive(Debug, clap::Args)]
pub struct Reading {
    /// Leave rows out that cannot be read, and tell how many and where the first are
    #[arg(long)]
    pub skip_unreadable: bool,
    /// Where tokenized data, and with `cache` the constant layers' output, is kept between runs [default: $CAMTL_HOME/tokens or ~/.cache/camtl/tokens]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

impl Reading {
    /// What is done about rows that cannot be read.
    pub fn unreadable(&self) -> Unreadable {
        if self.skip_unreadable { Unreadable::Skip } else { Unreadable::Fail }
    }

    /// The folder of caches: what was named, else one below `$CAMTL_HOME`, else below the user's cache folder; `None`
    /// where there is no such place.
    pub fn cache(&self) -> Option<PathBuf> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let below = |name, folder| Some(variable(name)?.join(folder));
        let home = || {
            let chosen = variable("CAMTL_HOME").or_else(|| below("XDG_CACHE_HOME", "camtl"));
            chosen.or_else(|| below("HOME", ".cache/camtl"))
        };
        self.cache.clone().or_else(|| Some(home()?.join("tokens")))
    }
}

#[derive(Debug, clap::Args)]
pub struct Simulate {
    /// The folder that the tasks' data folders lie in
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// The folder of the pretrained backbone, if not where the model says
    #[arg(long, value_name = "DIR")]
    pub backbone: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Debug, clap::Args)]
pub struct Train {
    /// The file that the model was written in, for the record
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// The folder that the tasks' data folders lie in
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// The folder of the pretrained backbone, if not where the model says
    #[arg(long, value_name = "DIR")]
    pub backbone: Option<PathBuf>,
    /// Start from a safetensors file of the authors' code, by their names for the parameters
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Start from what another run learned, as far as it fits; the rest starts anew
    #[arg(long, value_name = "RUN", conflicts_with = "backbone")]
    pub from: Option<PathBuf>,
    /// Write every example that is trained on, with its score, to picks.jsonl of the run
    #[arg(long)]
    pub log_picks: bool,
    /// Train on the examples of such a log, in its order, whatever the sampler
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// The folder of the run; must not hold one yet [default: runs/NAME, or the first free runs/NAME-N]
    #[arg(long, value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// Stop after so many steps, whatever the epochs
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
    /// Pass over the data so many times
    #[arg(long, value_name = "N", conflicts_with = "steps")]
    pub epochs: Option<usize>,
    /// Examples, dropout and start values are functions of the seed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Change a setting of the model's `train` block, like lr=1e-4; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    #[command(flatten)]
    pub reading: Reading,
    /// Measure where the steps' time and the memory go; the figures end up on stderr and in the run's profile.json
    #[arg(long)]
    pub profile: bool,
    #[command(flatten)]
    pub placement: Placement,
}

#[derive(Debug, clap::Args)]
pub struct Resume {
    /// The folder of the run
    #[arg(long, value_name = "RUN")]
    pub run: PathBuf,
    /// The folder that the tasks' data folders lie in [default: where it was]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
    /// Measure where the steps' time and the memory go; the figures end up on stderr and in the run's profile.json
    #[arg(long)]
    pub profile: bool,
    #[command(flatten)]
    pub placement: Placement,
}

#[derive(Debug, clap::Args)]
pub struct Saved {
    /// The folder of the run
    #[arg(long, value_name = "RUN")]
    pub run: PathBuf,
    /// Which checkpoint: best, last, or step-N
    #[arg(long, value_name = "WHICH", default_value = "best")]
    pub checkpoint: Which,
}

#[derive(Debug, clap::Args)]
pub struct Eval {
    #[command(flatten)]
    pub saved: Saved,
    /// The folder that the tasks' data folders lie in [default: that of the training]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = SplitName::Dev)]
    pub split: SplitName,
    /// Instead of the run's weights those of a safetensors file of the authors' code, by their names for the parameters
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    pub weights: Option<PathBuf>,
    /// The one task whose head is asked, about the data of --as
    #[arg(long, value_name = "NAME", requires = "data_of")]
    pub task: Option<String>,
    /// Data that the head was not trained on: another task, as FORMAT, FORMAT:SET or FORMAT:SET:FOLDER, like scitail, glue:RTE or tsv:reviews
    #[arg(long = "as", id = "data_of", value_name = "DATA", requires = "task")]
    pub data_of: Option<String>,
    /// With --as: what the head's labels are called in the data, as head=data; equal labels need no pair
    #[arg(long, value_name = "HEAD=DATA,..", value_delimiter = ',', value_parser = setting, requires = "data_of")]
    pub map: Vec<(String, String)>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub placement: Placement,
}

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("texts").required(true).args(["text_a", "file", "all"]))]
pub struct Predict {
    #[command(flatten)]
    pub saved: Saved,
    /// The task whose head is asked
    #[arg(long, value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub task: Option<String>,
    /// Ask every task about a split of its data, and write a file a task into the folder --out, as GLUE, SuperGLUE and SQuAD accept it
    #[arg(long, requires = "out")]
    pub all: bool,
    /// With --all: the folder that the tasks' data folders lie in [default: that of the training]
    #[arg(long, value_name = "DIR", requires = "all")]
    pub data: Option<PathBuf>,
    /// With --all: which split
    #[arg(long, value_enum, default_value_t = SplitName::Test)]
    pub split: SplitName,
    /// A text; words between spaces, where these are tagged; the question, where an answer is found
    #[arg(long = "text", value_name = "TEXT")]
    pub text_a: Option<String>,
    /// Its second text, for tasks on pairs; the context, where an answer is found
    #[arg(long = "text-b", value_name = "TEXT", requires = "text_a")]
    pub text_b: Option<String>,
    /// One of the texts to choose from; to be repeated
    #[arg(long = "choice", value_name = "TEXT", requires = "text_a")]
    pub choices: Vec<String>,
    /// A file of texts: tab-separated with the header `text_a` or `text_a text_b`, or JSON lines (.jsonl)
    #[arg(long = "in", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where the predictions go, a JSON line each [default: stdout]; with --all a folder that is not there yet
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub placement: Placement,
}

#[derive(Debug, clap::Args)]
pub struct Compare {
    /// The folder with these numbers: params, inputs, acts and grads.safetensors, and meta.json
    #[arg(long, value_name = "DIR")]
    pub golden: PathBuf,
    /// The largest difference that passes, relative to a tensor's largest value
    #[arg(long, value_name = "X", default_value = "1e-5", value_parser = tolerance)]
    pub tolerance: f64,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub placement: Placement,
}

#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(flatten)]
    pub saved: Saved,
    #[arg(long, value_enum)]
    pub format: FormatName,
    /// The folder that is made
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Every parameter, by the names of the authors' code
    Reference,
    /// The backbone alone, as Hugging Face's BertModel or RobertaModel
    Hf,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Reference => Format::Reference,
            FormatName::Hf => Format::Hf,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SplitName {
    Train,
    Dev,
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Split::Train,
            SplitName::Dev => Split::Dev,
            SplitName::Test => Split::Test,
        }
    }
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("a tolerance is a number from 0 to 1, such as 1e-5".to_owned()),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a setting is written key=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        assert_eq!(setting("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(setting("lr").is_err());
    }
}
