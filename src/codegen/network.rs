//! `src/network.rs` of the generated crate: its types, from the layers to the encoder and the heads.

use proc_macro2::TokenStream;
use quote::quote;

use super::group_layers::{Groups, LayerType, Shape, group_layers};
use super::{encoder, heads, names, print};
use crate::ir::{Blocks, Program, Weights, Width};

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
    items.extend(layer_types(program, &groups));
    items.extend(encoder::items(program, &groups));
    items.extend(heads::items(program));
    items
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
                quote!(BlockAttention<#sequence, #blocks>)
            }
            None => quote!(PlainAttention),
        };
        let norm = if norm { quote!(CondNorm) } else { quote!(PlainNorm) };
        let bottleneck = match bottleneck {
            Some(Width(width)) => {
                let width = names::int(width);
                quote!(CondBottleneck<#width>)
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
