//! What a model becomes of several files and in its variants, and that mistakes there are told where they are.

use std::collections::HashMap;

use camtl::analysis::{Compiled, Files, NoFiles, Rejected, compile_model};
use camtl::diagnostics::Style;
use camtl::ir::{Batch, Fidelity, Program, Sampler, Weights};
use camtl::span::Source;

/// Files that lie in memory.
struct Texts(HashMap<&'static str, &'static str>);

impl Files for Texts {
    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "there is no such file".to_owned())
    }

    fn checkpoint_config(&self, checkpoint: &str) -> Option<String> {
        self.0.get(checkpoint).map(|text| (*text).to_owned())
    }
}

const HEAD: &str = "model example\n\
    backbone bert { checkpoint \"mine\" layers 4 hidden 8 heads 2 ffn 8 vocab 8 positions 8 }\n\
    sequence 8\n";
const TASKS: &str = "tasks { one { classify 2 data tsv \"one\" } two { classify 2 data tsv \"two\" } }\n";

fn read(items: &str, files: &[(&'static str, &'static str)]) -> Result<Compiled, Box<Rejected>> {
    let files = Texts(files.iter().copied().collect());
    let compiled = compile_model(&Source::new("models/example.cam", format!("{HEAD}{items}")), &files)?;
    match compiled.failures.is_empty() {
        true => Ok(compiled),
        false => Err(Box::new(Rejected { sources: compiled.sources, diagnostics: compiled.failures })),
    }
}

fn compile(items: &str) -> Compiled {
    read(&format!("{TASKS}{items}"), &[]).unwrap_or_else(|rejected| panic!("{}", report(&rejected)))
}

fn reject(items: &str) -> String {
    match read(&format!("{TASKS}{items}"), &[]) {
        Ok(_) => panic!("there is a mistake in it"),
        Err(rejected) => report(&rejected),
    }
}

fn report(rejected: &Rejected) -> String {
    rejected.diagnostics.render(&rejected.sources, Style::Plain)
}

fn names(program: &Program) -> Vec<&str> {
    program.tasks.iter().map(|task| task.name.as_str()).collect()
}

/// A letter a layer: has it the module?
fn layers(program: &Program, has: impl Fn(&camtl::ir::Layer) -> bool) -> String {
    program.layers.iter().map(|layer| if has(layer) { 'x' } else { '-' }).collect()
}

#[test]
fn included_tasks_stand_where_they_are_included() {
    let files = [
        ("tasks/a.cam", "tasks { a { classify 2 data tsv \"a\" } } // the last line is a comment"),
        ("tasks/more/b.cam", "include \"c.cam\"\ntasks { b { classify 2 data tsv \"b\" } }"),
        ("tasks/more/c.cam", "tasks { c { classify 2 data tsv \"c\" } }"),
    ];
    let items = format!("include \"tasks/a.cam\"\n{TASKS}include \"tasks/more/b.cam\" train {{ seed 7 }}");
    let compiled = read(&items, &files).expect("all files are right");
    assert_eq!(names(&compiled.program), ["a", "one", "two", "c", "b"]);

    let alone = Source::new("models/example.cam", compiled.text);
    let again = compile_model(&alone, &NoFiles).expect("the whole text says the same");
    assert_eq!(again.program, compiled.program);
}

#[test]
fn mistakes_are_shown_in_the_file_that_they_are_in() {
    let files = [("tasks/a.cam", "tasks {\n    one { clasify 2 data tsv \"a\" }\n}")];
    let items = format!("include \"tasks/a.cam\"\n{TASKS}");
    let rejected = read(&items, &files).expect_err("a key is misspelt, and a name there twice");
    let report = report(&rejected);
    assert!(report.contains("models/tasks/a.cam:2:11"), "{report}");
    assert!(report.contains("models/example.cam:5:9"), "{report}");
    assert!(report.contains("and in `models/tasks/a.cam`"), "{report}");
    let entries = rejected.diagnostics.entries(&rejected.sources);
    assert_eq!(entries.len(), 2);
    let files: Vec<&str> = entries[0].labels.iter().map(|label| label.file.as_str()).collect();
    assert_eq!(files, ["models/tasks/a.cam", "models/example.cam"]);
}

