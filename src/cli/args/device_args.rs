//! Arguments of commands that compute: the device and the number of CPU threads.

use tch::Device;

use crate::cli::args::lookup::resolve_device;
use crate::cli::args::user_defaults;
use crate::device::DeviceChoice;
use crate::tensor::threads;

/// Device and threads; by default those of `runner.toml`, or all of this machine.
#[derive(Clone, Debug, clap::Args)]
pub struct DeviceArgs {
    /// auto, cpu, cuda or cuda:N [default: `device` of runner.toml, else auto]
    #[arg(long, default_value = user_defaults::device(), hide_default_value = true)]
    pub device: DeviceChoice,
    /// Maximum number of CPU threads [default: `OMP_NUM_THREADS`, else `threads` of runner.toml, else one for each core]
    #[arg(
        long,
        value_name = "N",
        value_parser = threads::parse,
        default_value = user_defaults::threads(),
        hide_default_value = true,
        allow_negative_numbers = true
    )]
    pub threads: Option<usize>,
}

impl DeviceArgs {
    /// Returns the device and the number of threads.
    ///
    /// # Errors
    /// If the device cannot be used.
    pub fn resolve(&self) -> anyhow::Result<(Device, usize)> {
        Ok((resolve_device(self.device)?, threads::requested_or_available(self.threads)))
    }
}

/// Device and threads; by default those of the run.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DeviceOfRunArgs {
    /// cpu, cuda or cuda:N [default: the device of the run]
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Maximum number of CPU threads [default: as in the run]
    #[arg(long, value_name = "N", value_parser = threads::parse, allow_negative_numbers = true)]
    pub threads: Option<usize>,
}
