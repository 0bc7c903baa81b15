//! Errors of libtorch: out of memory, a lost device, a GPU without kernels.
//!
//! libtorch throws a C++ exception, and tch turns it into a panic whose text is a page of C++ frames. [`catch_fault`]
//! catches these panics and returns a [`Fault`]; other panics continue. If our own code runs out of memory it panics
//! with the [`Fault`] itself, so that both cases end alike.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};

use crate::io::byte_size;

/// Why libtorch failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Out of memory.
    #[error("{} is out of memory{}", if *.on_gpu { "the GPU" } else { "the machine" }, memory_details(.requested_size, .free, .total))]
    OutOfMemory {
        /// Whether it is GPU memory.
        on_gpu: bool,
        /// Size of the failed allocation, as libtorch formats it: `2.00 GiB`.
        requested_size: Option<String>,
        /// Free memory.
        free: Option<String>,
        /// Total memory.
        total: Option<String>,
    },
    /// The GPU failed, and this process cannot use it any more.
    #[error("the GPU has failed: {0}")]
    DeviceLost(String),
    /// libtorch has no kernels for this GPU.
    #[error("libtorch {} has no kernels for this GPU", env!("RUNNER_LIBTORCH_VERSION"))]
    NoCode,
    /// An operation has no deterministic algorithm.
    #[error("an operation has no deterministic algorithm on a GPU: {0}")]
    NotDeterministic(String),
    /// A TorchScript module failed, with its message and the line of Python.
    #[error("the TorchScript module failed: {0}")]
    Module(String),
    /// The rows do not fit the network.
    #[error("{0}")]
    Input(String),
    /// Any other error, with libtorch's message.
    #[error("libtorch failed: {0}")]
    Other(String),
}

/// Texts after `CUDA error: ` that mean that the device or its context is unusable.
const DEVICE_LOST: [&str; 10] = [
    "an illegal memory access was encountered",
    "device-side assert triggered",
    "unspecified launch failure",
    "uncorrectable ECC error",
    "misaligned address",
    "an illegal instruction was encountered",
    "the launch timed out and was terminated",
    "hardware stack error",
    "CUDA-capable device(s) is/are busy or unavailable",
    "unknown error",
];

const OUT_OF_MEMORY: [&str; 8] = [
    "std::bad_alloc",
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "Storage size calculation overflowed",
    "Error computing Error::what()", // libtorch could not allocate the text of its error
];

impl Fault {
    /// Classifies a libtorch message.
    pub fn from_message(message: &str) -> Fault {
        let message = message.split("\nException raised from").next().unwrap_or_default();
        let first = message.lines().next().unwrap_or_default().trim();
        if OUT_OF_MEMORY.iter().any(|words| message.contains(words)) {
            return Fault::OutOfMemory {
                on_gpu: ["CUDA", "CUBLAS", "CUDNN"].iter().any(|word| message.contains(word)),
                requested_size: requested_size(message),
                free: text_between(message, "of which ", " is free"),
                total: text_between(message, "total capacity of ", " of which"),
            };
        }
        if let Some((operation, _)) = message.split_once(" does not have a deterministic implementation") {
            return Fault::NotDeterministic(operation.trim().to_owned());
        }
        if message.contains("no kernel image is available") {
            return Fault::NoCode;
        }
        match first.split_once("CUDA error: ") {
            Some((_, why)) if DEVICE_LOST.iter().any(|lost| why.contains(lost)) => Fault::DeviceLost(why.to_owned()),
            _ => Fault::Other(first.to_owned()),
        }
    }

    /// Returns the fault behind a panic; `None` for other panics.
    pub fn from_panic(panic: &(dyn Any + Send)) -> Option<Fault> {
        match panic.downcast_ref::<Fault>() {
            Some(fault) => Some(fault.clone()),
            None => libtorch_message(text(panic)?).map(|message| Fault::from_message(&message)),
        }
    }

    /// Returns an out-of-memory fault for this number of bytes of main memory.
    pub fn out_of_memory(bytes: usize) -> Fault {
        let requested_size = Some(byte_size::format_bytes(bytes as u64));
        Fault::OutOfMemory { on_gpu: false, requested_size, free: None, total: None }
    }

