//! The tree of spans as phases of a step with their operations, and the height of memory with what it consists of.

use serde::Serialize;

use super::Sizes;
use super::tree::{Height, Node, Tree};

/// `profile.json`. Times are seconds, memory is bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub steps: u64,
    /// From the first step's begin to the last step's end, with evaluations and checkpoints.
    pub seconds: f64,
    /// Before the first step and after the last: reading, tokenizing, writing the report.
    pub outside: f64,
    pub phases: Vec<Row>,
    pub memory: Memory,
}

/// A phase, or an operation in it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub name: String,
    /// With what is inside, but for other phases.
    pub seconds: f64,
    /// Of all steps' time.
    pub share: f64,
    pub calls: u64,
    /// Mean of a step.
    pub a_step: f64,
    /// Without what is inside.
    pub own: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Row>,
}

/// Heap figures are of blocks of a kilobyte and more, and 0 where the program does not count its blocks.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// The most that was ever resident; `None` where the system does not say.
    pub resident: Option<usize>,
    /// The most live bytes while training.
    pub height: usize,
    /// The spans that it was reached in, outermost first.
    pub reached_in: Vec<&'static str>,
    /// What it consists of.
    pub of: Vec<Part>,
    /// The most live bytes in each phase.
    pub phases: Vec<Part>,
    /// The most that a forward pass left for the backward pass.
    pub activations: usize,
    /// What the last step's backward pass left for the update.
    pub gradients: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    pub what: &'static str,
    pub bytes: usize,
}

/// Spans that only hold phases: what is theirs alone is of no phase.
const HOLDERS: [&str; 2] = ["train", "step"];

/// Phases that may lie inside of others and are told apart from them.
const PHASES: [&str; 6] = ["draw", "constant", "score", "forward", "backward", "update"];

/// Phases that keep what is inside of them, other phases too.
const WHOLE: [&str; 2] = ["evaluate", "checkpoint"];

const OTHER: &str = "other";

impl Summary {
    pub fn new(tree: &Tree, whole: f64, sizes: Sizes) -> Self {
        let seconds: f64 = tree.roots().map(|root| root.total.as_secs_f64()).sum();
        let steps = tree.find("step").map_or(0, |step| step.calls);
        let mut rows = Rows { tree, seconds, steps, phases: Vec::new() };
        tree.roots().for_each(|root| rows.holder(root));
        let phases = in_order(rows.phases);
        let memory = Memory::new(tree, sizes);
        Self { steps, seconds, outside: (whole - seconds).max(0.0), phases, memory }
    }
}

/// Phases in the order of a step, others behind them.
fn in_order(mut phases: Vec<Row>) -> Vec<Row> {
    let known: Vec<&str> = PHASES.into_iter().chain(WHOLE).collect();
    phases.sort_by_key(|row| match known.iter().position(|&name| name == row.name) {
        Some(place) => place,
        None if row.name == OTHER => known.len() + 1,
        None => known.len(),
    });
    phases.iter_mut().for_each(by_time);
    phases
}

fn by_time(row: &mut Row) {
    row.operations.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    row.operations.iter_mut().for_each(by_time);
}

/// The phases as they are found.
struct Rows<'t> {
    tree: &'t Tree,
    seconds: f64,
    steps: u64,
    phases: Vec<Row>,
}

