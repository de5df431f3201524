//! The time of one operation: its forward pass alone, or with its backward pass.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use camtl::kernels::{Pass, Scoring, Training};
use camtl::runner::Cpu;
use dfdx::prelude::{Backward, PutTape, Rank0, Shape, Tape, Tensor, ZerosTensor};

/// An operation on inputs of its own.
pub trait Operation {
    type Out: Shape;

    fn run<T: Tape<f32, Cpu>>(&self, pass: &mut Pass<T, Cpu>) -> Tensor<Self::Out, f32, Cpu>;
}

/// Runs it without a tape.
pub fn forward<O: Operation>(operation: &O) -> Tensor<O::Out, f32, Cpu> {
    operation.run(&mut Scoring::scoring(Cpu::default()))
}

/// Seconds of its forward and its backward pass, from a gradient of ones whose making does not count.
pub fn both<O: Operation>(operation: &O) -> f64 {
    let device = Cpu::default();
    let mut pass = Training::training(device.clone(), 0.1, 1);
    let began = Instant::now();
    let y = operation.run(&mut pass);
    let forward = began.elapsed();

    let ready = Rc::new(Cell::new(Instant::now()));
    let (ghost, is_ready) = (y.ghost(), Rc::clone(&ready));
    pass.tape.add_backward_op(move |gradients| {
        gradients.get_or_alloc_mut(&ghost)?.fill(1.0);
        is_ready.set(Instant::now());
        Ok(())
    });
    let loss: Tensor<Rank0, f32, Cpu> = device.zeros();
    let gradients = loss.put_tape(pass.tape).backward();
    let backward = ready.get().elapsed();
    drop(gradients);
    (forward + backward).as_secs_f64()
}