    /// Panics with the fault, which [`catch_fault`] catches.
    pub fn throw(self) -> ! {
        panic_any(self)
    }

    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Fault::OutOfMemory { .. } => Some("use a smaller batch (`--set train.batch=…`) or a smaller network"),
            Fault::DeviceLost(why) if why.contains("device-side assert") => {
                Some("run with `--device cpu` to see which value was out of range")
            }
            Fault::DeviceLost(_) => Some("run it again; if it fails again, see `nvidia-smi` and the system log"),
            Fault::NoCode => Some("use `--device cpu`: this libtorch does not support the GPU"),
            Fault::NotDeterministic(_) => Some("leave `--deterministic` out, or use `--device cpu`"),
            Fault::Input(_) | Fault::Module(_) | Fault::Other(_) => None,
        }
    }

    /// Returns whether it is out of memory.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Fault::OutOfMemory { .. })
    }
}

thread_local! {
    /// Whether [`catch_fault`] catches panics of this thread.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// Whether [`contained`] catches panics of this thread.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs the work and catches errors of libtorch.
///
/// # Errors
/// If libtorch fails or memory runs out. Other panics continue.
pub fn catch_fault<T>(work: impl FnOnce() -> T) -> Result<T, Fault> {
    let before = GUARDED.replace(true);
    // the caller discards or restarts what the work has changed
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.map_err(|panic| Fault::from_panic(&*panic).unwrap_or_else(|| resume_unwind(panic)))
}

/// Marks this thread as a worker whose panics are passed on to a thread that is guarded, and reported there.
pub fn guard_worker_thread() {
    GUARDED.set(true);
}

/// Runs work that may panic, and catches the panic.
///
/// # Errors
/// If it panics; [`text`] and [`Fault::from_panic`] return the reason.
pub fn contained<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    let before = CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work)); // what it was working on is thrown away with it
    CONTAINED.set(before);
    outcome
}

/// Returns the text of a panic.
pub fn text(panic: &(dyn Any + Send)) -> Option<&str> {
    panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied())
}

/// Returns whether [`catch_fault`] or [`contained`] catches this panic, so that a panic hook stays silent.
pub fn is_handled(panic: &(dyn Any + Send)) -> bool {
    CONTAINED.get() || GUARDED.get() && Fault::from_panic(panic).is_some()
}

/// Extracts libtorch's message from the text of a panic: tch unwraps `Err(Torch("…"))`, with escaped line ends.
fn libtorch_message(text: &str) -> Option<String> {
    let quoted = text.split_once("Torch(\"")?.1;
    let quoted = quoted.strip_suffix("\")").unwrap_or(quoted);
    let mut message = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        message.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                other => other.unwrap_or('\\'),
            },
            other => other,
        });
    }
    Some(message)
}

/// Returns the size of the failed allocation; a GPU message has it as `2.00 GiB`, others in bytes.
fn requested_size(message: &str) -> Option<String> {
    let Some(bytes) = text_between(message, "you tried to allocate ", " bytes") else {
        return text_between(message, "Tried to allocate ", ". ");
    };
    Some(byte_size::format_bytes(bytes.parse().ok()?))
}

fn text_between(message: &str, before: &str, behind: &str) -> Option<String> {
    Some(message.split_once(before)?.1.split_once(behind)?.0.to_owned())
}