#[test]
fn a_variant_differs_in_what_it_says() {
    let compiled = compile(
        "freeze embeddings, layers 0..2\n\
         attach attention to layers 2..4 { blocks 2 }\n\
         attach norm to layers 0..4\n\
         attach bottleneck across layers 2..4 { width 2 }\n\
         train { batch 8 epochs 2 optimizer adamw { lr 1e-3 weight_decay 0.5 } }\n\
         variant less {\n\
             detach norm from layers 1..3   detach bottleneck\n\
             attach attention to layers 0..4 { blocks 4 }\n\
             freeze layers 0..3   unfreeze layer 1\n\
             drop one   tasks { three { classify 3 data tsv \"three\" } two { classify 4 data tsv \"two\" } }\n\
             sequence 4   fidelity reference\n\
         }\n\
         variant least of less { train { steps 9 sampler proportional optimizer adamw { lr 2e-3 } } detach norm }",
    );
    let Compiled { program: model, variants, .. } = &compiled;
    let [less, least] = variants.as_slice() else { panic!("two variants") };

    assert_eq!(model.full_name(), "example");
    assert_eq!(least.full_name(), "example.least");
    assert_eq!(
        [names(model), names(less), names(least)],
        [vec!["one", "two"], vec!["two", "three"], vec!["two", "three"]]
    );
    assert_eq!(less.tasks[0].kind.outputs(), 4);
    assert_eq!([model.sequence, less.sequence], [8, 4]);
    assert_eq!([model.fidelity, less.fidelity], [Fidelity::Paper, Fidelity::Reference]);

    assert_eq!(layers(model, |layer| layer.norm), "xxxx");
    assert_eq!(layers(less, |layer| layer.norm), "x--x");
    assert_eq!(layers(least, |layer| layer.norm), "----");
    let blocks = |program: &Program| program.layers[3].attention.map(|blocks| blocks.blocks);
    assert_eq!([blocks(model), blocks(less)], [Some(2), Some(4)]);
    assert_eq!([model.ladder.is_some(), less.ladder.is_some()], [true, false]);
    let frozen = |program: &Program| layers(program, |layer| layer.weights == Weights::Frozen);
    assert_eq!([frozen(model), frozen(less)], ["xx--", "x-x-"]);

    assert_eq!(less.training, model.training);
    let training = &least.training;
    assert_eq!((training.steps, training.batch), (Some(9), Batch::Examples(8)));
    assert_eq!(training.sampler, Sampler::Proportional);
    assert_eq!((training.optimizer.lr, training.optimizer.weight_decay), (2e-3, 0.5));
}

#[test]
fn a_mistake_of_one_variant_names_it() {
    let report = reject(
        "tasks { three { regress 0 .. 1 data tsv \"three\" uncertainty as one } }\n\
         variant without { drop one }\n\
         variant fine { drop two }",
    );
    assert!(report.contains("no task is named `one`"), "{report}");
    assert!(report.contains("in the variant `without`"), "{report}");
    assert!(!report.contains("`fine`"), "{report}");
}

#[test]
fn a_mistake_of_the_model_is_not_told_again_for_its_variants() {
    let report =
        reject("attach norms to layer 1\nvariant a { drop one }\nvariant b of a { drop two tasks {} }");
    assert_eq!(report.matches("cam::attach::unknown_module").count(), 1, "{report}");
    assert_eq!(report.matches("cam::task::none").count(), 1, "{report}");
}

