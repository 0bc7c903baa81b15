//! Device and CPU threads.

use crate::cli::args::user_defaults;
use crate::device::DeviceChoice;
use crate::tensor::threads;

/// Device and CPU threads, with the user's defaults.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ComputeArgs {
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

/// Device and CPU threads of a saved run, unless others are named.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct RecordedComputeArgs {
    /// cpu, cuda or cuda:N [default: the device of the run]
    #[arg(long)]
    pub device: Option<DeviceChoice>,
    /// Maximum number of CPU threads [default: as in the run]
    #[arg(long, value_name = "N", value_parser = threads::parse, allow_negative_numbers = true)]
    pub threads: Option<usize>,
}
