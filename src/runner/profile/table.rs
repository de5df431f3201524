//! A profile as people read it.

use std::fmt::{self, Display, Formatter};

use super::summary::{Memory, Part, Row, Summary};

/// Columns of the names, of time and of memory.
const NAMES: usize = 36;

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let steps = match self.steps {
            1 => "1 step".to_owned(),
            steps => format!("{steps} steps"),
        };
        writeln!(
            f,
            "{:NAMES$}{:>10}{:>8}{:>10}{:>12}",
            format!("time of {steps}"),
            "s",
            "share",
            "calls",
            "ms a step"
        )?;
        for phase in &self.phases {
            row(f, phase, 0)?;
        }
        let all = if self.steps > 0 { 1e3 * self.seconds / self.steps as f64 } else { 0.0 };
        writeln!(f, "{:NAMES$}{:>10.2}{:>8}{:>10}{all:>12.1}", "together", self.seconds, "100.0%", "")?;
        writeln!(f, "{:NAMES$}{:>10.2}\n", "before the first step, after the last", self.outside)?;
        write!(f, "{}", self.memory)
    }
}

fn row(f: &mut Formatter<'_>, of: &Row, depth: usize) -> fmt::Result {
    line(f, depth, &of.name, of.seconds, of.share, Some(of.calls).filter(|&calls| calls > 0), of.a_step)?;
    for inside in &of.operations {
        row(f, inside, depth + 1)?;
    }
    if !of.operations.is_empty() && of.seconds > 0.0 {
        let part = of.own / of.seconds;
        line(f, depth + 1, "itself", of.own, part * of.share, None, part * of.a_step)?;
    }
    Ok(())
}

fn line(
    f: &mut Formatter<'_>,
    depth: usize,
    name: &str,
    seconds: f64,
    share: f64,
    calls: Option<u64>,
    a_step: f64,
) -> fmt::Result {
    let name = format!("{:indent$}{name}", "", indent = 2 * depth);
    let (share, calls) = (100.0 * share, calls.map(|calls| calls.to_string()).unwrap_or_default());
    writeln!(f, "{name:NAMES$}{seconds:>10.2}{share:>7.1}%{calls:>10}{:>12.2}", 1e3 * a_step)
}

impl Display for Memory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:NAMES$}{:>10}", "memory", "MiB")?;
        if let Some(resident) = self.resident {
            bytes(f, 0, "most resident, of the whole program", resident)?;
        }
        if self.height == 0 {
            return writeln!(f, "live bytes are not counted in this program");
        }
        bytes(f, 0, &format!("most live, in {}", self.reached_in.join(" > ")), self.height)?;
        for Part { what, bytes: size } in &self.of {
            bytes(f, 1, what, *size)?;
        }
        bytes(f, 0, "kept for backward, at most", self.activations)?;
        bytes(f, 0, "gradients of the last step", self.gradients)?;
        for Part { what, bytes: size } in &self.phases {
            bytes(f, 0, &format!("most live during {what}"), *size)?;
        }
        Ok(())
    }
}

fn bytes(f: &mut Formatter<'_>, depth: usize, what: &str, bytes: usize) -> fmt::Result {
    let what = format!("{:indent$}{what}", "", indent = 2 * depth);
    writeln!(f, "{what:NAMES$}{:>10.1}", bytes as f64 / f64::from(1 << 20))
}
