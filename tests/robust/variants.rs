//! Legal variants of a generated model: what it has is followed, so that nothing is detached that is not there.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{
    dice::Dice,
    generate::{Sizes, Tokens, attach, attention, block, bottleneck, include, part, runs, tokens, words},
    training::settings,
};

/// What a model or a variant has.
#[derive(Clone)]
pub struct Form {
    pub alignment: bool,
    pub attention: Vec<Range<usize>>,
    pub norm: Vec<Range<usize>>,
    pub bottleneck: Vec<Range<usize>>,
    /// Its first layer.
    pub ladder: Option<usize>,
    /// A layer each.
    pub frozen: Vec<bool>,
    pub frozen_embeddings: bool,
    pub frozen_pooler: bool,
    /// Names and tokens.
    pub tasks: Vec<(String, Tokens)>,
    /// Are there still candidates for the batch with a task less?
    pub may_drop: bool,
}

impl Form {
    pub fn new(layers: usize) -> Self {
        Self {
            alignment: false,
            attention: Vec::new(),
            norm: Vec::new(),
            bottleneck: Vec::new(),
            ladder: None,
            frozen: vec![false; layers],
            frozen_embeddings: false,
            frozen_pooler: false,
            tasks: Vec::new(),
            may_drop: true,
        }
    }
}

const NAMES: [&str; 4] = ["baseline", "x", "no_attention", "v2"];

pub fn variants(
    sizes: &Sizes,
    model: &Form,
    included: &mut BTreeMap<String, Vec<Tokens>>,
    dice: &mut Dice,
) -> Vec<Tokens> {
    let mut made: Vec<(&str, Form)> = Vec::new();
    let mut items = Vec::new();
    for name in &NAMES[..dice.below(NAMES.len() + 1)] {
        let base = dice.below(made.len() + 1);
        let (head, mut form) = match base.checked_sub(1) {
            None => (tokens("variant", [name]), model.clone()),
            Some(base) => (tokens("variant", [name, "of", made[base].0]), made[base].1.clone()),
        };
        let changes = changes(name, sizes, &mut form, included, dice);
        items.push([head, block("", changes)].concat());
        made.push((name, form));
    }
    items
}

fn changes(
    name: &str,
    sizes: &Sizes,
    form: &mut Form,
    included: &mut BTreeMap<String, Vec<Tokens>>,
    dice: &mut Dice,
) -> Vec<Tokens> {
    let mut changes = Vec::new();
    if dice.chance(50) {
        changes.extend(detach(form, dice));
    }
    if dice.chance(50) {
        changes.push(attach_another(sizes, form, dice));
    }
    if !sizes.is_scratch && dice.chance(50) {
        changes.extend(unfreeze(form, dice));
        changes.push(freeze(form, dice));
    }
    if form.may_drop && dice.chance(30) {
        changes.extend(drop_task(form, dice));
    }
    if dice.chance(30) {
        let task = words(&format!("task_of_{name} {{ classify 2 data tsv \"{name}\" }}"));
        form.tasks.push((format!("task_of_{name}"), task.clone()));
        let list = vec![block("tasks", vec![task])];
        changes.push(match dice.chance(50) {
            true => include(&format!("of_{name}"), list, included, dice),
            false => list.concat(),
        });
    }
    if dice.chance(50) {
        changes.push(block("train", settings(dice)));
    }
    if dice.chance(20) {
        changes.push(fidelity(dice));
    }
    if dice.chance(20) {
        changes.push(assertion(dice));
    }
    changes
}

