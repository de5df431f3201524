//! Operations and memory of a network small enough to count on paper.
#![cfg(feature = "compiler")]

use camtl::analysis;
use camtl::ir::Component::{Alignment, Attention, Bottleneck, Embeddings, Heads, Layers, Norm, Pooler};
use camtl::ir::cost::{Flops, Load, Memory, Sharing, fine_tuned};
use camtl::ir::{Batch, Program, parameters};
use camtl::span::Source;

/// Two examples of three tokens.
const LOAD: Load = Load { batch: Batch::Examples(2), length: 3 };

/// Of one layer for one example.
///
/// - query, key, value, output: 4 x 2 x 4 x 4 = 128 a token; into and out of the feed-forward part: 2 x 2 x 4 x 8 = 128;
///   for 3 tokens 768
/// - Q K^T and the softmax times V: 2 x 3 x 3 x 4 = 72 each (the heads share the 4)
const LINEAR: u64 = 3 * (128 + 128);
const ATTENTION: u64 = 2 * 72;
const LAYER: u64 = LINEAR + ATTENTION;

/// Of the last layer, whose keys and values alone are of all tokens: all else is of the first.
const KEYS_AND_VALUES: u64 = 3 * (2 * 2 * 4 * 4);
const LAST_LINEAR: u64 = KEYS_AND_VALUES + 2 * (2 * 4 * 4) + 128;
const LAST_ATTENTION: u64 = 2 * (2 * 3 * 4);
const LAST: u64 = LAST_LINEAR + LAST_ATTENTION;

/// Two layers of 4 with two heads; a task of two labels and one of three.
fn tiny(items: &str) -> Program {
    program(&format!(
        "model tiny\nbackbone bert {{ checkpoint \"x\" layers 2 hidden 4 heads 2 ffn 8 vocab 10 positions 6 }}\n\
         sequence 4\n\
         tasks {{ a {{ classify 2 data tsv \"a\" }} b {{ classify 3 data tsv \"b\" }} }}\n{items}"
    ))
}

fn flops(items: &str) -> Flops {
    Flops::of(&tiny(items), LOAD)
}

const PROPORTIONAL: &str = "train { sampler proportional   dropout 0.0 }";

#[test]
fn a_plain_network() {
    let Flops { forward, step, scoring } = flops(PROPORTIONAL);
    assert_eq!(forward.of(Embeddings), 0);
    assert_eq!(forward.of(Layers), 2 * (LAYER + LAST));
    assert_eq!(forward.of(Pooler), 2 * (2 * 4 * 4));
    assert_eq!(forward.of(Heads), 2 * 4 * 2 + 2 * 4 * 3); // one example each
    assert_eq!(forward.total(), 2688 + 64 + 40);
    assert_eq!(step.total(), 3 * forward.total());
    assert_eq!(scoring.total(), 0);
}

#[test]
fn what_is_constant_runs_forward_only() {
    let frozen = flops(&format!("freeze embeddings, layer 0\n{PROPORTIONAL}"));
    assert_eq!(frozen.forward, flops(PROPORTIONAL).forward);
    assert_eq!(frozen.step.of(Layers), 2 * (LAYER + 3 * LAST));
}

#[test]
fn frozen_weights_behind_trained_ones_have_the_inputs_gradient_only() {
    // both operands of attention's own products have gradients all the same
    let passed = flops(&format!("freeze layer 1, pooler\n{PROPORTIONAL}"));
    assert_eq!(passed.step.of(Layers), 2 * (3 * LAYER + 2 * LAST_LINEAR + 3 * LAST_ATTENTION));
    assert_eq!(passed.step.of(Pooler), 2 * passed.forward.of(Pooler));
}

#[test]
fn layers_beside_a_ladder_are_on_the_tape_though_they_are_constant() {
    let ladder = "freeze embeddings, layers 0..2, pooler attach bottleneck across layers 1..2 { width 2 }";
    let ladder = flops(&format!("{ladder}\n{PROPORTIONAL}"));
    assert_eq!(ladder.step.of(Layers), 2 * (LAYER + 2 * LINEAR + 3 * ATTENTION));
}

#[test]
fn generators_run_once_a_task_whatever_the_batch() {
    let modules = "attach alignment after embeddings attach attention to layer 1 { blocks 2 }
        attach norm to layer 1 attach bottleneck to layers 0..2 { width 2 }";
    let Flops { forward, step, .. } = flops(&format!("{modules}\n{PROPORTIONAL}"));
    let film = 2 * 2 * (2 * 4 * 4); // gamma and beta for two tasks
    assert_eq!(forward.of(Alignment), film);
    assert_eq!(forward.of(Norm), 2 * film); // a layer has two norms
    assert_eq!(forward.of(Attention), film); // a block has 2 x 2 entries, as many as a token has numbers
    let token = 2 * (2 * 4 * 2); // down and up
    assert_eq!(forward.of(Bottleneck), 2 * film + 2 * (3 * token + token)); // the last layer has one row
    for component in [Alignment, Norm, Attention, Bottleneck] {
        assert_eq!(step.of(component), 3 * forward.of(component));
    }
}

