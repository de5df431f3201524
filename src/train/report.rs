//! `report.html`: a run at a glance, one page without scripts or other files.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::events;
use super::files::{self, FileError};
use super::run::Run;

mod chart;

use chart::{Chart, Series};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#222;background:#fff}h1{font-size:1.5rem}h2{font-size:1.05rem;margin:2rem 0 .3rem}\
table{border-collapse:collapse}td,th{padding:.15rem 1rem .15rem 0;text-align:left}\
svg{width:100%;height:auto}text{font:12px system-ui,sans-serif;fill:#555}pre{background:#f5f5f5;padding:1rem;\
overflow:auto}";

/// Keeps a profile with the run, and shows it in the report.
pub fn add_profile(run: &Run, profile: &impl Serialize) -> Result<(), FileError> {
    let path = run.profile();
    let text = files::at(&path, "written", serde_json::to_string_pretty(profile).map_err(Into::into))?;
    files::write(&path, format!("{text}\n").as_bytes())?;
    write(run)
}

/// Writes the report of a run from its files.
pub fn write(run: &Run) -> Result<(), FileError> {
    let events = events::read(&run.events())?;
    let evaluations = events::read(&run.evaluations())?;
    let path = run.folder.join("model.cam");
    let source = files::at(&path, "read", std::fs::read_to_string(&path))?;
    // there is one only where the training was asked for it
    let profile = std::fs::read(run.profile()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let page = page(run, &source, &events, &evaluations, profile.as_ref());
    files::write(&run.folder.join("report.html"), page.as_bytes())
}

fn page(run: &Run, source: &str, events: &[Value], evaluations: &[Value], profile: Option<&Value>) -> String {
    let record = &run.record;
    let title = escape(&record.full_name());
    let mut facts = vec![
        ("program", record.fingerprints.program.clone()),
        ("camtl", record.camtl.clone()),
        ("seed", record.seed.to_string()),
        ("parameters", format!("{}, of these {} trained", record.parameters.all, record.parameters.trained)),
        ("steps planned", record.steps.to_string()),
    ];
    if let Some(finished) = &record.finished {
        let end = if finished.interrupted { "interrupted" } else { "finished" };
        facts.push((end, format!("step {}, after {:.0} s", finished.step, finished.seconds)));
        facts.push(("data used", format!("{:.1}%", 100.0 * finished.data_used)));
        if let Some(best) = finished.best {
            facts.push(("best", format!("step {}, mean {:.4}", best.step, best.mean)));
        }
    }
    let facts = table(facts.into_iter().map(|(name, value)| [name.to_owned(), value]));
    let charts: String = charts(events, evaluations).iter().map(Chart::svg).collect();
    let last = evaluations.last().map(last_evaluation).unwrap_or_default();
    let profile = profile.map(profile_section).unwrap_or_default();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n{facts}{last}{charts}{profile}<h2>model.cam</h2>\n<pre>{}</pre>\n</html>\n",
        escape(source)
    )
}

fn charts(events: &[Value], evaluations: &[Value]) -> Vec<Chart> {
    let over_steps = |lines: &[Value], value: &dyn Fn(&Value) -> Option<f64>| -> Vec<(f64, f64)> {
        lines.iter().filter_map(|line| Some((line["step"].as_f64()?, value(line)?))).collect()
    };
    let one = |title, field: &str| {
        let points = over_steps(events, &|event| event[field].as_f64());
        Chart { title, series: vec![Series { name: field.to_owned(), points }] }
    };
    let names = |lines: &[Value]| -> Vec<String> {
        let tasks = lines.first().and_then(|line| line["tasks"].as_object());
        tasks.map(|tasks| tasks.keys().cloned().collect()).unwrap_or_default()
    };
    let picks = |event: &Value, task: &str| {
        let all: f64 = event["tasks"].as_object()?.values().filter_map(|task| task["picks"].as_f64()).sum();
        Some(event["tasks"][task]["picks"].as_f64()? / all)
    };
    let by_task = |lines: &[Value], value: &dyn Fn(&Value, &str) -> Option<f64>| -> Vec<Series> {
        names(lines)
            .into_iter()
            .map(|name| Series { points: over_steps(lines, &|line| value(line, &name)), name })
            .collect()
    };
    vec![
        one("Loss", "loss"),
        Chart {
            title: "Dev, main figure of each task",
            series: by_task(evaluations, &|line, task| line["tasks"][task]["main"].as_f64()),
        },
        Chart { title: "Share of the picks", series: by_task(events, &picks) },
        Chart {
            title: "Entropy of the candidates, over log C",
            series: by_task(events, &|event, task| event["tasks"][task]["entropy"].as_f64()),
        },
        one("Data used", "data_used"),
        one("Learning rate", "lr"),
        one("Norm of the gradient", "grad_norm"),
    ]
}

fn last_evaluation(line: &Value) -> String {
    let rows = line["tasks"].as_object().into_iter().flatten().map(|(task, figures)| {
        let figures: Vec<String> = figures
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "main")
            .map(|(name, value)| format!("{name} {:.4}", value.as_f64().unwrap_or(f64::NAN)))
            .collect();
        [task.clone(), figures.join(", ")]
    });
    format!("<h2>Dev, step {}</h2>\n{}", line["step"], table(rows))
}

/// The phases of a step, and the height of memory.
fn profile_section(profile: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let phases = list(&profile["phases"]).into_iter().map(|phase| {
        let figure = |field: &str| phase[field].as_f64().unwrap_or(f64::NAN);
        [name(&phase["name"]), format!("{:.1}%, {:.2} s", 100.0 * figure("share"), figure("seconds"))]
    });
    let memory = &profile["memory"];
    let mib = |value: &Value| format!("{:.1} MiB", value.as_f64().unwrap_or(f64::NAN) / f64::from(1 << 20));
    let height = [["most live".to_owned(), mib(&memory["height"])]];
    let parts = list(&memory["of"]).into_iter().map(|part| [name(&part["what"]), mib(&part["bytes"])]);
    let memory = table(height.into_iter().chain(parts));
    format!("<h2>Time of {} steps</h2>\n{}<h2>Memory</h2>\n{memory}", profile["steps"], table(phases))
}

fn table(rows: impl IntoIterator<Item = [String; 2]>) -> String {
    let mut html = String::from("<table>\n");
    for [name, value] in rows {
        // writing to a string cannot fail
        let _ = writeln!(html, "<tr><th>{}</th><td>{}</td></tr>", escape(&name), escape(&value));
    }
    html + "</table>\n"
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out() {
        assert_eq!(escape("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
