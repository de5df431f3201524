//! From two lists of facts to what differs between them.

use serde::Serialize;

use super::describe::{Item, Section, describe};
use crate::ir::Program;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub section: Section,
    /// "hidden", "attention", a task's name.
    pub what: String,
    /// Which fact about it, where there are several: "metric". `None` where all of it is new or gone.
    pub fact: Option<&'static str>,
    /// What it is in the first model; `None` where that has no such thing.
    pub from: Option<String>,
    pub to: Option<String>,
}

/// In the order of the language; of a section what is only in the second model comes last.
pub fn changes(from: &Program, to: &Program) -> Vec<Change> {
    let (old, new) = (describe(from), describe(to));
    let mut changes = Vec::new();
    for section in Section::ALL {
        let here = |items: &'_ [Item]| -> Vec<Item> {
            items.iter().filter(|item| item.section == section).cloned().collect()
        };
        let (old, new) = (here(&old), here(&new));
        for item in &old {
            match new.iter().find(|other| other.name == item.name) {
                Some(other) => compare(item, other, &mut changes),
                None => changes.push(whole(item, Some(item.words()), None)),
            }
        }
        let added = new.iter().filter(|item| old.iter().all(|other| other.name != item.name));
        changes.extend(added.map(|item| whole(item, None, Some(item.words()))));
        if section == Section::Tasks {
            changes.extend(order(&old, &new));
        }
    }
    changes
}

/// The order of tasks that both have: a task's place is its row of the task embedding.
fn order(old: &[Item], new: &[Item]) -> Option<Change> {
    let names = |these: &[Item], others: &[Item]| -> Vec<String> {
        let both = these.iter().filter(|item| others.iter().any(|other| other.name == item.name));
        both.map(|item| item.name.clone()).collect()
    };
    let (from, to) = (names(old, new), names(new, old));
    (from != to).then(|| Change {
        section: Section::Tasks,
        what: "order".to_owned(),
        fact: None,
        from: Some(from.join(", ")),
        to: Some(to.join(", ")),
    })
}

fn whole(item: &Item, from: Option<String>, to: Option<String>) -> Change {
    Change { section: item.section, what: item.name.clone(), fact: None, from, to }
}

fn compare(old: &Item, new: &Item, changes: &mut Vec<Change>) {
    let value = |item: &Item, key: &str| {
        item.facts.iter().find(|(other, _)| *other == key).map(|(_, value)| value.clone())
    };
    let mut keys: Vec<&'static str> = old.facts.iter().chain(&new.facts).map(|(key, _)| *key).collect();
    let mut seen = Vec::new();
    keys.retain(|key| {
        let is_new = !seen.contains(key);
        seen.push(*key);
        is_new
    });
    for key in keys {
        let (from, to) = (value(old, key), value(new, key));
        if from != to {
            let fact = (!key.is_empty()).then_some(key);
            changes.push(Change { section: old.section, what: old.name.clone(), fact, from, to });
        }
    }
}
