//! What the network computes, by the names of the authors' numbers.

use std::collections::BTreeMap;

use dfdx::prelude::Gradients;

use super::golden::Inputs;
use crate::authors::{Place, Theirs};
use crate::kernels::{BlockShape, Kernels, Point, Shown};
use crate::nn::Parameter;
use crate::train::plan::Plan;
use crate::train::uncertainty::{self, Candidates, reference};

/// How the values of a result lie in the golden's tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The same.
    Same,
    /// The tokens without padding of `[examples, length, width]`.
    Tokens,
}

/// Values by name.
pub struct Results<'a> {
    plan: &'a Plan,
    /// The authors' names of the tasks.
    tasks: &'a [String],
    inputs: &'a Inputs,
    pub found: BTreeMap<String, (Layout, Vec<f64>)>,
    /// By the authors' names; `None` where a parameter is frozen.
    pub gradients: BTreeMap<String, Option<Vec<f64>>>,
}

impl<'a> Results<'a> {
    pub fn new(plan: &'a Plan, tasks: &'a [String], inputs: &'a Inputs) -> Self {
        Self { plan, tasks, inputs, found: BTreeMap::new(), gradients: BTreeMap::new() }
    }

    fn put(&mut self, name: impl Into<String>, values: Vec<f64>) {
        self.found.insert(name.into(), (Layout::Same, values));
    }

    /// Of the encoder; z is a parameter.
    pub fn activations<D: Kernels>(&mut self, shown: &[Shown], parameters: &[&mut dyn Parameter<D>]) {
        if let Some(z) = parameters.iter().find(|parameter| parameter.meta().name == "task_embedding.weight")
        {
            let z = self.of_examples(&doubles(&z.read()));
            self.put("task_embedding", z);
        }
        let mut layer = 0;
        for Shown { point, values } in shown {
            let values = doubles(values);
            let name = match point {
                Point::TransformedEmbedding => {
                    let z = self.of_examples(&values);
                    self.put("task_embedding_transformed", z);
                    continue;
                }
                Point::AttentionBias(shape) => {
                    let rows = self.of_examples(&values);
                    let bias = rows.chunks_exact(shape.entries()).flat_map(|entries| square(*shape, entries));
                    let bias = bias.collect();
                    self.put(format!("layer.{layer}.attn_bias"), bias);
                    continue;
                }
                Point::Pooled => {
                    self.put("pooled", values);
                    continue;
                }
                Point::Embeddings => "embeddings".to_owned(),
                Point::Alignment => "embeddings_aligned".to_owned(),
                Point::AttentionOutput => format!("layer.{layer}.attention_output"),
                Point::BeforeBottleneck => format!("layer.{layer}.pre_adapter"),
                Point::Bottleneck => format!("layer.{layer}.bottleneck"),
                Point::Layer => {
                    layer += 1;
                    format!("layer.{}", layer - 1)
                }
                Point::Ladder => format!("hidden_film.{}", layer - 1),
            };
            self.found.insert(name, (Layout::Tokens, values));
        }
    }

    /// Of the heads, each with its examples; and the entropies that follow from them.
    pub fn logits(&mut self, heads: Vec<(usize, Vec<usize>, Vec<f32>)>) {
        let count = self.inputs.lengths().len();
        let (mut entropies, mut means) = (vec![0.0; count], vec![0.0; count]);
        let mut largest = 0.0f64;
        for (head, examples, logits) in &heads {
            self.put(format!("logits.{}", self.tasks[*head]), doubles(logits));
            let kind = self.plan.tasks[*head].kind;
            let rows = logits.chunks_exact(kind.outputs());
            let own = rows.map(|row| uncertainty::of_item(kind, row)).collect();
            let candidates = Candidates { entropies: own, uniform: uncertainty::scale(kind) };
            let mean = reference::task_mean(&candidates);
            largest = largest.max(mean);
            for (&example, entropy) in examples.iter().zip(&candidates.entropies) {
                entropies[example] = reference::normalized(*entropy, candidates.uniform);
                means[example] = mean;
            }
        }
        // their forward returns those of the last task that is present
        if let Some((_, _, logits)) = heads.last() {
            self.put("logits_returned", doubles(logits));
        }
        self.put("entropy_per_sample", entropies);
        self.put("entropy_task_mean_per_sample", means);
        self.put("entropy_max_task_mean", vec![largest]);
    }

    /// Of the whole batch, and of each task, 0 where it is absent.
    pub fn losses(&mut self, loss: f64, tasks: &[Option<f64>]) {
        self.put("loss", vec![loss]);
        self.put("loss_per_task", tasks.iter().map(|loss| loss.unwrap_or(0.0)).collect());
    }

    pub fn gradients<D: Kernels>(
        &mut self,
        parameters: &mut [&mut dyn Parameter<D>],
        tasks: &[&str],
        gradients: &mut Gradients<f32, D>,
    ) {
        let theirs = Theirs::of(parameters.iter().map(|parameter| parameter.meta().name.as_str()), tasks);
        for parameter in parameters.iter() {
            let Some(Place { tensor, .. }) = theirs.place(&parameter.meta().name) else { continue };
            let own = parameter.meta().trained.then(|| doubles(&parameter.gradient(gradients)));
            // the upper half of a generator comes before the lower
            let whole = self.gradients.entry(tensor).or_insert_with(|| Some(Vec::new()));
            match (whole.as_mut(), own) {
                (Some(values), Some(own)) => values.extend(own),
                _ => *whole = None,
            }
        }
    }

    /// A row an example, of a row a task.
    fn of_examples(&self, rows: &[f64]) -> Vec<f64> {
        let width = rows.len() / self.plan.tasks.len();
        self.inputs.tasks().flat_map(|task| rows[task * width..(task + 1) * width].iter().copied()).collect()
    }
}

/// M(z) as a matrix of all positions, from its entries.
fn square(shape: BlockShape, entries: &[f64]) -> Vec<f64> {
    let length = shape.sequence;
    let mut square = vec![0.0; length * length];
    for (row, first, entry, count) in shape.rows(length) {
        square[row * length + first..][..count].copy_from_slice(&entries[entry..entry + count]);
    }
    square
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bias_is_zero_outside_of_its_blocks() {
        let entries: Vec<f64> = (1..=5).map(f64::from).collect();
        let square = square(BlockShape::new(3, 2), &entries);
        assert_eq!(square, [1.0, 2.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 5.0]);
    }
}
