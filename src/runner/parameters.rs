//! `parameters`: what the network consists of, as the compiler should have counted it.

use miette::Result;
use serde_json::{Value, json};

use super::output::print;
use crate::train::Network;
use crate::train::plan::{Origin, Plan};

/// Prints a JSON array, a parameter a line: `loaded` from a pretrained checkpoint or not, `trained` or frozen.
pub fn run(plan: &Plan, mut network: impl Network) -> Result<()> {
    let pretrained = matches!(plan.backbone.origin, Origin::Checkpoint(_));
    let lines: Vec<String> = network
        .parameters()
        .into_iter()
        .map(|parameter| {
            let meta = parameter.meta();
            let line: Value = json!({
                "name": meta.name,
                "shape": parameter.dims(),
                "state": if meta.trained { "trained" } else { "frozen" },
                "loaded": meta.loaded && pretrained,
            });
            format!("  {line}")
        })
        .collect();
    print(&format!("[\n{}\n]\n", lines.join(",\n")))
}
