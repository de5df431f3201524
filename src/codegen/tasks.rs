//! `src/tasks.rs` of the generated crate: `PLAN`, everything about a model that is not its network.
//!
//! Each function here prints one type of `ir` as its mirror in `camtl::train::plan`, which has `&'static`
//! where `ir` owns.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{names, print, sources};
use crate::ir::{
    AdamW, Backbone, Batch, Family, Fidelity, Kind, Metric, Origin, Program, Sampler, Schedule, Task,
    Training, Uncertainty, Warmup,
};

pub fn tasks_rs(program: &Program) -> String {
    print::file(&doc(program), items(program))
}

pub fn doc(program: &Program) -> String {
    format!("The tasks of `{}`, where their examples come from, and how it is trained.", program.full_name())
}

pub fn items(program: &Program) -> Vec<TokenStream> {
    vec![imports(program), plan(program)]
}

/// Only what the plan names, so that the crate compiles without a warning.
fn imports(program: &Program) -> TokenStream {
    let has_tasks = !program.tasks.is_empty();
    let used = [
        ("AdamW", true),
        ("Backbone", true),
        ("Batch", true),
        ("Family", true),
        ("Fidelity", true),
        ("Kind", has_tasks),
        ("Metric", has_tasks),
        ("Origin", true),
        ("Plan", true),
        ("Sampler", true),
        ("Schedule", true),
        ("Source", has_tasks),
        ("Task", has_tasks),
        ("Training", true),
        ("Uncertainty", has_tasks),
        ("Warmup", true),
    ];
    let used = used.into_iter().chain(sources::used(program)).filter(|(_, used)| *used);
    let mut names: Vec<&str> = used.map(|(name, _)| name).collect();
    names.sort_unstable();
    let names = names.into_iter().map(names::ident);
    quote!(use camtl::train::plan::{#(#names),*};)
}

fn plan(program: &Program) -> TokenStream {
    let doc = print::doc(&format!("Everything about `{}` that is not its network.", program.full_name()));
    let name = &program.name;
    let variant = names::option(program.variant.as_ref().map(|variant| quote!(#variant)));
    let fingerprint = super::fingerprint(program);
    let backbone = backbone(&program.backbone);
    let sequence = names::int(program.sequence);
    let tasks = program.tasks.iter().map(|one| task(one, program.fidelity));
    let training = training(&program.training, program.fidelity);
    quote! {
        #doc
        pub const PLAN: Plan = Plan {
            name: #name,
            variant: #variant,
            fingerprint: #fingerprint,
            backbone: #backbone,
            sequence: #sequence,
            tasks: &[#(#tasks),*],
            training: #training,
        };
    }
}

fn backbone(backbone: &Backbone) -> TokenStream {
    let origin = match &backbone.origin {
        Origin::Checkpoint(place) => quote!(Origin::Checkpoint(#place)),
        Origin::Scratch { tokenizer } => quote!(Origin::Scratch { tokenizer: #tokenizer }),
    };
    let family = match backbone.family {
        Family::Bert => quote!(Family::Bert),
        Family::Roberta => quote!(Family::Roberta),
    };
    let Backbone { family: _, origin: _, layers, hidden, heads, ffn, vocab, positions, token_types } =
        backbone;
    let [layers, hidden, heads, ffn, vocab, positions, token_types] =
        [layers, hidden, heads, ffn, vocab, positions, token_types].map(|&n| names::int(n));
    quote! {
        Backbone {
            family: #family,
            origin: #origin,
            layers: #layers,
            hidden: #hidden,
            heads: #heads,
            ffn: #ffn,
            vocab: #vocab,
            positions: #positions,
            token_types: #token_types,
        }
    }
}

fn task(task: &Task, fidelity: Fidelity) -> TokenStream {
    let name = &task.name;
    let kind = match &task.kind {
        Kind::Classify { labels } => quote!(Kind::Classify { labels: &[#(#labels),*] }),
        Kind::Regress { low, high } => {
            let (low, high) = (names::float(*low), names::float(*high));
            let unit = fidelity == Fidelity::Paper;
            quote!(Kind::Regress { low: #low, high: #high, unit: #unit })
        }
        Kind::Tag { labels } => quote!(Kind::Tag { labels: &[#(#labels),*] }),
        Kind::Span { stride } => {
            let stride = names::int(*stride);
            quote!(Kind::Span { stride: #stride })
        }
        Kind::Choose { choices } => {
            let choices = names::int(*choices);
            quote!(Kind::Choose { choices: #choices })
        }
    };
    let metric = match task.metric {
        Metric::Accuracy => quote!(Metric::Accuracy),
        Metric::F1 => quote!(Metric::F1),
        Metric::AccuracyF1 => quote!(Metric::AccuracyF1),
        Metric::MacroF1 => quote!(Metric::MacroF1),
        Metric::AccuracyMacroF1 => quote!(Metric::AccuracyMacroF1),
        Metric::Matthews => quote!(Metric::Matthews),
        Metric::Pearson => quote!(Metric::Pearson),
        Metric::Spearman => quote!(Metric::Spearman),
        Metric::PearsonSpearman => quote!(Metric::PearsonSpearman),
        Metric::EntityF1 => quote!(Metric::EntityF1),
        Metric::ExactMatchF1 => quote!(Metric::ExactMatchF1),
        Metric::F1aExactMatch => quote!(Metric::F1aExactMatch),
    };
    let data = sources::source(&task.data);
    let weight = names::float(task.weight);
    let uncertainty = match task.uncertainty {
        Uncertainty::Entropy => quote!(Uncertainty::Entropy),
        Uncertainty::As(donor) => {
            let donor = names::int(donor);
            quote!(Uncertainty::As(#donor))
        }
    };
    quote! {
        Task {
            name: #name,
            kind: #kind,
            metric: #metric,
            data: #data,
            weight: #weight,
            uncertainty: #uncertainty,
        }
    }
}

fn training(training: &Training, fidelity: Fidelity) -> TokenStream {
    let fidelity = match fidelity {
        Fidelity::Paper => quote!(Fidelity::Paper),
        Fidelity::Reference => quote!(Fidelity::Reference),
    };
    let sampler = match training.sampler {
        Sampler::MtUncertainty { candidates, rescore } => {
            let [candidates, rescore] = [candidates, rescore].map(names::int);
            quote!(Sampler::MtUncertainty { candidates: #candidates, rescore: #rescore })
        }
        Sampler::Proportional => quote!(Sampler::Proportional),
        Sampler::Uniform => quote!(Sampler::Uniform),
        Sampler::Temperature { temperature, cap } => {
            let temperature = names::float(temperature);
            let cap = names::option(cap.map(|cap| {
                let cap = names::int(cap);
                quote!(#cap)
            }));
            quote!(Sampler::Temperature { temperature: #temperature, cap: #cap })
        }
        Sampler::Sequential => quote!(Sampler::Sequential),
    };
    let schedule = match training.schedule {
        Schedule::Linear { warmup: steps } => {
            let steps = warmup(steps);
            quote!(Schedule::Linear { warmup: #steps })
        }
        Schedule::Constant { warmup: steps } => {
            let steps = warmup(steps);
            quote!(Schedule::Constant { warmup: #steps })
        }
    };
    let AdamW { lr, weight_decay, beta1, beta2, epsilon } = training.optimizer;
    let [lr, weight_decay, beta1, beta2, epsilon] =
        [lr, weight_decay, beta1, beta2, epsilon].map(names::float);
    let batch = match training.batch {
        Batch::Examples(count) => {
            let count = names::int(count);
            quote!(Batch::Examples(#count))
        }
        Batch::Tokens(count) => {
            let count = names::int(count);
            quote!(Batch::Tokens(#count))
        }
    };
    let epochs = names::int(training.epochs);
    let count = |n: Option<usize>| {
        names::option(n.map(|n| {
            let n = names::int(n);
            quote!(#n)
        }))
    };
    let (steps, evaluate_every) = (count(training.steps), count(training.evaluate_every));
    let clip = names::option(training.clip.map(names::float));
    let dropout = names::float(training.dropout);
    let seed = Literal::u64_unsuffixed(training.seed);
    let cache = names::option(training.cache.map(|bytes| {
        let bytes = Literal::u64_unsuffixed(bytes);
        quote!(#bytes)
    }));
    quote! {
        Training {
            sampler: #sampler,
            batch: #batch,
            epochs: #epochs,
            steps: #steps,
            optimizer: AdamW {
                lr: #lr,
                weight_decay: #weight_decay,
                beta1: #beta1,
                beta2: #beta2,
                epsilon: #epsilon,
            },
            schedule: #schedule,
            clip: #clip,
            dropout: #dropout,
            evaluate_every: #evaluate_every,
            seed: #seed,
            cache: #cache,
            fidelity: #fidelity,
        }
    }
}

fn warmup(warmup: Warmup) -> TokenStream {
    match warmup {
        Warmup::Fraction(fraction) => {
            let fraction = names::float(fraction);
            quote!(Warmup::Fraction(#fraction))
        }
        Warmup::Steps(steps) => {
            let steps = names::int(steps);
            quote!(Warmup::Steps(#steps))
        }
    }
}
