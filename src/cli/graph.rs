//! `camtlc graph`: the network as a picture.

use super::args::Graph;
use super::{Outcome, load, output};

pub fn run(args: &Graph) -> Outcome {
    let model = load::load_to_show(&args.model)?;
    output::print(&crate::graph::render(&model.program, args.format))
}
