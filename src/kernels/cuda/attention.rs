//! Attention: products over all heads of all sequences, padded to the longest of them.

use dfdx::prelude::{Const, Cuda, CudaError, Tape};

use super::address::{At, at, fresh, gradient_of, of, slot};
use super::linear::{Layer, operand};
use super::memory::Buffer;
use super::module::{Gpu, THREADS, gpu, launch};
use super::norm::parts;
use super::products::{Operand, Side, Size, products};
use super::rows::gather;
use super::tables::add_to_rows;
use crate::kernels::pass::Mask;
use crate::kernels::{BlockShape, Dense, Matrix, Pass, Segments, Tokens};

/// The task's bias: its entries, `[tasks, entries]`, and their places.
type Bias = Option<(Matrix<Cuda>, BlockShape)>;

/// What is the same in every product.
struct Shape {
    segments: Segments,
    asking: Segments,
    heads: usize,
    /// Of a head.
    width: usize,
    /// Keys, and queries, of the longest sequence.
    length: usize,
    asked: usize,
    mask: Option<Mask>,
}

pub fn self_attention<const HIDDEN: usize, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<HIDDEN, Cuda>,
    dense: &[Dense<HIDDEN, HIDDEN, Cuda>; 3],
    heads: usize,
    bias: Bias,
    segments: &Segments,
    asking: &Segments,
) -> Result<Tokens<HIDDEN, Cuda>, CudaError> {
    let gpu = gpu();
    let shape = Shape {
        segments: segments.clone(),
        asking: asking.clone(),
        heads,
        width: HIDDEN / heads,
        length: segments.tables()?.longest,
        asked: asking.tables()?.longest,
        mask: pass.next_mask(),
    };
    let [query, key, value] = dense;
    let layers = [Layer::of(gpu, query)?, Layer::of(gpu, key)?, Layer::of(gpu, value)?];
    let all = operand(gpu, x)?;
    let some = some_rows(gpu, x, segments, asking)?;

    let [q, k, v] = [(0, asking), (1, segments), (2, segments)].map(|(i, rows)| {
        let from = match &some {
            Some((_, some)) if i == 0 => some,
            _ => &all,
        };
        let flat = gpu.memory::<f32>(rows.rows() * HIDDEN)?;
        layers[i].forward(gpu, from, rows.rows(), of(&flat))?;
        shape.split(gpu, of(&flat), Some(layers[i].bias()), rows)
    });
    let (q, k, v) = (q?, k?, v?);

    let softmax = shape.softmax(gpu, &q, &k, &bias)?;
    let context = gpu.memory::<f32>(shape.matrices() * shape.asked * shape.width)?;
    let size = Size::new(shape.asked, shape.length, shape.width);
    shape.products(gpu, size, softmax.weights.plain(), v.plain(), of(&context), 1.0)?;
    let (y, out) = fresh(&pass.device, (asking.rows(), Const::<HIDDEN>))?;
    shape.join(gpu, of(&context), (Some(out), None), asking)?;

    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let dcontext = shape.split(gpu, dy, None, &shape.asking)?;
            let Shape { length, asked, width, .. } = shape;
            let room = |rows: usize, columns: usize| gpu.memory::<f32>(shape.matrices() * rows * columns);

            // dV = weights^T dcontext
            let dv = room(length, width)?;
            let weights = softmax.weights.turned();
            let size = Size::new(length, asked, width);
            shape.products(gpu, size, weights, dcontext.plain(), of(&dv), 1.0)?;
            // dweights = dcontext V^T, and from these the gradient of the scores
            let dscores = room(asked, length)?;
            let size = Size::new(asked, width, length);
            shape.products(gpu, size, dcontext.plain(), v.turned(), of(&dscores), 1.0)?;
            let d = shape.softmax_backward(gpu, &dscores, &softmax)?;
            if let Some((entries, blocks)) = &bias {
                let dbias = gradient_of(gradients, entries)?;
                shape.bias_backward(gpu, dbias, &dscores, *blocks)?;
            }
            // dQ = root dscores K, dK = root dscores^T Q
            let (dq, dk) = (room(asked, width)?, room(length, width)?);
            let size = Size::new(asked, length, width);
            shape.products(gpu, size, d.plain(), k.plain(), of(&dq), shape.root())?;
            let size = Size::new(length, asked, width);
            shape.products(gpu, size, d.turned(), q.plain(), of(&dk), shape.root())?;

            for (i, d) in [(1, dk), (2, dv), (0, dq)] {
                let rows = if i == 0 { &shape.asking } else { &shape.segments };
                let flat = gpu.memory::<f32>(rows.rows() * HIDDEN)?;
                let joined = Operand::room(gpu, of(&flat), rows.rows() * HIDDEN)?;
                shape.join(gpu, of(&d), (Some(of(&flat)), joined.half()), rows)?;
                let from = match &some {
                    Some((_, some)) if i == 0 => some,
                    _ => &all,
                };
                layers[i].weights_backward(gpu, gradients, from, (&joined, of(&flat)), rows.rows())?;
                let dx = gradient_of(gradients, &x)?;
                match &some {
                    Some((taken, _)) if i == 0 => {
                        let part = gpu.memory::<f32>(rows.rows() * HIDDEN)?;
                        layers[i].input_backward(gpu, &joined, rows.rows(), of(&part), false)?;
                        add_to_rows(gpu, dx, of(&part), taken, HIDDEN)?;
                    }
                    _ => layers[i].input_backward(gpu, &joined, rows.rows(), dx, true)?,
                }
            }
            Ok(())
        });
    }
    Ok(y)
}

