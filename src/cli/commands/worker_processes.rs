//! `--devices` and `--workers`: processes that train the stacks of a run.

use std::path::Path;

use tch::Device;

use crate::cli::args::lookup::resolve_device;
use crate::cli::args::run_args::{ExecutionConfig, RunArgs, parse_positive};
use crate::device::{self, DeviceChoice};
use crate::sweep::supervise::devices;
use crate::tensor::threads;
use crate::workers::coordinator::{WorkerSetup, Workers, devices_of};

/// Processes that train the stacks of a run.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct WorkerProcesses {
    /// Train the stacks in several processes on these devices: `auto` (all GPUs, else the CPU), `cpu,cpu`, `cuda:0,cuda:1`
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with = "device")]
    pub devices: Vec<DeviceChoice>,
    /// Train the stacks in N processes, which share the cores or the GPU
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub workers: Option<usize>,
}

impl WorkerProcesses {
    /// Returns the arguments of a run with the first of the named devices, which is the one in its record and its command.
    ///
    /// # Errors
    /// If a device cannot be used.
    pub fn with_device(&self, run_args: &RunArgs) -> anyhow::Result<RunArgs> {
        let mut run_args = run_args.clone();
        if !self.devices.is_empty() {
            let first = self.devices(run_args.compute_args.device)?.first().map(|device| choice_of(*device));
            run_args.compute_args.device = first.unwrap_or(run_args.compute_args.device);
        }
        Ok(run_args)
    }

    /// Returns the device of each process; none if one process trains all stacks on `device`.
    ///
    /// # Errors
    /// If a device cannot be used, or the number of workers is another one than that of the devices.
    pub fn devices(&self, device: DeviceChoice) -> anyhow::Result<Vec<Device>> {
        match (&self.devices[..], self.workers) {
            ([], None | Some(1)) => Ok(Vec::new()),
            ([], Some(workers)) => Ok(vec![resolve_device(device)?; workers]),
            (named, workers) => devices::of_workers(named, workers),
        }
    }
}

/// Returns the devices of the processes of a run that was interrupted; none if it had one process.
///
/// # Errors
/// If a device cannot be used.
pub fn of_interrupted(run: &Path) -> anyhow::Result<Vec<Device>> {
    let Some(names) = devices_of(run) else { return Ok(Vec::new()) };
    let named = names.split(',').map(|name| name.parse().map_err(anyhow::Error::msg));
    devices::of_workers(&named.collect::<anyhow::Result<Vec<DeviceChoice>>>()?, None)
}

/// Returns the processes on these devices. `runs` is the directory of the runs that pretrained weights are from.
///
/// # Errors
/// If a device is not visible.
pub fn on(devices: &[Device], runs: &Path) -> anyhow::Result<Workers> {
    let setup = |device: &Device| {
        let (seen_as, environment) = devices::seen_by_worker(*device)?;
        Ok(WorkerSetup { device: device::name(*device), seen_as, environment })
    };
    let setups = devices.iter().map(setup).collect::<anyhow::Result<_>>()?;
    Ok(Workers { setups, sharing: devices::sharing(devices), runs: runs.to_path_buf() })
}

/// Returns the configuration of a new run on these devices. Processes on the CPU share its cores, unless `threads` are asked for.
pub fn share(execution: ExecutionConfig, devices: &[Device], threads: Option<usize>) -> ExecutionConfig {
    let on_cpu = devices.iter().filter(|device| **device == Device::Cpu).count();
    let device = devices.first().copied().unwrap_or(execution.device);
    match threads {
        None if on_cpu > 1 => ExecutionConfig { device, threads: (threads::cores() / on_cpu).max(1), ..execution },
        _ => ExecutionConfig { device, ..execution },
    }
}

/// Returns the choice of a device.
pub fn choice_of(device: Device) -> DeviceChoice {
    match device {
        Device::Cuda(index) => DeviceChoice::Cuda(index),
        Device::Cpu | Device::Mps | Device::Vulkan => DeviceChoice::Cpu,
    }
}
