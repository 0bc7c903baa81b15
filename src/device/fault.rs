//! What libtorch says when it fails, in words of ours: no memory, a device that is lost, a GPU that it has no code for.
//!
//! libtorch fails by a C++ exception, tch makes a panic of it, and its text is a page of C++ frames. [`guarded`] catches
//! such panics round a piece of work and tells what they mean; panics of any other kind go on. Where our own code gets no
//! memory it panics with the [`Fault`] itself, so that both ways to run out of memory end alike.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};

use crate::device::byte_size;

/// Why libtorch could not go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// There is not enough memory.
    #[error("{} has not enough memory{}", if *.on_gpu { "the GPU" } else { "the machine" }, shortage(.asked, .free, .total))]
    OutOfMemory {
        /// Whether it is a GPU's.
        on_gpu: bool,
        /// What was asked for in the end, as libtorch writes it: `2.00 GiB`.
        asked: Option<String>,
        /// What was free.
        free: Option<String>,
        /// What there is in all.
        total: Option<String>,
    },
    /// The GPU has stopped, and this process cannot use it any more.
    #[error("the GPU has stopped working for this run: {0}")]
    DeviceLost(String),
    /// libtorch has no code for this GPU.
    #[error("libtorch {} has no code for this GPU", env!("RUNNER_LIBTORCH_VERSION"))]
    NoCode,
    /// An operation has no deterministic form.
    #[error("an operation has no deterministic form on a GPU: {0}")]
    NotDeterministic(String),
    /// Anything else, in libtorch's words.
    #[error("libtorch fails: {0}")]
    Other(String),
}

/// What follows CUDA's `CUDA error: ` when the device or its context is beyond repair.
const LOST: [&str; 10] = [
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

const NO_MEMORY: [&str; 7] = [
    "std::bad_alloc",
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "Storage size calculation overflowed",
];

impl Fault {
    /// What libtorch's message means.
    pub fn of_message(message: &str) -> Fault {
        let message = message.split("\nException raised from").next().unwrap_or_default();
        let first = message.lines().next().unwrap_or_default().trim();
        if NO_MEMORY.iter().any(|words| message.contains(words)) {
            return Fault::OutOfMemory {
                on_gpu: ["CUDA", "CUBLAS", "CUDNN"].iter().any(|word| message.contains(word)),
                asked: asked(message),
                free: amount(message, "of which ", " is free"),
                total: amount(message, "total capacity of ", " of which"),
            };
        }
        if let Some((operation, _)) = message.split_once(" does not have a deterministic implementation") {
            return Fault::NotDeterministic(operation.trim().to_owned());
        }
        if message.contains("no kernel image is available") {
            return Fault::NoCode;
        }
        match first.split_once("CUDA error: ") {
            Some((_, why)) if LOST.iter().any(|lost| why.contains(lost)) => Fault::DeviceLost(why.to_owned()),
            _ => Fault::Other(first.to_owned()),
        }
    }

    /// The fault that a panic reports; `None` where it is of another kind.
    pub fn of_panic(panic: &(dyn Any + Send)) -> Option<Fault> {
        match panic.downcast_ref::<Fault>() {
            Some(fault) => Some(fault.clone()),
            None => thrown(text(panic)?).map(|message| Fault::of_message(&message)),
        }
    }

    /// The number of bytes that the machine could not provide.
    pub fn no_memory_for(bytes: usize) -> Fault {
        let asked = Some(byte_size::in_words(bytes as u64));
        Fault::OutOfMemory { on_gpu: false, asked, free: None, total: None }
    }

    /// Ends the work as libtorch does when it fails.
    pub fn throw(self) -> ! {
        panic_any(self)
    }

    /// What the user can do about it; for want of memory the caller may know more.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Fault::OutOfMemory { .. } => {
                Some("a smaller batch, `--set train.batch=…`, or a smaller network needs less")
            }
            Fault::DeviceLost(why) if why.contains("device-side assert") => {
                Some("a number was out of its range: `--device cpu` runs the same and says which")
            }
            Fault::DeviceLost(_) => {
                Some("run it again; where it stops again, see what `nvidia-smi` and the system's log say")
            }
            Fault::NoCode => Some("use `--device cpu`: the GPU is older or newer than libtorch knows"),
            Fault::NotDeterministic(_) => Some("leave `--deterministic` out, or use `--device cpu`"),
            Fault::Other(_) => None,
        }
    }

    /// Whether less memory would mend it.
    pub fn is_of_memory(&self) -> bool {
        matches!(self, Fault::OutOfMemory { .. })
    }
}

thread_local! {
    /// Whether this thread does work whose faults [`guarded`] reports.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is in work that [`contained`] does.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Does the work, and tells what made libtorch fail.
///
/// # Errors
/// When libtorch fails, or there is no memory. A panic of another kind goes on.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Fault> {
    let before = GUARDED.replace(true);
    // what the work has changed is thrown away with it, or begun again by the caller
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.map_err(|panic| Fault::of_panic(&*panic).unwrap_or_else(|| resume_unwind(panic)))
}

/// Marks this thread as one that works for another, in which its panics go on: what libtorch fails in here is reported
/// there.
pub fn guard_this_thread() {
    GUARDED.set(true);
}

/// Does work that may panic, in this thread alone.
///
/// # Errors
/// When it panics; [`text`] and [`Fault::of_panic`] read why.
pub fn contained<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    let before = CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work)); // what it was working on is thrown away with it
    CONTAINED.set(before);
    outcome
}

/// The text of a panic.
pub fn text(panic: &(dyn Any + Send)) -> Option<&str> {
    panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied())
}