#[test]
fn an_assertion_is_about_the_form_it_stands_in() {
    compile("attach norm to layer 0 assert trained > 900 variant bare { detach norm assert trained < 4 k }");
    let report = reject("attach norm to layer 0 variant bare { detach norm assert trained > 1 M }");
    assert!(report.contains("`trained > 1 M` does not hold: `example.bare` has 2.1 k"), "{report}");
}

#[test]
fn a_batch_that_would_hold_an_assertion_is_named() {
    let report = reject("train { batch 256 } assert memory <= 1 MB");
    let (_, rest) = report.split_once("`batch ").expect("a batch is proposed");
    let batch: usize = rest.split('`').next().expect("a number").parse().expect("a number");
    compile(&format!("train {{ batch {batch} }} assert memory <= 1 MB"));
    let more = reject(&format!("train {{ batch {} }} assert memory <= 1 MB", batch + 1));
    assert!(more.contains("cam::assert::fails"));

    let budget =
        |tokens| format!("train {{ sampler proportional batch {tokens} tokens }} assert memory <= 1 MB");
    let report = reject(&budget(4096));
    let (_, rest) = report.split_once("`batch ").expect("a budget is proposed");
    let tokens: usize =
        rest.split_once(" tokens` would hold").expect("in tokens").0.parse().expect("a number");
    compile(&budget(tokens));
    assert!(reject(&budget(tokens + 1)).contains("cam::assert::fails"));
    let none = reject(&budget(4096).replace("1 MB", "1e-3 MB"));
    assert!(none.contains("no batch is small enough"), "{none}");
}

#[test]
fn a_checkpoint_at_hand_is_asked_for_its_sizes() {
    let config = r#"{"num_hidden_layers": 6, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8,
        "vocab_size": 8, "max_position_embeddings": 9, "model_type": "bert"}"#;
    let rejected = read(TASKS, &[("mine", config)]).expect_err("two sizes differ");
    assert_eq!(rejected.diagnostics.codes(), ["cam::freezing::not_loaded", "cam::backbone::checkpoint"]);
    assert!(read(TASKS, &[("mine", "no JSON")]).is_ok(), "loading will tell");
}

