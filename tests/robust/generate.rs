//! Legal models as text, over the whole language: every item, kind of task, module, place and setting.
//!
//! An item is its tokens, so that `layout` may put anything legal between them. What the language gains is added to
//! the list in [`items`], and to `variants` if a variant may differ in it.

use std::collections::BTreeMap;
use std::ops::Range;

use camtl::ir::Blocks;
use proptest::prelude::*;

use super::{
    dice::Dice,
    layout,
    properties::Around,
    tasks::tasks,
    training::train,
    variants::{self, Form},
};

pub type Tokens = Vec<String>;

/// A model, and the files that it includes.
#[derive(Clone, Debug)]
pub struct Model {
    pub text: String,
    pub files: Around,
}

/// A legal model.
pub fn model() -> impl Strategy<Value = Model> {
    let rolls = || proptest::collection::vec(any::<u32>(), 0..400);
    // White space first: it is plain before the contents shrink.
    (rolls(), rolls()).prop_map(|(white_space, contents)| {
        let (items, files) = items(&mut Dice::new(contents));
        let mut white_space = Dice::new(white_space);
        let text = layout::lay_out(&items, &mut white_space);
        let lay_out = |(path, items): (_, Vec<Tokens>)| (path, layout::lay_out(&items, &mut white_space));
        Model { text, files: Around(files.into_iter().map(lay_out).collect()) }
    })
}

/// The sizes that the other items have to fit.
pub struct Sizes {
    pub is_scratch: bool,
    pub layers: usize,
    pub hidden: usize,
    pub sequence: usize,
}

/// The items of included files, by their paths.
type Included = BTreeMap<String, Vec<Tokens>>;

fn items(dice: &mut Dice) -> (Vec<Tokens>, Included) {
    let mut included = Included::new();
    let (sizes, backbone) = backbone(dice);
    let mut form = Form::new(sizes.layers);
    let (tasks, can_score) = tasks(sizes.sequence, dice);
    let mut items = vec![
        tokens("model", [dice.pick(&MODELS)]),
        backbone,
        tokens("sequence", [&number(sizes.sequence, dice)]),
    ];
    items.extend(modules(&sizes, &mut form, dice));
    if !sizes.is_scratch {
        items.extend(freezes(&mut form, dice));
    }
    let (train, scores) = train(tasks.len(), sizes.sequence, can_score, dice);
    form.may_drop = !train.iter().flatten().any(|token| token == "candidates" || token == "rescore");
    items.extend(train);
    form.tasks = tasks.into_iter().map(|task| (task.name.clone(), task.tokens(scores, dice))).collect();
    let mut listed: Vec<Tokens> = form.tasks.iter().map(|(_, task)| task.clone()).collect();
    if dice.chance(25) {
        let moved = listed.split_off(dice.below(listed.len()));
        items.push(include("tasks", vec![block("tasks", moved)], &mut included, dice));
    }
    if !listed.is_empty() || dice.chance(10) {
        items.push(block("tasks", listed));
    }
    if dice.chance(20) {
        items.push(variants::fidelity(dice));
    }
    if dice.chance(20) {
        items.push(variants::assertion(dice));
    }
    items.extend(variants::variants(&sizes, &form, &mut included, dice));
    (dice.shuffled(items), included)
}

/// An `include` of these items, perhaps by way of another file.
pub fn include(name: &str, items: Vec<Tokens>, included: &mut Included, dice: &mut Dice) -> Tokens {
    let file = format!("{name}.cam");
    let (written, path) = match dice.below(4) {
        0 => (file.clone(), file),
        1 => (format!("lists/{file}"), format!("lists/{file}")),
        2 => (format!("./a b//\u{e9}/{file}"), format!("a b/\u{e9}/{file}")),
        _ => {
            // Found from the folder of the file that includes it.
            included.insert(format!("lists/more/{file}"), items);
            included
                .insert(format!("lists/{file}"), vec![tokens("include", [quoted(&format!("more/{file}"))])]);
            return tokens("include", [quoted(&format!("lists/{file}"))]);
        }
    };
    included.insert(path, items);
    tokens("include", [quoted(&written)])
}

const MODELS: [&str; 8] = ["m", "camtl_base", "x9_", "glue_8", "runner", "a_b_c_1", "network", "model_1"];

// ---- the network ---------------------------------------------------------------------------------------------

fn backbone(dice: &mut Dice) -> (Sizes, Tokens) {
    let heads = dice.between(1, 16);
    let hidden = heads * dice.between(1, 64);
    let layers = few(6, 24, dice);
    let positions = dice.between(1, 512);
    let sequence = match dice.below(3) {
        // So that `attach attention` can do without `blocks`.
        0 => (1..=positions).rev().find(|length| default_blocks(*length, hidden).is_some()).unwrap_or(1),
        _ => dice.between(1, positions),
    };
    let is_scratch = dice.chance(30);
    let mut entries = vec![
        tokens(if is_scratch { "tokenizer" } else { "checkpoint" }, [&text(dice)]),
        size("layers", layers, dice),
        size("hidden", hidden, dice),
        size("heads", heads, dice),
        size("ffn", dice.between(1, 4096), dice),
        size("vocab", dice.between(1, 60_000), dice),
        size("positions", positions, dice),
    ];
    if dice.chance(30) {
        entries.push(size("token_types", dice.between(1, 3), dice));
    }
    let sizes = Sizes { is_scratch, layers, hidden, sequence };
    (sizes, block("backbone bert", dice.shuffled(entries)))
}

