//! The few switches and questions of libtorch that tch does not pass on, by way of a page of C++.
//!
//! A crate of its own, so that the C++ is compiled once and a program that needs no libtorch can leave it out.

#![expect(unsafe_code, reason = "the C++ that reaches libtorch's switches")]

// Its libraries are what the C++ refers to.
use torch_sys as _;

// SAFETY: the names and types are those in `switches.cpp`, where each function is `noexcept`.
unsafe extern "C" {
    safe fn runner_set_arithmetic(tf32: bool, deterministic: bool) -> bool;
    fn runner_arithmetic(tf32: *mut bool, deterministic: *mut bool) -> bool;
    fn runner_gpu_peak(index: i32, peak: *mut u64) -> bool;
    fn runner_gpu_memory(index: i32, free: *mut u64, total: *mut u64) -> bool;
}

/// Lets matrix products and convolutions on a GPU round to TF32, or not, and leaves only deterministic algorithms, or all.
/// Whether libtorch took it.
#[must_use]
pub fn set_arithmetic(tf32: bool, deterministic: bool) -> bool {
    runner_set_arithmetic(tf32, deterministic)
}

/// Whether TF32 may be used on a GPU, and whether deterministic algorithms alone are; `None` where libtorch does not say.
pub fn arithmetic() -> Option<(bool, bool)> {
    let (mut tf32, mut deterministic) = (false, false);
    // SAFETY: both pointers are valid for the call, which keeps neither and lets no exception out.
    unsafe { runner_arithmetic(&raw mut tf32, &raw mut deterministic) }.then_some((tf32, deterministic))
}

/// How many bytes of a GPU's memory are free, and how many there are; `None` where it cannot be asked. libtorch first
/// gives back what it keeps for later.
pub fn gpu_memory(index: usize) -> Option<(u64, u64)> {
    let index = i32::try_from(index).ok()?;
    let (mut free, mut total) = (0, 0);
    // SAFETY: both pointers are valid for the call, which keeps neither and lets no exception out.
    unsafe { runner_gpu_memory(index, &raw mut free, &raw mut total) }.then_some((free, total))
}

/// Largest number of bytes that tensors have had on a GPU at once, as `torch.cuda.max_memory_allocated`; `None` where it
/// cannot be asked.
pub fn gpu_peak(index: usize) -> Option<u64> {
    let index = i32::try_from(index).ok()?;
    let mut peak = 0;
    // SAFETY: the pointer is valid for the call, which does not keep it and lets no exception out.
    unsafe { runner_gpu_peak(index, &raw mut peak) }.then_some(peak)
}
