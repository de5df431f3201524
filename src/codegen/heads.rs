//! `Heads` of the generated crate: one field a task, and the match that finds it by the task's index.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::{names, print};
use crate::ir::{Kind, Program, Task};

/// The struct and its three impls.
pub fn items(program: &Program) -> [TokenStream; 4] {
    let fields: Vec<Ident> = program.tasks.iter().map(|task| names::ident(&task.name)).collect();
    [
        structure(program, &fields),
        build(program, &fields),
        quote!(parameters!(Heads { #(#fields),* });),
        predict(program, &fields),
    ]
}

fn structure(program: &Program, fields: &[Ident]) -> TokenStream {
    let types = program.tasks.iter().map(|task| head(program, task));
    let doc = print::doc(docs(program)[0]);
    quote! {
        #doc
        pub struct Heads<D: Kernels> {
            #(pub #fields: #types,)*
        }
    }
}

/// What the heads are, and what each gives: of pooled sequences, or of tokens as well.
fn docs(program: &Program) -> [&'static str; 2] {
    let reads_tokens = |task: &Task| matches!(task.kind, Kind::Tag { .. } | Kind::Span { .. });
    match program.tasks.iter().any(reads_tokens) {
        true => [
            "A linear layer a task, on the pooled `[CLS]`, or on the tokens that it is about.",
            "The logits of one task, for the `rows` that its head reads: pooled sequences, or tokens.",
        ],
        false => [
            "A linear layer a task, on the pooled `[CLS]`.",
            "The logits of one task, for the pooled `rows` of its examples.",
        ],
    }
}

fn head(program: &Program, task: &Task) -> TokenStream {
    let hidden = names::int(program.backbone.hidden);
    match &task.kind {
        Kind::Classify { .. } => {
            let labels = names::int(task.kind.outputs());
            quote!(Classify<#hidden, #labels, D>)
        }
        Kind::Regress { .. } => quote!(Regress<#hidden, D>),
        Kind::Tag { .. } => {
            let labels = names::int(task.kind.outputs());
            quote!(Tag<#hidden, #labels, D>)
        }
        Kind::Span { .. } => quote!(Span<#hidden, D>),
        Kind::Choose { .. } => quote!(Choose<#hidden, D>),
    }
}

fn build(program: &Program, fields: &[Ident]) -> TokenStream {
    let keys = program.tasks.iter().map(|task| &task.name);
    quote! {
        impl<D: Kernels> Build<D> for Heads<D> {
            fn build(at: &Scope<D>) -> Self {
                Self { #(#fields: Build::build(&at.child(#keys)),)* }
            }
        }
    }
}

fn predict(program: &Program, fields: &[Ident]) -> TokenStream {
    let hidden = names::int(program.backbone.hidden);
    let doc = print::doc(docs(program)[1]);
    let indices = (0..fields.len()).map(names::int);
    let complaint = match fields.len() {
        1 => format!("{} has 1 task", program.name),
        n => format!("{} has {n} tasks", program.name),
    };
    quote! {
        impl<D: Kernels> Predict<#hidden, D> for Heads<D> {
            #doc
            fn logits<T: Tape<f32, D>>(
                &self,
                task: usize,
                rows: Tokens<#hidden, D>,
                pass: &mut Pass<T, D>,
            ) -> Logits<D> {
                match task {
                    #(#indices => self.#fields.forward(rows, pass),)*
                    _ => unreachable!(#complaint),
                }
            }
        }
    }
}
