//! Rows out of tables: the input embedding, and picking rows of an activation.

use dfdx::prelude::{Cpu, Rank2, Tape, Tensor};

use super::buffers::{map_rows, values};
use super::gradient::add_rows;
use super::simd::vectorized;
use super::{span, take_gradient, tokens};
use crate::kernels::{Pass, TokenIds, Tokens, Weight};

/// Rows a task of rayon.
const ROWS: usize = 64;

pub fn embed<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, T>(
    pass: &mut Pass<T, Cpu>,
    ids: &TokenIds,
    word: &Weight<Rank2<VOCAB, HIDDEN>, Cpu>,
    position: &Tensor<Rank2<POSITIONS, HIDDEN>, f32, Cpu>,
    token_type: &Tensor<Rank2<TYPES, HIDDEN>, f32, Cpu>,
    learn: bool,
) -> Tokens<HIDDEN, Cpu>
where
    T: Tape<f32, Cpu>,
{
    const { assert!(VOCAB < 1 << 24, "the number of a row is kept as f32") };
    let _span = span!("embed");
    let rows = ids.word.len();
    let [word_rows, position_rows, type_rows] = [values(&word.value), values(position), values(token_type)];
    let sum = |first: usize, block: &mut [f32]| {
        vectorized(
            #[inline(always)]
            || {
                for (i, y) in block.chunks_exact_mut(HIDDEN).enumerate() {
                    let position = &position_rows[ids.position[first + i] * HIDDEN..][..HIDDEN];
                    let token_type = &type_rows[ids.token_type[first + i] * HIDDEN..][..HIDDEN];
                    for ((y, &p), &t) in y.iter_mut().zip(position).zip(token_type) {
                        *y += p + t;
                    }
                }
            },
        );
    };
    let y = map_rows((rows, HIDDEN), ROWS, |i| &word_rows[ids.word[i] * HIDDEN..][..HIDDEN], sum);
    let y = tokens(&pass.device, y, rows);

    if T::OWNS_TAPE && learn {
        let (ghost, ids) = (y.ghost(), ids.clone());
        let (word, position, token_type) = (word.aside.clone(), position.clone(), token_type.clone());
        pass.tape.add_backward_op(move |gradients| {
            let _span = span!("embed", backward);
            let dy = take_gradient!(gradients, &ghost);
            add_rows::<HIDDEN>(VOCAB, gradients.get_or_alloc_mut(&word.gradient)?, &dy, &ids.word);
            scatter::<HIDDEN>(gradients.get_or_alloc_mut(&position)?, &dy, &ids.position);
            scatter::<HIDDEN>(gradients.get_or_alloc_mut(&token_type)?, &dy, &ids.token_type);
            Ok(())
        });
    }
    y
}

pub fn select<const WIDTH: usize, T: Tape<f32, Cpu>>(
    pass: &mut Pass<T, Cpu>,
    x: &Tokens<WIDTH, Cpu>,
    rows: &[usize],
) -> Tokens<WIDTH, Cpu> {
    let y = tokens(&pass.device, gather::<WIDTH>(values(x), rows), rows.len());

    if T::OWNS_TAPE {
        let (ghost, x, rows) = (y.ghost(), x.clone(), rows.to_vec());
        pass.tape.add_backward_op(move |gradients| {
            let dy = take_gradient!(gradients, &ghost);
            scatter::<WIDTH>(gradients.get_or_alloc_mut(&x)?, &dy, &rows);
            Ok(())
        });
    }
    y
}

/// The given rows of `values`.
pub(super) fn gather<const WIDTH: usize>(values: &[f32], rows: &[usize]) -> Vec<f32> {
    map_rows((rows.len(), WIDTH), ROWS, |i| &values[rows[i] * WIDTH..][..WIDTH], |_, _| ())
}

/// Adds row i of `values` to row `index[i]` of `table`.
pub(super) fn scatter<const WIDTH: usize>(table: &mut [f32], values: &[f32], index: &[usize]) {
    vectorized(
        #[inline(always)]
        || {
            for (value, &row) in values.chunks_exact(WIDTH).zip(index) {
                table[row * WIDTH..][..WIDTH].iter_mut().zip(value).for_each(|(sum, &v)| *sum += v);
            }
        },
    );
}
