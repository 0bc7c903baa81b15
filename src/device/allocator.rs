//! The allocator of the program: the system's, but where Rust would abort for want of memory, the program ends with an error
//! that says so.
//!
//! Large blocks are asked for by [`memory::room_for`](super::memory::room_for) and the like, which fail as libtorch does,
//! so that a run can go on without what needed them. Any other allocation cannot fail in Rust: its code would abort with a
//! trace of its insides.

#![expect(unsafe_code, reason = "an allocator hands out memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

use crate::io::signals;

/// The system's allocator, which ends the program in words where memory that must be there is not.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

thread_local! {
    /// Whether this thread asks for memory that it can do without.
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
}

/// Asks for memory, which may fail.
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
        found(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        found(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        found(unsafe { System.realloc(block, layout, size) }, size)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The block; where there is none and one must be there, ends the program.
fn found(block: *mut u8, bytes: usize) -> *mut u8 {
    if block.is_null() && !MAY_FAIL.try_with(Cell::get).unwrap_or(false) {
        end(bytes);
    }
    block
}

/// Ends the program without asking for memory: an allocator may not panic.
#[cold]
fn end(bytes: usize) -> ! {
    let mut text = [0_u8; 256];
    let left = {
        let mut to = &mut text[..];
        let _ = write!(
            to,
            "error: the machine has not enough memory: {} KiB more were asked for\n\
             hint: use fewer rows, fewer seeds at once or a smaller network, or free memory\n",
            bytes.div_ceil(1024)
        );
        to.len()
    };
    let length = text.len() - left;
    #[cfg(unix)]
    // SAFETY: it reads the text that was just written; where nobody takes it, the program ends all the same.
    unsafe {
        libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), length);
    }
    #[cfg(not(unix))]
    let _ = std::io::stderr().write_all(&text[..length]);
    signals::leave(2)
}
