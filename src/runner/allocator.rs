//! What a model's program allocates with: mimalloc, which keeps what was freed, under a count of the live bytes.
//!
//! A step takes and gives back some hundred buffers of megabytes. Handed to the system in between, they come back as
//! fresh pages, and their faults cost a quarter of the step.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering};

use libmimalloc_sys::{mi_option_set_default, mi_option_t};
use mimalloc::MiMalloc;

/// What a generated crate allocates with.
pub const ALLOCATOR: Allocator = Allocator;

/// mimalloc, with every block of a kibibyte or more counted in [`heap`].
#[derive(Clone, Copy, Debug)]
pub struct Allocator;

/// The smallest block that is counted. Tensors are larger; what is smaller comes by the million when texts are cut
/// into tokens, where counting would be felt.
const COUNTED: usize = 1024;

/// `mi_option_purge_delay` of mimalloc.h, the same in versions 2 and 3; the crate has no name for it.
const PURGE_DELAY: mi_option_t = 15;

/// Lets mimalloc keep what is freed for the next step, unless MIMALLOC_PURGE_DELAY says otherwise.
pub fn keep_freed_memory() {
    // SAFETY: the option exists, as a test checks, and no other thread runs yet that would read it meanwhile.
    unsafe { mi_option_set_default(PURGE_DELAY, -1) }
}

/// The blocks that were taken from [`Allocator`]; nothing in a program that allocates otherwise.
///
/// It counts always, not only for a profile: blocks that were taken before would otherwise be freed from a count that
/// they never entered. A step has some thousand such blocks, which is microseconds of counting.
pub fn heap() -> &'static Heap {
    &HEAP
}

static HEAP: Heap = Heap::new();

/// Live bytes, and the most there were since the peak was last set.
#[derive(Debug, Default)]
pub struct Heap {
    live: AtomicUsize,
    peak: AtomicUsize,
}

impl Heap {
    pub const fn new() -> Self {
        Self { live: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Sets the peak, for measuring from here on; it is never below what is live.
    pub fn set_peak(&self, bytes: usize) {
        self.peak.store(bytes.max(self.live()), Ordering::Relaxed);
    }

    pub fn take(&self, bytes: usize) {
        if bytes >= COUNTED {
            let live = self.live.fetch_add(bytes, Ordering::Relaxed) + bytes;
            if live > self.peak() {
                self.peak.fetch_max(live, Ordering::Relaxed);
            }
        }
    }

    pub fn give(&self, bytes: usize) {
        if bytes >= COUNTED {
            self.live.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

// SAFETY: all four hand their arguments on to mimalloc and give back what it gave; counting touches no memory of theirs.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // a null block is not counted, but it ends the program anyway
        HEAP.take(layout.size());
        // SAFETY: the caller's promise
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        HEAP.take(layout.size());
        // SAFETY: the caller's promise
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HEAP.give(layout.size());
        // SAFETY: the caller's promise
        unsafe { MiMalloc.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HEAP.give(layout.size());
        HEAP.take(size);
        // SAFETY: the caller's promise
        unsafe { MiMalloc.realloc(block, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use libmimalloc_sys::mi_option_get;

    use super::*;

    #[test]
    fn the_option_that_is_set_is_the_delay() {
        // its neighbours are 1 and 0; a program's own value would be that of the variable
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
            // SAFETY: the option exists
            let before = unsafe { mi_option_get(PURGE_DELAY) };
            assert!([1000, -1].contains(&before), "{before}");
            keep_freed_memory();
            // SAFETY: as above
            assert_eq!(unsafe { mi_option_get(PURGE_DELAY) }, -1);
        }
    }

    #[test]
    fn live_bytes_and_their_height_are_counted() {
        let heap = Heap::new();
        heap.take(COUNTED);
        heap.take(3 * COUNTED);
        heap.take(COUNTED - 1);
        heap.give(COUNTED - 1);
        heap.give(3 * COUNTED);
        assert_eq!((heap.live(), heap.peak()), (COUNTED, 4 * COUNTED));
        heap.set_peak(0);
        assert_eq!(heap.peak(), COUNTED);
        heap.set_peak(9 * COUNTED);
        assert_eq!(heap.peak(), 9 * COUNTED);
    }

    #[test]
    fn blocks_enter_the_count_and_leave_it() {
        let blocks = |size| Layout::from_size_align(size, 64).unwrap();
        let before = heap().live();
        // SAFETY: the layouts are not empty, and each block is given back with the layout that it has.
        unsafe {
            let block = ALLOCATOR.alloc(blocks(1 << 20));
            assert_eq!(heap().live() - before, 1 << 20);
            block.add((1 << 20) - 1).write(7);
            let block = ALLOCATOR.realloc(block, blocks(1 << 20), 1 << 21);
            assert_eq!((heap().live() - before, block.add((1 << 20) - 1).read()), (1 << 21, 7));
            let zeros = ALLOCATOR.alloc_zeroed(blocks(1 << 20));
            assert_eq!((heap().live() - before, zeros.add(9).read()), (3 << 20, 0));
            ALLOCATOR.dealloc(zeros, blocks(1 << 20));
            ALLOCATOR.dealloc(block, blocks(1 << 21));
        }
        assert_eq!(heap().live(), before);
        assert!(heap().peak() >= before + (3 << 20));
    }
}