/// The rows that ask, where these are not all, and what they are of x.
fn some_rows<const HIDDEN: usize>(
    gpu: &Gpu,
    x: &Tokens<HIDDEN, Cuda>,
    segments: &Segments,
    asking: &Segments,
) -> Result<Option<(Vec<usize>, Operand)>, CudaError> {
    let Some(rows) = segments.first_rows(asking) else { return Ok(None) };
    let taken = gpu.memory::<f32>(rows.len() * HIDDEN)?;
    gather(gpu, of(&taken), at(x), &rows, HIDDEN)?;
    let operand = Operand::of(gpu, taken, rows.len() * HIDDEN)?;
    Ok(Some((rows, operand)))
}

/// The softmax of the scores, `[sequences * heads, asked, length]`.
struct Softmax {
    values: Buffer<f32>,
    /// What values are weighted with: this, after dropout.
    weights: Operand,
}

impl Shape {
    /// Matrices in a batch of products.
    fn matrices(&self) -> usize {
        self.segments.sequences() * self.heads
    }

    /// 1 / sqrt(d_head)
    fn root(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    fn products(
        &self,
        gpu: &Gpu,
        size: Size,
        left: Side,
        right: Side,
        out: At,
        alpha: f32,
    ) -> Result<(), CudaError> {
        products(gpu, self.matrices(), size, left, right, out, (alpha, 0.0))
    }

    /// Flat rows, and `bias` on each, as operands a head.
    fn split(
        &self,
        gpu: &Gpu,
        flat: At,
        bias: Option<At>,
        segments: &Segments,
    ) -> Result<Operand, CudaError> {
        let tables = segments.tables()?;
        let count = self.matrices() * tables.longest * self.width;
        let operand = Operand::own(gpu, count)?;
        let grid = (tables.longest, segments.sequences());
        let to = (operand.single(), operand.half());
        launch!(gpu, "split_heads", grid, to.0, to.1, flat, bias, tables.starts(), self.heads, self.width)?;
        Ok(operand)
    }

    /// The reverse, without the padding.
    fn join(
        &self,
        gpu: &Gpu,
        heads: At,
        (out, half): (Option<At>, Option<At>),
        segments: &Segments,
    ) -> Result<(), CudaError> {
        let tables = segments.tables()?;
        let grid = (tables.longest, segments.sequences());
        launch!(gpu, "join_heads", grid, out, half, heads, tables.starts(), self.heads, self.width)
    }

    /// A warp takes a row of scores.
    fn grid(&self) -> (usize, usize) {
        (self.asked.div_ceil(THREADS / 32), self.matrices())
    }

    fn softmax(&self, gpu: &Gpu, q: &Operand, k: &Operand, bias: &Bias) -> Result<Softmax, CudaError> {
        let count = self.matrices() * self.asked * self.length;
        let values = gpu.memory::<f32>(count)?;
        let size = Size::new(self.asked, self.width, self.length);
        self.products(gpu, size, q.plain(), k.turned(), of(&values), 1.0)?;
        // without dropout the softmax itself weights the values, where it is of the right precision
        let is_other = gpu.is_mixed() || self.mask.is_some();
        let weights = if is_other { Operand::own(gpu, count)? } else { Operand::in_f32(of(&values)) };
        let single = if is_other { weights.single() } else { None };
        let (tables, asking) = (self.segments.tables()?, self.asking.tables()?);
        let blocks = bias.as_ref().map(|(_, blocks)| *blocks).unwrap_or(BlockShape::new(1, 1));
        let (key, threshold, scale) = parts(self.mask);
        launch!(
            gpu,
            "softmax",
            self.grid(),
            of(&values),
            single,
            weights.half(),
            tables.starts(),
            asking.starts(),
            tables.tasks_of_sequences(),
            self.heads,
            self.asked,
            self.length,
            self.root(),
            bias.as_ref().map(|(entries, _)| at(entries)),
            blocks.entries(),
            blocks.block,
            blocks.blocks,
            blocks.size(blocks.blocks - 1),
            key,
            threshold,
            scale
        )?;
        Ok(Softmax { values, weights })
    }

    /// Turns the gradient of the weights into that of the scores, in place and as an operand.
    fn softmax_backward(&self, gpu: &Gpu, d: &Buffer<f32>, softmax: &Softmax) -> Result<Operand, CudaError> {
        let operand = Operand::room(gpu, of(d), self.matrices() * self.asked * self.length)?;
        let (key, threshold, scale) = parts(self.mask);
        launch!(
            gpu,
            "softmax_backward",
            self.grid(),
            of(d),
            operand.half(),
            of(&softmax.values),
            self.segments.tables()?.starts(),
            self.heads,
            self.asked,
            self.length,
            key,
            threshold,
            scale
        )?;
        Ok(operand)
    }

    fn bias_backward(
        &self,
        gpu: &Gpu,
        dbias: At,
        dscores: &Buffer<f32>,
        blocks: BlockShape,
    ) -> Result<(), CudaError> {
        let (tables, asking) = (self.segments.tables()?, self.asking.tables()?);
        let entries = blocks.entries();
        launch!(
            gpu,
            "bias_backward",
            (entries.div_ceil(THREADS), tables.tasks),
            dbias,
            of(dscores),
            asking.starts(),
            tables.starts(),
            tables.task_starts(),
            tables.by_task(),
            self.heads,
            self.asked,
            self.length,
            entries,
            blocks.block,
            blocks.blocks,
            blocks.size(blocks.blocks - 1)
        )
    }
}
