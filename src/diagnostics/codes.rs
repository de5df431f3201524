//! Every code, and what it stands for: the list behind `camtlc explain`.
//!
//! A code is for good. Each has a fixture, `tests/err/<area>_<name>.cam`, that shows it, and a page,
//! `src/explain/pages/<area>_<name>.md`, that explains it: without its page a code does not compile.

/// A code, its meaning in a line, and its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `cam::area::name`
    pub code: &'static str,
    pub meaning: &'static str,
    /// Markdown.
    pub page: &'static str,
}

impl Code {
    /// `area::name`
    pub fn short(&self) -> &'static str {
        self.code.strip_prefix(ROOT).unwrap_or(self.code)
    }

    /// What the mistake is about: `shape`, `task`.
    pub fn area(&self) -> &'static str {
        self.short().split("::").next().unwrap_or_default()
    }
}

const ROOT: &str = "cam::";

/// The entry of a code, with or without its `cam::`.
pub fn find(name: &str) -> Option<Code> {
    CODES.iter().copied().find(|code| code.code == name || code.short() == name)
}

macro_rules! codes {
    ($($area:ident::$name:ident: $meaning:literal,)*) => {
        &[$(Code {
            code: concat!("cam::", stringify!($area), "::", stringify!($name)),
            meaning: $meaning,
            page: include_str!(concat!("../explain/pages/", stringify!($area), "_", stringify!($name), ".md")),
        }),*]
    };
}

