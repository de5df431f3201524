//! The tile unit (AMX) of newer x86 processors: products of bf16 tiles, accumulated in f32.
//!
//! Rust has no stable intrinsics for it, so the instructions stand in `asm!`. A tile register holds 16 rows of 64
//! bytes. A product works on blocks of 32 x 32 results: four accumulators (`tmm0` to `tmm3`), two tiles of the left
//! factor (`tmm4`, `tmm5`) and two of the right (`tmm6`, `tmm7`). For a = a1 + a2 and b = b1 + b2 it adds a1 b1,
//! a2 b1 and a1 b2; a2 b2 is below the last bit that counts.

use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, _xgetbv};

use super::pack::{GROUP, Page, Panel, Room};

/// Rows, and columns, of a block of results; also how many elements of a factor's inner side a [`Page`] holds.
pub const BLOCK: usize = 32;

/// How many bytes a step of [`Configured::block`] fetches ahead.
pub const FETCHED: usize = 16 * 64;

/// Fetches the next [`FETCHED`] bytes.
macro_rules! fetch {
    ($next:expr) => {
        concat!(
            ".set camtl_line, 0\n",
            ".rept 16\n",
            "prefetcht1 [{next} + camtl_line]\n",
            ".set camtl_line, camtl_line + 64\n",
            ".endr\n",
            "add {next}, 1024"
        )
    };
}

/// Adds the products of `steps` > 0 pages to the accumulators.
macro_rules! multiply {
    ($a:expr, $b:expr, $steps:expr $(, $next:expr)?) => {
        asm!(
            "2:",
            "tileloadd tmm4, [{a} + {stride}]",
            "tileloadd tmm6, [{b} + {stride}]",
            "tdpbf16ps tmm0, tmm4, tmm6", // a1 b1
            "tileloadd tmm7, [{b} + {stride} + 1024]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a} + {stride} + 1024]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm4, [{a} + {stride} + 2048]",
            "tdpbf16ps tmm0, tmm4, tmm6", // a2 b1
            "tileloadd tmm5, [{a} + {stride} + 3072]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm4, [{a} + {stride}]",
            "tileloadd tmm6, [{b} + {stride} + 2048]",
            "tdpbf16ps tmm0, tmm4, tmm6", // a1 b2
            "tileloadd tmm7, [{b} + {stride} + 3072]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a} + {stride} + 1024]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            $(fetch!($next),)?
            "add {a}, 4096",
            "add {b}, 4096",
            "dec {steps}",
            "jnz 2b",
            a = inout(reg) $a => _, b = inout(reg) $b => _, steps = inout(reg) $steps => _,
            stride = in(reg) 64usize,
            $(next = inout(reg) $next => _,)?
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, readonly)
        )
    };
}

/// Whether the processor has the unit and the kernel lets this process use it.
pub fn available() -> bool {
    const TILE_DATA: libc::c_long = 18; // the state component that has to be asked for
    const REQUEST: libc::c_long = 0x1023; // ARCH_REQ_XCOMP_PERM
    if !(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")) {
        return false;
    }
    let features = __cpuid_count(7, 0).edx;
    let (bf16, tile) = (features >> 22 & 1 == 1, features >> 24 & 1 == 1);
    // SAFETY: a processor with AVX-512 has XGETBV, and an operating system that shows AVX-512 has enabled it.
    let enabled = unsafe { xcr0() } >> 17 & 3 == 3;
    // SAFETY: the call changes nothing but this process's permission, for all its threads.
    bf16 && tile && enabled && unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) } == 0
}

/// # Safety
/// The processor has XSAVE.
#[target_feature(enable = "xsave")]
unsafe fn xcr0() -> u64 {
    // SAFETY: as the caller vouches.
    unsafe { _xgetbv(0) }
}

/// The tile registers configured for this thread, as 16 rows of 64 bytes each; released when dropped.
pub struct Configured(());

#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_a_row: [u16; 16],
    rows: [u8; 16],
}

impl Configured {
    /// Only where [`available`].
    pub fn new() -> Self {
        let mut config =
            Config { palette: 1, start_row: 0, reserved: [0; 14], bytes_a_row: [0; 16], rows: [0; 16] };
        config.bytes_a_row[..8].fill(64);
        config.rows[..8].fill(16);
        // SAFETY: reads the 64 bytes of `config`; the registers belong to this thread and nobody else uses them.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const config, options(nostack, readonly)) };
        Self(())
    }

