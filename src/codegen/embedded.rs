//! A model as one module of a user's own crate: network and tasks as in a generated crate, and how to load it.

use proc_macro2::TokenStream;
use quote::quote;

use super::{entry, names, network, print, tasks};
use crate::ir::Program;

pub fn embedded_rs(program: &Program, source: &str) -> String {
    let name = names::ident(&names::module(program));
    let doc = print::doc(&header(program));
    let model = quote! {
        #doc
        #[allow(
            dead_code,
            missing_docs,
            unreachable_pub,
            reason = "a crate uses what it needs of a model"
        )]
        pub mod #name {}
    };
    let parts = [
        print::module(submodule("network", &network::doc(program)), print::texts(network::items(program))),
        print::module(submodule("tasks", &tasks::doc(program)), print::texts(tasks::items(program))),
    ];
    print::module(model, print::texts(items(program, source)).chain(parts))
}

fn header(program: &Program) -> String {
    let title = entry::title(program);
    let version = env!("CARGO_PKG_VERSION");
    format!("{title}\n\nMade by camtl {version}; do not edit, change the model instead.")
}

fn submodule(name: &str, doc: &str) -> TokenStream {
    let (name, doc) = (names::ident(name), print::doc(doc));
    quote! {
        #doc
        pub mod #name {}
    }
}

/// What is in the module besides its network and its tasks.
fn items(program: &Program, source: &str) -> [TokenStream; 6] {
    let hidden = names::int(program.backbone.hidden);
    let lines = source.split_inclusive('\n');
    [
        quote! {
            pub use self::network::{Encoder, Heads};
            pub use self::tasks::PLAN;
        },
        quote! {
            use camtl::runner::Cpu;
            use camtl::train::{Predictor, SavedModel, SavedModelError};
        },
        quote! {
            /// The model as it was written; a training keeps it in its run.
            pub const SOURCE: &str = concat!(#(#lines),*);
        },
        quote! {
            /// Encoder and heads; every parameter is zero until it is started or loaded.
            pub type Network = camtl::nn::Model<#hidden, Encoder<Cpu>, Heads<Cpu>, Cpu>;
        },
        quote! {
            /// A trained network with its tokenizer, which is asked with texts.
            pub type Model = Predictor<Network>;
        },
        quote! {
            /// Opens a trained model: by a run's folder the best checkpoint of that run, or any
            /// [`SavedModel`].
            pub fn load(saved: impl Into<SavedModel>) -> Result<Model, SavedModelError> {
                Model::load(&PLAN, || Network::build(Cpu::default()), saved)
            }
        },
    ]
}
