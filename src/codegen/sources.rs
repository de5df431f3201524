//! Where a task's examples come from, as the generated crate says it.

use proc_macro2::TokenStream;
use quote::quote;

use super::names;
use crate::ir::{Columns, Files, Format, Program, Source};

/// The names that the sources of a program need beside `Source`.
pub fn used(program: &Program) -> [(&'static str, bool); 3] {
    let any = |holds: fn(&Source) -> bool| program.tasks.iter().any(|task| holds(&task.data));
    [
        ("Columns", any(|source| !is_short(source) && source.format.columns().is_some())),
        ("Format", any(|source| !is_short(source))),
        ("Split", any(|source| !source.files.is_empty())),
    ]
}

/// Those with a constructor of their own.
fn is_short(source: &Source) -> bool {
    matches!(source.format, Format::Glue(_) | Format::SuperGlue(_) | Format::Tsv(Columns::Usual))
}

/// An expression of the type `camtl::train::plan::Source`.
pub fn source(source: &Source) -> TokenStream {
    let Source { format, folder, files } = source;
    let plain = match format {
        Format::Glue(set) => quote!(Source::glue(#set, #folder)),
        Format::SuperGlue(set) => quote!(Source::super_glue(#set, #folder)),
        Format::Tsv(Columns::Usual) => quote!(Source::tsv(#folder)),
        Format::Squad => quote!(Source::new(Format::Squad, #folder)),
        Format::Mrqa(set) => quote!(Source::new(Format::Mrqa(#set), #folder)),
        Format::Conll => quote!(Source::new(Format::Conll, #folder)),
        Format::Snli => quote!(Source::new(Format::Snli, #folder)),
        Format::SciTail => quote!(Source::new(Format::SciTail, #folder)),
        Format::Csv(columns) => table(quote!(Csv), columns, folder),
        Format::Tsv(columns) => table(quote!(Tsv), columns, folder),
        Format::JsonLines(columns) => table(quote!(JsonLines), columns, folder),
    };
    let Files { train, dev, test } = files;
    let named = [(quote!(Train), train), (quote!(Dev), dev), (quote!(Test), test)];
    let named = named.into_iter().filter_map(|(split, file)| {
        let file = file.as_ref()?;
        Some(quote!(.with_file(Split::#split, #file)))
    });
    quote!(#plain #(#named)*)
}

fn table(format: TokenStream, columns: &Columns, folder: &str) -> TokenStream {
    let columns = match columns {
        Columns::Usual => quote!(Columns::Usual),
        Columns::Named { label, text_a, text_b, id } => {
            let text = |text: &Option<String>| names::option(text.as_ref().map(|text| quote!(#text)));
            let (text_b, id) = (text(text_b), text(id));
            quote!(Columns::Named { label: #label, text_a: #text_a, text_b: #text_b, id: #id })
        }
        Columns::Choices { label, text_a, text_b, choices, id } => {
            let text = |text: &Option<String>| names::option(text.as_ref().map(|text| quote!(#text)));
            let (text_b, id) = (text(text_b), text(id));
            quote! {
                Columns::Choices {
                    label: #label,
                    text_a: #text_a,
                    text_b: #text_b,
                    choices: &[#(#choices),*],
                    id: #id,
                }
            }
        }
    };
    quote!(Source::new(Format::#format(#columns), #folder))
}
