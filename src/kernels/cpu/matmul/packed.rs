//! A right factor in the tile unit's format, kept until its values change.
//!
//! Scoring meets a weight once for every few thousand tokens, and the training step after it once more. Whoever changes
//! the values packs them anew, while they are in the cache, if they were packed before.

use std::sync::{Arc, Mutex, PoisonError};

use super::operand::Operand;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::pack::Pages;
/// There is no format but for the tile unit.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
type Pages = std::convert::Infallible;

/// Empty at first. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Packed(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    pages: Option<Pages>,
    /// The factor's k and n, once it has been kept.
    size: Option<(usize, usize)>,
}

impl Packed {
    /// The pages, made by `pack` if there are none, and kept; but if this use is the `last` one before the values change
    /// they are not kept any longer.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(super) fn pages(&self, size: (usize, usize), last: bool, pack: impl FnOnce() -> Pages) -> Pages {
        // Packing runs on all cores, and a thread that waits there may come here again: not under the lock.
        let kept = self.with(|state| if last { state.pages.take() } else { state.pages.clone() });
        let pages = kept.unwrap_or_else(pack);
        if !last {
            self.with(|state| *state = State { pages: Some(pages.clone()), size: Some(size) });
        }
        pages
    }

    /// To be called when the values have changed: with the new ones, of the transposed factor.
    pub fn renew(&self, values: &[f32]) {
        self.forget();
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if let Some((k, n)) = self.with(|state| state.size) {
            let pages = Pages::right(Operand::transposed(values, k), (k, n));
            self.with(|state| state.pages = Some(pages));
        }
    }

    /// To be called when the values have changed.
    pub fn forget(&self) {
        self.with(|state| state.pages = None);
    }

    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        // the state is whole at any time
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