    /// c = [c +] a b for a block of 32 x 32 results, `steps` pages of each factor.
    /// Meanwhile [`FETCHED`] bytes a step are fetched into the L2 cache from `next` on, which may be any address.
    ///
    /// # Safety
    /// `a` and `b` point to `steps` pages, `c` to 32 rows of 32 elements that nobody else uses.
    #[inline]
    pub unsafe fn block(
        &self,
        (a, b): (*const Page, *const Page),
        steps: usize,
        next: Option<*const u8>,
        Results { start: c, stride, accumulate }: Results,
    ) {
        let bytes = stride * size_of::<f32>();
        let lower = c.wrapping_add(16 * stride);
        // SAFETY: every address is inside the pages and the block that the caller vouches for; the tile registers
        // are configured (`self`), and the compiler does not use them for anything else.
        unsafe {
            if accumulate {
                asm!(
                    "tileloadd tmm0, [{upper} + {stride}]",
                    "tileloadd tmm1, [{upper} + {stride} + 64]",
                    "tileloadd tmm2, [{lower} + {stride}]",
                    "tileloadd tmm3, [{lower} + {stride} + 64]",
                    upper = in(reg) c, lower = in(reg) lower, stride = in(reg) bytes,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    options(nostack, readonly)
                );
            } else {
                asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    options(nostack, nomem)
                );
            }
            if steps > 0 {
                match next {
                    Some(next) => multiply!(a, b, steps, next),
                    None => multiply!(a, b, steps),
                }
            }
            asm!(
                "tilestored [{upper} + {stride}], tmm0",
                "tilestored [{upper} + {stride} + 64], tmm1",
                "tilestored [{lower} + {stride}], tmm2",
                "tilestored [{lower} + {stride} + 64], tmm3",
                upper = in(reg) c, lower = in(reg) lower, stride = in(reg) bytes,
                options(nostack)
            );
        }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: gives the registers' state back; whoever uses them configures them first.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// Where a product's results go.
#[derive(Clone, Copy)]
pub struct Results {
    pub start: *mut f32,
    /// From one row to the next, in elements.
    pub stride: usize,
    pub accumulate: bool,
}

/// c = [c +] a b for `m` x `n` results; a block of 32 rows of a is as many pages as b has along k. On this thread.
/// `then` is what will be multiplied next: the end of this product fetches its beginning.
///
/// # Safety
/// All pages are written, and c points to m rows of n elements that nobody else uses.
pub unsafe fn blocks(a: &[Room], b: &Panel, (m, n): (usize, usize), c: Results, then: Option<&Panel>) {
    const COLUMNS: usize = 12; // blocks of b of which a group stays in the L2 cache while rows of a pass by
    let steps = b.steps.len();
    assert!(a.len() >= m.div_ceil(BLOCK) * steps && b.columns.len() >= n.div_ceil(BLOCK), "too few pages");
    let tiles = Configured::new();
    let sets: Vec<(usize, usize)> = (0..n.div_ceil(BLOCK))
        .step_by(COLUMNS)
        .flat_map(|column| (0..steps).step_by(GROUP).map(move |from| (column, from)))
        .collect();
    for (number, &(first, from)) in sets.iter().enumerate() {
        let pages = b.group(first, from);
        let next = match sets.get(number + 1) {
            Some(&(column, from)) => Some(b.group(column, from)),
            None => then.map(|then| then.group(0, 0)),
        };
        let next = next.map(|pages| pages.as_ptr().cast::<u8>());
        let count = (steps - from).min(GROUP);
        let columns = (n.div_ceil(BLOCK) - first).min(COLUMNS);
        let accumulate = c.accumulate || from > 0;
        for row in 0..m.div_ceil(BLOCK) {
            for column in 0..columns {
                let (i, j) = (row * BLOCK, (first + column) * BLOCK);
                let done = (row * columns + column) * count;
                // what is fetched is about as much as the pages of this set
                let next = next.filter(|_| row < 4).map(|next| next.wrapping_add(done * FETCHED));
                let pages = (a[row * steps + from].as_ptr(), pages[column * count].as_ptr());
                let size = ((m - i).min(BLOCK), (n - j).min(BLOCK));
                let c = Results { start: c.start.wrapping_add(i * c.stride + j), accumulate, ..c };
                // SAFETY: `count` pages lie behind each of the two, all written, and the part of the block that is
                // inside of the results is ours.
                unsafe {
                    if size == (BLOCK, BLOCK) {
                        tiles.block(pages, count, next, c);
                    } else {
                        edge(&tiles, pages, count, c, size);
                    }
                }
            }
        }
    }
}

/// A block that reaches beyond the results: only its first `rows` x `columns` are written.
///
/// # Safety
/// As [`Configured::block`], for the part that is written.
unsafe fn edge(
    tiles: &Configured,
    pages: (*const Page, *const Page),
    steps: usize,
    Results { start: c, stride, accumulate }: Results,
    (rows, columns): (usize, usize),
) {
    let mut whole = [0.0f32; BLOCK * BLOCK];
    // SAFETY: `whole` is a block of its own; of c only the part that the caller vouches for is touched.
    unsafe {
        let results = Results { start: whole.as_mut_ptr(), stride: BLOCK, accumulate: false };
        tiles.block(pages, steps, None, results);
        for (i, row) in whole.chunks_exact(BLOCK).enumerate().take(rows) {
            let to = c.wrapping_add(i * stride);
            if accumulate {
                std::slice::from_raw_parts_mut(to, columns).iter_mut().zip(row).for_each(|(c, &x)| *c += x);
            } else {
                std::ptr::copy_nonoverlapping(row.as_ptr(), to, columns);
            }
        }
    }
}
