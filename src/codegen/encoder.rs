//! `Encoder` of the generated crate: its parts in order, the constant part, and what is conditioned on the task.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::group_layers::{Groups, Place, Run};
use super::network::{marker, module};
use super::{names, print};
use crate::ir::{Family, Flow, Ladder, Program, Width};

/// The struct and its three impls.
pub fn items(program: &Program, groups: &Groups) -> [TokenStream; 4] {
    let parts = parts(program, groups);
    let fields: Vec<&Ident> = parts.iter().map(|part| &part.field).collect();
    [
        structure(program, &parts),
        build(program, &parts),
        quote!(parameters!(Encoder { #(#fields),* });),
        encode(program, groups),
    ]
}

/// One field of the encoder.
struct Part {
    field: Ident,
    kind: TokenStream,
    /// The expression that makes it, `at` being the encoder's place among the parameters.
    build: TokenStream,
}

impl Part {
    /// A part of one instance, whose parameters lie under its own name.
    fn single(name: &str, kind: TokenStream, kind_name: TokenStream) -> Self {
        Self { field: names::ident(name), kind, build: quote!(#kind_name::build(&at.child(#name))) }
    }

    fn run(run: &Run) -> Self {
        let layer = names::ident(&run.type_name);
        let [start, len] = [run.layers.start, run.layers.len()].map(names::int);
        Self {
            field: names::ident(&run.field),
            kind: quote!([#layer<D>; #len]),
            build: quote!(at.layers(#start)),
        }
    }

    fn ladder(ladder: &Ladder, program: &Program) -> Self {
        let step = names::ident(module(program, "LadderStep", "LinearLadderStep"));
        let Width(width) = ladder.width;
        let [hidden, width, start, len] =
            [program.backbone.hidden, width, ladder.layers.start, ladder.layers.len()].map(names::int);
        Self {
            field: names::ident("ladder"),
            kind: quote!([#step<#hidden, #width, D>; #len]),
            build: quote!(at.ladder(#start)),
        }
    }
}

fn parts(program: &Program, groups: &Groups) -> Vec<Part> {
    let backbone = &program.backbone;
    let [hidden, vocab, positions, token_types, tasks] =
        [backbone.hidden, backbone.vocab, backbone.positions, backbone.token_types, program.tasks.len()]
            .map(names::int);

    let mut parts = Vec::new();
    if program.is_conditional() {
        parts.push(Part {
            field: names::ident("task_embedding"),
            kind: quote!(TaskEmbedding<#hidden, D>),
            build: quote!(TaskEmbedding::build(&at.child("task_embedding"), #tasks)),
        });
    }
    if program.transforms_task() {
        let kind = quote!(TaskTransformation<#hidden, D>);
        parts.push(Part::single("task_transformation", kind, quote!(TaskTransformation)));
    }
    let weights = marker(program.embeddings.weights);
    let tables = match backbone.family {
        Family::Bert => quote!(Embeddings),
        Family::Roberta => quote!(RobertaEmbeddings),
    };
    let kind = quote!(#tables<#hidden, #vocab, #positions, #token_types, #weights, D>);
    parts.push(Part::single("embeddings", kind, tables));
    if program.embeddings.alignment {
        parts.push(Part::single("alignment", quote!(Alignment<#hidden, D>), quote!(Alignment)));
    }
    parts.extend(groups.runs.iter().map(Part::run));
    if let Some(ladder) = &program.ladder {
        parts.push(Part::ladder(ladder, program));
    }
    let weights = match backbone.family {
        Family::Bert => marker(program.pooler.weights),
        Family::Roberta => quote!(New), // its checkpoints have none
    };
    parts.push(Part::single("pooler", quote!(Pooler<#hidden, #weights, D>), quote!(Pooler)));
    parts
}

fn structure(program: &Program, parts: &[Part]) -> TokenStream {
    let doc = print::doc(match program.is_conditional() {
        true => "Embeddings, layers and pooler, with the task embedding z that conditions them.",
        false => "Embeddings, layers and pooler; no part depends on the task.",
    });
    let fields = parts.iter().map(|part| &part.field);
    let kinds = parts.iter().map(|part| &part.kind);
    quote! {
        #doc
        pub struct Encoder<D: Kernels> {
            #(pub #fields: #kinds,)*
        }
    }
}

fn build(program: &Program, parts: &[Part]) -> TokenStream {
    let at = match program.backbone.family {
        Family::Bert => TokenStream::new(),
        Family::Roberta => quote!(let at = &at.with_epsilon(ROBERTA_EPSILON);),
    };
    let fields = parts.iter().map(|part| &part.field);
    let builds = parts.iter().map(|part| &part.build);
    quote! {
        impl<D: Kernels> Build<D> for Encoder<D> {
            fn build(at: &Scope<D>) -> Self {
                #at
                Self { #(#fields: #builds,)* }
            }
        }
    }
}

fn encode(program: &Program, groups: &Groups) -> TokenStream {
    let hidden = names::int(program.backbone.hidden);
    let constant = constant_method(program, groups);
    let doc = print::doc(&encode_doc(program));
    let argument = names::ident(if is_constant(program) { "constant" } else { "_constant" });
    let body = encode_body(program, groups);
    quote! {
        impl<D: Kernels> Encode<#hidden, D> for Encoder<D> {
            #constant

            #doc
            fn encode<T: Tape<f32, D>>(
                &self,
                #argument: Constant<#hidden, D>,
                batch: &Batch,
                pass: &mut Pass<T, D>,
            ) -> Encoded<#hidden, D> {
                #body
            }
        }
    }
}

/// Is there anything that runs without a tape?
fn is_constant(program: &Program) -> bool {
    program.embeddings.flow == Flow::Constant
}

fn constant_method(program: &Program, groups: &Groups) -> TokenStream {
    let hidden = names::int(program.backbone.hidden);
    if !is_constant(program) {
        return quote! {
            /// Nothing: the embeddings are trained.
            fn constant(&self, _batch: &Batch, _pass: &mut Scoring<D>) -> Constant<#hidden, D> {
                None
            }
        };
    }
    let doc = print::doc(&match program.constant_part() {
        0 => "Nothing is trained in or before it: the embeddings.".to_owned(),
        n => format!("Nothing is trained in or before it: the embeddings and {}.", names::layers(&(0..n))),
    });
    let layers = groups.runs.iter().filter(|run| run.place == Place::Constant).map(|run| {
        let field = names::ident(&run.field);
        quote!(let x = self.#field.forward(x, &NoTask, batch, pass);)
    });
    quote! {
        #doc
        fn constant(&self, batch: &Batch, pass: &mut Scoring<D>) -> Constant<#hidden, D> {
            let x = self.embeddings.forward(batch, pass);
            #(#layers)*
            Some(x)
        }
    }
}

/// What `encode` runs, in words.
fn encode_doc(program: &Program) -> String {
    let from = program.constant_part();
    if !is_constant(program) {
        "All of it: the embeddings are trained.".to_owned()
    } else if program.embeddings.alignment {
        "The rest: alignment, the layers and the pooler.".to_owned()
    } else if from < program.layers.len() {
        format!("The rest: {} and the pooler.", names::layers(&(from..program.layers.len())))
    } else {
        "The rest: the pooler.".to_owned()
    }
}

fn encode_body(program: &Program, groups: &Groups) -> TokenStream {
    let mut steps = Vec::new();
    if is_constant(program) {
        steps.push(quote!(let x = constant.expect("the embeddings are constant");));
    } else {
        steps.push(quote!(let x = self.embeddings.forward(batch, pass);));
    }

    let rest: Vec<&Run> = groups.runs.iter().filter(|run| run.place != Place::Constant).collect();
    if program.is_conditional() {
        steps.push(quote!(let z = self.task_embedding.forward();));
    } else if !rest.is_empty() {
        steps.push(quote!(let z = NoTask;));
    }
    if program.embeddings.alignment {
        steps.push(quote!(let x = self.alignment.forward(x, &z, batch, pass);));
    }
    if program.transforms_task() {
        steps.push(quote!(let z = self.task_transformation.forward(&z, pass);));
    }
    let end = program.layers.len();
    steps.extend(rest.into_iter().map(|run| match (run.place, &program.ladder) {
        (Place::Ladder, Some(ladder)) => climb(run, ladder),
        _ => {
            // of the last layer only what heads read is made
            let forward = names::ident(if run.layers.end == end { "finish" } else { "forward" });
            let field = names::ident(&run.field);
            quote!(let x = self.#field.#forward(x, &z, batch, pass);)
        }
    }));
    quote! {
        #(#steps)*
        self.pooler.forward(x, batch, pass)
    }
}

/// One run of the ladder, f_i = bottleneck_i(h_i + f_{i-1}). What lies above the ladder reads f.
fn climb(run: &Run, ladder: &Ladder) -> TokenStream {
    let field = names::ident(&run.field);
    let (first, last) = (run.layers.start == ladder.layers.start, run.layers.end == ladder.layers.end);
    let [from, to] = [run.layers.start, run.layers.end].map(|i| names::int(i - ladder.layers.start));
    let steps = match (first, last) {
        (true, true) => quote!(&self.ladder),
        (true, false) => quote!(&self.ladder[..#to]),
        (false, true) => quote!(&self.ladder[#from..]),
        (false, false) => quote!(&self.ladder[#from..#to]),
    };
    let below = if first { quote!((x, None)) } else { quote!((x, f)) };
    let climb = quote!(climb(&self.#field, #steps, #below, &z, batch, pass));
    match last {
        true => quote! {
            let (_, f) = #climb;
            let x = f.expect("the ladder has a step");
        },
        false => quote!(let (x, f) = #climb;),
    }
}
