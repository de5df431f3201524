//! Which rows belong together, as kernels read it: the numbers of [`Segments`] in the GPU's memory, and lists of rows.

use dfdx::prelude::CudaError;

use super::address::{At, of};
use super::memory::Buffer;
use super::module::{Gpu, THREADS, gpu, launch};
use crate::kernels::Segments;

/// Of a list longer than this the sum is made in pieces.
const PIECE: usize = 128;

/// The numbers of [`Segments`].
#[derive(Debug)]
pub struct Tables {
    numbers: Buffer<u32>,
    places: [usize; 5],
    /// One more than the highest task.
    pub tasks: usize,
    /// Rows of the longest sequence.
    pub longest: usize,
}

impl Tables {
    pub fn new(segments: &Segments) -> Result<Self, CudaError> {
        let sequences = segments.sequences();
        let tasks = segments.tasks().iter().max().map_or(0, |&most| most + 1);
        let lists = Lists::of(segments.tasks(), tasks);
        let starts = segments.firsts().iter().copied().chain([segments.rows()]).map(number).collect();
        let parts: [Vec<u32>; 5] = [
            starts,
            segments.tasks().iter().copied().map(number).collect(),
            segments.row_tasks().iter().copied().map(number).collect(),
            lists.starts,
            lists.order,
        ];
        let mut places = [0; 5];
        for i in 1..5 {
            places[i] = places[i - 1] + parts[i - 1].len();
        }
        let longest = (0..sequences).map(|s| segments.range(s).len()).max().unwrap_or(0);
        Ok(Self { numbers: gpu().upload(parts.concat())?, places, tasks, longest })
    }

    fn part(&self, number: usize) -> At {
        of(&self.numbers).offset(self.places[number])
    }

    /// The first row of each sequence, and at the end the number of rows.
    pub fn starts(&self) -> At {
        self.part(0)
    }

    /// The task of each sequence.
    pub fn tasks_of_sequences(&self) -> At {
        self.part(1)
    }

    /// The task of each row.
    pub fn tasks_of_rows(&self) -> At {
        self.part(2)
    }

    /// Where each task's list in [`Tables::by_task`] begins, and at the end where the last ends.
    pub fn task_starts(&self) -> At {
        self.part(3)
    }

    /// The sequences, by their tasks.
    pub fn by_task(&self) -> At {
        self.part(4)
    }
}

/// Numbers 0 .. n in lists, by what they belong to.
#[derive(Debug, PartialEq, Eq)]
struct Lists {
    starts: Vec<u32>,
    order: Vec<u32>,
}

impl Lists {
    /// `of[i]` below `count` says to which list i belongs. Each is in rising order.
    fn of(of: &[usize], count: usize) -> Self {
        let mut starts = vec![0u32; count + 1];
        for &list in of {
            starts[list + 1] += 1;
        }
        for i in 0..count {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut order = vec![0; of.len()];
        for (i, &list) in of.iter().enumerate() {
            order[next[list] as usize] = number(i);
            next[list] += 1;
        }
        Self { starts, order }
    }
}

/// table[rows[i]] += x[i], the rows of one target in their order: no result depends on timing.
pub fn add_to_rows(gpu: &Gpu, table: At, x: At, rows: &[usize], width: usize) -> Result<(), CudaError> {
    let mut targets: Vec<usize> = rows.to_vec();
    targets.sort_unstable();
    targets.dedup();
    let which: Vec<usize> =
        rows.iter().map(|row| targets.binary_search(row).expect("each is among them")).collect();
    let Lists { starts, order } = Lists::of(&which, targets.len());
    let targets: Vec<u32> = targets.into_iter().map(number).collect();
    let (count, longest) = (targets.len(), starts.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0));
    let order = gpu.upload(order)?;
    let targets = gpu.upload(targets)?;
    let [order, targets] = [of(&order), of(&targets)];
    if longest as usize <= PIECE {
        let starts = gpu.upload(starts)?;
        return launch!(
            gpu,
            "add_rows",
            (count, tiles(width)),
            table,
            x,
            of(&starts),
            order,
            targets,
            0u32,
            width
        );
    }
    let Pieces { starts, firsts } = Pieces::of(&starts);
    let count_of_pieces = starts.len() - 1;
    let (starts, firsts) = (gpu.upload(starts)?, gpu.upload(firsts)?);
    let parts = gpu.zeros(count_of_pieces * width)?;
    let grid = (count_of_pieces, tiles(width));
    launch!(gpu, "add_rows", grid, of(&parts), x, of(&starts), order, None, 0u32, width)?;
    launch!(
        gpu,
        "add_rows",
        (count, tiles(width)),
        table,
        of(&parts),
        of(&firsts),
        None,
        targets,
        0u32,
        width
    )
}

/// Blocks that the columns of a row take.
pub fn tiles(width: usize) -> usize {
    width.div_ceil(THREADS)
}

/// Lists cut in pieces of at most [`PIECE`].
#[derive(Debug, PartialEq, Eq)]
struct Pieces {
    /// Where each piece begins, and the last one ends.
    starts: Vec<u32>,
    /// The first piece of each list, and at the end the number of pieces.
    firsts: Vec<u32>,
}

impl Pieces {
    fn of(lists: &[u32]) -> Self {
        let (mut starts, mut firsts) = (Vec::new(), vec![0]);
        for list in lists.windows(2) {
            starts.extend((list[0]..list[1]).step_by(PIECE));
            firsts.push(number(starts.len()));
        }
        starts.extend(lists.last());
        Self { starts, firsts }
    }
}

/// out[column] += the sum of that column of x.
pub fn add_columns(gpu: &Gpu, out: At, x: At, rows: usize, width: usize) -> Result<(), CudaError> {
    const ROWS: usize = 64;
    let pieces = rows.div_ceil(ROWS);
    let parts = gpu.memory::<f32>(pieces * width)?;
    let grid = (width.div_ceil(32), pieces);
    launch!(gpu, "sum_parts", grid, of(&parts), None, x, None, None, None, rows, ROWS, width)?;
    launch!(
        gpu,
        "add_rows",
        (usize::from(rows > 0), tiles(width)),
        out,
        of(&parts),
        None,
        None,
        None,
        pieces,
        width
    )
}

/// A number of the host for a kernel.
pub fn number(value: usize) -> u32 {
    u32::try_from(value).expect("below 2^32")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_the_order_of_what_belongs_together() {
        let lists = Lists::of(&[2, 0, 2, 2, 0], 4);
        assert_eq!(lists, Lists { starts: vec![0, 2, 2, 5, 5], order: vec![1, 4, 0, 2, 3] });
    }

    #[test]
    fn a_long_list_is_cut_and_an_empty_one_has_no_piece() {
        let pieces = Pieces::of(&[0, 3, 3, 303]);
        assert_eq!(pieces, Pieces { starts: vec![0, 3, 131, 259, 303], firsts: vec![0, 1, 1, 4] });
    }
}