impl Rows<'_> {
    /// Every child of a holder is a phase.
    fn holder(&mut self, node: &Node) {
        let own = self.tree.own(node);
        if own > 0.0 {
            self.add_phase(OTHER, 0, own, Vec::new());
        }
        for child in self.tree.children(node) {
            if HOLDERS.contains(&child.kind.name) { self.holder(child) } else { self.phase(child) }
        }
    }

    fn phase(&mut self, node: &Node) {
        let name = node.kind.name;
        let mut own = self.tree.own(node);
        let mut operations = Vec::new();
        for child in self.tree.children(node) {
            if PHASES.contains(&child.kind.name) && !WHOLE.contains(&name) {
                self.phase(child);
            } else {
                operations.push(self.operation(child, name));
            }
        }
        own += operations.iter().map(|row| row.seconds).sum::<f64>();
        self.add_phase(name, node.calls, own, operations);
    }

    fn operation(&self, node: &Node, phase: &str) -> Row {
        let name = match node.kind.name {
            name if node.kind.backward && phase != "backward" => format!("{name} (backward)"),
            name => name.to_owned(),
        };
        let inside = self.tree.children(node).map(|child| self.operation(child, phase)).collect();
        self.row(name, node.calls, node.total.as_secs_f64(), inside)
    }

    fn row(&self, name: String, calls: u64, seconds: f64, operations: Vec<Row>) -> Row {
        let mut row = Row { name, seconds, share: 0.0, calls, a_step: 0.0, own: 0.0, operations };
        self.derive(&mut row);
        row
    }

    fn add_phase(&mut self, name: &str, calls: u64, seconds: f64, operations: Vec<Row>) {
        match self.phases.iter().position(|row| row.name == name) {
            None => {
                let row = self.row(name.to_owned(), calls, seconds, operations);
                self.phases.push(row);
            }
            Some(place) => {
                let mut row = self.phases.swap_remove(place);
                row.calls += calls;
                row.seconds += seconds;
                operations.into_iter().for_each(|one| self.merge(&mut row.operations, one));
                self.derive(&mut row);
                self.phases.push(row);
            }
        }
    }

    /// Adds an operation to those of its name.
    fn merge(&self, rows: &mut Vec<Row>, one: Row) {
        match rows.iter_mut().find(|row| row.name == one.name) {
            None => rows.push(one),
            Some(row) => {
                row.calls += one.calls;
                row.seconds += one.seconds;
                one.operations.into_iter().for_each(|inner| self.merge(&mut row.operations, inner));
                self.derive(row);
            }
        }
    }

    /// What follows from calls, seconds and operations.
    fn derive(&self, row: &mut Row) {
        let inside: f64 = row.operations.iter().map(|row| row.seconds).sum();
        row.own = (row.seconds - inside).max(0.0);
        row.share = if self.seconds > 0.0 { row.seconds / self.seconds } else { 0.0 };
        row.a_step = if self.steps > 0 { row.seconds / self.steps as f64 } else { 0.0 };
    }
}

/// Bytes of a number.
const NUMBER: usize = size_of::<f32>();

impl Memory {
    fn new(tree: &Tree, sizes: Sizes) -> Self {
        let (reached_in, height) = highest(tree);
        let last = |name, end: usize| tree.find(name).map_or(0, |node| node.last[end]);
        let phases = PHASES.into_iter().chain(WHOLE);
        let phases = phases.filter_map(|what| Some(Part { what, bytes: tree.find(what)?.height.peak }));
        Self {
            resident: resident(),
            height: height.peak,
            of: parts(&reached_in, &height, sizes),
            reached_in,
            phases: phases.collect(),
            activations: tree.find("forward").map_or(0, |node| node.growth),
            gradients: last("backward", 1).saturating_sub(last("forward", 0)),
        }
    }
}

/// The innermost span that the most live bytes were reached in, by its path.
fn highest(tree: &Tree) -> (Vec<&'static str>, Height) {
    let mut path = Vec::new();
    let mut height = Height::default();
    let mut next = tree.roots().max_by_key(|node| node.height.peak);
    while let Some(node) = next {
        path.push(node.kind.name);
        height = node.height.clone();
        next = tree.children(node).find(|child| child.height.peak == node.height.peak);
    }
    (path, height)
}

/// What a height consists of. The parameters are counted; the rest is what the heap held when the spans began.
fn parts(path: &[&str], height: &Height, sizes: Sizes) -> Vec<Part> {
    if height.peak == 0 {
        return Vec::new();
    }
    let part = |what, bytes| Part { what, bytes };
    let before = &height.before;
    let start = before.first().copied().unwrap_or(0);
    let parameters = (NUMBER * sizes.all).min(start);
    let mut parts = vec![part("parameters", parameters), part("data and the rest", start - parameters)];
    // since the first step began: what stays from step to step
    let held = before.get(1).copied().unwrap_or(height.peak).saturating_sub(start);
    let moments = (2 * NUMBER * sizes.trained).min(held);
    parts.insert(1, part("moments of the optimizer", moments));
    parts.insert(2, part("held from step to step", held - moments));
    if let ["train", "step", phase, ..] = path
        && let [_, step, phase_began, ..] = before[..]
    {
        let kept = phase_began.saturating_sub(step);
        let here = height.peak.saturating_sub(step + kept);
        let (what, inside) = match *phase {
            "forward" => ("batch", "activations, as far as they are made"),
            "backward" => ("batch and activations", "gradients and passing buffers"),
            "update" => ("batch and gradients", "the update's buffers"),
            _ => ("this step's, from before", "this phase's buffers"),
        };
        parts.extend([part(what, kept), part(inside, here)]);
    } else if let Some(&began) = before.get(1) {
        parts.push(part("this phase's buffers", height.peak.saturating_sub(began)));
    }
    parts.retain(|part| part.bytes > 0);
    parts
}

/// The most memory that was ever resident, where the system is Linux.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? * 1024)
}
