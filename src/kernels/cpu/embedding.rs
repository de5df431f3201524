//! Rows out of tables: the input embedding, and picking rows of an activation.

use dfdx::prelude::{Cpu, GatherTo, Rank2, Tape, Tensor, TensorFromVec};

use super::{read, take_gradient, tokens};
use crate::kernels::{Pass, TokenIds, Tokens};

pub fn embed<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, T>(
    pass: &mut Pass<T, Cpu>,
    ids: &TokenIds,
    word: &Tensor<Rank2<VOCAB, HIDDEN>, f32, Cpu>,
    position: &Tensor<Rank2<POSITIONS, HIDDEN>, f32, Cpu>,
    token_type: &Tensor<Rank2<TYPES, HIDDEN>, f32, Cpu>,
    learn: bool,
) -> Tokens<HIDDEN, Cpu>
where
    T: Tape<f32, Cpu>,
{
    let rows = ids.word.len();
    // dfdx's gather reads only the rows that occur: the word table is too large to be copied for every batch
    let index: Tensor<(usize,), usize, Cpu> = pass.device.tensor_from_vec(ids.word.clone(), (rows,));
    let gathered: Tokens<HIDDEN, Cpu> = word.clone().gather(index);
    let mut values = read(&gathered);
    for (table, index) in [(read(position), &ids.position), (read(token_type), &ids.token_type)] {
        for (y, &row) in values.chunks_exact_mut(HIDDEN).zip(index) {
            y.iter_mut().zip(&table[row * HIDDEN..][..HIDDEN]).for_each(|(y, &e)| *y += e);
        }
    }
    let y = tokens(&pass.device, values, rows);

    if T::OWNS_TAPE && learn {
        let (ghost, ids) = (y.ghost(), ids.clone());
        let (word, position, token_type) = (word.clone(), position.clone(), token_type.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = take_gradient!(gradients, &ghost);
            scatter::<HIDDEN>(gradients.get_or_alloc_mut(&word)?, &dy, &ids.word);
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
    let input = read(x);
    let values = rows.iter().flat_map(|row| &input[row * WIDTH..][..WIDTH]).copied().collect();
    let y = tokens(&pass.device, values, rows.len());

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

/// Adds row i of `values` to row `index[i]` of `table`.
fn scatter<const WIDTH: usize>(table: &mut [f32], values: &[f32], index: &[usize]) {
    for (value, &row) in values.chunks_exact(WIDTH).zip(index) {
        table[row * WIDTH..][..WIDTH].iter_mut().zip(value).for_each(|(sum, &v)| *sum += v);
    }
}
