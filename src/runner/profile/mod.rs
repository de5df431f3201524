//! `train --profile`: where the time of the steps and the memory went.
//!
//! | file | holds |
//! |---|---|
//! | `recorder` | the layer of `tracing` that hears the spans begin and end |
//! | `tree` | what it adds up: a node for each span, by the spans around it |
//! | `summary` | the tree as phases and their operations, and the height of memory, for `profile.json` |
//! | `table` | the same for people |
//!
//! The spans have the target [`TARGET`] and stand in `train` (phases) and `kernels` (operations). Nothing hears them
//! without `--profile`, which leaves each a comparison. Operations open theirs on the calling thread, whatever other
//! threads do for them; spans of other threads are not heard.

mod recorder;
mod summary;
mod table;
mod tree;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry};

use super::allocator::{Heap, heap};
use recorder::Recorder;
pub use summary::Summary;
use tree::Tree;

/// The target of the spans that are measured, at the level TRACE.
pub const TARGET: &str = "camtl::profile";

/// What a profile knows of the network besides what it measures.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Numbers in all parameters.
    pub all: usize,
    /// Of the trained ones.
    pub trained: usize,
}

/// What was measured while `work` ran.
pub struct Profile {
    tree: Tree,
    /// Of the whole work.
    seconds: f64,
}

impl Profile {
    /// Runs `work` on this thread and measures its spans.
    pub fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        Self::with(heap(), work)
    }

    fn with<T>(heap: &'static Heap, work: impl FnOnce() -> T) -> (T, Self) {
        let tree = Arc::new(Mutex::new(Tree::default()));
        let recorder = Recorder::new(Arc::clone(&tree), heap);
        let spans = filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET);
        let subscriber = Registry::default().with(recorder.with_filter(spans)).with(super::messages());
        let began = Instant::now();
        let value = tracing::subscriber::with_default(subscriber, work);
        let seconds = began.elapsed().as_secs_f64();
        // a panic of a span's owner would have ended the work
        let tree = std::mem::take(&mut *tree.lock().unwrap_or_else(PoisonError::into_inner));
        (value, Self { tree, seconds })
    }

    pub fn summary(&self, sizes: Sizes) -> Summary {
        Summary::new(&self.tree, self.seconds, sizes)
    }
}

#[cfg(test)]
mod tests;