/// Whether [`guarded`] or [`contained`] reports this panic of this thread, so that a hook need not.
pub fn is_handled(panic: &(dyn Any + Send)) -> bool {
    CONTAINED.get() || GUARDED.get() && Fault::of_panic(panic).is_some()
}

/// The message of libtorch in the text of a panic: tch unwraps `Err(Torch("…"))`, in which line ends are written out.
fn thrown(text: &str) -> Option<String> {
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

/// What was asked for: `2.00 GiB` of a GPU, a number of bytes of the machine.
fn asked(message: &str) -> Option<String> {
    let of_gpu = || amount(message, "Tried to allocate ", ". ");
    let bytes: u64 = match amount(message, "you tried to allocate ", " bytes") {
        Some(bytes) => bytes.parse().ok()?,
        None => return of_gpu(),
    };
    Some(byte_size::in_words(bytes))
}

fn amount(message: &str, before: &str, behind: &str) -> Option<String> {
    Some(message.split_once(before)?.1.split_once(behind)?.0.to_owned())
}

fn shortage(asked: &Option<String>, free: &Option<String>, total: &Option<String>) -> String {
    let asked = asked.as_ref().map(|asked| format!("{asked} more were asked for"));
    let free = free.as_ref().zip(total.as_ref()).map(|(free, total)| format!("{free} of {total} are free"));
    let parts: Vec<String> = asked.into_iter().chain(free).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    /// As libtorch 2.11's allocator puts it together (c10/cuda/CUDACachingAllocator.cpp).
    const GPU_FULL: &str = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB \
        of which 1.20 GiB is free. Including non-PyTorch memory, this process has 14.56 GiB memory in use. Of the \
        allocated memory 13.90 GiB is allocated by PyTorch, and 212.00 MiB is reserved by PyTorch but unallocated. If \
        reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid \
        fragmentation.  See documentation for Memory Management  (https://docs.pytorch.org/docs/stable/notes/cuda.html)\
        \nException raised from malloc at /pytorch/c10/cuda/CUDACachingAllocator.cpp:1 (most recent call first):\nframe #0: c10";

    /// The same of CUDA's own errors (c10/cuda/CUDAException.cpp).
    fn of_cuda(what: &str, name: &str) -> String {
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
        let fault = Fault::of_message(GPU_FULL);
        let wanted = "the GPU has not enough memory: 2.00 GiB more were asked for, 1.20 GiB of 15.77 GiB are free";
        assert_eq!(fault.to_string(), wanted);
        assert!(fault.is_of_memory());
        for message in [
            "CUDA out of memory. Tried to allocate more than 1EB memory.",
            "CUDA error: out of memory\nCompile with",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        ] {
            let told = Fault::of_message(message).to_string();
            assert!(told.starts_with("the GPU has not enough memory"), "{message}: {told}");
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
            let fault = Fault::of_message(&of_cuda(what, name));
            assert_eq!(fault, Fault::DeviceLost(what.to_owned()));
            assert!(!fault.is_of_memory() && fault.hint().is_some());
        }
    }

    #[test]
    fn other_faults_are_told_apart() {
        let no_code = of_cuda("no kernel image is available for execution on the device", "cudaErrorNoKernelImage");
        assert_eq!(Fault::of_message(&no_code), Fault::NoCode);
        let alert = "cumsum_cuda_kernel does not have a deterministic implementation, but you set \
                     'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation";
        assert_eq!(Fault::of_message(alert), Fault::NotDeterministic("cumsum_cuda_kernel".to_owned()));
        let other = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)\nException raised from addmm at x:1";
        let wanted = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)";
        assert_eq!(Fault::of_message(other), Fault::Other(wanted.to_owned()));
    }

    #[test]
    fn what_libtorch_throws_here_is_caught_and_told() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let huge = guarded(|| Tensor::empty([100_000_000_000_000], (Kind::Float, Device::Cpu)));
        let misshapen = guarded(|| {
            Tensor::ones([2, 3], (Kind::Float, Device::Cpu)).mm(&Tensor::ones([4, 5], (Kind::Float, Device::Cpu)))
        });
        let of_ours = catch_unwind(|| guarded(|| panic!("of ours")));
        std::panic::set_hook(hook);
        assert_eq!(huge.unwrap_err().to_string(), "the machine has not enough memory: 363.80 TiB more were asked for");
        let wanted = "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)";
        assert_eq!(misshapen.unwrap_err(), Fault::Other(wanted.to_owned()));
        assert_eq!(of_ours.unwrap_err().downcast_ref(), Some(&"of ours"));
        assert!(!is_handled(&"Torch(\"x\")"), "nothing is guarded any more");
    }

    #[test]
    fn a_text_is_libtorchs_when_tch_unwrapped_it() {
        let text = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA error: a \\\"b\\\"\\nframe #0\")";
        assert_eq!(thrown(text).unwrap(), "CUDA error: a \"b\"\nframe #0");
        assert_eq!(thrown("index out of bounds: the len is 3"), None);
        assert_eq!(guarded(|| is_handled(&text)), Ok(true));
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
        let handled = guarded(|| [elsewhere(|| ()), elsewhere(guard_this_thread)].map(|thread| thread.join().unwrap()));
        assert_eq!(handled, Ok([false, true]));
    }

    #[test]
    fn memory_that_our_own_code_lacks_is_a_fault_as_libtorchs() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let fault = guarded(|| -> () { Fault::no_memory_for(3 << 20).throw() });
        std::panic::set_hook(hook);
        let fault = fault.unwrap_err();
        assert_eq!(fault.to_string(), "the machine has not enough memory: 3.00 MiB more were asked for");
        assert!(fault.is_of_memory());
    }
}
