//! Everything as one JSON object.

use serde_json::{Value, json};

use super::{Diff, Status};

pub fn render(diff: &Diff) -> String {
    let [from, to] = diff.loads;
    let sums: serde_json::Map<String, Value> = Status::ALL
        .into_iter()
        .map(|status| {
            let (tensors, parameters) = diff.checkpoint.sum(status);
            let name = match status {
                Status::Fits => "fits",
                Status::OtherShape => "other_shape",
                Status::OnlyFrom => "only_from",
                Status::OnlyTo => "only_to",
            };
            (name.to_owned(), json!({ "tensors": tensors, "parameters": parameters }))
        })
        .collect();
    let value = json!({
        "from": { "model": diff.from, "load": from },
        "to": { "model": diff.to, "load": to },
        "equal": diff.is_empty(),
        "changes": diff.changes,
        "figures": diff.figures,
        "checkpoint": {
            "sums": sums,
            "groups": diff.checkpoint.groups,
            "notes": diff.checkpoint.notes,
        },
    });
    format!("{value:#}\n")
}
