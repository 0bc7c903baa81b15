//! Where tensors live: choosing the CPU or a GPU, and why a GPU can or cannot be used.
//!
//! One binary serves both. It is linked to libtorch's CPU library alone; when a GPU is asked for, or `auto` finds an
//! NVIDIA driver, libtorch's CUDA library is opened at start, before the first tensor, from the folder that the CPU
//! library came from. Asking for `cuda` where it cannot be had is an error that says why, never a silent CPU run.

pub mod allocator;
pub mod arithmetic;
pub mod byte_size;
mod cgroup;
pub mod fault;
pub mod memory;
pub mod processor;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tch::{Cuda, Device};

/// What was asked for with `--device`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU when one is usable, otherwise the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of this number.
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
                .ok_or_else(|| "allowed are `auto`, `cpu`, `cuda` and `cuda:N`".to_owned()),
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

/// The name that PyTorch gives the device: `cpu`, `cuda:0`.
pub fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Mps => "mps".to_owned(),
        Device::Vulkan => "vulkan".to_owned(),
        Device::Cpu => "cpu".to_owned(),
    }
}

/// Why no GPU can be used, with the remedy.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CudaFault {
    /// The operating system has no NVIDIA driver.
    #[error("no NVIDIA driver was found")]
    NoDriver,
    /// libtorch is the CPU-only build.
    #[error("libtorch in `{}` has no CUDA library", .0.display())]
    CpuOnly(PathBuf),
    /// The CUDA library is there, and could not be opened.
    #[error("failed to open `{}`: {why}", library.display())]
    Unopened {
        /// The library.
        library: PathBuf,
        /// What the loader says.
        why: String,
    },
    /// The library was opened, and found no device.
    #[error("libtorch's CUDA library found no usable GPU")]
    NoDevice,
    /// There are fewer GPUs than the number asked for.
    #[error("there is no GPU number {wanted}: {found} found, counted from 0")]
    NoSuchDevice {
        /// The number asked for.
        wanted: usize,
        /// How many there are.
        found: usize,
    },
}

impl CudaFault {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            CudaFault::NoDriver => "install the NVIDIA driver, or use `--device cpu`",
            CudaFault::CpuOnly(_) => "run `cargo xtask setup --cuda` and build again, or use `--device cpu`",
            CudaFault::Unopened { .. } => "run `cargo xtask setup --cuda` again: a library that it needs is missing",
            CudaFault::NoDevice => "see whether `nvidia-smi` lists a GPU and whether `CUDA_VISIBLE_DEVICES` hides it",
            CudaFault::NoSuchDevice { .. } => "`runner doctor` lists the devices",
        }
    }
}

/// Turns the choice into a device, opening libtorch's CUDA library when it is needed.
///
/// # Errors
/// When a GPU was asked for and cannot be used.
pub fn resolve(choice: DeviceChoice) -> Result<Device, CudaFault> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Auto => Ok(open_cuda().map_or(Device::Cpu, |_| Device::Cuda(0))),
        DeviceChoice::Cuda(wanted) => {
            let found = open_cuda()?;
            if wanted < found { Ok(Device::Cuda(wanted)) } else { Err(CudaFault::NoSuchDevice { wanted, found }) }
        }
    }
}

/// Opens libtorch's CUDA library, and says how many GPUs it can use.
///
/// # Errors
/// When there is no driver, no CUDA library, or no device; the first obstacle is named.
pub fn open_cuda() -> Result<usize, CudaFault> {
    if !driver_is_present() {
        return Err(CudaFault::NoDriver);
    }
    let folder = libtorch_folder();
    let library = folder.join("libtorch_cuda.so");
    if !library.exists() {
        return Err(CudaFault::CpuOnly(folder));
    }
    open_globally(&library).map_err(|why| CudaFault::Unopened { library, why })?;
    match usize::try_from(Cuda::device_count()) {
        Ok(count) if count > 0 && Cuda::is_available() => Ok(count),
        _ => Err(CudaFault::NoDevice),
    }
}

/// The folder that libtorch_cpu was loaded from, which may differ from the one the program was built with.
pub fn libtorch_folder() -> PathBuf {
    loaded_library("libtorch_cpu.so")
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from(env!("RUNNER_LIBTORCH_LIB")))
}

fn driver_is_present() -> bool {
    Path::new("/proc/driver/nvidia/version").exists()
        || Path::new("/dev/nvidiactl").exists()
        || Path::new("/dev/dxg").exists() // Windows' Linux subsystem
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
