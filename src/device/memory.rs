//! How much memory is free where tensors live.
//!
//! Of a GPU, the CUDA runtime says; of the machine, Linux does, and the control groups that the process is in. Where
//! neither can be asked, a little is taken for granted.

use std::path::Path;

use tch::Device;

use crate::device::allocator::may_fail;
use crate::device::cgroup::{self, field};
use crate::device::fault::Fault;
use crate::io::bounded_file;

/// What is taken for granted where nobody says: 4 GiB.
pub const UNKNOWN: u64 = 4 << 30;

/// How many bytes are free on the device. On a GPU, libtorch first gives back what it keeps for later.
pub fn free(device: Device) -> u64 {
    match device {
        Device::Cuda(index) => switches::gpu_memory(index).map_or(UNKNOWN, |(free, _)| free),
        _ => free_of_machine(),
    }
}

/// How many bytes are free on the machine.
pub fn free_of_machine() -> u64 {
    of_machine(Path::new("/")).unwrap_or(UNKNOWN)
}

/// Returns an empty vector with room for this number of values.
///
/// # Errors
/// When there is no memory for them.
pub fn try_room_for<T>(count: usize) -> Result<Vec<T>, Fault> {
    let mut values = Vec::new();
    let reserved = may_fail(|| values.try_reserve_exact(count));
    reserved.map(|()| values).map_err(|_| Fault::no_memory_for(count.saturating_mul(size_of::<T>())))
}

/// Returns an empty vector with room for the values. Where there is no memory for them it fails as libtorch does: work that is
/// guarded ends with the fault.
pub fn room_for<T>(count: usize) -> Vec<T> {
    try_room_for(count).unwrap_or_else(|fault| fault.throw())
}

/// Reserves room for this number of further values.
///
/// # Errors
/// When there is no memory for them.
pub fn try_reserve<T>(values: &mut Vec<T>, more: usize) -> Result<(), Fault> {
    let reserved = may_fail(|| values.try_reserve(more));
    reserved.map_err(|_| Fault::no_memory_for(more.saturating_mul(size_of::<T>())))
}

/// The most bytes of a history or a tree of ours that are read: a quarter of what is free, for the values take about as
/// much as their text, and never less than of any other JSON file. Who could write one has had that much.
pub fn most_json() -> u64 {
    bounded_file::JSON.max(free_of_machine() / 4)
}

/// `root` is the folder that `proc` and `sys` are in.
fn of_machine(root: &Path) -> Option<u64> {
    let read = |file: &str| std::fs::read_to_string(root.join(file)).ok();
    let machine = read("proc/meminfo").and_then(|text| kilobytes_available(&text)).map(|kilobytes| kilobytes * 1024);
    machine.into_iter().chain(cgroup::free(root)).min()
}

/// What Linux says can be had without swapping.
fn kilobytes_available(meminfo: &str) -> Option<u64> {
    field(meminfo, "MemAvailable:")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up root with these files.
    fn of(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        of_machine(root.path())
    }

    const MEMINFO: (&str, &str) =
        ("proc/meminfo", "MemTotal:       8000000 kB\nMemFree:         100000 kB\nMemAvailable:    2000000 kB\n");

    #[test]
    fn what_linux_says_is_available_is_free() {
        assert_eq!(of(&[MEMINFO]), Some(2_048_000_000));
        assert_eq!(of(&[MEMINFO, ("sys/fs/cgroup/memory.max", "max\n")]), Some(2_048_000_000));
    }

    #[test]
    fn a_control_group_that_may_have_less_goes_before_the_machine() {
        let group = [
            MEMINFO,
            ("sys/fs/cgroup/memory.max", "1000000000\n"),
            ("sys/fs/cgroup/memory.current", "600000000\n"),
            ("sys/fs/cgroup/memory.stat", "anon 1\ninactive_file 100000000\nactive_file 5\n"),
        ];
        assert_eq!(of(&group), Some(500_000_000));
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
        assert_eq!(of(&nested), Some(734_003_200 - 104_857_600));
    }

    #[test]
    fn what_does_not_fit_into_memory_is_a_fault() {
        assert_eq!(room_for::<u8>(5).capacity(), 5);
        let fault = try_room_for::<f64>(1 << 45).unwrap_err();
        assert_eq!(fault.to_string(), "the machine has not enough memory: 256.00 TiB more were asked for");
        let mut values = vec![1.0];
        assert!(try_reserve(&mut values, usize::MAX / 2).is_err());
        assert_eq!(values, [1.0]);
    }

    #[test]
    fn a_system_that_says_nothing_is_taken_to_have_a_little() {
        assert_eq!(of(&[]), None);
        assert_eq!(free(Device::Cuda(0)), UNKNOWN, "the tests see no GPU");
        assert!(free(Device::Cpu) > 0);
    }
}
