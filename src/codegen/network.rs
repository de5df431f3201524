//! `src/network.rs` of the generated crate: its types, from the layers to the encoder and the heads.

use proc_macro2::TokenStream;
use quote::quote;

use super::group_layers::{Groups, LayerType, Shape, group_layers};
use super::{encoder, heads, names, print};
use crate::ir::{Blocks, Fidelity, Layer, Program, Weights, Width};

pub fn network_rs(program: &Program) -> String {
    print::file(&doc(program), items(program))
}

pub fn doc(program: &Program) -> String {
    let name = program.full_name();
    format!("The network of `{name}`: shapes are const generics, so what does not fit does not compile.")
}

pub fn items(program: &Program) -> Vec<TokenStream> {
    let groups = group_layers(program);
    let mut items = vec![quote!(
        use camtl::nn::prelude::*;
    )];
    items.extend(reference_imports(program));
    items.extend(layer_types(program, &groups));
    items.extend(encoder::items(program, &groups));
    items.extend(heads::items(program));
    items
}

/// The name of a module's type: the paper's, or that of the authors' code.
pub fn module(program: &Program, paper: &'static str, reference: &'static str) -> &'static str {
    match program.fidelity {
        Fidelity::Paper => paper,
        Fidelity::Reference => reference,
    }
}

/// What the network names of the authors' modules, so that the crate compiles without a warning.
fn reference_imports(program: &Program) -> Option<TokenStream> {
    let any = |has: fn(&Layer) -> bool| program.layers.iter().any(has);
    let used = [
        ("ColumnAttention", any(|layer| layer.attention.is_some())),
        ("CondWeightNorm", any(|layer| layer.norm)),
        ("LinearBottleneck", any(|layer| layer.bottleneck.is_some())),
        ("LinearLadderStep", program.ladder.is_some()),
        ("TaskTransformation", true),
    ];
    let names = used.into_iter().filter(|(_, used)| *used).map(|(name, _)| names::ident(name));
    program.transforms_task().then(|| quote!(use camtl::nn::reference::{#(#names),*};))
}

fn layer_types(program: &Program, groups: &Groups) -> impl Iterator<Item = TokenStream> {
    groups.types.iter().map(|layer| {
        let doc = print::doc(&describe(layer));
        let name = names::ident(&layer.name);
        let Shape { weights, attention, norm, bottleneck } = layer.shape;
        let [hidden, heads, ffn, sequence] =
            [program.backbone.hidden, program.backbone.heads, program.backbone.ffn, program.sequence]
                .map(names::int);

        let weights = marker(weights);
        let attention = match attention {
            Some(Blocks { blocks, .. }) => {
                let blocks = names::int(blocks);
                let attention = names::ident(module(program, "BlockAttention", "ColumnAttention"));
                quote!(#attention<#sequence, #blocks>)
            }
            None => quote!(PlainAttention),
        };
        let norm =
            names::ident(if norm { module(program, "CondNorm", "CondWeightNorm") } else { "PlainNorm" });
        let bottleneck = match bottleneck {
            Some(Width(width)) => {
                let width = names::int(width);
                let bottleneck = names::ident(module(program, "CondBottleneck", "LinearBottleneck"));
                quote!(#bottleneck<#width>)
            }
            None => quote!(NoBottleneck),
        };
        quote! {
            #doc
            type #name<D> = EncoderLayer<#hidden, #heads, #ffn, #weights, #attention, #norm, #bottleneck, D>;
        }
    })
}

/// The type that says at compile time whether a part's own weights are trained.
pub fn marker(weights: Weights) -> TokenStream {
    match weights {
        Weights::Frozen => quote!(Frozen),
        Weights::Trained => quote!(Trained),
    }
}

/// "Layers 3..5: trained, with conditional attention (6 blocks of 22, the last 18) and conditional norm."
fn describe(layer: &LayerType) -> String {
    let places: Vec<String> = layer.layers.iter().map(names::layers).collect();
    let weights = match (layer.shape.weights, layer.constant) {
        (Weights::Frozen, true) => "frozen and constant",
        (Weights::Frozen, false) => "frozen",
        (Weights::Trained, _) => "trained",
    };
    let mut modules = Vec::new();
    if let Some(blocks) = layer.shape.attention {
        modules.push(format!("conditional attention ({blocks})"));
    }
    if layer.shape.norm {
        modules.push("conditional norms".to_owned());
    }
    if let Some(Width(width)) = layer.shape.bottleneck {
        modules.push(format!("a conditional bottleneck of width {width}"));
    }
    let with = if modules.is_empty() { "" } else { ", with " };
    let text = format!("{}: {weights}{with}{}.", names::list(&places), names::list(&modules));
    names::sentence(&text)
}
