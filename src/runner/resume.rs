//! `resume`: an interrupted training goes on.

use miette::Result;

use super::train::{profiled, tell};
use super::{args, interrupt};
#[cfg(feature = "cuda")]
use crate::train::Run;
use crate::train::plan::Plan;
use crate::train::{self, Network, Resume};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Resume) -> Result<()> {
    let options = Resume {
        run: args.run.clone(),
        data: args.data.clone(),
        unreadable: args.reading.unreadable(),
        cache: args.reading.cache(),
        device: args.placement.to_string(),
    };
    #[cfg(feature = "cuda")]
    let training = Run::open(&args.run, plan)?.training(plan)?;
    let work = || {
        let network = build();
        #[cfg(feature = "cuda")]
        let network = super::train::remembered(plan, &training, network, true);
        train::resume(plan, network, &options, interrupt::watch())
    };
    let outcome = if args.profile { profiled(work)? } else { work()? };
    tell(outcome, args.placement, args.reading.skip_unreadable)
}
