//! `src/main.rs` of the generated crate: the network's type and the plan, handed to the runtime.

use quote::quote;

use super::{names, print};
use crate::ir::Program;

pub fn main_rs(program: &Program) -> String {
    let hidden = names::int(program.backbone.hidden);
    let items = [
        quote! {
            mod network;
            mod tasks;
        },
        quote! {
            use camtl::kernels::Kernels;
            use camtl::runner;
        },
        quote! {
            #[global_allocator]
            static ALLOCATOR: runner::Allocator = runner::ALLOCATOR;
        },
        quote! {
            const SOURCE: &str = include_str!("../model.cam");
        },
        quote! {
            /// Encoder and heads, for whichever device the command line names.
            struct Network;
        },
        quote! {
            impl runner::OnAnyDevice<#hidden> for Network {
                type Encoder<D: Kernels> = network::Encoder<D>;
                type Heads<D: Kernels> = network::Heads<D>;
            }
        },
        quote! {
            fn main() -> std::process::ExitCode {
                runner::main::<#hidden, Network>(&tasks::PLAN, SOURCE)
            }
        },
    ];
    print::file(&header(program), items)
}

fn header(program: &Program) -> String {
    let title = title(program);
    let version = env!("CARGO_PKG_VERSION");
    format!("{title}\n\nMade by camtlc {version} from model.cam; do not edit, change the model instead.")
}

/// What the model is, in a line.
pub fn title(program: &Program) -> String {
    let name = program.full_name();
    match &program.summary {
        Some(summary) => format!("`{name}`: {summary}"),
        None => format!("`{name}`, a task-conditioned multi-task Transformer."),
    }
}
