//! Floating-point operations of the matrix products, a multiply-add counted as two.
//!
//! The rest (norms, GELU, softmax, FiLM, the optimizer) is left out: it is linear in what the products read and write,
//! a percent or two of the operations, though more of the time.
//!
//! y = x W^T for x `[rows, in]` and W `[out, in]` is one product of 2 rows in out operations. Its backward half is the
//! input's gradient, as many again, and the weight's gradient, as many again where the weight is trained. The runtime
//! computes the input's gradient of everything on the tape, also where nothing trained lies before it. The constant
//! part is not on the tape; where MT-Uncertainty has scored an example, the step finds its constant part there. Of a last
//! layer of which only `[CLS]` is made, key and value alone are of all tokens.

use super::{ByComponent, Candidates, Load, fresh, is_finish};
use crate::ir::{Backbone, Batch, Component, Fidelity, Layer, Program, Uncertainty, Weights, Width};

/// Of one step, by component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flops {
    /// One forward run over the batch, as in evaluation.
    pub forward: ByComponent,
    /// The training step: forward and backward, without the scoring before it.
    pub step: ByComponent,
    /// MT-Uncertainty's forward runs over the candidates of every task that is scored, shared among the steps that
    /// train on them; 0 under another sampler.
    pub scoring: ByComponent,
}

impl Flops {
    pub fn of(program: &Program, load: Load) -> Self {
        let length = load.length;
        let candidates = Candidates::of(program, load);
        let (chunks, _) = candidates.chunks(length);
        let scored = Load { batch: Batch::Examples(candidates.all()), length };
        let fresh = fresh(program, load);
        let (tasks, steps) = (program.tasks.len(), candidates.steps as u128);

        let mut flops = Self::default();
        for Product { component, operations, rows, backward } in products(program, length) {
            let forward = |load: Load, runs: usize| {
                operations
                    * match rows {
                        Rows::Tokens => load.tokens() as u128,
                        Rows::Examples => load.examples() as u128,
                        Rows::Tasks => runs as u128 * tasks as u128,
                    }
            };
            flops.forward.add(component, forward(load, 1));
            flops.step.add(
                component,
                match backward {
                    Backward::None => forward(fresh, 1),
                    Backward::Input => 2 * forward(load, 1),
                    Backward::InputAndWeight => 3 * forward(load, 1),
                },
            );
            flops.scoring.add(component, forward(scored, chunks) / steps);
        }
        for task in &program.tasks {
            let rows = task.kind.rows(length) as u128; // of an example
            let head = linear(program.backbone.hidden, task.kind.outputs()) * rows;
            let of_batch = head * load.examples() as u128 / tasks as u128; // a task's share of it
            flops.forward.add(Component::Heads, of_batch);
            flops.step.add(Component::Heads, 3 * of_batch);
            if task.uncertainty == Uncertainty::Entropy {
                flops.scoring.add(Component::Heads, head * candidates.each as u128 / steps);
            }
        }
        flops
    }
}

/// One product, or several alike.
struct Product {
    component: Component,
    /// Of a forward run, for one row.
    operations: u128,
    rows: Rows,
    backward: Backward,
}

/// What a product is computed for.
#[derive(Clone, Copy)]
enum Rows {
    /// Every token of every example.
    Tokens,
    /// Every example.
    Examples,
    /// Every task of the program, once a run: gamma(z) and beta(z), whatever the batch holds.
    Tasks,
}

/// The gradients that a step computes.
#[derive(Clone, Copy)]
enum Backward {
    /// Constant: no tape.
    None,
    /// Its weights are frozen.
    Input,
    InputAndWeight,
}

/// Every product of the network but the heads'.
fn products(program: &Program, length: usize) -> Vec<Product> {
    let hidden = program.backbone.hidden;
    let mut list = Vec::new();
    if program.transforms_task() {
        list.push(of_tasks(Component::TaskEmbedding, linear(hidden, hidden)));
    }
    if program.embeddings.alignment {
        list.push(film(Component::Alignment, hidden, hidden));
    }
    let constant = program.constant_part();
    for (index, layer) in program.layers.iter().enumerate() {
        let rows = if is_finish(program, index) { Rows::Examples } else { Rows::Tokens };
        layer_products(program, layer, (rows, index < constant), length, &mut list);
    }
    if let Some(ladder) = &program.ladder {
        ladder.layers.clone().for_each(|_| bottleneck(ladder.width, Rows::Tokens, program, &mut list));
    }
    list.push(Product {
        component: Component::Pooler,
        operations: linear(hidden, hidden),
        rows: Rows::Examples,
        backward: backward(program.pooler.weights),
    });
    list
}

fn layer_products(
    program: &Program,
    layer: &Layer,
    (rows, is_constant): (Rows, bool),
    length: usize,
    list: &mut Vec<Product>,
) {
    let Backbone { hidden, ffn, .. } = program.backbone;
    let on_tape = |backward: Backward| if is_constant { Backward::None } else { backward };
    // key and value; query and attention's output, into and out of the feed-forward part
    let of_rows = 2 * linear(hidden, hidden) + linear(hidden, ffn) + linear(ffn, hidden);
    for (operations, rows) in [(2 * linear(hidden, hidden), Rows::Tokens), (of_rows, rows)] {
        let backward = on_tape(backward(layer.weights));
        list.push(Product { component: Component::Layers, operations, rows, backward });
    }
    // Q K^T is [length, length] a head, and so is what weighs V; of either the two operands have gradients
    list.push(Product {
        component: Component::Layers,
        operations: 2 * linear(hidden, length),
        rows,
        backward: on_tape(Backward::InputAndWeight),
    });
    if let Some(blocks) = layer.attention {
        list.push(film(Component::Attention, hidden, blocks.generated(program.fidelity)));
    }
    if layer.norm {
        list.extend([film(Component::Norm, hidden, hidden), film(Component::Norm, hidden, hidden)]);
    }
    if let Some(width) = layer.bottleneck {
        bottleneck(width, rows, program, list);
        if program.fidelity == Fidelity::Reference {
            list.push(film(Component::Bottleneck, hidden, hidden)); // of its own norm
        }
    }
}

/// FiLM's generators, then down and up; in the authors' code before them a linear map of z.
fn bottleneck(Width(width): Width, rows: Rows, program: &Program, list: &mut Vec<Product>) {
    let hidden = program.backbone.hidden;
    if program.fidelity == Fidelity::Reference {
        list.push(of_tasks(Component::Bottleneck, linear(hidden, hidden)));
    }
    list.push(film(Component::Bottleneck, hidden, hidden));
    list.push(Product {
        component: Component::Bottleneck,
        operations: linear(hidden, width) + linear(width, hidden),
        rows,
        backward: Backward::InputAndWeight,
    });
}

/// gamma(z) and beta(z), each `[tasks, width]`.
fn film(component: Component, hidden: usize, width: usize) -> Product {
    of_tasks(component, 2 * linear(hidden, width))
}

/// What is computed of z.
fn of_tasks(component: Component, operations: u128) -> Product {
    Product { component, operations, rows: Rows::Tasks, backward: Backward::InputAndWeight }
}

fn backward(weights: Weights) -> Backward {
    match weights {
        Weights::Frozen => Backward::Input,
        Weights::Trained => Backward::InputAndWeight,
    }
}

/// One row through a linear map.
fn linear(inputs: usize, outputs: usize) -> u128 {
    2 * inputs as u128 * outputs as u128
}
