//! What a step needs before the network has a part in it, made on a thread while the steps before it run.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::batches::{At, Batches};
use super::draws::Draw;
use super::plan::Task;
use super::scoring::Hands;
use crate::nn::Batch;

/// Items that wait to be taken. One more is in the thread's hand.
const WAITING: usize = 1;

/// The items of an iterator, in its order, each made before it is asked for.
pub struct Ahead<T> {
    /// `None` only while this is dropped.
    items: Option<Receiver<T>>,
    /// `None` once it has ended.
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Ahead<T> {
    pub fn new(items: impl Iterator<Item = T> + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || {
            for item in items {
                if sender.send(item).is_err() {
                    return; // nobody asks any more
                }
            }
        });
        Self { items: Some(receiver), thread: Some(thread) }
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    /// # Panics
    /// If making the item did, with what it said.
    fn next(&mut self) -> Option<T> {
        let _span = tracing::trace_span!(target: "camtl::profile", "data").entered();
        let item = self.items.as_ref()?.recv().ok();
        if item.is_none()
            && let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
        item
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        drop(self.items.take()); // the thread's next item finds no taker
        if let Some(thread) = self.thread.take() {
            // a panic over an item that nobody asked for is nobody's
            let _ = thread.join();
        }
    }
}

/// A draw with its batches.
pub enum Prepared {
    /// A step trains on them as they are.
    Batch(Vec<At>, Batch),
    /// To be scored.
    Candidates(Hands),
}

impl Prepared {
    pub fn new(draw: Draw, tasks: &[Task], batches: &Batches) -> Self {
        match draw {
            Draw::Batch(examples) => {
                let batch = batches.batch(&examples);
                Self::Batch(examples, batch)
            }
            Draw::Candidates(candidates) => Self::Candidates(Hands::new(tasks, batches, candidates)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn the_items_are_those_of_the_iterator() {
        let squares = |n: u32| (0..n).map(|i| i * i);
        assert_eq!(Ahead::new(squares(100)).collect::<Vec<_>>(), squares(100).collect::<Vec<_>>());
        let mut none = Ahead::new(squares(0));
        assert_eq!((none.next(), none.next()), (None, None));
    }

    #[test]
    fn the_thread_keeps_a_few_items_ahead_and_ends_with_its_owner() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let mut ahead = Ahead::new((0..).inspect(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        }));
        assert_eq!([ahead.next(), ahead.next(), ahead.next()], [Some(0), Some(1), Some(2)]);
        drop(ahead); // it would not return while the thread runs
        assert!((3..=3 + WAITING + 1).contains(&made.load(Ordering::SeqCst)), "{made:?} made");
        assert_eq!(Arc::strong_count(&made), 1, "the thread has let go of its items");
    }

    #[test]
    fn a_panic_reaches_who_asks() {
        let mut ahead = Ahead::new((0..3).map(|i| if i < 2 { i } else { panic!("item {i}") }));
        assert_eq!([ahead.next(), ahead.next()], [Some(0), Some(1)]);
        let panic = catch_unwind(AssertUnwindSafe(|| ahead.next())).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("item 2"));
        assert_eq!(ahead.next(), None);
    }
}
