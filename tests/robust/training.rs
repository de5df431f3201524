//! A legal `train` block: any of its settings, each in its bounds.

use super::{
    dice::Dice,
    generate::{Tokens, block, number, size, tokens, words},
};

/// The item, if there is one, and whether MT-Uncertainty samples.
pub fn train(tasks: usize, can_score: bool, dice: &mut Dice) -> (Option<Tokens>, bool) {
    let scores = can_score && dice.chance(70);
    let batch = dice.between(1, 128);
    let mut entries = vec![size("batch", batch, dice)];
    match scores {
        false => entries.push(tokens("sampler proportional", dice.pick(&[&[][..], &["{", "}"]]))),
        true if dice.chance(50) => {}
        true => {
            let least = batch.div_ceil(tasks);
            let candidates = size("candidates", dice.between(least, 2 * least), dice);
            let options = if dice.chance(50) { vec![candidates] } else { vec![] };
            entries.push(block("sampler mt_uncertainty", options));
        }
    }
    entries.extend(settings(dice));
    let is_default = scores && dice.chance(10);
    ((!is_default).then(|| block("train", dice.shuffled(entries))), scores)
}

/// Those that fit any tasks.
pub fn settings(dice: &mut Dice) -> Vec<Tokens> {
    let settings: [fn(&mut Dice) -> Tokens; 8] = [
        |dice| size("epochs", dice.between(1, 10), dice),
        |dice| size("steps", dice.between(1, 100_000), dice),
        |dice| tokens("seed", [dice.pick(&["0", "42", "18446744073709551615"])]),
        |dice| tokens("dropout", [dice.pick(&["0", "0.1", "1e-3", "0.999_9"])]),
        |dice| tokens("clip", [dice.pick(&["off", "1", "0.5", "1e300", "5e-324"])]),
        |dice| [words("evaluate every"), vec![number(dice.between(1, 1_000), dice)]].concat(),
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