/// Modules as a whole, or one of them from some of its layers.
fn detach(form: &mut Form, dice: &mut Dice) -> Option<Tokens> {
    let lists = [("attention", &mut form.attention), ("norm", &mut form.norm)];
    for (name, list) in lists {
        if !list.is_empty() && dice.chance(30) {
            let layers = list.remove(dice.below(list.len()));
            return Some([tokens("detach", [name, "from"]), part(&layers, dice)].concat());
        }
    }
    let mut gone = Vec::new();
    if form.alignment && dice.chance(50) {
        form.alignment = false;
        gone.push("alignment");
    }
    let lists = [("attention", &mut form.attention), ("norm", &mut form.norm)];
    for (name, list) in lists {
        if !list.is_empty() && dice.chance(50) {
            list.clear();
            gone.push(name);
        }
    }
    if (form.ladder.is_some() || !form.bottleneck.is_empty()) && dice.chance(50) {
        form.ladder = None;
        form.bottleneck.clear();
        gone.push("bottleneck");
    }
    let (first, rest) = gone.split_first()?;
    Some(tokens("detach", [*first].into_iter().chain(rest.iter().flat_map(|name| [",", name]))))
}

/// In the place of what is there.
fn attach_another(sizes: &Sizes, form: &mut Form, dice: &mut Dice) -> Tokens {
    let layers = runs(0..sizes.layers, dice).pop().unwrap_or(0..1);
    match dice.below(4) {
        0 => {
            form.alignment = true;
            words("attach alignment after embeddings")
        }
        1 => {
            replace(&mut form.norm, &layers);
            attach("norm", "to", &layers, dice)
        }
        2 => {
            replace(&mut form.attention, &layers);
            attention(&layers, sizes, dice)
        }
        _ if form.ladder.is_none_or(|start| layers.end <= start) => {
            replace(&mut form.bottleneck, &layers);
            bottleneck("to", &layers, sizes, dice)
        }
        _ => {
            let start = form.ladder.unwrap_or(0);
            bottleneck("across", &(start..sizes.layers), sizes, dice)
        }
    }
}

fn replace(list: &mut Vec<Range<usize>>, new: &Range<usize>) {
    let rest = |old: &Range<usize>| {
        [old.start..old.end.min(new.start), old.start.max(new.end)..old.end]
            .into_iter()
            .filter(|r| !r.is_empty())
    };
    *list = list.iter().flat_map(rest).chain([new.clone()]).collect();
}

fn freeze(form: &mut Form, dice: &mut Dice) -> Tokens {
    match runs(0..form.frozen.len(), dice).pop() {
        Some(layers) => {
            form.frozen[layers.clone()].fill(true);
            [words("freeze"), part(&layers, dice)].concat()
        }
        None => {
            form.frozen_embeddings = true;
            words("freeze embeddings")
        }
    }
}

fn unfreeze(form: &mut Form, dice: &mut Dice) -> Option<Tokens> {
    if std::mem::take(&mut form.frozen_pooler) {
        return Some(words("unfreeze pooler"));
    }
    let first = form.frozen.iter().position(|is_frozen| *is_frozen)?;
    let layers = first..dice.between(first + 1, form.frozen.len());
    form.frozen[layers.clone()].fill(false);
    Some([words("unfreeze"), part(&layers, dice)].concat())
}

/// A task that nobody borrows from and that classifies beside others: the sampler still has enough.
fn drop_task(form: &mut Form, dice: &mut Dice) -> Option<Tokens> {
    let scored = form.tasks.iter().filter(|(_, task)| task.iter().any(|token| token == "classify")).count();
    let is_lender = |name: &String| {
        form.tasks.iter().any(|(_, task)| task.windows(2).any(|w| w[0] == "as" && w[1] == *name))
    };
    let free: Vec<usize> = (0..form.tasks.len()).filter(|i| !is_lender(&form.tasks[*i].0)).collect();
    if scored < 2 || free.is_empty() {
        return None;
    }
    let (name, _) = form.tasks.remove(dice.pick(&free));
    Some(tokens("drop", [&name]))
}

pub fn fidelity(dice: &mut Dice) -> Tokens {
    tokens("fidelity", [dice.pick(&["paper", "reference"])])
}

/// One that holds of every model.
pub fn assertion(dice: &mut Dice) -> Tokens {
    words(dice.pick(&[
        "assert parameters >= 1 x backbone",
        "assert trained > 0",
        "assert memory > 1e-3 MiB",
        "assert memory <= 1e300 x backbone",
        "assert flops >= 1",
        "assert flops < 1e300 P",
        "assert parameters < 1_000_000_000 G",
    ]))
}