/// A broken item hides no mistake of another one, and what it may have said is not missed.
#[test]
fn mistakes_of_syntax_hide_no_others() {
    let text = r#"model Twelve

backbone bert {
    checkpoint "bert-base-cased"
    layers 12   hidden = 768
    heads 12   ffn 3072   vocab 28996   positions 512
}
sequence 12x

tasks {
    cola { clasify 2   data glue "CoLA" }
    sst2 { classify 2   metric pearson   data glue "SST-2" }
    stsb { regress 5 .. 0   data glue "STS-B"   uncertainty as colla }
}

freeze embeddings layers 0..6

attach norms to layers 6..12
attach bottleneck to layer 11 { width 0 }

variant a { detach alignment   drop rte }
variant b of c { train { batch 8 } }

train {
    sampler uniform
    schedule linear { warmup 200% }
"#;
    let source = Source::new("twelve.cam", text);
    let rejected = compile_model(&source, &NoFiles).expect_err("twelve mistakes");
    let entries = rejected.diagnostics.entries(&rejected.sources);
    let found: Vec<String> = entries
        .iter()
        .map(|entry| {
            let label = entry.labels.iter().find(|label| label.primary).expect("each has a place");
            let word = &text[label.start.offset..label.end.offset];
            format!("{}: {} `{word}`", label.start.line, entry.code.as_deref().unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"));
    assert!(found.len() >= 12, "{found:?}");
}

#[test]
fn a_file_is_included_once_by_whatever_way() {
    let files = [
        ("x.cam", "tasks { x { classify 2 data tsv \"x\" } }"),
        ("y.cam", "include \"x.cam\"\ntasks { y { classify 2 data tsv \"y\" } }"),
    ];
    let both = format!("{TASKS}include \"y.cam\"\nvariant a {{ include \"x.cam\" include \"y.cam\" }}");
    let rejected = read(&both, &files).expect_err("the variant includes x.cam twice");
    assert_eq!(rejected.diagnostics.codes(), ["cam::include::repeated"], "{}", report(&rejected));
    let one = format!("{TASKS}include \"y.cam\"\nvariant a {{ include \"y.cam\" drop y }}");
    let compiled = read(&one, &files).expect("each includes it once");
    assert_eq!(names(&compiled.variants[0]), ["one", "two", "x"]);
}

/// Each level includes the one below by two ways, a variant by all: no file is read or copied more than once a form.
#[test]
fn includes_do_not_multiply() {
    let names: Vec<&'static str> =
        (0..90).map(|i| -> &'static str { Box::leak(format!("f{i}.cam").into_boxed_str()) }).collect();
    let text = |i: usize| -> &'static str {
        let below: String = (0..i).rev().take(2).map(|below| format!("include \"f{below}.cam\"\n")).collect();
        Box::leak(format!("{below}tasks {{ t{i} {{ classify 2 data tsv \"t\" }} }}").into_boxed_str())
    };
    let files: Vec<(&'static str, &'static str)> = (0..90).map(|i| (names[i], text(i))).collect();
    let rejected = read("include \"f89.cam\"", &files).expect_err("most are included twice");
    assert!(rejected.diagnostics.codes().iter().all(|code| code == "cam::include::repeated"));
}

#[test]
fn a_variants_own_warnings_are_told_wherever_their_words_stand() {
    let warnings = |items: &str| compile(items).warnings.codes();
    let probe = "freeze embeddings, layers 0..2 attach norm to layers 2..4 ";
    assert_eq!(warnings(probe), [""; 0]);
    let only_heads = format!("{probe} variant v {{ detach norm freeze layers 2..4, pooler }}");
    assert_eq!(warnings(&only_heads), ["cam::freezing::only_heads"]);
    let prefix = "attach alignment after embeddings variant v { freeze embeddings, layers 0..2 }";
    assert_eq!(warnings(prefix), ["cam::freezing::constant_prefix"]);
    let warmup = "train { schedule linear { warmup 500 } } variant v { train { steps 100 } }";
    assert_eq!(warnings(warmup), ["cam::train::long_warmup"]);
    let uneven = "attach attention to layer 0 { blocks 2 } variant v { sequence 7 }";
    assert_eq!(warnings(uneven), ["cam::shape::uneven_blocks"]);
    assert_eq!(warnings("variant v { sequence 8 }"), ["cam::variant::empty"]);
}

#[test]
fn a_cache_without_constant_layers_is_told_with_the_reason() {
    let told = |items: &str| {
        let Compiled { sources, warnings, .. } = compile(items);
        let codes = warnings.codes();
        let is_about_it = |code: &String| code == "cam::train::unused_cache";
        let report = warnings.render(&sources, Style::Plain).replace("\n  │", "");
        if codes.iter().any(is_about_it) { report } else { String::new() }
    };
    let frozen = "freeze embeddings, layers 0..2 train { cache 1 MiB }";
    assert_eq!(told(frozen), "");
    assert_eq!(told("train { cache off }"), "");
    for (items, why) in [
        ("train { cache 1 MiB }", "the embeddings before all layers are trained"),
        ("freeze embeddings train { cache 1 MiB }", "layer 0 is trained"),
        (&format!("{frozen} attach alignment after embeddings"), "alignment before all layers is trained"),
        (&format!("{frozen} attach norm to layers 0..4"), "the module of layer 0 is trained"),
        (
            &format!("{frozen} attach bottleneck across layers 0..4 {{ width 2 }}"),
            "the ladder begins at layer 0",
        ),
        // in a variant alone, by what it adds
        (
            &format!("{frozen} variant v {{ attach alignment after embeddings }}"),
            "alignment before all layers",
        ),
    ] {
        assert!(told(items).contains(why), "{items}: {}", told(items));
    }
}

#[test]
fn a_variant_replaces_a_bottleneck_of_either_sort() {
    let ladder = compile(
        "attach bottleneck to layer 3 { width 2 } variant v { attach bottleneck across layers 2..4 { width 2 } }",
    );
    assert!(ladder.variants[0].ladder.is_some());
    assert_eq!(layers(&ladder.variants[0], |layer| layer.bottleneck.is_some()), "----");
    let inner = compile(
        "attach bottleneck across layers 2..4 { width 2 } variant v { attach bottleneck to layer 3 { width 2 } }",
    );
    assert!(inner.variants[0].ladder.is_none());
    let report = reject(
        "attach bottleneck across layers 2..4 { width 2 } attach bottleneck to layer 0 { width 2 } variant v { detach bottleneck from layers 0..3 }",
    );
    assert!(report.contains("a ladder of bottlenecks is detached as a whole"), "{report}");
}

#[test]
fn a_variants_sampler_and_batch_take_the_place_of_the_models_key_by_key() {
    let compiled = compile(
        "train { sampler mt_uncertainty { candidates 9 rescore every 3 } batch 6 cache 2 GiB }
         freeze embeddings, layer 0
         variant often { train { sampler mt_uncertainty { rescore every 1 } } }
         variant budget { train { batch 40 tokens } }
         variant plain of budget { train { sampler proportional cache off } }",
    );
    let [often, budget, plain] = compiled.variants.as_slice() else { panic!("three variants") };
    let settings = |program: &Program| {
        let training = &program.training;
        (training.sampler, training.batch, training.cache)
    };
    let scored = |rescore| Sampler::MtUncertainty { candidates: 9, rescore };
    let cache = Some(2 << 30);
    assert_eq!(settings(&compiled.program), (scored(3), Batch::Examples(6), cache));
    assert_eq!(settings(often), (scored(1), Batch::Examples(6), cache));
    assert_eq!(settings(budget), (scored(3), Batch::Tokens(40), cache));
    assert_eq!(settings(plain), (Sampler::Proportional, Batch::Tokens(40), None));

    // what follows the batch by default has to be said beside a budget
    let report = reject("train { batch 6 } variant budget { train { batch 40 tokens } }");
    assert!(report.contains("cam::sampler::budget") && report.contains("candidates 5"), "{report}");
}

#[test]
fn too_few_candidates_are_told_with_the_nearest_legal_values() {
    for (settings, help) in [
        (
            "candidates 4 } batch 65 tokens",
            "at least `candidates 5`, which leaves no choice even of the longest",
        ),
        ("candidates 4 } batch 9", "at least `candidates 5`, which leaves no choice; the paper draws"),
        ("rescore every 3 } batch 8", "nearest legal: `rescore every 2` or `candidates 12`"),
        ("candidates 9 rescore every 4 } batch 6", "`rescore every 3` or `candidates 12` or `batch 4`"),
        ("candidates 2 rescore every 9 } batch 3", "nearest legal: `rescore every 1` or `candidates 14`"),
    ] {
        let report = reject(&format!("train {{ sampler mt_uncertainty {{ {settings} }}"));
        assert!(report.split_whitespace().collect::<Vec<_>>().join(" ").contains(help), "{report}");
    }
    compile("train { sampler mt_uncertainty { candidates 12 rescore every 4 } batch 6 }");
    compile("train { sampler mt_uncertainty { candidates 4 rescore every 99 } batch 64 tokens }");
}

#[test]
fn a_variants_length_takes_the_place_of_the_models() {
    let shorter = compile("train { epochs 2 } variant v { train { steps 9 } }");
    assert_eq!(shorter.warnings.codes(), [""; 0], "`epochs` is not there beside `steps`");
    let longer = compile("train { steps 9 } variant v { train { epochs 2 } }");
    let training = &longer.variants[0].training;
    assert_eq!((training.steps, training.epochs), (None, 2));
}
