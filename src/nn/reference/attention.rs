//! The task bias of conditional attention in the authors' code (`cond_block_diag_attn`, `random_weight_matrix`).

use dfdx::prelude::{Const, GatherTo, HasShape, ReshapeTo, Tape};

use crate::kernels::{BlockShape, Kernels, Matrix, Pass, Tokens};
use crate::nn::DynLinear;
use crate::nn::attention::{AttentionBias, AttentionKind};
use crate::nn::parameter::{Build, New, Param, Scope, Start};
use crate::parameters;

/// Conditional attention whose gamma(z), beta(z) have an entry a column: M(z) of `SEQUENCE` positions is
/// block-diagonal with `BLOCKS` blocks.
#[derive(Clone, Copy, Debug)]
pub struct ColumnAttention<const SEQUENCE: usize, const BLOCKS: usize>;

impl<const SEQUENCE: usize, const BLOCKS: usize> AttentionKind for ColumnAttention<SEQUENCE, BLOCKS> {
    type Bias<const HIDDEN: usize, D: Kernels> = ColumnBias<HIDDEN, SEQUENCE, BLOCKS, D>;
}

/// M(z) = diag(A'_1 .. A'_N), each row r of a block being r gamma(z) + beta(z), gamma(z) and beta(z) over the
/// ceil(L/N) columns of a block.
///
/// The rows of all blocks stand below each other: position i has row i, cut where its block, the last one, is
/// smaller. What is cut is never read, and yet decays. A and beta start at zero, so M(z) = 0.
#[derive(Debug)]
pub struct ColumnBias<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels> {
    /// `[SEQUENCE, block]`
    pub rows: Param<(usize, usize), D>,
    pub gamma: DynLinear<HIDDEN, D>,
    pub beta: DynLinear<HIDDEN, D>,
}

impl<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels>
    ColumnBias<HIDDEN, SEQUENCE, BLOCKS, D>
{
    const SHAPE: BlockShape = BlockShape::new(SEQUENCE, BLOCKS);

    /// Where each entry of M(z), in the order of its storage, lies among the rows.
    fn entries() -> Vec<usize> {
        let BlockShape { sequence, block, .. } = Self::SHAPE;
        let row = |(row, _, _, count)| (row * block..row * block + count).collect::<Vec<usize>>();
        Self::SHAPE.rows(sequence).flat_map(row).collect()
    }
}

impl<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels>
    AttentionBias<HIDDEN, D, Tokens<HIDDEN, D>> for ColumnBias<HIDDEN, SEQUENCE, BLOCKS, D>
{
    fn bias<T: Tape<f32, D>>(
        &self,
        z: &Tokens<HIDDEN, D>,
        pass: &mut Pass<T, D>,
    ) -> Option<(Matrix<D>, BlockShape)> {
        let shape = Self::SHAPE;
        let [gamma, beta] = [&self.gamma, &self.beta].map(|columns| columns.forward(z, pass)); // [tasks, block]
        let gamma = pass.record(&gamma, |gamma| gamma + 1.0);
        let [gamma, beta] = [gamma, beta].map(|columns| {
            let (tasks, block) = *columns.shape();
            let rows: Vec<usize> = (0..tasks).flat_map(|task| std::iter::repeat_n(task, block)).collect();
            let rows = pass.device.tensor_from_vec(rows, (tasks * block,));
            let every_row: Matrix<D> = pass.record(&columns, |columns| columns.gather(rows));
            pass.record(&every_row, |rows| rows.reshape_like(&(tasks, block * block)))
        });
        let count = shape.sequence * shape.block;
        let flat: Tokens<1, D> =
            pass.record(self.rows.value(), |rows| rows.reshape_like(&(count, Const::<1>)));
        let entries = D::select(pass, &flat, &Self::entries()); // [entries, 1]
        let entries = pass.record(&entries, |entries| entries.reshape_like(&(shape.entries(),)));
        Some((D::block_bias(pass, &entries, &gamma, &beta, shape), shape))
    }
}

impl<const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels> Build<D>
    for ColumnBias<HIDDEN, SEQUENCE, BLOCKS, D>
{
    fn build(at: &Scope<D>) -> Self {
        let BlockShape { sequence, block, .. } = Self::SHAPE;
        Self {
            rows: at.weight::<New, _>("rows", (sequence, block), Start::Zeros),
            gamma: DynLinear::build_with(&at.child("gamma"), block, Start::Zeros),
            beta: DynLinear::build_with(&at.child("beta"), block, Start::Zeros),
        }
    }
}

parameters!([const HIDDEN: usize, const SEQUENCE: usize, const BLOCKS: usize, D: Kernels]
    ColumnBias<HIDDEN, SEQUENCE, BLOCKS, D> { rows, gamma, beta });