/// Mostly up to `usual`, sometimes up to `most`.
pub fn few(usual: usize, most: usize, dice: &mut Dice) -> usize {
    let limit = if dice.chance(20) { most } else { usual };
    dice.between(1, limit)
}

/// N = d/L, where that is whole and leaves no block empty.
fn default_blocks(sequence: usize, hidden: usize) -> Option<Blocks> {
    if hidden.is_multiple_of(sequence) { Blocks::new(sequence, hidden / sequence) } else { None }
}

fn modules(sizes: &Sizes, form: &mut Form, dice: &mut Dice) -> Vec<Tokens> {
    let mut items = Vec::new();
    if dice.chance(50) {
        form.alignment = true;
        items.push(tokens("attach alignment after embeddings", dice.pick(&[&[][..], &["{", "}"]])));
    }
    form.attention = runs(0..sizes.layers, dice);
    items.extend(form.attention.iter().map(|layers| attention(layers, sizes, dice)));
    form.norm = runs(0..sizes.layers, dice);
    items.extend(form.norm.iter().map(|layers| attach("norm", "to", layers, dice)));
    // The layers of a ladder have no bottleneck inside.
    form.ladder = dice.chance(25).then(|| dice.below(sizes.layers));
    form.bottleneck = runs(0..form.ladder.unwrap_or(sizes.layers), dice);
    items.extend(form.bottleneck.iter().map(|layers| bottleneck("to", layers, sizes, dice)));
    items.extend(form.ladder.map(|start| bottleneck("across", &(start..sizes.layers), sizes, dice)));
    items
}

pub fn attention(layers: &Range<usize>, sizes: &Sizes, dice: &mut Dice) -> Tokens {
    let mut item = attach("attention", "to", layers, dice);
    let asked = dice.between(1, sizes.sequence);
    let blocks = (1..=asked).rev().find(|n| Blocks::new(sizes.sequence, *n).is_some());
    match (default_blocks(sizes.sequence, sizes.hidden), blocks) {
        (Some(_), _) if dice.chance(50) => {}
        (_, blocks) => item.extend(block("", vec![size("blocks", blocks.unwrap_or(1), dice)])),
    }
    item
}

pub fn bottleneck(preposition: &str, layers: &Range<usize>, sizes: &Sizes, dice: &mut Dice) -> Tokens {
    let width = size("width", dice.between(1, 2 * sizes.hidden), dice);
    [attach("bottleneck", preposition, layers, dice), block("", vec![width])].concat()
}

/// Ranges of layers that share none, in no order.
pub fn runs(all: Range<usize>, dice: &mut Dice) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut at = all.start;
    for _ in 0..dice.below(4) {
        let start = at + dice.below(3);
        if start >= all.end {
            break;
        }
        at = dice.between(start + 1, all.end);
        runs.push(start..at);
    }
    dice.shuffled(runs)
}

pub fn attach(module: &str, preposition: &str, layers: &Range<usize>, dice: &mut Dice) -> Tokens {
    [tokens("attach", [module, preposition]), part(layers, dice)].concat()
}

pub fn part(layers: &Range<usize>, dice: &mut Dice) -> Tokens {
    let (start, end) = (layers.start.to_string(), layers.end.to_string());
    match layers.len() {
        1 if dice.chance(70) => tokens("layer", [&start]),
        _ => tokens("layers", [&start, "..", &end]),
    }
}

/// Any parts, each once, in one or several items.
fn freezes(form: &mut Form, dice: &mut Dice) -> Vec<Tokens> {
    let mut parts = Vec::new();
    for layers in runs(0..form.frozen.len(), dice) {
        parts.push(part(&layers, dice));
        form.frozen[layers].fill(true);
    }
    for (alone, slot) in [("embeddings", &mut form.frozen_embeddings), ("pooler", &mut form.frozen_pooler)] {
        if dice.chance(50) {
            parts.push(words(alone));
            *slot = true;
        }
    }
    let mut items: Vec<Tokens> = Vec::new();
    for part in dice.shuffled(parts) {
        match items.last_mut() {
            Some(item) if dice.chance(50) => item.extend([words(","), part].concat()),
            _ => items.push([words("freeze"), part].concat()),
        }
    }
    items
}

// ---- tokens --------------------------------------------------------------------------------------------------

pub fn words(text: &str) -> Tokens {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The words of `head`, then `rest`.
pub fn tokens(head: &str, rest: impl IntoIterator<Item = impl AsRef<str>>) -> Tokens {
    let rest = rest.into_iter().map(|token| token.as_ref().to_owned());
    words(head).into_iter().chain(rest).collect()
}

pub fn block(head: &str, entries: Vec<Tokens>) -> Tokens {
    [words(head), words("{"), entries.concat(), words("}")].concat()
}

pub fn size(key: &str, value: usize, dice: &mut Dice) -> Tokens {
    tokens(key, [&number(value, dice)])
}

/// Perhaps with its thousands parted.
pub fn number(value: usize, dice: &mut Dice) -> String {
    match value {
        1_000.. if dice.chance(30) => format!("{}_{:03}", value / 1_000, value % 1_000),
        _ => value.to_string(),
    }
}

/// A text in quotes that is not blank.
pub fn text(dice: &mut Dice) -> String {
    let letters = [
        "a",
        "b",
        " ",
        "/",
        ".",
        "-",
        "\\\"",
        "\\\\",
        "{",
        "//",
        "'",
        "\t",
        "\u{e9}",
        "\u{1F600}",
        "\u{202e}",
        "\u{0}",
    ];
    let mut text = String::from("data");
    for _ in 0..dice.below(12) {
        text.push_str(dice.pick(&letters));
    }
    format!("\"{text}\"")
}

pub fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