#[test]
fn scoring_runs_the_candidates_and_leaves_their_constant_part_to_the_step() {
    let sampler = "train { sampler mt_uncertainty { candidates 5 } batch 2 }";
    let shared = flops(&format!("freeze embeddings, layer 0\n{sampler}"));
    assert_eq!(shared.scoring.of(Layers), 2 * 5 * (LAYER + LAST));
    assert_eq!(shared.scoring.of(Heads), 5 * (2 * 4 * 2 + 2 * 4 * 3));
    assert_eq!(shared.step.of(Layers), 2 * 3 * LAST);

    // The half of the batch whose task borrows its scores was not run before.
    let borrowing = program(&format!(
        "model tiny\nbackbone bert {{ checkpoint \"x\" layers 2 hidden 4 heads 2 ffn 8 vocab 10 positions 6 }}\n\
         sequence 4\nfreeze embeddings, layer 0\n{sampler}\n\
         tasks {{ a {{ classify 2 data tsv \"a\" }} b {{ regress 0 .. 1 data tsv \"b\" uncertainty as a }} }}"
    ));
    let borrowing = Flops::of(&borrowing, LOAD);
    assert_eq!(borrowing.scoring.of(Layers), 5 * (LAYER + LAST));
    assert_eq!(borrowing.scoring.of(Heads), 5 * (2 * 4 * 2));
    assert_eq!(borrowing.step.of(Layers), LAYER + 2 * 3 * LAST);
}

#[test]
fn scoring_runs_its_generators_once_a_chunk() {
    let norm = "attach norm to layer 0 train { sampler mt_uncertainty { candidates 1000 } }";
    // 2000 candidates of 3 tokens, 4096 tokens a chunk
    let chunked = flops(norm);
    assert_eq!(chunked.scoring.of(Norm), 2 * chunked.forward.of(Norm));
}

#[test]
fn a_scoring_is_shared_by_the_steps_that_train_on_it() {
    let with = |sampler: &str| {
        let sampler = format!("train {{ sampler mt_uncertainty {{ candidates 6 {sampler} }} batch 2 }}");
        tiny(&format!("freeze embeddings, layer 0 {sampler}"))
    };
    let (paper, rare) = (with(""), with("rescore every 3"));
    let flops = |program: &Program| Flops::of(program, LOAD);
    assert_eq!(flops(&rare).scoring.of(Layers) * 3, flops(&paper).scoring.of(Layers));
    assert_eq!(flops(&rare).step, flops(&paper).step);
    // a batch of 4 takes the 12 candidates up in three steps, one of 6 in two
    let larger = |count| Flops::of(&rare, Load { batch: Batch::Examples(count), ..LOAD }).scoring.of(Layers);
    assert_eq!(larger(6) * 2, flops(&paper).scoring.of(Layers));

    // 12 candidates of 3 tokens: what the constant layer made of them lies there during the steps
    let memory = |program: &Program| Memory::of(program, LOAD);
    assert_eq!(memory(&rare).step, memory(&paper).step + 4 * 12 * 3 * 4);
    assert_eq!(memory(&rare).scoring, memory(&paper).scoring);
}

#[test]
fn a_budget_costs_what_as_many_tokens_cost() {
    let modules = "attach norm to layer 1 freeze embeddings, layer 0";
    for sampler in ["proportional", "mt_uncertainty { candidates 6 }"] {
        let program = tiny(&format!("{modules} train {{ sampler {sampler} batch 4 }}"));
        let of = |batch| {
            let load = Load { batch, length: 3 };
            (Flops::of(&program, load), Memory::of(&program, load))
        };
        assert_eq!(of(Batch::Tokens(12)), of(Batch::Examples(4)), "{sampler}");
        // one token more, and still as many examples
        let (flops, memory) = of(Batch::Tokens(13));
        let more = flops.forward.of(Layers) - of(Batch::Examples(4)).0.forward.of(Layers);
        assert_eq!(3 * more, LAYER + KEYS_AND_VALUES);
        assert_eq!(flops.forward.of(Pooler), of(Batch::Examples(4)).0.forward.of(Pooler));
        assert!(memory.step > of(Batch::Examples(4)).1.step);
    }
}