/// In alphabetical order.
pub const CODES: &[Code] = codes! {
    assert::base: "a bound is a multiple of something else than the backbone",
    assert::fails: "an assertion does not hold",
    assert::quantity: "an assertion is about a quantity that is not known",
    assert::share: "a bound is a share, and of what is not said",
    assert::times: "a multiple of the backbone's cost lacks its `x`",
    assert::unit: "an assertion has a unit that its quantity has not",
    attach::ladder_conflict: "a layer has both a bottleneck inside and a step of the ladder",
    attach::ladder_end: "a ladder ends below the last layer, so the layers above it would feed nothing",
    attach::place: "a module is attached where it cannot be",
    attach::repeated: "a module is attached twice at one place",
    attach::second_ladder: "the model has two ladders of bottlenecks",
    attach::unknown_module: "no conditional module has this name",
    backbone::checkpoint: "the model's sizes differ from the checkpoint's",
    backbone::no_origin: "the backbone has neither a checkpoint nor a tokenizer",
    backbone::two_origins: "the backbone has both a checkpoint and a tokenizer",
    backbone::unknown: "no backbone has this name",
    data::classes: "a known data set has another number of labels",
    data::kind: "a task is of another kind than what its known data set holds",
    data::labels: "a known data set has other labels",
    data::repeated_column: "two things are read from one column of a table",
    data::scores: "a known data set's scores lie in another range (warning)",
    data::unknown_format: "no data format has this name",
    data::unknown_set: "the benchmark has no set of this name",
    fidelity::layers: "`fidelity reference` has this module in every layer, and it is not in some",
    fidelity::unknown: "`fidelity` is neither `paper` nor `reference`",
    fidelity::width: "`fidelity reference` has bottlenecks of a third of hidden",
    freezing::constant_prefix: "alignment stands before frozen layers, which would be constant without it (warning)",
    freezing::new_and_frozen: "weights that start at random are frozen",
    freezing::not_loaded: "the checkpoint has more layers than the model takes",
    freezing::only_heads: "all of the backbone is frozen and no module is attached, so only the heads are trained (warning)",
    freezing::repeated: "a part is frozen twice",
    include::cycle: "files include each other",
    include::file: "an included file cannot be read",
    include::item: "an included file holds something besides tasks and includes",
    include::outside: "a path leaves the folder of the file that includes",
    include::repeated: "a file is included twice",
    include::unused: "an included file brings no task (warning)",
    item::missing: "the file lacks an item that every model has",
    item::repeated: "an item that a model has once appears twice",
    item::too_many: "the file has more than 5000 items",
    key::missing: "a key without a default is not set",
    key::repeated: "a key is set twice in one block",
    key::unknown: "a block has no such key",
    layer::empty_range: "a range of layers has no layer in it",
    layer::index: "a layer is not given by a whole number",
    layer::outside: "a layer lies beyond the backbone's last",
    layer::unknown_part: "the backbone has no such part",
    name::identifier: "a name cannot become an identifier of Rust",
    sampler::budget: "batches are counted in tokens, and how many candidates are drawn is not said",
    sampler::candidates: "all candidates together are fewer than the batch",
    sampler::no_distribution: "MT-Uncertainty has no task whose entropy it could take",
    sampler::rescore: "one scoring is to serve more steps than its candidates are enough for",
    sampler::temperature: "the temperature of a sampler is not between 1 and 1000",
    sampler::unknown: "no sampler has this name",
    shape::blocks: "conditional attention would have an empty block",
    shape::default_blocks: "conditional attention has no `blocks`, and the sequence does not divide hidden",
    shape::heads: "the heads do not divide hidden",
    shape::positions: "the sequence is longer than the position embedding",
    shape::uneven_blocks: "the blocks of conditional attention differ in size (warning)",
    shape::wide_bottleneck: "a bottleneck is wider than hidden (warning)",
    syntax::number: "something that starts as a number is none, or is too large",
    syntax::too_long: "a file is too long to be a model",
    syntax::unexpected: "the text does not follow the grammar",
    task::choices: "a task that chooses has fewer than two choices",
    task::classes: "a task that classifies has fewer than two classes",
    task::duplicate: "two tasks have one name",
    task::duplicate_label: "a label appears twice in one task",
    task::empty_label: "a label has no letters",
    task::metric_kind: "a metric does not measure this kind of task",
    task::metric_labels: "a metric of two labels is asked of a task with more",
    task::no_kind: "a task does not say what it predicts",
    task::no_outside: "the tags lack `O`, for words outside of entities",
    task::no_weight: "a task with data has the weight 0 (warning)",
    task::none: "the model has no tasks",
    task::range: "a task regresses over a range that is none",
    task::stride: "windows over a context would leave out text between them",
    task::tag: "a tag is none of IOB2",
    task::tag_names: "a task counts its tags, and its data set does not name them",
    task::too_many: "the model has more than 1000 tasks",
    task::too_many_labels: "the tasks have more than 20000 labels together",
    task::two_kinds: "a task has two kinds",
    task::unknown_metric: "no metric has this name",
    task::weight: "a task's weight is negative, or none of 32-bit numbers",
    train::budget: "a batch of so many tokens has no room for the longest examples",
    train::clip: "gradients are clipped to a norm that is not above 0",
    train::dropout: "dropout is not in [0, 1)",
    train::long_warmup: "the warm-up is as long as the run (warning)",
    train::optimizer: "a setting of the optimizer lies outside its bounds",
    train::percent: "a share of the steps is not between 0% and 100%",
    train::unknown_optimizer: "no optimizer has this name",
    train::unknown_schedule: "no schedule has this name",
    train::unused_cache: "`cache` has nothing to keep, because no layer is constant (warning)",
    train::unused_epochs: "`epochs` stands beside `steps`, which decides (warning)",
    uncertainty::donor: "a task takes its uncertainty from one that has no entropy",
    uncertainty::itself: "a task takes its uncertainty from itself",
    uncertainty::missing: "a task without a distribution does not say what its uncertainty is",
    uncertainty::no_entropy: "a task without a distribution asks for its own entropy",
    uncertainty::unknown: "`uncertainty` is neither `entropy` nor `as` a task",
    uncertainty::unknown_task: "a task takes its uncertainty from one that does not exist",
    uncertainty::unused: "`uncertainty` has no effect, because the sampler scores nothing (warning)",
    value::empty: "a text is empty",
    value::expected: "a value is not what its key takes",
    value::too_large: "a size is beyond what is supported",
    value::zero: "a size is zero",
    variant::cycle: "variants are of each other",
    variant::detach: "a variant detaches a module that is not attached there",
    variant::drop: "a variant drops a task that the model has not",
    variant::duplicate: "two variants have one name",
    variant::empty: "a variant changes nothing (warning)",
    variant::item: "a variant holds something that cannot differ",
    variant::outside: "a difference stands outside of a variant",
    variant::too_many: "the file has more than 100 variants",
    variant::unfreeze: "a variant unfreezes a part that is not frozen",
    variant::unknown: "a variant is of one that does not exist",
};
