//! Options of a sweep that is trained.

use crate::cli::commands::sweep::worker_args::WorkerArgs;
use crate::device::DeviceChoice;

/// Options of a sweep that is trained.
#[derive(Clone, Debug, clap::Args)]
pub struct ExecuteArgs {
    /// Devices of the workers, one worker each: `auto` (all GPUs, else the CPU), `cpu`, `cuda:0,cuda:1`
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with = "device")]
    pub devices: Vec<DeviceChoice>,
    /// Continue the newest sweep with these settings, or the sweep in DIR; do nothing if it is complete
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub worker_args: WorkerArgs,
}
