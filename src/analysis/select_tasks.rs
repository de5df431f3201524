//! The tasks of one form: all that are listed, those of a variant in the place of others with their names, and
//! without those that it drops.

use std::collections::HashMap;

use miette::Diagnostic;
use thiserror::Error;

use super::index_items::{Items, Step, TaskChange};
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    span::Span,
    syntax::ast::{Task, Word},
};

/// The most tasks: forty times as many as anybody has trained together.
const MOST: usize = 1_000;

/// The tasks in their order, and the first block that lists any.
#[derive(Debug, Default)]
pub struct Selected<'a> {
    pub tasks: Vec<&'a Task>,
    pub block: Option<Span>,
}

pub fn select_tasks<'a>(items: &Items<'a>, sink: &mut Diagnostics) -> Selected<'a> {
    let mut selection = Selection::default();
    let mut block = None;
    let is_broken = items.is_broken("tasks");
    for Step { depth, change } in &items.tasks {
        match change {
            TaskChange::Add(tasks) => {
                block = block.or(Some(tasks.block));
                for task in &tasks.tasks {
                    selection.add(task, *depth, sink);
                }
            }
            TaskChange::Drop(drop) => {
                for name in &drop.tasks {
                    if sink.is_full() {
                        break;
                    }
                    selection.drop(name, is_broken, sink);
                }
            }
        }
    }
    let tasks: Vec<&Task> = selection.slots.into_iter().flatten().map(|(task, _)| task).collect();
    if let (true, Some(block)) = (tasks.is_empty() && !is_broken, block) {
        sink.push(NoTasks { block });
    }
    Selected { tasks, block }
}

/// Tasks in the order of their names' first appearance, each with the depth that it stands at; `None` where one
/// was dropped.
#[derive(Default)]
struct Selection<'a> {
    slots: Vec<Option<(&'a Task, usize)>>,
    by_name: HashMap<&'a str, usize>,
}

impl<'a> Selection<'a> {
    fn add(&mut self, task: &'a Task, depth: usize, sink: &mut Diagnostics) {
        let name = task.name.text.as_str();
        let Some(&slot) = self.by_name.get(name) else {
            if self.slots.len() == MOST {
                sink.push(TooMany { most: MOST, span: task.name.span });
            }
            if self.slots.len() <= MOST {
                self.by_name.insert(name, self.slots.len());
                self.slots.push(Some((task, depth)));
            }
            return;
        };
        match self.slots[slot] {
            Some((first, before)) if before == depth => {
                sink.push(Duplicate { name: name.to_owned(), first: first.name.span, again: task.name.span })
            }
            _ => self.slots[slot] = Some((task, depth)),
        }
    }

    fn drop(&mut self, name: &'a Word, is_broken: bool, sink: &mut Diagnostics) {
        let slot = self.by_name.get(name.text.as_str()).and_then(|&slot| self.slots[slot].take());
        if slot.is_none() && !is_broken {
            let there: Vec<&str> =
                self.slots.iter().flatten().map(|(task, _)| task.name.text.as_str()).collect();
            let help = did_you_mean(&name.text, &there);
            sink.push(NothingToDrop { name: name.text.clone(), help, span: name.span });
        }
    }
}

#[derive(Debug, Error, Diagnostic)]
#[error("the model has no tasks")]
#[diagnostic(code(cam::task::none), help("a task looks like `cola {{ classify 2   data glue \"CoLA\" }}`"))]
struct NoTasks {
    #[label("no task is left of these")]
    block: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("two tasks are named `{name}`")]
#[diagnostic(code(cam::task::duplicate), help("a task's name is its key in checkpoints and reports"))]
struct Duplicate {
    name: String,
    #[label("first here")]
    first: Span,
    #[label(primary, "and again here")]
    again: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("a model has at most {most} tasks")]
#[diagnostic(code(cam::task::too_many), help("each has a head of its own, and data that is held in memory"))]
struct TooMany {
    most: usize,
    #[label("one too many")]
    span: Span,
}

#[derive(Debug, Error, Diagnostic)]
#[error("there is no task `{name}` to drop")]
#[diagnostic(code(cam::variant::drop), help("{help}"))]
struct NothingToDrop {
    name: String,
    help: String,
    #[label("no such task")]
    span: Span,
}
