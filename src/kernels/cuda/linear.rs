//! Linear layers, alone and as the halves of a layer.
//!
//! On a few rows, as the generators and the heads are, a kernel of our own takes the place of cuBLAS: in f32, whatever
//! the precision of products.

use dfdx::prelude::{Const, Cuda, CudaError, Dim, Gradients, HasShape as _, Shape as _, Tape, Tensor};

use super::address::{At, at, fresh, gradient_of, of, slot};
use super::memory::Buffer;
use super::module::{Gpu, THREADS, gpu, launch};
use super::norm::{Ended, Kept, parts};
use super::products::{Operand, Size, product};
use super::tables::add_columns;
use crate::kernels::pass::Mask;
use crate::kernels::{Dense, Pass, Residual, Tokens};

/// A linear layer's weights, as products take them.
pub struct Layer<Out: Dim, const IN: usize> {
    value: Tensor<(Out, Const<IN>), f32, Cuda>,
    bias: Tensor<(Out,), f32, Cuda>,
    learn: bool,
    operand: Operand,
}

impl<Out: Dim, const IN: usize> Layer<Out, IN> {
    pub fn new(
        gpu: &Gpu,
        value: &Tensor<(Out, Const<IN>), f32, Cuda>,
        bias: &Tensor<(Out,), f32, Cuda>,
        learn: bool,
    ) -> Result<Self, CudaError> {
        let operand = Operand::new(gpu, at(value), value.shape().num_elements())?;
        Ok(Self { value: value.clone(), bias: bias.clone(), learn, operand })
    }

    fn out(&self) -> usize {
        self.value.shape().0.size()
    }

    pub fn bias(&self) -> At {
        at(&self.bias)
    }

    /// out = x W^T
    pub fn forward(&self, gpu: &Gpu, x: &Operand, rows: usize, out: At) -> Result<(), CudaError> {
        let size = Size::new(rows, IN, self.out());
        product(gpu, size, x.plain(), self.operand.turned(), out, false)
    }

    /// Adds to the gradients of weight and bias, where they learn; `d` is that of x W^T + b, in f32 at `single`.
    pub fn weights_backward(
        &self,
        gpu: &Gpu,
        gradients: &mut Gradients<f32, Cuda>,
        x: &Operand,
        (d, single): (&Operand, At),
        rows: usize,
    ) -> Result<(), CudaError> {
        if !self.learn {
            return Ok(());
        }
        let size = Size::new(self.out(), rows, IN);
        let dweight = gradient_of(gradients, &self.value)?;
        product(gpu, size, d.turned(), x.plain(), dweight, true)?;
        add_columns(gpu, gradient_of(gradients, &self.bias)?, single, rows, self.out())
    }

    /// dx = d W, or dx += d W.
    pub fn input_backward(
        &self,
        gpu: &Gpu,
        d: &Operand,
        rows: usize,
        dx: At,
        onto: bool,
    ) -> Result<(), CudaError> {
        product(gpu, Size::new(rows, self.out(), IN), d.plain(), self.operand.plain(), dx, onto)
    }
}

impl<const IN: usize, const OUT: usize> Layer<Const<OUT>, IN> {
    pub fn of(gpu: &Gpu, Dense { weight, bias, learn }: &Dense<IN, OUT, Cuda>) -> Result<Self, CudaError> {
        Self::new(gpu, &weight.value, bias, *learn)
    }
}

/// A tensor as what enters a product.
pub fn operand<const WIDTH: usize>(gpu: &Gpu, x: &Tokens<WIDTH, Cuda>) -> Result<Operand, CudaError> {
    Operand::new(gpu, at(x), x.shape().0 * WIDTH)
}

/// Rows that are few.
const FEW: usize = 64;
/// Of these a kernel takes so many at once; `FEW` in kernels.cu.
const AT_ONCE: usize = 8;

