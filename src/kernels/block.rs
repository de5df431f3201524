//! The geometry of the block-diagonal task bias M(z) of conditional attention.

/// M(z) of a sequence of `sequence` positions: `blocks` blocks of `block` x `block`, the last one smaller where
/// the number of blocks does not divide the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockShape {
    pub sequence: usize,
    pub blocks: usize,
    /// ceil(sequence / blocks)
    pub block: usize,
}

impl BlockShape {
    pub const fn new(sequence: usize, blocks: usize) -> Self {
        Self { sequence, blocks, block: sequence.div_ceil(blocks) }
    }

    /// Rows, and columns, of block n.
    pub const fn size(self, n: usize) -> usize {
        if n + 1 == self.blocks { self.sequence - self.block * (self.blocks - 1) } else { self.block }
    }

    /// Entries of all blocks together: the length of one task's M(z) as stored.
    pub const fn entries(self) -> usize {
        let last = self.size(self.blocks - 1);
        (self.blocks - 1) * self.block * self.block + last * last
    }

    /// Runs of stored entries that meet the top-left corner of `len` positions, row by row:
    /// (row, first column, first stored entry, how many).
    pub fn rows(self, len: usize) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        (0..len.min(self.sequence)).map(move |row| {
            let n = row / self.block;
            let (first, size) = (n * self.block, self.size(n));
            let entry = n * self.block * self.block + (row - first) * size;
            (row, first, entry, size.min(len - first))
        })
    }

    /// The stored entries of the transposed blocks, for any number of tasks one behind the other.
    pub fn transposed(self, values: &[f32]) -> Vec<f32> {
        let mut made = values.to_vec();
        for (made, values) in made.chunks_exact_mut(self.entries()).zip(values.chunks_exact(self.entries())) {
            for n in 0..self.blocks {
                let (start, size) = (n * self.block * self.block, self.size(n));
                for (row, made) in made[start..][..size * size].chunks_exact_mut(size).enumerate() {
                    let column = values[start + row..].iter().step_by(size);
                    made.iter_mut().zip(column).for_each(|(made, &value)| *made = value);
                }
            }
        }
        made
    }

    /// For each stored entry its place (row * block + column) in gamma and beta, which all blocks share.
    pub fn shared(self) -> Vec<usize> {
        (0..self.blocks)
            .flat_map(|n| {
                let size = self.size(n);
                (0..size).flat_map(move |row| (0..size).map(move |column| row * self.block + column))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uneven_division_leaves_the_last_block_smaller() {
        let shape = BlockShape::new(128, 6); // 22 x 5 + 18
        assert_eq!((shape.block, shape.size(0), shape.size(5)), (22, 22, 18));
        assert_eq!(shape.entries(), 5 * 22 * 22 + 18 * 18);
        assert_eq!(shape.shared().len(), shape.entries());
    }

    #[test]
    fn a_short_sequence_uses_the_top_left_corner() {
        let shape = BlockShape::new(5, 2); // blocks 3 and 2
        let values: Vec<f32> = (0..13).map(|i| i as f32).collect();
        assert_eq!(
            shape.transposed(&values),
            [0.0, 3.0, 6.0, 1.0, 4.0, 7.0, 2.0, 5.0, 8.0, 9.0, 11.0, 10.0, 12.0]
        );
        assert_eq!(shape.transposed(&shape.transposed(&values)), values);
        let rows: Vec<_> = shape.rows(4).collect();
        assert_eq!(rows, [(0, 0, 0, 3), (1, 0, 3, 3), (2, 0, 6, 3), (3, 3, 9, 1)]);
    }
}
