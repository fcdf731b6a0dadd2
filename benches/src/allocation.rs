//! Counts the bytes that are allocated and not yet freed.
//!
//! The figure is the sum of the sizes that were asked for. What an allocator
//! adds for its own bookkeeping differs from system to system and is left out.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    // One cell per thread and no atomic: counting must not cost the contestants
    // that allocate much more than it costs the others.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // At the end of a thread its cell is gone; nobody measures there.
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes which the value that `build` returns keeps allocated.
pub fn bytes_kept<T>(build: impl FnOnce() -> T) -> usize {
    let before = LIVE.get();
    let value = build();
    let kept = LIVE.get() - before;
    drop(value);
    usize::try_from(kept).expect("a value cannot keep less than nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_counts_and_what_is_dropped_does_not() {
        let kept = bytes_kept(|| {
            drop(vec![0_u8; 1_000]);
            vec![0_u64; 100]
        });
        assert_eq!(kept, 800);
    }
}
