//! A parameter's gradient: all of it or, of a table of which a step uses few rows, those rows alone.
//!
//! dfdx fills a gradient with zeros, on one core, before anything is added to it. So the gradients of matrices lie under
//! the name of an empty tensor ([`Aside::gradient`](super::aside::Aside::gradient)), where nothing is to begin with: the
//! first product writes all of it. Of the word embeddings, a good part of a small network, most would stay zero: there
//! it is the rows used alone, one after the other, ascending, and behind the rows their numbers.

use dfdx::prelude::{Cpu, Gradients, HasErr, HasShape, Shape, Tensor};

use super::embedding::scatter;
use crate::kernels::Weight;

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
    /// Of a parameter; zeros where none arrived.
    pub fn of<S: Shape>(
        gradients: &'a mut Gradients<f32, Cpu>,
        Weight { value, aside }: &Weight<S, Cpu>,
    ) -> Self {
        let all = value.shape().num_elements();
        match kept(gradients, &aside.gradient).len() {
            0 => Self::Whole(kept(gradients, value)),
            length if length == all => Self::Whole(kept(gradients, &aside.gradient)),
            _ => {
                let width = value.shape().concrete().into_iter().last().unwrap_or(1);
                let rows = Rows::new(kept(gradients, &aside.gradient), width);
                Self::Rows { all, width, rows }
            }
        }
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

/// Adds `values`, rows of WIDTH, to the rows `index` of a table of `all` rows. `kept` holds its gradient, possibly none
/// yet: rows, or the whole where the rows would take as much room.
pub fn add_rows<const WIDTH: usize>(all: usize, kept: &mut Vec<f32>, values: &[f32], index: &[usize]) {
    if kept.len() == all * WIDTH {
        return scatter::<WIDTH>(kept, values, index);
    }
    let before = Rows::new(kept, WIDTH);
    let had: Vec<usize> = before.numbers.iter().map(|&number| number as usize).collect();
    let mut numbers: Vec<usize> = had.iter().chain(index).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let places = |index: &[usize]| -> Vec<usize> {
        index.iter().map(|row| numbers.partition_point(|number| number < row)).collect()
    };
    if numbers.len() * (WIDTH + 1) >= all * WIDTH {
        let mut whole = vec![0.0; all * WIDTH];
        scatter::<WIDTH>(&mut whole, before.values, &had);
        scatter::<WIDTH>(&mut whole, values, index);
        *kept = whole;
        return;
    }
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
        add_rows::<2>(9, &mut kept, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[7, 2, 7]);
        assert_eq!(kept, [3.0, 4.0, 6.0, 8.0, 2.0, 7.0]);
        add_rows::<2>(9, &mut kept, &[10.0, 20.0, 30.0, 40.0], &[3, 2]);
        assert_eq!(kept, [33.0, 44.0, 10.0, 20.0, 6.0, 8.0, 2.0, 3.0, 7.0]);
        let gradient = Gradient::Rows { all: 18, width: 2, rows: Rows::new(&kept, 2) };
        let mut expected = [0.0; 18];
        expected[4..8].copy_from_slice(&[33.0, 44.0, 10.0, 20.0]);
        expected[14..16].copy_from_slice(&[6.0, 8.0]);
        assert_eq!(gradient.whole(), expected);

        // six rows and their numbers are as long as nine rows: it is the whole from now on
        add_rows::<2>(9, &mut kept, &[1.0; 6], &[0, 1, 8]);
        expected[0..4].fill(1.0);
        expected[16..18].fill(1.0);
        assert_eq!(kept, expected);
        add_rows::<2>(9, &mut kept, &[1.0; 2], &[8]);
        expected[16..18].fill(2.0);
        assert_eq!(kept, expected);
    }
}
