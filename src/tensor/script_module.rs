//! TorchScript modules whose parameters and buffers can be listed and moved, which tch does not offer.

#![expect(unsafe_code, reason = "calls of C++")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{self, NonNull};

use switches::torchscript as c;
use tch::{Device, Tensor};
use torch_sys::C_tensor;

/// A TorchScript module, as `torch.jit.load` returns it.
#[derive(Debug)]
pub struct ScriptModule(NonNull<c::CModule>);

// SAFETY: the module is owned by this value alone, and libtorch lets any thread use it, one at a time.
unsafe impl Send for ScriptModule {}

/// Numbers of arguments of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// All arguments.
    pub all: usize,
    /// Those without a default value.
    pub required: usize,
}

impl ScriptModule {
    /// Loads a module from the bytes of its file and moves its tensors to the device.
    ///
    /// # Errors
    /// libtorch's message, if the bytes are no TorchScript file.
    pub fn load(bytes: &[u8], device: Device) -> Result<ScriptModule, String> {
        let device = match device {
            Device::Cuda(index) => i32::try_from(index).map_err(|_| format!("there is no GPU {index}"))?,
            _ => -1,
        };
        let mut loaded = ptr::null_mut();
        // SAFETY: the bytes and the place for the module are valid for the call.
        check(unsafe { c::runner_module_load(bytes.as_ptr(), bytes.len(), device, &raw mut loaded) })?;
        NonNull::new(loaded).map(ScriptModule).ok_or_else(|| "libtorch returned no module".to_owned())
    }

    /// Returns the parameters with their dotted names, as `named_parameters` in Python. A parameter that two parts of the
    /// module share has two names.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn parameters(&self) -> Result<Vec<(String, Tensor)>, String> {
        self.tensors(false)
    }

    /// Returns the buffers with their dotted names.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn buffers(&self) -> Result<Vec<(String, Tensor)>, String> {
        self.tensors(true)
    }

    fn tensors(&self, buffers: bool) -> Result<Vec<(String, Tensor)>, String> {
        extern "C" fn add(list: *mut c_void, name: *const c_char, tensor: *mut C_tensor) {
            // SAFETY: `list` is the vector below, which nothing else uses during the call.
            let list = unsafe { &mut *list.cast::<Vec<(String, Tensor)>>() };
            // SAFETY: the name ends with a null byte and lives until the function returns.
            let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
            // SAFETY: the tensor is new and passed on to be owned.
            list.push((name, unsafe { Tensor::from_ptr(tensor) }));
        }
        let mut list: Vec<(String, Tensor)> = Vec::new();
        // SAFETY: the module is alive, and `add` takes the list that it is given.
        check(unsafe { c::runner_module_tensors(self.0.as_ptr(), buffers, (&raw mut list).cast(), add) })?;
        Ok(list)
    }

    /// Returns the number of arguments of a method without `self`; `None` if the module has no such method.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn arguments(&self, method: &str) -> Result<Option<Arguments>, String> {
        let name = c_string(method)?;
        let (mut all, mut required) = (-1, -1);
        // SAFETY: the module, the name and the two numbers live during the call.
        check(unsafe { c::runner_module_arguments(self.0.as_ptr(), name.as_ptr(), &raw mut all, &raw mut required) })?;
        Ok(usize::try_from(all)
            .ok()
            .zip(usize::try_from(required).ok())
            .map(|(all, required)| Arguments { all, required }))
    }

    /// Switches between training and evaluation mode, as `train` and `eval` in Python.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn set_training(&mut self, training: bool) -> Result<(), String> {
        // SAFETY: the module is alive.
        check(unsafe { c::runner_module_set_training(self.0.as_ptr(), training) })
    }

    /// Calls a method with tensors. Returns its result, a number as a scalar; `None` if that is neither tensor nor number.
    ///
    /// # Errors
    /// libtorch's message, with the lines of TorchScript and of Python.
    pub fn call(&self, method: &str, inputs: &[&Tensor]) -> Result<Option<Tensor>, String> {
        let name = c_string(method)?;
        let inputs = pointers(inputs);
        let mut output = ptr::null_mut();
        // SAFETY: the module, the name and the tensors live during the call.
        let message = unsafe {
            c::runner_module_call(self.0.as_ptr(), name.as_ptr(), inputs.as_ptr(), inputs.len(), &raw mut output)
        };
        check(message)?;
        // SAFETY: a tensor that is not null is new and passed on to be owned.
        Ok((!output.is_null()).then(|| unsafe { Tensor::from_ptr(output) }))
    }

    /// Copies each buffer that the module has replaced by another tensor into its place, which becomes the buffer again.
    /// `places` are in the order of [`ScriptModule::buffers`].
    ///
    /// # Errors
    /// libtorch's message, if a buffer has another shape than its place.
    pub fn keep_buffers(&self, places: &[&Tensor]) -> Result<(), String> {
        let places = pointers(places);
        // SAFETY: the module and the tensors live during the call.
        check(unsafe { c::runner_module_keep_buffers(self.0.as_ptr(), places.as_ptr(), places.len()) })
    }
}