#[test]
fn a_budget_is_the_models_load() {
    let program = tiny("train { sampler mt_uncertainty { candidates 4 rescore every 2 } batch 8 tokens }");
    let load = Load::of(&program);
    assert_eq!(
        (load.examples(), load.tokens(), load.to_string()),
        (2, 8, "8 tokens in examples of 4 word pieces".to_owned())
    );
    // 8 candidates of 4 tokens are four budgets; of 2 tokens two
    let scoring = |length| Flops::of(&program, Load { length, ..load }).scoring.of(Layers);
    let once = |length| {
        let paper = tiny("train { sampler mt_uncertainty { candidates 4 } batch 2 }");
        Flops::of(&paper, Load { batch: Batch::Examples(2), length }).scoring.of(Layers)
    };
    assert_eq!([scoring(4) * 2, scoring(2) * 2, scoring(1)], [once(4), once(2), once(1)]);
}

#[test]
fn memory_of_parameters_is_exact() {
    let program = tiny("freeze embeddings, layer 0 attach norm to layer 1");
    let memory = Memory::of(&program, LOAD);
    let sizes = |is_counted: &dyn Fn(bool) -> bool| -> u64 {
        let list = parameters(&program);
        let counted = list.iter().filter(|parameter| is_counted(parameter.fate.is_trained()));
        counted.map(|parameter| 4 * parameter.size() as u64).sum()
    };
    assert_eq!(memory.weights.total(), sizes(&|_| true));
    assert_eq!(memory.gradients.total(), sizes(&|is_trained| is_trained));
    assert_eq!(memory.optimizer.total(), 2 * memory.gradients.total());
    assert_eq!(memory.gradients.of(Embeddings), 0);
    assert_eq!(memory.gradients.of(Layers) * 2, memory.weights.of(Layers));
}

#[test]
fn a_layer_keeps_what_its_backward_half_reads() {
    // 6 tokens: 8 x [4], [8], 2 x [1]
    let layer = 4 * 6 * (32 + 8 + 2);
    // of the last layer keys and values; of two examples 6 x [4], [8], 2 x [1]
    let last = 4 * (6 * 8 + 2 * (24 + 8 + 2));
    let kept = |items: &str| Memory::of(&tiny(items), LOAD).activations;
    assert_eq!(kept(PROPORTIONAL).of(Layers), layer + last);
    // what is dropped is a function of the place: none of it is kept
    let dropped = "train { sampler proportional   dropout 0.1 }";
    assert_eq!(kept(dropped).of(Layers), layer + last);
    // the feed-forward part's output, that modulated, [2] before GELU, and gamma(z) and beta(z) of two tasks
    let bottleneck = format!("attach bottleneck to layer 1 {{ width 2 }} {PROPORTIONAL}");
    assert_eq!(kept(&bottleneck).of(Bottleneck), 4 * (2 * (2 * 4 + 2) + 2 * 2 * 4));
    // of a constant layer the output stays, of constant embeddings below it nothing
    let frozen = kept(&format!("freeze embeddings, layer 0\n{PROPORTIONAL}"));
    assert_eq!((frozen.of(Layers), frozen.of(Embeddings)), (last + 4 * 6 * 4, 0));
}

#[test]
fn one_model_of_many_tasks_shares_all_but_head_and_embedding() {
    let program = tiny("attach alignment after embeddings");
    let count = camtl::ir::ParameterCount::of(&program);
    let backbone = count.backbone as f64;
    let head = (2.0 * 5.0 + 3.0 * 5.0) / 2.0; // 4 weights and a bias an output
    let own = Sharing::of(&program, 2);
    assert!((own.together - count.ratio()).abs() < 1e-12);
    assert!((own.apart - 2.0 * (backbone + head) / backbone).abs() < 1e-12);
    let more = Sharing::of(&program, 10);
    assert!((more.together - own.together - 8.0 * (4.0 + head) / backbone).abs() < 1e-12);

    let alone = parameters(&fine_tuned(&program));
    let alone: usize = alone.iter().map(|parameter| parameter.size()).sum();
    assert_eq!(alone, count.backbone + 2 * 5);
}

#[test]
fn no_size_is_too_large_to_count() {
    let largest = program(
        "model largest\nbackbone bert { tokenizer \"x\" layers 1000 hidden 100000 heads 100000 ffn 1000000
         vocab 10000000 positions 100000 token_types 1000 }\nsequence 100000\n\
         tasks { a { classify 1000 data tsv \"a\" } }\n\
         attach alignment after embeddings attach attention to layers 0..1000 { blocks 1 }\n\
         attach norm to layers 0..1000 attach bottleneck to layers 0..1000 { width 1000000 }",
    );
    let load = Load { batch: Batch::Examples(1_000_000), length: 100_000 };
    assert_eq!(Flops::of(&largest, load).step.total(), u64::MAX);
    assert_eq!(Memory::of(&largest, load).peak(), u64::MAX);
}

fn program(text: &str) -> Program {
    match analysis::compile(&Source::new("tiny.cam", text)) {
        Ok((program, _)) => program,
        Err(mistakes) => panic!("mistakes: {:?}", mistakes.codes()),
    }
}
