//! The devices of the workers of a sweep.

use anyhow::{Context, anyhow, ensure};
use tch::Device;

use crate::config::hint::Hint;
use crate::device::{self, DeviceChoice};

/// Environment variable with the GPUs that a process sees.
pub const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// Returns the devices that a list names, one for each worker: `auto` means all usable GPUs, or else the CPU. A list with a
/// single device has `workers` of them.
///
/// # Errors
/// When a device cannot be used, or the number of workers is another one than that of the devices.
pub fn of_workers(named: &[DeviceChoice], workers: Option<usize>) -> anyhow::Result<Vec<Device>> {
    let mut devices = Vec::new();
    for &choice in named {
        if choice == DeviceChoice::Auto {
            match device::open_cuda() {
                Ok(found @ 1..) => devices.extend((0..found).map(Device::Cuda)),
                _ => devices.push(Device::Cpu),
            }
            continue;
        }
        let device = device::resolve(choice).map_err(|fault| {
            let hint = Hint(fault.hint().to_owned());
            anyhow::Error::new(fault).context(format!("failed to use the device `{choice}`")).context(hint)
        });
        devices.push(device?);
    }
    if let [device] = devices[..] {
        return Ok(vec![device; workers.unwrap_or(1)]);
    }
    ensure!(
        workers.is_none_or(|workers| workers == devices.len()),
        anyhow!("`--workers` is for one device, but `--devices` names {}", devices.len())
            .context(Hint("omit `--workers`: each device has one, or repeat a device in `--devices`".to_owned()))
    );
    Ok(devices)
}

/// Returns the largest number of workers on one device, which share its memory.
pub fn sharing(devices: &[Device]) -> usize {
    devices.iter().map(|device| devices.iter().filter(|other| *other == device).count()).max().unwrap_or(1)
}

/// Returns the name of a device as a worker sees it, and the environment variables of the worker: one on a GPU sees no other GPU.
///
/// # Errors
/// When the GPU is not visible to this process.
pub fn seen_by_worker(device: Device) -> anyhow::Result<(String, Vec<(String, String)>)> {
    let Device::Cuda(index) = device else { return Ok((device::name(device), Vec::new())) };
    let visible = std::env::var(VISIBLE).ok();
    let gpu = visible_gpu(visible.as_deref(), index).with_context(|| format!("GPU {index} is not in `{VISIBLE}`"))?;
    Ok(("cuda".to_owned(), vec![(VISIBLE.to_owned(), gpu)]))
}

/// Returns the value of [`VISIBLE`] for a process that sees only one GPU of this process. `visible` is the value of this
/// process: a list of numbers or names, which ends at the first negative number. `None` if it does not have this GPU.
pub fn visible_gpu(visible: Option<&str>, index: usize) -> Option<String> {
    let Some(visible) = visible else { return Some(index.to_string()) };
    let names = visible.split(',').map(str::trim).take_while(|name| !name.is_empty() && !name.starts_with('-'));
    names.map(str::to_owned).nth(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_sees_its_own_gpu_among_those_that_are_visible() {
        let gpu = |visible, index| visible_gpu(visible, index);
        assert_eq!(gpu(None, 1).as_deref(), Some("1"));
        assert_eq!(gpu(Some("4, 7"), 1).as_deref(), Some("7"));
        assert_eq!(gpu(Some("GPU-a,MIG-b"), 0).as_deref(), Some("GPU-a"));
        for (visible, index) in [("4,7", 2), ("", 0), ("4,-1,7", 1), ("-1", 0)] {
            assert_eq!(gpu(Some(visible), index), None, "{visible}");
        }
    }

    #[test]
    fn workers_share_the_memory_of_their_device() {
        let (cpu, gpu) = (Device::Cpu, Device::Cuda);
        assert_eq!(sharing(&[gpu(0), gpu(1), gpu(0), gpu(0)]), 3);
        assert_eq!([sharing(&[cpu; 4]), sharing(&[gpu(0), gpu(1)]), sharing(&[])], [4, 1, 1]);
    }

    #[test]
    fn one_device_has_all_workers_and_several_have_one_each() {
        let cpu = DeviceChoice::Cpu;
        assert_eq!(of_workers(&[cpu], Some(3)).unwrap(), [Device::Cpu; 3]);
        assert_eq!(of_workers(&[cpu], None).unwrap(), [Device::Cpu]);
        assert_eq!(of_workers(&[cpu, cpu], Some(2)).unwrap(), [Device::Cpu; 2]);
        assert!(of_workers(&[cpu, cpu], Some(3)).unwrap_err().chain().any(|line| line.to_string().contains("names 2")));
    }
}
