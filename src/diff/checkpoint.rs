//! Which parameters of a checkpoint of one model would fit another: by name and shape, as loading compares them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;

use super::describe::in_words;
use crate::ir::{Component, ParameterSpec, Program, parameters};

/// What would become of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// By status, then in the order of the network.
    pub groups: Vec<FitGroup>,
    /// What fits by name and shape, but has another meaning.
    pub notes: Vec<&'static str>,
}

/// Parameters of one component that share a fate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FitGroup {
    pub status: Status,
    pub component: Component,
    /// Which layers they lie in, "layers 0..6"; for heads, which tasks they are of.
    pub place: Option<String>,
    pub tensors: usize,
    /// Numbers in them, in the first model; in the second for those that are only there.
    pub parameters: usize,
    pub example: Example,
}

/// The first parameter of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    pub name: String,
    /// Its shape in the first model.
    pub from: Option<Vec<usize>>,
    pub to: Option<Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The same name and shape in both.
    Fits,
    /// The same name, but another shape.
    OtherShape,
    /// Only in the first model: its values have no use in the second.
    OnlyFrom,
    /// Only in the second model: it would start anew.
    OnlyTo,
}

impl Status {
    pub const ALL: [Self; 4] = [Self::Fits, Self::OtherShape, Self::OnlyFrom, Self::OnlyTo];
}

impl Fit {
    pub fn of(from: &Program, to: &Program) -> Self {
        let (old, new) = (parameters(from), parameters(to));
        let by_name = |list: &'_ [ParameterSpec]| -> BTreeMap<String, Vec<usize>> {
            list.iter().map(|spec| (spec.name.clone(), spec.shape.clone())).collect()
        };
        let (old_shapes, new_shapes) = (by_name(&old), by_name(&new));

        let mut groups = BTreeMap::new();
        let from_both = old.iter().chain(new.iter().filter(|spec| !old_shapes.contains_key(&spec.name)));
        for spec in from_both {
            let example = Example {
                name: spec.name.clone(),
                from: old_shapes.get(&spec.name).cloned(),
                to: new_shapes.get(&spec.name).cloned(),
            };
            let status = match (&example.from, &example.to) {
                (Some(from), Some(to)) if from == to => Status::Fits,
                (Some(_), Some(_)) => Status::OtherShape,
                (Some(_), None) => Status::OnlyFrom,
                (None, _) => Status::OnlyTo,
            };
            groups.entry((status, spec.component)).or_insert_with(|| Members::new(example)).add(spec);
        }
        let groups = groups.into_iter().map(|((status, component), members): (_, Members)| FitGroup {
            status,
            component,
            place: members.place(),
            tensors: members.tensors,
            parameters: members.parameters,
            example: members.example,
        });
        let groups: Vec<FitGroup> = groups.collect();
        Self { notes: notes(from, to, &groups), groups }
    }

    /// Tensors and parameters of a status.
    pub fn sum(&self, status: Status) -> (usize, usize) {
        let groups = self.groups.iter().filter(|group| group.status == status);
        groups.fold((0, 0), |(tensors, parameters), group| {
            (tensors + group.tensors, parameters + group.parameters)
        })
    }

    /// Does every parameter of either fit the other?
    pub fn is_whole(&self) -> bool {
        self.groups.iter().all(|group| group.status == Status::Fits)
    }
}

struct Members {
    example: Example,
    tensors: usize,
    parameters: usize,
    layers: BTreeSet<usize>,
    /// In the order of the network.
    heads: Vec<String>,
}

impl Members {
    fn new(example: Example) -> Self {
        Self { example, tensors: 0, parameters: 0, layers: BTreeSet::new(), heads: Vec::new() }
    }

    fn add(&mut self, spec: &ParameterSpec) {
        self.tensors += 1;
        self.parameters += spec.size();
        self.layers.extend(spec.layer);
        let head = spec.name.strip_prefix("heads.").and_then(|rest| rest.split('.').next());
        if let Some(head) = head.filter(|head| self.heads.last().is_none_or(|last| last != head)) {
            self.heads.push(head.to_owned());
        }
    }

    fn place(&self) -> Option<String> {
        let layers = ranges(&self.layers).iter().map(in_words).collect::<Vec<_>>();
        let places = if layers.is_empty() { &self.heads } else { &layers };
        (!places.is_empty()).then(|| places.join(", "))
    }
}

fn ranges(layers: &BTreeSet<usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for &layer in layers {
        match ranges.last_mut() {
            Some(range) if range.end == layer => range.end += 1,
            _ => ranges.push(layer..layer + 1),
        }
    }
    ranges
}

/// Of what fits, where a row or an output is of something else.
fn notes(from: &Program, to: &Program, groups: &[FitGroup]) -> Vec<&'static str> {
    let fits = |component: Component| {
        groups.iter().any(|group| (group.status, group.component) == (Status::Fits, component))
    };
    let mut notes = Vec::new();
    if fits(Component::Embeddings) && from.backbone.origin != to.backbone.origin {
        notes.push("the embeddings fit by their shapes, but the backbones' word pieces may differ");
    }
    let are_other_tasks = from.tasks.iter().zip(&to.tasks).any(|(task, other)| task.name != other.name);
    if fits(Component::TaskEmbedding) && are_other_tasks {
        notes.push("the task embedding fits by its shape, but its rows are of other tasks");
    }
    let is_relabelled = from.tasks.iter().any(|task| {
        let mut others = to.tasks.iter().filter(|other| other.name == task.name);
        others.any(|other| other.kind != task.kind && other.kind.outputs() == task.kind.outputs())
    });
    if fits(Component::Heads) && is_relabelled {
        notes.push("a head fits by its shape, but its outputs have another meaning");
    }
    notes
}