fn memory_details(requested_size: &Option<String>, free: &Option<String>, total: &Option<String>) -> String {
    let requested_size = requested_size.as_ref().map(|requested_size| format!("failed to allocate {requested_size}"));
    let free = free.as_ref().zip(total.as_ref()).map(|(free, total)| format!("{free} of {total} free"));
    let parts: Vec<String> = requested_size.into_iter().chain(free).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    /// Message of libtorch 2.11's allocator (c10/cuda/CUDACachingAllocator.cpp).
    const GPU_FULL: &str = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB \
        of which 1.20 GiB is free. Including non-PyTorch memory, this process has 14.56 GiB memory in use. Of the \
        allocated memory 13.90 GiB is allocated by PyTorch, and 212.00 MiB is reserved by PyTorch but unallocated. If \
        reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid \
        fragmentation.  See documentation for Memory Management  (https://docs.pytorch.org/docs/stable/notes/cuda.html)\
        \nException raised from malloc at /pytorch/c10/cuda/CUDACachingAllocator.cpp:1 (most recent call first):\nframe #0: c10";

    /// Message of a CUDA error (c10/cuda/CUDAException.cpp).
    fn cuda_message(what: &str, name: &str) -> String {
        format!(
            "CUDA error: {what}\nSearch for `{name}' in https://docs.nvidia.com/cuda/cuda-runtime-api/ for more \
             information.\nCUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace \
             below might be incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\nCompile with \
             `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n\nException raised from \
             c10_cuda_check_implementation at /pytorch/c10/cuda/CUDAException.cpp:44 (most recent call first):\nframe #0"
        )
    }

    #[test]
    fn a_full_gpu_is_told_with_what_was_asked_for_and_what_is_free() {
        let fault = Fault::from_message(GPU_FULL);
        let wanted = "the GPU is out of memory: failed to allocate 2.00 GiB, 1.20 GiB of 15.77 GiB free";
        assert_eq!(fault.to_string(), wanted);
        assert!(fault.is_out_of_memory());
        for message in [
            "CUDA out of memory. Tried to allocate more than 1EB memory.",
            "CUDA error: out of memory\nCompile with",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        ] {
            let shown = Fault::from_message(message).to_string();
            assert!(shown.starts_with("the GPU is out of memory"), "{message}: {shown}");
        }
    }

    #[test]
    fn a_lost_device_is_told_in_cudas_words_without_a_trace() {
        for (what, name) in [
            ("an illegal memory access was encountered", "cudaErrorIllegalAddress"),
            ("device-side assert triggered", "cudaErrorAssert"),
            ("unspecified launch failure", "cudaErrorLaunchFailure"),
            ("uncorrectable ECC error encountered", "cudaErrorECCUncorrectable"),
        ] {
            let fault = Fault::from_message(&cuda_message(what, name));
            assert_eq!(fault, Fault::DeviceLost(what.to_owned()));
            assert!(!fault.is_out_of_memory() && fault.hint().is_some());
        }
    }

    #[test]
    fn other_faults_are_told_apart() {
        let no_code =
            cuda_message("no kernel image is available for execution on the device", "cudaErrorNoKernelImage");
        assert_eq!(Fault::from_message(&no_code), Fault::NoCode);
        let alert = "cumsum_cuda_kernel does not have a deterministic implementation, but you set \
                     'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation";
        assert_eq!(Fault::from_message(alert), Fault::NotDeterministic("cumsum_cuda_kernel".to_owned()));
        let other = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)\nException raised from addmm at x:1";
        let wanted = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)";
        assert_eq!(Fault::from_message(other), Fault::Other(wanted.to_owned()));
    }

    #[test]
    fn what_libtorch_throws_here_is_caught_and_told() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let huge = catch_fault(|| Tensor::empty([100_000_000_000_000], (Kind::Float, Device::Cpu)));
        let misshapen = catch_fault(|| {
            Tensor::ones([2, 3], (Kind::Float, Device::Cpu)).mm(&Tensor::ones([4, 5], (Kind::Float, Device::Cpu)))
        });
        let of_runner = catch_unwind(|| catch_fault(|| panic!("a bug in runner")));
        std::panic::set_hook(hook);
        assert_eq!(huge.unwrap_err().to_string(), "the machine is out of memory: failed to allocate 363.7 TiB");
        let wanted = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)";
        assert_eq!(misshapen.unwrap_err(), Fault::Other(wanted.to_owned()));
        assert_eq!(of_runner.unwrap_err().downcast_ref(), Some(&"a bug in runner"));
        assert!(!is_handled(&"Torch(\"x\")"), "nothing is guarded any more");
    }

    #[test]
    fn a_text_is_libtorchs_when_tch_unwrapped_it() {
        let text = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA error: a \\\"b\\\"\\nframe #0\")";
        assert_eq!(libtorch_message(text).unwrap(), "CUDA error: a \"b\"\nframe #0");
        assert_eq!(libtorch_message("index out of bounds: the len is 3"), None);
        assert_eq!(catch_fault(|| is_handled(&text)), Ok(true));
    }

    #[test]
    fn a_guard_is_for_its_own_thread_and_for_those_that_work_for_it() {
        let text = "Torch(\"x\")";
        let elsewhere = |mark: fn()| {
            std::thread::spawn(move || {
                mark();
                is_handled(&text)
            })
        };
        let handled =
            catch_fault(|| [elsewhere(|| ()), elsewhere(guard_worker_thread)].map(|thread| thread.join().unwrap()));
        assert_eq!(handled, Ok([false, true]));
    }

    #[test]
    fn memory_that_our_own_code_lacks_is_a_fault_as_libtorchs() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let fault = catch_fault(|| -> () { Fault::out_of_memory(3 << 20).throw() });
        std::panic::set_hook(hook);
        let fault = fault.unwrap_err();
        assert_eq!(fault.to_string(), "the machine is out of memory: failed to allocate 3 MiB");
        assert!(fault.is_out_of_memory());
    }
}
