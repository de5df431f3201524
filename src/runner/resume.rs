//! `resume`: an interrupted training goes on.

use miette::Result;

use super::train::{profiled, tell};
use super::{args, cache, interrupt, unreadable};
use crate::train::plan::Plan;
use crate::train::{self, Network, Resume};

pub fn run<N: Network>(plan: &'static Plan, build: impl FnOnce() -> N, args: &args::Resume) -> Result<()> {
    let options = Resume {
        run: args.run.clone(),
        data: args.data.clone(),
        unreadable: unreadable(args.skip_unreadable),
        cache: cache(args.cache.as_ref()),
        device: args.placement.to_string(),
    };
    let work = || {
        let network = build();
        #[cfg(feature = "cuda")]
        let network = super::train::remembered(plan, &plan.training, network);
        train::resume(plan, network, &options, interrupt::watch())
    };
    tell(if args.profile { profiled(work)? } else { work()? })
}
