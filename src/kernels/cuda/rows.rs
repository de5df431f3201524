//! Embedding, rows taken from others, dropout, FiLM: what has no product.

use dfdx::prelude::{Cuda, CudaError, HasShape as _, Rank2, Tape, Tensor};

use super::address::{At, at, fresh, gradient_of, of, slot};
use super::module::{Gpu, gpu, launch};
use super::norm::{Sums, add_sums};
use super::tables::{add_to_rows, number};
use crate::kernels::{Pass, Segments, TokenIds, Tokens};

pub fn embed<const HIDDEN: usize, const VOCAB: usize, const POSITIONS: usize, const TYPES: usize, T>(
    pass: &mut Pass<T, Cuda>,
    ids: &TokenIds,
    word: &Tensor<Rank2<VOCAB, HIDDEN>, f32, Cuda>,
    position: &Tensor<Rank2<POSITIONS, HIDDEN>, f32, Cuda>,
    token_type: &Tensor<Rank2<TYPES, HIDDEN>, f32, Cuda>,
    learn: bool,
) -> Result<Tokens<HIDDEN, Cuda>, CudaError>
where
    T: Tape<f32, Cuda>,
{
    let (gpu, rows) = (gpu(), ids.word.len());
    let (y, out) = fresh(&pass.device, (rows, dfdx::prelude::Const::<HIDDEN>))?;
    let all = [&ids.word, &ids.position, &ids.token_type].into_iter().flatten().copied().map(number);
    let all = gpu.upload(all.collect())?;
    launch!(gpu, "embed", (rows, 1), out, at(word), at(position), at(token_type), of(&all), HIDDEN)?;

    if T::OWNS_TAPE && learn {
        let (ghost, ids) = (y.ghost(), ids.clone());
        let (word, position, token_type) = (word.clone(), position.clone(), token_type.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            add_to_rows(gpu, gradient_of(gradients, &word)?, dy, &ids.word, HIDDEN)?;
            add_to_rows(gpu, gradient_of(gradients, &position)?, dy, &ids.position, HIDDEN)?;
            add_to_rows(gpu, gradient_of(gradients, &token_type)?, dy, &ids.token_type, HIDDEN)
        });
    }
    Ok(y)
}

pub fn select<const WIDTH: usize, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<WIDTH, Cuda>,
    rows: &[usize],
) -> Result<Tokens<WIDTH, Cuda>, CudaError> {
    let gpu = gpu();
    let (y, out) = fresh(&pass.device, (rows.len(), dfdx::prelude::Const::<WIDTH>))?;
    gather(gpu, out, at(x), rows, WIDTH)?;
    if T::OWNS_TAPE {
        let (ghost, x, rows) = (y.ghost(), x.clone(), rows.to_vec());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            add_to_rows(gpu, gradient_of(gradients, &x)?, dy, &rows, WIDTH)
        });
    }
    Ok(y)
}

/// out[i] = x[rows[i]]
pub fn gather(gpu: &Gpu, out: At, x: At, rows: &[usize], width: usize) -> Result<(), CudaError> {
    let index = gpu.upload(rows.iter().copied().map(number).collect())?;
    launch!(gpu, "gather_rows", (rows.len(), 1), out, x, of(&index), width)
}

pub fn dropout<const WIDTH: usize, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<WIDTH, Cuda>,
) -> Result<Tokens<WIDTH, Cuda>, CudaError> {
    let Some(mask) = pass.next_mask() else { return Ok(x.clone()) };
    let (gpu, count) = (gpu(), x.shape().0 * WIDTH);
    let (key, threshold, scale) = mask.parts();
    let (y, out) = fresh(&pass.device, *x.shape())?;
    launch!(gpu, "dropout", Gpu::stride(count), out, at(x), 0u32, count, key, threshold, scale)?;
    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let dx = gradient_of(gradients, &x)?;
            launch!(gpu, "dropout", Gpu::stride(count), dx, dy, 1u32, count, key, threshold, scale)
        });
    }
    Ok(y)
}

pub fn film<const HIDDEN: usize, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<HIDDEN, Cuda>,
    gamma: &Tokens<HIDDEN, Cuda>,
    beta: &Tokens<HIDDEN, Cuda>,
    segments: &Segments,
) -> Result<Tokens<HIDDEN, Cuda>, CudaError> {
    let (gpu, rows) = (gpu(), x.shape().0);
    let tasks = segments.tables()?.tasks_of_rows();
    let (y, out) = fresh(&pass.device, *x.shape())?;
    launch!(gpu, "film", (rows, 1), out, at(x), at(gamma), at(beta), tasks, HIDDEN)?;
    if T::OWNS_TAPE {
        let (ghost, x, gamma, beta) = (y.ghost(), x.clone(), gamma.clone(), beta.clone());
        let segments = segments.clone();
        pass.tape.add_backward_op(move |gradients| {
            let tasks = segments.tables()?.tasks_of_rows();
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let dx = gradient_of(gradients, &x)?;
            launch!(gpu, "film_backward", (rows, 1), dx, dy, at(&gamma), tasks, HIDDEN)?;
            let sums = Sums { dy, x: at(&x), statistics: None, width: HIDDEN };
            add_sums(gpu, gradients, sums, (&gamma, &beta), &segments)
        });
    }
    Ok(y)
}
