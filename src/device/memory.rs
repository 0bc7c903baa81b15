//! Free memory of the CPU and of GPUs.
//!
//! For a GPU, the CUDA runtime reports it; for the machine, Linux and the control groups of the process. If neither is
//! available, a default is assumed.

use std::path::Path;
use std::process::{Command, Stdio};

use tch::Device;

use crate::device::allocator::may_fail;
use crate::device::cgroup::{self, parse_number_after};
use crate::device::fault::Fault;
use crate::io::bounded_file;

/// Assumed free memory if it is unknown: 4 GiB.
pub const ASSUMED_FREE: u64 = 4 << 30;

/// Returns the free bytes on the device. On a GPU, libtorch first releases its cache.
pub fn free(device: Device) -> u64 {
    match device {
        Device::Cuda(index) => switches::gpu_memory(index).map_or(ASSUMED_FREE, |(free, _)| free),
        _ => free_main_memory(),
    }
}

/// Returns the free bytes on the device like [`free`], but a GPU is asked by a child process: a process that has asked a GPU
/// occupies some of its memory until it ends, and the GPU itself in exclusive mode.
pub fn free_without_context(device: Device) -> u64 {
    let Device::Cuda(index) = device else { return free(device) };
    let ask = || {
        let program = std::env::current_exe().ok()?;
        let question = ["doctor", "--free-memory", &format!("cuda:{index}")];
        let answer = Command::new(program).args(question).stdin(Stdio::null()).output().ok()?;
        String::from_utf8(answer.stdout).ok()?.trim().parse().ok()
    };
    ask().unwrap_or(ASSUMED_FREE)
}

/// Returns the free bytes of main memory.
pub fn free_main_memory() -> u64 {
    free_in_root(Path::new("/")).unwrap_or(ASSUMED_FREE)
}

/// Returns the largest resident memory of this process so far in bytes; `None` if the system does not report it, as outside
/// of Linux.
pub fn peak_of_process() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    parse_number_after(&status, "VmHWM:")?.checked_mul(1024)
}

/// Returns the most bytes that tensors have had on a GPU at once, as `torch.cuda.max_memory_allocated`; `None` for the CPU.
pub fn peak_of_gpu(device: Device) -> Option<u64> {
    match device {
        Device::Cuda(index) => switches::gpu_peak(index),
        _ => None,
    }
}

/// Returns an empty vector with room for this number of values.
///
/// # Errors
/// If there is not enough memory.
pub fn try_vec_with_capacity<T>(count: usize) -> Result<Vec<T>, Fault> {
    let mut values = Vec::new();
    let reserved = may_fail(|| values.try_reserve_exact(count));
    reserved.map(|()| values).map_err(|_| Fault::out_of_memory(count.saturating_mul(size_of::<T>())))
}

/// Returns an empty vector with room for this number of values. Panics with a [`Fault`] if there is not enough memory,
/// like libtorch does.
pub fn vec_with_capacity<T>(count: usize) -> Vec<T> {
    try_vec_with_capacity(count).unwrap_or_else(|fault| fault.throw())
}

/// Reserves room for this number of further values.
///
/// # Errors
/// If there is not enough memory.
pub fn try_reserve<T>(values: &mut Vec<T>, more: usize) -> Result<(), Fault> {
    let reserved = may_fail(|| values.try_reserve(more));
    reserved.map_err(|_| Fault::out_of_memory(more.saturating_mul(size_of::<T>())))
}

/// Maximum size in bytes of a history or tree file: a quarter of the free memory, because the values take about as
/// much memory as their text, and at least the limit of other JSON files.
pub fn max_json_bytes() -> u64 {
    bounded_file::JSON.max(free_main_memory() / 4)
}

/// Returns the free bytes of main memory. `root` is the folder that contains `proc` and `sys`.
fn free_in_root(root: &Path) -> Option<u64> {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).ok();
    let machine = read("proc/meminfo")
        .and_then(|text| parse_number_after(&text, "MemAvailable:"))
        .map(|kilobytes| kilobytes * 1024);
    machine.into_iter().chain(cgroup::free(root)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the free memory for a root folder with these files.
    fn free_with_files(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        free_in_root(root.path())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_peak_of_this_process_is_known() {
        let used = std::hint::black_box(vec![1_u8; 64 << 20]);
        let peak = peak_of_process().unwrap();
        assert!((used.len() as u64..1 << 40).contains(&peak), "{peak} bytes");
    }

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal:       8000000 kB\nMemFree:         100000 kB\nMemAvailable:    2000000 kB\n");

    #[test]
    fn what_linux_says_is_available_is_free() {
        assert_eq!(free_with_files(&[MEMINFO]), Some(2_048_000_000));
        assert_eq!(free_with_files(&[MEMINFO, ("sys/fs/cgroup/memory.max", "max\n")]), Some(2_048_000_000));
    }

    #[test]
    fn a_control_group_that_may_have_less_goes_before_the_machine() {
        let group = [
            MEMINFO,
            ("sys/fs/cgroup/memory.max", "1000000000\n"),
            ("sys/fs/cgroup/memory.current", "600000000\n"),
            ("sys/fs/cgroup/memory.stat", "anon 1\ninactive_file 100000000\nactive_file 5\n"),
        ];
        assert_eq!(free_with_files(&group), Some(500_000_000));
    }

    #[test]
    fn the_limit_of_a_nested_control_group_goes_before_the_machine() {
        let nested = [
            MEMINFO,
            ("proc/self/cgroup", "0::/system.slice/job_1\n"),
            ("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
            ("sys/fs/cgroup/system.slice/job_1/memory.max", "734003200\n"),
            ("sys/fs/cgroup/system.slice/job_1/memory.current", "104857600\n"),
        ];
        assert_eq!(free_with_files(&nested), Some(734_003_200 - 104_857_600));
    }

    #[test]
    fn what_does_not_fit_into_memory_is_a_fault() {
        assert_eq!(vec_with_capacity::<u8>(5).capacity(), 5);
        let fault = try_vec_with_capacity::<f64>(1 << 45).unwrap_err();
        assert_eq!(fault.to_string(), "the machine is out of memory: failed to allocate 256 TiB");
        let mut values = vec![1.0];
        assert!(try_reserve(&mut values, usize::MAX / 2).is_err());
        assert_eq!(values, [1.0]);
    }

    #[test]
    fn a_system_that_says_nothing_is_taken_to_have_a_little() {
        assert_eq!(free_with_files(&[]), None);
        assert_eq!(free(Device::Cuda(0)), ASSUMED_FREE, "the tests see no GPU");
        assert_eq!((peak_of_gpu(Device::Cuda(0)), peak_of_gpu(Device::Cpu)), (None, None));
        assert!(free(Device::Cpu) > 0);
    }
}
