//! A legal `train` block: any of its settings, each in its bounds.

use super::{
    dice::Dice,
    generate::{Tokens, block, number, size, tokens, words},
};

/// Samplers that score nothing.
const PLAIN: [&str; 8] = [
    "sampler proportional",
    "sampler proportional { }",
    "sampler uniform",
    "sampler sequential",
    "sampler sequential { }",
    "sampler temperature 5",
    "sampler temperature 1.5 { cap 65_536 }",
    "sampler temperature 1 { }",
];

/// The item, if there is one, and whether MT-Uncertainty samples.
pub fn train(tasks: usize, sequence: usize, can_score: bool, dice: &mut Dice) -> (Option<Tokens>, bool) {
    let scores = can_score && dice.chance(70);
    let mut entries = match dice.chance(30) {
        true => budget(tasks, sequence, scores, dice),
        false => examples(tasks, scores, dice),
    };
    if !scores {
        entries.push(words(dice.pick(&PLAIN)));
    }
    entries.extend(settings(dice));
    let is_default = scores && dice.chance(10);
    ((!is_default).then(|| block("train", dice.shuffled(entries))), scores)
}

/// A batch of examples, and perhaps what is drawn for it.
fn examples(tasks: usize, scores: bool, dice: &mut Dice) -> Vec<Tokens> {
    let batch = dice.between(1, 128);
    let mut entries = vec![size("batch", batch, dice)];
    if scores && dice.chance(50) {
        let every = dice.between(1, 4);
        // By default the candidates of each task are enough for a step.
        let options = match dice.below(4) {
            0 => vec![],
            1 => vec![rescore(dice.between(1, tasks), dice)],
            2 => vec![size("candidates", of_at_least(batch.div_ceil(tasks), dice), dice)],
            _ => {
                let candidates = of_at_least((every * batch).div_ceil(tasks), dice);
                vec![rescore(every, dice), size("candidates", candidates, dice)]
            }
        };
        entries.push(block("sampler mt_uncertainty", dice.shuffled(options)));
    }
    entries
}

/// A batch of tokens, and what is drawn for it, where something is scored.
fn budget(tasks: usize, sequence: usize, scores: bool, dice: &mut Dice) -> Vec<Tokens> {
    let budget = dice.between(sequence, 20 * sequence);
    let mut entries = vec![[size("batch", budget, dice), words("tokens")].concat()];
    if scores {
        let least = budget.div_ceil(tasks * sequence);
        let mut options = vec![size("candidates", of_at_least(least, dice), dice)];
        if dice.chance(50) {
            options.push(rescore(dice.between(1, 1_000), dice));
        }
        entries.push(block("sampler mt_uncertainty", dice.shuffled(options)));
    }
    entries
}

fn of_at_least(least: usize, dice: &mut Dice) -> usize {
    dice.between(least, 2 * least)
}

fn rescore(every: usize, dice: &mut Dice) -> Tokens {
    [words("rescore every"), vec![number(every, dice)]].concat()
}

/// Those that fit any tasks.
pub fn settings(dice: &mut Dice) -> Vec<Tokens> {
    let settings: [fn(&mut Dice) -> Tokens; 9] = [
        |dice| size("epochs", dice.between(1, 10), dice),
        |dice| size("steps", dice.between(1, 100_000), dice),
        |dice| tokens("seed", [dice.pick(&["0", "42", "18446744073709551615"])]),
        |dice| tokens("dropout", [dice.pick(&["0", "0.1", "1e-3", "0.999_9"])]),
        |dice| tokens("clip", [dice.pick(&["off", "1", "0.5", "1e300", "5e-324"])]),
        |dice| [words("evaluate every"), vec![number(dice.between(1, 1_000), dice)]].concat(),
        |dice| tokens("cache", dice.pick(&[&["off"][..], &["2", "GiB"], &["0.5", "TB"], &["1_500", "MB"]])),
        schedule,
        optimizer,
    ];
    let mut chosen = Vec::new();
    for setting in settings {
        if dice.chance(40) {
            chosen.push(setting(dice));
        }
    }
    chosen
}

fn schedule(dice: &mut Dice) -> Tokens {
    let schedule = dice.pick(&["schedule linear", "schedule constant"]);
    match dice.below(3) {
        0 => words(schedule),
        1 => block(schedule, vec![]),
        _ => {
            let warmup = dice.pick(&["10%", "0%", "100%", "0.5%", "0", "500", "1_000"]);
            block(schedule, vec![tokens("warmup", [warmup])])
        }
    }
}

fn optimizer(dice: &mut Dice) -> Tokens {
    let settings = [
        ("lr", ["2e-5", "0.1", "5e-324", "1_0"]),
        ("weight_decay", ["0.01", "0", "-0", "3"]),
        ("beta1", ["0.9", "0", "0.999_999", "1e-1"]),
        ("beta2", ["0.999", "0.0", "9e-1", "0.5"]),
        ("epsilon", ["1e-8", "1E-6", "1", "0.000_1"]),
    ];
    let mut options = Vec::new();
    for (key, values) in settings {
        if dice.chance(50) {
            options.push(tokens(key, [dice.pick(&values)]));
        }
    }
    match options.is_empty() {
        true => tokens("optimizer", ["adamw"]),
        false => block("optimizer adamw", dice.shuffled(options)),
    }
}
