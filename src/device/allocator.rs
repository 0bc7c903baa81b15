//! The global allocator: the system's, but instead of Rust's abort when memory runs out, the program ends with a
//! readable error.
//!
//! Large blocks are allocated by [`memory::vec_with_capacity`](super::memory::vec_with_capacity) and related functions. They fail like
//! libtorch does, so that a run can continue without them. Any other allocation cannot fail in Rust: the program would
//! abort with a backtrace.

#![expect(unsafe_code, reason = "an allocator hands out memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

use crate::io::signals;

/// The system's allocator, which ends the program with a message if memory runs out.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

thread_local! {
    /// Whether an allocation of this thread may fail.
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
}

/// Runs an allocation that may fail without ending the program.
pub fn may_fail<T>(ask: impl FnOnce() -> T) -> T {
    let before = MAY_FAIL.replace(true);
    let asked = ask();
    MAY_FAIL.set(before);
    asked
}

// SAFETY: all is done by the system's allocator; what it returns is returned, or the program ends.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is that of the system's allocator.
        check_block(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        check_block(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        check_block(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Returns the block. Ends the program if it is null and the allocation must not fail.
fn check_block(block: *mut u8, bytes: usize) -> *mut u8 {
    if block.is_null() && !MAY_FAIL.try_with(Cell::get).unwrap_or(false) {
        exit_out_of_memory(bytes);
    }
    block
}

/// Ends the program without allocating: an allocator must not panic.
#[cold]
fn exit_out_of_memory(bytes: usize) -> ! {
    let mut text = [0_u8; 256];
    let left = {
        let mut to = &mut text[..];
        let _ = write!(
            to,
            "error: out of memory: failed to allocate {} KiB\n\
             hint: use fewer rows, fewer seeds at once or a smaller network, or free memory\n",
            bytes.div_ceil(1024)
        );
        to.len()
    };
    let length = text.len() - left;
    #[cfg(unix)]
    // SAFETY: it reads the text that was just written; the program ends whether or not anybody reads it.
    unsafe {
        libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), length);
    }
    #[cfg(not(unix))]
    let _ = std::io::stderr().write_all(&text[..length]);
    signals::exit_immediately(2)
}
