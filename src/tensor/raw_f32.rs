//! The numbers of a tensor as plain memory, for loops of our own over them.
//!
//! libtorch's operations cost a microsecond or more each before they compute anything. Where a step does many small
//! things to the same numbers (an optimizer's rule, a bias and an activation, a loss and its gradient), one pass over
//! the memory takes their place. All pointers into tensors are here.
//!
//! libtorch lets any number of tensors share one memory, and changes it through each of them, so the borrow checker
//! cannot tell who writes where. Whoever takes a slice has to: of a tensor that nobody else knows (a buffer, a
//! function's own result), or by an order of things that keeps threads apart (`train::dense`).

#![expect(unsafe_code, reason = "slices of memory that is libtorch's")]

use std::ops::Range;
use std::ptr::NonNull;

use tch::{Device, Kind, Tensor};

/// The memory of a contiguous f32 tensor on the CPU.
///
/// It is a pointer, so that several threads can hold it and each write a part of its own; whoever takes a slice of it
/// vouches for that.
#[derive(Clone, Copy, Debug)]
pub struct Floats {
    start: *mut f32,
    len: usize,
}

// SAFETY: it is an address and a length, and owns nothing. Memory is only touched in `get` and `get_mut`, which are unsafe:
// their callers vouch that the memory is there and that no two threads meet in it.
unsafe impl Send for Floats {}
// SAFETY: as above; nothing can be changed through a shared `Floats` but by `get_mut`, which is unsafe.
unsafe impl Sync for Floats {}

impl Floats {
    /// The memory of a tensor.
    ///
    /// # Panics
    /// When it is not contiguous, not f32, or not on the CPU: an error in this program.
    pub fn of(tensor: &Tensor) -> Floats {
        assert_eq!((tensor.kind(), tensor.device()), (Kind::Float, Device::Cpu), "floats are f32 on the CPU");
        assert!(tensor.is_contiguous(), "floats are contiguous");
        let len = tensor.numel();
        // where there are none, libtorch has no address for them, and a slice needs one
        let start = if len == 0 { NonNull::dangling().as_ptr() } else { tensor.data_ptr().cast() };
        Floats { start, len }
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// A part of them.
    pub fn part(self, range: Range<usize>) -> Floats {
        assert!(range.start <= range.end && range.end <= self.len, "a part lies inside");
        // SAFETY: the sum stays inside the tensor's memory, or one past its end, as was just checked; of none, 0 is added.
        Floats { start: unsafe { self.start.add(range.start) }, len: range.len() }
    }

    /// The numbers, to read.
    ///
    /// # Safety
    /// The numbers must have been written before. The tensor, or another that shares its memory, must live as long as the
    /// slice, and nobody may write to these numbers meanwhile.
    pub unsafe fn get<'a>(self) -> &'a [f32] {
        // SAFETY: `of` took address and length from a contiguous f32 tensor, which libtorch aligns, or a dangling address
        // for none, and `part` stays inside; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// The numbers, to change.
    ///
    /// # Safety
    /// The numbers must have been written before. The tensor, or another that shares its memory, must live as long as the
    /// slice, and nobody else may read or write these numbers meanwhile, also not through another slice of this thread's.
    pub unsafe fn get_mut<'a>(self) -> &'a mut [f32] {
        // SAFETY: as in `get`; that nobody else has these numbers is the caller's word, too.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_tensors_memory_is_that_part_of_the_tensor() {
        let tensor = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]);
        let row = Floats::of(&tensor).part(3..6);
        // SAFETY: the tensor lives to the end of the test, and nothing else looks at it meanwhile.
        unsafe { row.get_mut() }.copy_from_slice(&[7.0, 8.0, 9.0]);
        assert_eq!(Vec::<f32>::try_from(tensor.get(1)).unwrap(), [7.0, 8.0, 9.0]);
        assert_eq!(Vec::<f32>::try_from(tensor.get(0)).unwrap(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_tensor_of_nothing_has_no_floats() {
        let empty = Floats::of(&Tensor::zeros([0, 3], (Kind::Float, Device::Cpu)));
        // SAFETY: there is nothing to be read.
        assert!(empty.is_empty() && unsafe { empty.get() }.is_empty());
    }

    #[test]
    #[should_panic(expected = "floats are contiguous")]
    fn a_tensor_with_gaps_is_refused() {
        Floats::of(&Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)).transpose(0, 1));
    }
}
