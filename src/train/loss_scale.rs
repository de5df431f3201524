//! The factor on the loss in mixed precision: gradients that would vanish in f16 are scaled up, and given back their
//! size in the update (Micikevicius et al., 2018, section 3.2).

use serde::{Deserialize, Serialize};

/// Where it starts and how it moves, as PyTorch's `GradScaler` does.
const START: f64 = 65536.0;
const STEPS_TO_GROW: u32 = 2000;
const MOST: f64 = 16_777_216.0; // 2^24: behind it a gradient of the loss's own size is none of f16

/// A power of two, so that scaling rounds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossScale {
    factor: f64,
    /// Steps since it last changed.
    steps: u32,
}

impl LossScale {
    pub fn new() -> Self {
        Self { factor: START, steps: 0 }
    }

    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// A gradient was not finite: half the factor. `false` where there is nothing left to halve.
    pub fn overflowed(&mut self) -> bool {
        if self.factor <= 1.0 {
            return false;
        }
        *self = Self { factor: self.factor / 2.0, steps: 0 };
        true
    }

    /// A step was finite: after many of them twice the factor.
    pub fn held(&mut self) {
        self.steps += 1;
        if self.steps == STEPS_TO_GROW {
            *self = Self { factor: (self.factor * 2.0).min(MOST), steps: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_falls_at_once_and_rises_after_many_steps() {
        let mut scale = LossScale::new();
        assert!(scale.overflowed());
        assert_eq!(scale.factor(), 32768.0);
        for _ in 1..STEPS_TO_GROW {
            scale.held();
        }
        assert_eq!(scale.factor(), 32768.0);
        scale.held();
        assert_eq!(scale.factor(), 65536.0);
    }

    #[test]
    fn an_overflow_begins_the_count_anew() {
        let mut scale = LossScale::new();
        (1..STEPS_TO_GROW).for_each(|_| scale.held());
        assert!(scale.overflowed());
        scale.held();
        assert_eq!(scale.factor(), 32768.0);
    }

    #[test]
    fn it_ends_at_one_and_stays_within_what_f16_can_tell() {
        let mut scale = LossScale::new();
        assert_eq!((0..).take_while(|_| scale.overflowed()).count(), 16);
        assert_eq!(scale.factor(), 1.0);
        for _ in 0..40 * STEPS_TO_GROW {
            scale.held();
        }
        assert_eq!(scale.factor(), MOST);
    }
}