pub fn linear<const IN: usize, Out: Dim, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<IN, Cuda>,
    weight: &Tensor<(Out, Const<IN>), f32, Cuda>,
    bias: &Tensor<(Out,), f32, Cuda>,
    learn: bool,
) -> Result<Tensor<(usize, Out), f32, Cuda>, CudaError> {
    let (gpu, rows, columns) = (gpu(), x.shape().0, weight.shape().0);
    if rows <= FEW {
        return few_rows(pass, x, weight, bias, learn);
    }
    let layer = Layer::new(gpu, weight, bias, learn)?;
    let input = operand(gpu, x)?;
    let (y, out) = fresh(&pass.device, (rows, columns))?;
    layer.forward(gpu, &input, rows, out)?;
    launch!(gpu, "add_bias", (rows, 1), out, layer.bias(), columns.size())?;
    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let d = Operand::new(gpu, dy, rows * columns.size())?;
            layer.weights_backward(gpu, gradients, &input, (&d, dy), rows)?;
            layer.input_backward(gpu, &d, rows, gradient_of(gradients, &x)?, true)
        });
    }
    Ok(y)
}

fn few_rows<const IN: usize, Out: Dim, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<IN, Cuda>,
    weight: &Tensor<(Out, Const<IN>), f32, Cuda>,
    bias: &Tensor<(Out,), f32, Cuda>,
    learn: bool,
) -> Result<Tensor<(usize, Out), f32, Cuda>, CudaError> {
    let (gpu, rows, out) = (gpu(), x.shape().0, weight.shape().0);
    let columns = out.size();
    let (y, to) = fresh(&pass.device, (rows, out))?;
    let grid = (columns.div_ceil(THREADS / 32), usize::from(rows > 0));
    launch!(gpu, "few_rows", grid, to, at(x), at(weight), at(bias), rows, IN, columns)?;
    if T::OWNS_TAPE {
        let (ghost, x, weight, bias) = (y.ghost(), x.clone(), weight.clone(), bias.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            if learn {
                let to = (gradient_of(gradients, &weight)?, gradient_of(gradients, &bias)?);
                let grid = (columns, usize::from(rows > 0));
                launch!(gpu, "few_rows_weights", grid, to.0, to.1, dy, at(&x), rows, IN, columns)?;
            }
            let dx = gradient_of(gradients, &x)?;
            let grid = (IN.div_ceil(32), rows.div_ceil(AT_ONCE));
            launch!(gpu, "few_rows_input", grid, dx, dy, at(&weight), rows, IN, columns)
        });
    }
    Ok(y)
}

pub fn linear_norm<const IN: usize, const HIDDEN: usize, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<IN, Cuda>,
    dense: &Dense<IN, HIDDEN, Cuda>,
    residual: Residual<HIDDEN, Cuda>,
) -> Result<Tokens<HIDDEN, Cuda>, CudaError> {
    let (gpu, rows) = (gpu(), x.shape().0);
    let layer = Layer::of(gpu, dense)?;
    let input = operand(gpu, x)?;
    let end = End::new(pass.next_mask(), Some(residual));
    let made = gpu.memory(rows * HIDDEN)?;
    layer.forward(gpu, &input, rows, of(&made))?;
    let (y, out) = fresh(&pass.device, (rows, Const::<HIDDEN>))?;
    let kept = end.forward(gpu, made, layer.bias(), rows, out)?;
    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let (single, d) = end.backward(gpu, gradients, &kept, dy, rows)?;
            layer.weights_backward(gpu, gradients, &input, (&d, of(&single)), rows)?;
            layer.input_backward(gpu, &d, rows, gradient_of(gradients, &x)?, true)
        });
    }
    Ok(y)
}

