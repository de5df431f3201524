//! A trained model, back from its run.

use miette::{IntoDiagnostic, Result};

use super::args::Saved;
use crate::train::plan::Plan;
use crate::train::{Network, Run, checkpoint};

/// Opens a run, fills the network from one of its checkpoints, and tells the checkpoint's step.
pub fn open<N: Network>(plan: &Plan, build: impl FnOnce() -> N, args: &Saved) -> Result<(Run, N, usize)> {
    let run = Run::open(&args.run, plan)?;
    let folder = checkpoint::find(&run.checkpoints(), &args.checkpoint)?;
    let mut network = build();
    let step = checkpoint::load(&folder, plan, &mut network.parameters())?;
    Ok((run, network, step))
}

/// Writes a result to stdout; a reader that has gone is not an error.
pub fn print(text: &str) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).into_diagnostic(),
        _ => Ok(()),
    }
}
