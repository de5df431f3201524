//! Spans as `train` and `kernels` open them, on a heap of the test's own.

use std::thread::sleep;
use std::time::Duration;

use super::summary::Row;
use super::{Heap, Profile, Sizes, Summary};

const MIB: usize = 1 << 20;
const SIZES: Sizes = Sizes { all: MIB, trained: MIB / 2 };

macro_rules! span {
    ($name:literal $(, $field:ident = $value:literal)?) => {
        let _span = tracing::trace_span!(target: "camtl::profile", $name $(, $field = $value)?).entered();
    };
}

fn wait() {
    sleep(Duration::from_millis(3));
}

/// A training of two steps; the second step's forward pass keeps twice as much.
fn training(heap: &Heap) {
    span!("train");
    for step in 1..=2 {
        {
            span!("step");
            {
                span!("draw");
                wait();
                {
                    span!("score");
                    linear(heap);
                }
            }
            {
                span!("forward");
                linear(heap);
                linear(heap);
                heap.take(step * 10 * MIB);
            }
            {
                span!("backward");
                heap.take(3 * MIB);
                {
                    span!("linear", backward = true);
                    wait();
                    heap.take(MIB);
                    heap.give(MIB);
                }
                heap.give(step * 10 * MIB + MIB);
            }
            span!("update");
            if step == 1 {
                heap.take(4 * MIB);
            }
            heap.give(2 * MIB);
        }
        // another target is nobody's business here
        let _other = tracing::trace_span!("elsewhere").entered();
    }
    span!("evaluate");
    span!("score");
    linear(heap);
}

fn linear(heap: &Heap) {
    span!("linear", backward = false);
    heap.take(5 * MIB);
    heap.give(5 * MIB);
    wait();
}

fn profile() -> Summary {
    // a heap of its own, so that tests do not see each other's
    let heap: &'static Heap = Box::leak(Box::new(Heap::new()));
    heap.take(7 * MIB);
    let ((), profile) = Profile::with(heap, || training(heap));
    profile.summary(SIZES)
}

fn find<'s>(rows: &'s [Row], name: &str) -> &'s Row {
    rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no `{name}` in {rows:?}"))
}

#[test]
fn phases_are_told_apart_and_hold_their_operations() {
    let summary = profile();
    let names: Vec<&str> = summary.phases.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["draw", "score", "forward", "backward", "update", "evaluate", "other"]);
    assert_eq!(summary.steps, 2);

    let forward = find(&summary.phases, "forward");
    assert_eq!((forward.calls, find(&forward.operations, "linear").calls), (2, 4));
    let backward = find(&summary.phases, "backward");
    assert_eq!(find(&backward.operations, "linear").calls, 2);
    // what an evaluation scores is its own
    assert_eq!(find(&summary.phases, "score").calls, 2);
    let evaluate = find(&summary.phases, "evaluate");
    assert_eq!(find(&find(&evaluate.operations, "score").operations, "linear").calls, 1);
}

#[test]
fn times_add_up() {
    let summary = profile();
    let together: f64 = summary.phases.iter().map(|row| row.seconds).sum();
    assert!((together - summary.seconds).abs() < 1e-6, "{together} is not {}", summary.seconds);
    let shares: f64 = summary.phases.iter().map(|row| row.share).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{shares}");
    // a phase inside of another is no part of it
    let draw = find(&summary.phases, "draw");
    assert!(draw.seconds >= 0.006 && draw.operations.is_empty(), "{draw:?}");
    let forward = find(&summary.phases, "forward");
    let linear = find(&forward.operations, "linear");
    assert!(linear.seconds >= 0.012, "{linear:?}");
    assert!((forward.own + linear.seconds - forward.seconds).abs() < 1e-9, "{forward:?}");
    assert!((linear.a_step - linear.seconds / 2.0).abs() < 1e-9, "{linear:?}");
}

#[test]
fn the_height_of_memory_is_explained() {
    let memory = profile().memory;
    // 7 from before, 4 of the first update, 20 kept by the second forward pass, 3 and 1 on top
    assert_eq!(memory.height, 35 * MIB);
    assert_eq!(memory.reached_in, ["train", "step", "backward", "linear"]);
    let parts: Vec<(&str, usize)> = memory.of.iter().map(|part| (part.what, part.bytes / MIB)).collect();
    let expected = [
        ("parameters", 4),
        ("moments of the optimizer", 4),
        ("data and the rest", 3),
        ("batch and activations", 20),
        ("gradients and passing buffers", 4),
    ];
    assert_eq!(parts, expected);
    assert_eq!((memory.activations, memory.gradients), (20 * MIB, 2 * MIB));
    let during = |phase| memory.phases.iter().find(|part| part.what == phase).map(|part| part.bytes / MIB);
    assert_eq!(during("forward"), Some(31));
    assert_eq!(during("score"), Some(16));
}

#[test]
fn the_table_names_what_was_measured() {
    let summary = profile();
    let text = summary.to_string();
    for line in [
        "time of 2 steps",
        "\nforward ",
        "\n  linear ",
        "\n  itself ",
        "\nother ",
        "\ntogether ",
        "\nmemory ",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(text.contains("most live, in train > step > backward > linear"), "{text}");
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["phases"][0]["name"], "draw");
    assert_eq!(json["memory"]["height"], 35 * MIB);
}

#[test]
fn without_spans_there_is_nothing_to_divide_by() {
    let ((), profile) = Profile::of(|| ());
    let summary = profile.summary(SIZES);
    assert_eq!((summary.steps, summary.seconds, summary.phases.len()), (0, 0.0, 0));
    assert!(!summary.to_string().contains("NaN"), "{summary}");
}
