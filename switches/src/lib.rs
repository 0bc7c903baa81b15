//! The few functions of libtorch that tch does not offer, in C++: precision and determinism, GPU memory, random generators,
//! TorchScript modules.
//!
//! A crate of its own, so that the C++ is compiled once and a program that needs no libtorch can leave it out.

#![expect(unsafe_code, reason = "the C++ that reaches libtorch's switches")]

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

pub mod torchscript;

// Its libraries are what the C++ refers to.
use torch_sys as _;

// SAFETY: the names and types are those in `switches.cpp`, where each function is `noexcept`.
unsafe extern "C" {
    safe fn runner_set_arithmetic(tf32: bool, deterministic: bool) -> bool;
    fn runner_arithmetic(tf32: *mut bool, deterministic: *mut bool) -> bool;
    safe fn runner_autocast(cuda: bool, enabled: bool) -> bool;
    fn runner_gpu_peak(index: i32, peak: *mut u64) -> bool;
    fn runner_gpu_memory(index: i32, free: *mut u64, total: *mut u64) -> bool;
    fn runner_generator_new(index: c_int, generator: *mut *mut c_void) -> bool;
    fn runner_generator_swap(index: c_int, generator: *mut c_void) -> bool;
    fn runner_generator_copy(generator: *const c_void, copy: *mut *mut c_void) -> bool;
    fn runner_generator_bernoulli(generator: *mut c_void, values: *mut f32, length: usize, p: f64) -> bool;
    fn runner_generator_mersenne_twister(generator: *const c_void, state: *mut u32, left: *mut usize) -> bool;
    fn runner_generator_free(generator: *mut c_void);
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

/// Starts or ends autocast to bfloat16 in this thread, for the operations of GPUs or of the CPU, as `torch.autocast`.
/// Returns whether libtorch did.
#[must_use]
pub fn autocast(cuda: bool, enabled: bool) -> bool {
    runner_autocast(cuda, enabled)
}

/// How many bytes of a GPU's memory are free, and how many there are; `None` where it cannot be asked. libtorch first
/// gives back what it keeps for later.
pub fn gpu_memory(index: usize) -> Option<(u64, u64)> {
    let index = i32::try_from(index).ok()?;
    let (mut free, mut total) = (0, 0);
    // SAFETY: both pointers are valid for the call, which keeps neither and lets no exception out.
    unsafe { runner_gpu_memory(index, &raw mut free, &raw mut total) }.then_some((free, total))
}

/// Random generator of a device: libtorch's `at::Generator`.
#[derive(Debug)]
pub struct Generator {
    generator: NonNull<c_void>,
    index: c_int, // of the GPU; below 0 the CPU
}

impl Generator {
    /// Returns a copy of the default generator of a GPU, or of the CPU; `None` if libtorch has none.
    pub fn new(gpu: Option<usize>) -> Option<Generator> {
        let index = gpu.map_or(Ok(-1), c_int::try_from).ok()?;
        let mut generator = std::ptr::null_mut();
        // SAFETY: the pointer is valid for the call, which does not keep it and lets no exception out.
        let is_made = unsafe { runner_generator_new(index, &raw mut generator) };
        let generator = NonNull::new(generator).filter(|_| is_made)?;
        Some(Generator { generator, index })
    }

    /// Exchanges this generator and the default one of its device. Returns whether libtorch did.
    ///
    /// The default generator belongs to the whole process: no other thread may exchange it at the same time.
    #[must_use]
    pub fn swap_with_default(&mut self) -> bool {
        // SAFETY: the generator exists until it is dropped, and the call lets no exception out.
        unsafe { runner_generator_swap(self.index, self.generator.as_ptr()) }
    }
}

impl Generator {
    /// Returns a copy with the same state; `None` if there is no memory for it.
    pub fn copy(&self) -> Option<Generator> {
        let mut copy = std::ptr::null_mut();
        // SAFETY: the generator exists until it is dropped, the pointer is valid for the call, and the call lets no exception out.
        let is_made = unsafe { runner_generator_copy(self.generator.as_ptr(), &raw mut copy) };
        Some(Generator { generator: NonNull::new(copy).filter(|_| is_made)?, index: self.index })
    }

    /// Sets each value to 1 with probability `p`, else to 0: the values that `Tensor.bernoulli_(p)` draws on the CPU for a tensor of
    /// this length. Returns whether libtorch did.
    #[must_use]
    pub fn bernoulli(&mut self, values: &mut [f32], p: f64) -> bool {
        // SAFETY: the generator is borrowed, the values are valid for the call, which keeps neither and lets no exception out.
        unsafe { runner_generator_bernoulli(self.generator.as_ptr(), values.as_mut_ptr(), values.len(), p) }
    }

    /// Reads the state of the Mersenne Twister of a generator of the CPU. Returns the number of its last words that were not
    /// drawn yet; `None` for a GPU.
    pub fn mersenne_twister(&self, state: &mut [u32; 624]) -> Option<usize> {
        let mut left = 0;
        // SAFETY: the generator is borrowed, the pointers are valid for the call, which keeps none and lets no exception out; it
        // writes 624 words.
        let is_read = self.index < 0
            && unsafe { runner_generator_mersenne_twister(self.generator.as_ptr(), state.as_mut_ptr(), &raw mut left) };
        is_read.then_some(left)
    }
}

// SAFETY: a generator belongs to no thread.
unsafe impl Send for Generator {}
// SAFETY: through a shared reference it is only copied, which reads its state.
unsafe impl Sync for Generator {}

impl Drop for Generator {
    fn drop(&mut self) {
        // SAFETY: `new` made it, and nothing else frees it.
        unsafe { runner_generator_free(self.generator.as_ptr()) }
    }
}

/// Largest number of bytes that tensors have had on a GPU at once, as `torch.cuda.max_memory_allocated`; `None` where it
/// cannot be asked.
pub fn gpu_peak(index: usize) -> Option<u64> {
    let index = i32::try_from(index).ok()?;
    let mut peak = 0;
    // SAFETY: the pointer is valid for the call, which does not keep it and lets no exception out.
    unsafe { runner_gpu_peak(index, &raw mut peak) }.then_some(peak)
}
