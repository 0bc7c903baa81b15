//! Direct access to the values of a CPU tensor, for hand-written loops.
//!
//! Every libtorch operation costs a microsecond or more before it computes anything. If a step applies many small
//! operations to the same values (an optimizer's update rule, a bias and an activation, a loss and its gradient), one
//! pass over the memory replaces them. All pointers into tensors are in this file.
//!
//! In libtorch any number of tensors can share one memory and modify it, so the borrow checker cannot see conflicting
//! accesses. The code that takes a slice must rule them out: the tensor is not shared (a buffer, a function's own
//! result), or the program's structure keeps threads apart (`train::fused_cpu`).

#![expect(unsafe_code, reason = "slices of memory that is libtorch's")]

use std::ops::Range;
use std::ptr::NonNull;

use tch::kind::Element;
use tch::{Device, Tensor};

/// The memory of a contiguous tensor on the CPU.
///
/// It is a pointer, so several threads can hold it and write to separate parts. The code that takes a slice must
/// guarantee that the parts do not overlap.
#[derive(Debug)]
pub struct RawValues<T> {
    start: *mut T,
    len: usize,
}

/// The memory of a contiguous f32 tensor on the CPU.
pub type RawF32 = RawValues<f32>;

impl<T> Clone for RawValues<T> {
    fn clone(&self) -> RawValues<T> {
        *self
    }
}

impl<T> Copy for RawValues<T> {}

// SAFETY: it is an address and a length, and owns nothing. Memory is only accessed in `get` and `get_mut`, which are
// unsafe: their callers guarantee that the memory is valid and that no two threads conflict in it.
unsafe impl<T: Send> Send for RawValues<T> {}
// SAFETY: as above; values can be changed through a shared `RawValues` only with `get_mut`, which is unsafe.
unsafe impl<T: Sync> Sync for RawValues<T> {}

impl<T: Element> RawValues<T> {
    /// Returns the memory of a tensor.
    ///
    /// # Panics
    /// When it is not contiguous, of another type, or not on the CPU, which is a bug in this program.
    pub fn from_tensor(tensor: &Tensor) -> RawValues<T> {
        assert_eq!((tensor.kind(), tensor.device()), (T::KIND, Device::Cpu), "values are of this type, on the CPU");
        assert!(tensor.is_contiguous(), "values are contiguous");
        let len = tensor.numel();
        // libtorch has no address for an empty tensor, and a slice needs one.
        let start = if len == 0 { NonNull::dangling().as_ptr() } else { tensor.data_ptr().cast() };
        RawValues { start, len }
    }

    /// Returns the memory of a slice.
    pub fn from_slice(values: &mut [T]) -> RawValues<T> {
        RawValues { start: values.as_mut_ptr(), len: values.len() }
    }

    /// Returns the address of the first value.
    pub fn as_mut_ptr(self) -> *mut T {
        self.start
    }

    /// Returns the number of values.
    pub fn len(self) -> usize {
        self.len
    }

    /// Returns whether there are no values.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Returns a part of the values.
    ///
    /// # Panics
    /// When the range is out of bounds.
    pub fn part(self, range: Range<usize>) -> RawValues<T> {
        assert!(range.start <= range.end && range.end <= self.len, "a part lies inside");
        // SAFETY: as just checked, the sum stays inside the tensor's memory or one past its end; for an empty tensor, 0
        // is added.
        RawValues { start: unsafe { self.start.add(range.start) }, len: range.len() }
    }

    /// Returns the values for reading.
    ///
    /// # Safety
    /// The values must be initialized. The tensor, or another one that shares its memory, must outlive the slice, and
    /// nothing may write to these values in the meantime.
    pub unsafe fn get<'a>(self) -> &'a [T] {
        // SAFETY: `from_tensor` took address and length from a contiguous tensor of this type, which libtorch aligns, or a dangling
        // address for an empty one, and `part` stays inside; the caller guarantees the rest.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// Returns the values for reading and writing.
    ///
    /// # Safety
    /// The values must be initialized. The tensor, or another one that shares its memory, must outlive the slice, and
    /// nothing else may read or write these values in the meantime, including other slices of the same thread.
    pub unsafe fn get_mut<'a>(self) -> &'a mut [T] {
        // SAFETY: as in `get`; the caller also guarantees exclusive access.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    #[test]
    fn a_part_of_a_tensors_memory_is_that_part_of_the_tensor() {
        let tensor = Tensor::arange(6, (Kind::Float, Device::Cpu)).view([2, 3]);
        let row = RawF32::from_tensor(&tensor).part(3..6);
        // SAFETY: the tensor lives to the end of the test, and nothing else accesses it in the meantime.
        unsafe { row.get_mut() }.copy_from_slice(&[7.0, 8.0, 9.0]);
        assert_eq!(Vec::<f32>::try_from(tensor.get(1)).unwrap(), [7.0, 8.0, 9.0]);
        assert_eq!(Vec::<f32>::try_from(tensor.get(0)).unwrap(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_tensor_of_nothing_has_no_floats() {
        let empty = RawF32::from_tensor(&Tensor::zeros([0, 3], (Kind::Float, Device::Cpu)));
        // SAFETY: the slice is empty.
        assert!(empty.is_empty() && unsafe { empty.get() }.is_empty());
    }

    #[test]
    #[should_panic(expected = "values are contiguous")]
    fn a_tensor_with_gaps_is_refused() {
        RawF32::from_tensor(&Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)).transpose(0, 1));
    }
}