impl Drop for ScriptModule {
    fn drop(&mut self) {
        // SAFETY: the module is not used afterwards.
        unsafe { c::runner_module_free(self.0.as_ptr()) }
    }
}

/// Counts the bytes of the CPU tensors that this thread allocates and frees, until it is dropped. libtorch warns if a tensor
/// is freed that was allocated before.
#[derive(Debug)]
pub struct MemoryCount(NonNull<c::CMemory>); // not `Send`: it ends in the thread that started it

impl MemoryCount {
    /// Starts to count.
    ///
    /// # Errors
    /// libtorch's message.
    pub fn start() -> Result<MemoryCount, String> {
        let mut memory = ptr::null_mut();
        // SAFETY: the place for the count is valid for the call.
        check(unsafe { c::runner_memory_start(&raw mut memory) })?;
        NonNull::new(memory).map(MemoryCount).ok_or_else(|| "libtorch returned no count".to_owned())
    }

    /// Returns the most bytes that there were at once since the last call, beyond those at the last call.
    pub fn take_peak(&mut self) -> u64 {
        // SAFETY: the count is alive.
        u64::try_from(unsafe { c::runner_memory_take_peak(self.0.as_ptr()) }).unwrap_or(0)
    }
}

impl Drop for MemoryCount {
    fn drop(&mut self) {
        // SAFETY: the count is not used afterwards, and was started in this thread, as it cannot leave it.
        unsafe { c::runner_memory_end(self.0.as_ptr()) }
    }
}

/// Makes a tensor a view of `data`, as assigning to `tensor.data` in Python: all that refer to the tensor see it.
///
/// # Errors
/// libtorch's message, if the types differ.
pub fn set_data(tensor: &Tensor, data: &Tensor) -> Result<(), String> {
    // SAFETY: both tensors live during the call.
    check(unsafe { c::runner_set_data(tensor.as_ptr().cast_mut(), data.as_ptr()) })
}

/// Returns whether both are one object: two names of one parameter, not two views of the same memory.
///
/// # Errors
/// libtorch's message.
pub fn is_same(one: &Tensor, other: &Tensor) -> Result<bool, String> {
    let mut same = false;
    // SAFETY: both tensors and the answer live during the call.
    check(unsafe { c::runner_is_same(one.as_ptr(), other.as_ptr(), &raw mut same) })?;
    Ok(same)
}

/// Returns whether a tensor is an array of numbers in memory: neither sparse nor quantized.
///
/// # Errors
/// libtorch's message.
pub fn is_dense(tensor: &Tensor) -> Result<bool, String> {
    let mut dense = false;
    // SAFETY: the tensor and the answer live during the call.
    check(unsafe { c::runner_is_dense(tensor.as_ptr(), &raw mut dense) })?;
    Ok(dense)
}

fn pointers(tensors: &[&Tensor]) -> Vec<*mut C_tensor> {
    tensors.iter().map(|tensor| tensor.as_ptr().cast_mut()).collect()
}

fn c_string(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|error| error.to_string())
}

/// Returns the message of a call as an error, and frees it.
fn check(message: *mut c_char) -> Result<(), String> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: a message that is not null ends with a null byte.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: the message is from `torchscript.cpp`, and not used afterwards.
    unsafe { c::runner_free_message(message) };
    Err(text)
}
