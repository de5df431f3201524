//! Every code, and what it stands for: the list behind `camtlc explain`.
//!
//! A code is for good. Each has a fixture, `tests/err/<area>_<name>.cam`, that shows it.

/// A code and its meaning in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `cam::area::name`
    pub code: &'static str,
    pub meaning: &'static str,
}

/// In alphabetical order.
pub const CODES: [Code; 68] = [
    code("cam::attach::ladder_conflict", "a layer has both a bottleneck inside and a step of the ladder"),
    code(
        "cam::attach::ladder_end",
        "a ladder ends below the last layer, so the layers above it would feed nothing",
    ),
    code("cam::attach::place", "a module is attached where it cannot be"),
    code("cam::attach::repeated", "a module is attached twice at one place"),
    code("cam::attach::second_ladder", "the model has two ladders of bottlenecks"),
    code("cam::attach::unknown_module", "no conditional module has this name"),
    code("cam::backbone::no_origin", "the backbone has neither a checkpoint nor a tokenizer"),
    code("cam::backbone::two_origins", "the backbone has both a checkpoint and a tokenizer"),
    code("cam::backbone::unknown", "no backbone has this name"),
    code("cam::data::classes", "a known data set has another number of labels"),
    code(
        "cam::data::kind",
        "a known data set holds labels for a task that regresses, or scores for one that classifies",
    ),
    code("cam::data::labels", "a known data set has other labels"),
    code("cam::data::scores", "a known data set's scores lie in another range (warning)"),
    code("cam::data::unknown_format", "no data format has this name"),
    code("cam::data::unknown_set", "the benchmark has no set of this name"),
    code("cam::freezing::new_and_frozen", "weights that start at random are frozen"),
    code("cam::freezing::repeated", "a part is frozen twice"),
    code("cam::item::missing", "the file lacks an item that every model has"),
    code("cam::item::repeated", "an item that a model has once appears twice"),
    code("cam::key::missing", "a key without a default is not set"),
    code("cam::key::repeated", "a key is set twice in one block"),
    code("cam::key::unknown", "a block has no such key"),
    code("cam::layer::empty_range", "a range of layers has no layer in it"),
    code("cam::layer::index", "a layer is not given by a whole number"),
    code("cam::layer::outside", "a layer lies beyond the backbone's last"),
    code("cam::layer::unknown_part", "the backbone has no such part"),
    code("cam::name::identifier", "a name cannot become an identifier of Rust"),
    code("cam::sampler::candidates", "all candidates together are fewer than the batch"),
    code("cam::sampler::no_distribution", "MT-Uncertainty has no task whose entropy it could take"),
    code("cam::sampler::unknown", "no sampler has this name"),
    code("cam::shape::blocks", "conditional attention would have an empty block"),
    code(
        "cam::shape::default_blocks",
        "conditional attention has no `blocks`, and the sequence does not divide hidden",
    ),
    code("cam::shape::heads", "the heads do not divide hidden"),
    code("cam::shape::positions", "the sequence is longer than the position embedding"),
    code("cam::shape::uneven_blocks", "the blocks of conditional attention differ in size (warning)"),
    code("cam::shape::wide_bottleneck", "a bottleneck is wider than hidden (warning)"),
    code("cam::syntax::number", "something that starts as a number is none, or is too large"),
    code("cam::syntax::unexpected", "the text does not follow the grammar"),
    code("cam::task::classes", "a task that classifies has fewer than two classes"),
    code("cam::task::duplicate", "two tasks have one name"),
    code("cam::task::duplicate_label", "a label appears twice in one task"),
    code("cam::task::empty_label", "a label has no letters"),
    code("cam::task::metric_kind", "a metric does not measure this kind of task"),
    code("cam::task::metric_labels", "a metric of two labels is asked of a task with more"),
    code("cam::task::no_kind", "a task does not say what it predicts"),
    code("cam::task::none", "the model has no tasks"),
    code("cam::task::range", "a task regresses over an empty range"),
    code("cam::task::two_kinds", "a task has two kinds"),
    code("cam::task::unknown_metric", "no metric has this name"),
    code("cam::task::unsupported_kind", "a kind of task is not compiled yet"),
    code("cam::train::clip", "gradients are clipped to a norm that is not above 0"),
    code("cam::train::dropout", "dropout is not in [0, 1)"),
    code("cam::train::long_warmup", "the warm-up is as long as the run (warning)"),
    code("cam::train::optimizer", "a setting of the optimizer lies outside its bounds"),
    code("cam::train::percent", "a share of the steps is not between 0% and 100%"),
    code("cam::train::unknown_optimizer", "no optimizer has this name"),
    code("cam::train::unknown_schedule", "no schedule has this name"),
    code("cam::train::unused_epochs", "`epochs` stands beside `steps`, which decides (warning)"),
    code("cam::uncertainty::donor", "a task takes its uncertainty from one that has no entropy"),
    code("cam::uncertainty::itself", "a task takes its uncertainty from itself"),
    code("cam::uncertainty::missing", "a task without a distribution does not say what its uncertainty is"),
    code("cam::uncertainty::no_entropy", "a task without a distribution asks for its own entropy"),
    code("cam::uncertainty::unknown", "`uncertainty` is neither `entropy` nor `as` a task"),
    code("cam::uncertainty::unknown_task", "a task takes its uncertainty from one that does not exist"),
    code("cam::value::empty", "a text is empty"),
    code("cam::value::expected", "a value is not what its key takes"),
    code("cam::value::too_large", "a size is beyond what is supported"),
    code("cam::value::zero", "a size is zero"),
];

const fn code(code: &'static str, meaning: &'static str) -> Code {
    Code { code, meaning }
}

/// The entry of a code, with or without its `cam::`.
pub fn find(name: &str) -> Option<Code> {
    CODES.iter().copied().find(|code| code.code == name || code.code.strip_prefix("cam::") == Some(name))
}
