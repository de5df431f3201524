//! Choices for a generator, made beforehand: a run of numbers that `proptest` draws and can make smaller.

use std::vec::IntoIter;

/// Rolls in the order of their use. Where they run out each roll is 0, the plainest choice, so a shorter or lower run
/// gives a plainer text and a failure shrinks towards what matters.
pub struct Dice {
    rolls: IntoIter<u32>,
}

impl Dice {
    pub fn new(rolls: Vec<u32>) -> Self {
        Self { rolls: rolls.into_iter() }
    }

    /// In `0..sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        let roll = u64::from(self.rolls.next().unwrap_or(0));
        // Scaled, not taken modulo: a lower roll is a lower choice.
        ((u128::from(roll) * sides as u128) >> 32) as usize
    }

    /// In `low..=high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True `percent` times of a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// In some order; without rolls in the order given.
    pub fn shuffled<T>(&mut self, mut things: Vec<T>) -> Vec<T> {
        for i in 0..things.len() {
            let other = i + self.below(things.len() - i);
            things.swap(i, other);
        }
        things
    }
}