pub fn feed_forward<const HIDDEN: usize, const INNER: usize, T: Tape<f32, Cuda>>(
    pass: &mut Pass<T, Cuda>,
    x: &Tokens<HIDDEN, Cuda>,
    (up, down): (&Dense<HIDDEN, INNER, Cuda>, &Dense<INNER, HIDDEN, Cuda>),
    with_dropout: bool,
    residual: Option<Residual<HIDDEN, Cuda>>,
) -> Result<Tokens<HIDDEN, Cuda>, CudaError> {
    let (gpu, rows) = (gpu(), x.shape().0);
    let (up, down) = (Layer::of(gpu, up)?, Layer::of(gpu, down)?);
    let input = operand(gpu, x)?;
    let end = End::new(if with_dropout { pass.next_mask() } else { None }, residual);

    let pre = gpu.memory::<f32>(rows * INNER)?;
    up.forward(gpu, &input, rows, of(&pre))?;
    let inner = Operand::own(gpu, rows * INNER)?;
    let bias = up.bias();
    launch!(gpu, "bias_gelu", (rows, 1), of(&pre), bias, inner.single(), inner.half(), INNER)?;
    let made = gpu.memory(rows * HIDDEN)?;
    down.forward(gpu, &inner, rows, of(&made))?;
    let (y, out) = fresh(&pass.device, (rows, Const::<HIDDEN>))?;
    let kept = end.forward(gpu, made, down.bias(), rows, out)?;

    if T::OWNS_TAPE {
        let (ghost, x) = (y.ghost(), x.clone());
        pass.tape.add_backward_op(move |gradients| {
            let dy = slot(gradients.get_or_alloc_mut(&ghost)?);
            let (single, d) = end.backward(gpu, gradients, &kept, dy, rows)?;
            down.weights_backward(gpu, gradients, &inner, (&d, of(&single)), rows)?;
            let dpre = gpu.memory::<f32>(rows * INNER)?;
            down.input_backward(gpu, &d, rows, of(&dpre), false)?;
            let d = Operand::room(gpu, of(&dpre), rows * INNER)?;
            launch!(gpu, "gelu_backward", (rows, 1), of(&dpre), d.half(), of(&pre), INNER)?;
            up.weights_backward(gpu, gradients, &input, (&d, of(&dpre)), rows)?;
            up.input_backward(gpu, &d, rows, gradient_of(gradients, &x)?, true)
        });
    }
    Ok(y)
}

/// What follows the last product: bias and dropout, and with a residual the norm.
struct End<const HIDDEN: usize> {
    mask: Option<Mask>,
    norm: Option<(Ended<HIDDEN>, Tokens<HIDDEN, Cuda>)>,
}

impl<const HIDDEN: usize> End<HIDDEN> {
    fn new(mask: Option<Mask>, residual: Option<Residual<HIDDEN, Cuda>>) -> Self {
        Self { mask, norm: residual.map(|residual| Ended::new(residual, mask)) }
    }

    /// Writes y to `out`, from the product.
    fn forward(
        &self,
        gpu: &Gpu,
        made: Buffer<f32>,
        bias: At,
        rows: usize,
        out: At,
    ) -> Result<Option<Kept>, CudaError> {
        match &self.norm {
            Some((ended, x)) => ended.forward(gpu, made, Some(bias), Some(at(x)), out).map(Some),
            None => {
                let (key, threshold, scale) = parts(self.mask);
                let from = of(&made);
                launch!(gpu, "bias_dropout", (rows, 1), out, from, bias, HIDDEN, key, threshold, scale)?;
                Ok(None)
            }
        }
    }

    /// The gradient of product + bias, in f32 and as an operand; adds to those of residual and norm.
    fn backward(
        &self,
        gpu: &Gpu,
        gradients: &mut Gradients<f32, Cuda>,
        kept: &Option<Kept>,
        dy: At,
        rows: usize,
    ) -> Result<(Buffer<f32>, Operand), CudaError> {
        match (&self.norm, kept) {
            (Some((ended, x)), Some(kept)) => {
                let dresidual = gradient_of(gradients, x)?;
                ended.product_gradient(gpu, gradients, kept, dy, dresidual)
            }
            // without a norm nothing is kept
            _ => {
                let (key, threshold, scale) = parts(self.mask);
                let single = gpu.memory(rows * HIDDEN)?;
                let d = Operand::room(gpu, of(&single), rows * HIDDEN)?;
                let to = (of(&single), d.half());
                launch!(gpu, "dropout_backward", (rows, 1), dy, to.0, to.1, HIDDEN, key, threshold, scale)?;
                Ok((single, d))
            }
        }
    }
}
