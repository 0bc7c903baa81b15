//! Devices: choosing the CPU or a GPU, and the reasons why a GPU cannot be used.
//!
//! One binary serves both. It is linked to libtorch's CPU library. If a GPU is requested, or `auto` finds an NVIDIA
//! driver, libtorch's CUDA library is opened at start, before the first tensor, from the folder of the CPU library.
//! Requesting `cuda` without a usable GPU is an error with the reason, never a silent CPU run.

pub mod allocator;
mod cgroup;
pub mod compute_mode;
pub mod fault;
pub mod memory;
pub mod precision;
pub mod processor;
pub mod small_pages;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tch::{Cuda, Device};

/// Value of `--device`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first usable GPU, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU with this index.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(DeviceChoice::Auto),
            "cpu" => Ok(DeviceChoice::Cpu),
            "cuda" => Ok(DeviceChoice::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(DeviceChoice::Cuda)
                .ok_or_else(|| "must be `auto`, `cpu`, `cuda` or `cuda:N`".to_owned()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Cuda(0) => f.write_str("cuda"),
            DeviceChoice::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// Returns PyTorch's name of the device: `cpu`, `cuda:0`.
pub fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Mps => "mps".to_owned(),
        Device::Vulkan => "vulkan".to_owned(),
        Device::Cpu => "cpu".to_owned(),
    }
}

/// Returns the device with a name that [`name`] returned, if it is a GPU.
pub fn gpu_with_name(name: &str) -> Option<Device> {
    name.strip_prefix("cuda:")?.parse().ok().map(Device::Cuda)
}

/// Why no GPU can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CudaError {
    /// The operating system has no NVIDIA driver.
    #[error("no NVIDIA driver was found")]
    NoDriver,
    /// libtorch is the CPU-only build.
    #[error("libtorch in `{}` has no CUDA library", .0.display())]
    CpuOnly(PathBuf),
    /// The CUDA library exists but could not be opened.
    #[error("failed to open `{}`: {why}", library.display())]
    Unopened {
        /// The library.
        library: PathBuf,
        /// Message of the loader.
        why: String,
    },
    /// The library found no device.
    #[error("libtorch's CUDA library found no usable GPU")]
    NoDevice,
    /// The index is not below the number of GPUs.
    #[error("there is no GPU {wanted}: {found} found (the first is 0)")]
    NoSuchDevice {
        /// The requested index.
        wanted: usize,
        /// Number of GPUs.
        found: usize,
    },
}

impl CudaError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            CudaError::NoDriver => "install the NVIDIA driver, or use `--device cpu`",
            CudaError::CpuOnly(_) => "run `cargo xtask setup --cuda` and build again, or use `--device cpu`",
            CudaError::Unopened { .. } => "run `cargo xtask setup --cuda` again: a library that it needs is missing",
            CudaError::NoDevice => {
                "check that `nvidia-smi` lists a GPU and that `CUDA_VISIBLE_DEVICES` does not hide it"
            }
            CudaError::NoSuchDevice { .. } => "run `runner doctor` to list the devices",
        }
    }
}

/// Returns the chosen device; opens libtorch's CUDA library if needed.
///
/// # Errors
/// If a GPU was requested and cannot be used.
pub fn resolve(choice: DeviceChoice) -> Result<Device, CudaError> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Auto => Ok(open_cuda().map_or(Device::Cpu, |_| Device::Cuda(0))),
        DeviceChoice::Cuda(wanted) => {
            let found = open_cuda()?;
            if wanted < found { Ok(Device::Cuda(wanted)) } else { Err(CudaError::NoSuchDevice { wanted, found }) }
        }
    }
}

/// Opens libtorch's CUDA library and returns the number of usable GPUs.
///
/// # Errors
/// If there is no driver, no CUDA library or no device: the first that is missing.
pub fn open_cuda() -> Result<usize, CudaError> {
    if !driver_is_present() {
        return Err(CudaError::NoDriver);
    }
    let library = cuda_library()?;
    open_globally(&library).map_err(|why| CudaError::Unopened { library, why })?;
    match usize::try_from(Cuda::device_count()) {
        Ok(count) if count > 0 && Cuda::is_available() => Ok(count),
        _ => Err(CudaError::NoDevice),
    }
}

/// Returns the path of libtorch's CUDA library. It does not need a GPU.
///
/// # Errors
/// If libtorch is the CPU-only build.
pub fn cuda_library() -> Result<PathBuf, CudaError> {
    let folder = libtorch_folder();
    let library = folder.join("libtorch_cuda.so");
    if library.exists() { Ok(library) } else { Err(CudaError::CpuOnly(folder)) }
}

/// Returns the folder from which libtorch_cpu was loaded. It may differ from the one at build time.
pub fn libtorch_folder() -> PathBuf {
    loaded_library("libtorch_cpu.so")
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from(env!("RUNNER_LIBTORCH_LIB")))
}

fn driver_is_present() -> bool {
    // the last one is of Windows' Linux subsystem
    ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"].iter().any(|path| Path::new(path).exists())
}

#[cfg(target_os = "linux")]
fn loaded_library(name: &str) -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines()
        .filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])))
        .find(|path| path.file_name().is_some_and(|file| file == name))
        .map(Path::to_path_buf)
}

#[cfg(not(target_os = "linux"))]
fn loaded_library(_name: &str) -> Option<PathBuf> {
    None
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "Rust has no dlopen of its own")]
fn open_globally(library: &Path) -> Result<(), String> {
    use std::ffi::{CStr, CString};
    use std::os::unix::ffi::OsStrExt;

    let path = CString::new(library.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: `path` is a valid C string for the call. Opening runs the library's initializers, which register its
    // kernels with libtorch_cpu; that is why it is done before the first tensor, from the one thread there is.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !handle.is_null() {
        return Ok(()); // never closed: the kernels stay registered for the life of the process
    }
    // SAFETY: it takes nothing, and returns null or a C string that stays until this thread's next call of its family.
    let message = unsafe { libc::dlerror() };
    if message.is_null() {
        return Err("no reason given".to_owned());
    }
    // SAFETY: not null, so such a string, which is copied before anything else is called.
    Err(unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned())
}

#[cfg(not(unix))]
fn open_globally(_library: &Path) -> Result<(), String> {
    Err("opening libtorch's CUDA library is supported on Unix only".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_are_pytorchs() {
        assert_eq!("cuda:1".parse(), Ok(DeviceChoice::Cuda(1)));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert!("gpu".parse::<DeviceChoice>().is_err());
        assert!("cuda:x".parse::<DeviceChoice>().is_err());
        assert_eq!(name(Device::Cuda(1)), "cuda:1");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn libtorchs_folder_is_the_one_it_was_loaded_from() {
        assert!(libtorch_folder().join("libtorch_cpu.so").exists());
    }
}
