//! The layer that hears the spans begin and end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::tree::{Kind, Tree};
use crate::runner::allocator::Heap;

pub struct Recorder {
    tree: Arc<Mutex<Tree>>,
    heap: &'static Heap,
}

impl Recorder {
    pub fn new(tree: Arc<Mutex<Tree>>, heap: &'static Heap) -> Self {
        Self { tree, heap }
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        // the tree is whole between two calls, whoever panicked
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Layer<S> for Recorder
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut backward = IsBackward(false);
        attributes.record(&mut backward);
        if let Some(span) = context.span(id) {
            let kind = Kind { name: attributes.metadata().name(), backward: backward.0 };
            span.extensions_mut().insert(kind);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let kind = context.span(id).and_then(|span| span.extensions().get::<Kind>().copied());
        if let Some(kind) = kind {
            self.tree().enter(kind, self.heap, Instant::now());
        }
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        let now = Instant::now();
        self.tree().exit(self.heap, now);
    }
}

/// The field `backward` of a span; false where it has none.
struct IsBackward(bool);

impl Visit for IsBackward {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "backward" {
            self.0 = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
