//! A parameter's gradient: all of it or, of a table of which a step uses few rows, those rows alone.
//!
//! dfdx fills a gradient with zeros before anything is added to it. Most of the word embeddings', a good part of a small
//! network, would stay zero and be read twice more. So the rows used lie under the name of an empty tensor
//! ([`Used`]), which has no zeros to begin with: row after row, ascending, and behind the rows their numbers.

use dfdx::prelude::{Cpu, Gradients, HasErr, HasShape, Shape, Tensor};

use super::embedding::scatter;
use crate::kernels::Used;

/// The gradient of a parameter.
#[derive(Clone, Copy)]
pub enum Gradient<'a> {
    Whole(&'a [f32]),
    /// Of a table of `all` numbers, rows of `width`.
    Rows {
        all: usize,
        width: usize,
        rows: Rows<'a>,
    },
}

/// Some rows of a table.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// One behind the other.
    pub values: &'a [f32],
    /// Their numbers in the table, ascending: whole numbers.
    pub numbers: &'a [f32],
}

impl<'a> Rows<'a> {
    fn new(buffer: &'a [f32], width: usize) -> Self {
        let (values, numbers) = buffer.split_at(buffer.len() / (width + 1) * width);
        Self { values, numbers }
    }
}

impl<'a> Gradient<'a> {
    /// Of `value`; zeros where none arrived.
    pub fn of<S: Shape>(
        gradients: &'a mut Gradients<f32, Cpu>,
        value: &Tensor<S, f32, Cpu>,
        used: &Used<Cpu>,
    ) -> Self {
        if kept(gradients, used).is_empty() {
            return Self::Whole(kept(gradients, value));
        }
        let width = value.shape().concrete().into_iter().last().unwrap_or(1);
        let rows = Rows::new(kept(gradients, used), width);
        Self::Rows { all: value.shape().num_elements(), width, rows }
    }

    /// All of it.
    pub fn whole(&self) -> Vec<f32> {
        match *self {
            Self::Whole(values) => values.to_vec(),
            Self::Rows { all, width, rows } => {
                let mut whole = vec![0.0; all];
                for (row, &number) in rows.values.chunks_exact(width).zip(rows.numbers) {
                    whole[number as usize * width..][..width].copy_from_slice(row);
                }
                whole
            }
        }
    }
}

/// The numbers that are kept for a tensor.
fn kept<'g, S: Shape>(gradients: &'g mut Gradients<f32, Cpu>, of: &Tensor<S, f32, Cpu>) -> &'g [f32] {
    match gradients.get_or_alloc_mut(of) {
        Ok(kept) => kept,
        Err(error) => out_of_memory(error),
    }
}

/// The only way in which a CPU allocation fails.
fn out_of_memory(error: <Cpu as HasErr>::Err) -> ! {
    panic!("out of memory: {error}")
}

/// Adds `values`, rows of WIDTH, to the rows `index` of a table whose used rows `kept` holds, possibly none yet.
pub fn add_rows<const WIDTH: usize>(kept: &mut Vec<f32>, values: &[f32], index: &[usize]) {
    let before = Rows::new(kept, WIDTH);
    let had: Vec<usize> = before.numbers.iter().map(|&number| number as usize).collect();
    let mut numbers: Vec<usize> = had.iter().chain(index).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let places = |index: &[usize]| -> Vec<usize> {
        index.iter().map(|row| numbers.partition_point(|number| number < row)).collect()
    };
    let mut rows = vec![0.0; numbers.len() * WIDTH];
    scatter::<WIDTH>(&mut rows, before.values, &places(&had));
    scatter::<WIDTH>(&mut rows, values, &places(index));
    rows.extend(numbers.iter().map(|&number| number as f32));
    *kept = rows;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_added_up_under_their_numbers() {
        let mut kept = Vec::new();
        add_rows::<2>(&mut kept, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[7, 2, 7]);
        assert_eq!(kept, [3.0, 4.0, 6.0, 8.0, 2.0, 7.0]);
        add_rows::<2>(&mut kept, &[10.0, 20.0, 30.0, 40.0], &[3, 2]);
        assert_eq!(kept, [33.0, 44.0, 10.0, 20.0, 6.0, 8.0, 2.0, 3.0, 7.0]);
        let gradient = Gradient::Rows { all: 18, width: 2, rows: Rows::new(&kept, 2) };
        let mut expected = [0.0; 18];
        expected[4..8].copy_from_slice(&[33.0, 44.0, 10.0, 20.0]);
        expected[14..16].copy_from_slice(&[6.0, 8.0]);
        assert_eq!(gradient.whole(), expected);
    }
}
