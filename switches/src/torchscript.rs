//! The functions of `torchscript.cpp`. Each returns null, or a message that [`runner_free_message`] frees.
//!
//! Only declarations: `runner` is linked without this crate, so no code of it may be shared with others.

use std::ffi::{c_char, c_void};

use torch_sys::C_tensor;

/// A module in C++.
#[derive(Debug)]
pub enum CModule {}

/// A count of memory in C++.
#[derive(Debug)]
pub enum CMemory {}

/// Takes a tensor and its name; the first argument is the list it is added to.
pub type AddTensor = extern "C" fn(*mut c_void, *const c_char, *mut C_tensor);

// SAFETY: the names and types are those in `torchscript.cpp`, where each function is `noexcept`.
unsafe extern "C" {
    /// Frees a message.
    pub fn runner_free_message(message: *mut c_char);
    /// Loads a module from the bytes of its file; `device` is -1 for the CPU, else the index of a GPU.
    pub fn runner_module_load(bytes: *const u8, length: usize, device: i32, loaded: *mut *mut CModule) -> *mut c_char;
    /// Frees a module.
    pub fn runner_module_free(module: *mut CModule);
    /// Passes each parameter, or each buffer, to `add`, which owns it.
    pub fn runner_module_tensors(module: *mut CModule, buffers: bool, list: *mut c_void, add: AddTensor)
    -> *mut c_char;
    /// Makes a tensor a view of another one's memory.
    pub fn runner_set_data(tensor: *mut C_tensor, data: *const C_tensor) -> *mut c_char;
    /// Sets whether both are one object.
    pub fn runner_is_same(one: *const C_tensor, other: *const C_tensor, same: *mut bool) -> *mut c_char;
    /// Sets whether a tensor is neither sparse nor quantized.
    pub fn runner_is_dense(tensor: *const C_tensor, dense: *mut bool) -> *mut c_char;
    /// Sets the numbers of arguments of a method; -1 without the method.
    pub fn runner_module_arguments(
        module: *mut CModule,
        method: *const c_char,
        arguments: *mut i32,
        required: *mut i32,
    ) -> *mut c_char;
    /// Switches between training and evaluation mode.
    pub fn runner_module_set_training(module: *mut CModule, training: bool) -> *mut c_char;
    /// Calls a method; `output` is null if it returns no tensor and no number.
    pub fn runner_module_call(
        module: *mut CModule,
        method: *const c_char,
        inputs: *const *mut C_tensor,
        count: usize,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
    /// Starts to count the bytes of the CPU tensors of this thread.
    pub fn runner_memory_start(memory: *mut *mut CMemory) -> *mut c_char;
    /// Returns the most bytes that there were at once since the last call, beyond those at the last call.
    pub fn runner_memory_take_peak(memory: *mut CMemory) -> i64;
    /// Ends the count, in the thread that started it.
    pub fn runner_memory_end(memory: *mut CMemory);
    /// Copies replaced buffers into their places.
    pub fn runner_module_keep_buffers(module: *mut CModule, places: *const *mut C_tensor, count: usize) -> *mut c_char;
}
