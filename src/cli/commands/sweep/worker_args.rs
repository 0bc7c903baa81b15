//! Options of workers, and of the commands that start them.

use clap::ValueEnum;

use crate::cli::args::log_args::EventArgs;
use crate::cli::args::run_args::parse_positive;
use crate::device::DeviceChoice;
use crate::experiment::run::checkpointing::CheckpointInterval;

/// Options of workers.
#[derive(Clone, Debug, clap::Args)]
pub struct WorkerArgs {
    /// When to save a checkpoint: every N epochs (`5`), at a time interval (`30s`, `10m`), or `never`
    #[arg(long, value_name = "N|TIME", default_value = "30s", allow_hyphen_values = true)]
    pub checkpoint: CheckpointInterval,
    /// After three failures in a row with the same cause: continue with the next stack, or stop the sweep
    #[arg(long, value_enum, default_value_t)]
    pub on_failure: OnFailure,
    /// Work on a sweep of another build of runner, or with changed data
    #[arg(long)]
    pub force: bool,
    /// Event files.
    #[command(flatten)]
    pub event_args: EventArgs,
}

/// What repeated failures with the same cause do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// The workers continue with the next stacks.
    #[default]
    Continue,
    /// The sweep stops.
    Stop,
}

impl WorkerArgs {
    /// Whether repeated failures stop the sweep.
    pub fn stops_on_failure(&self) -> bool {
        self.on_failure == OnFailure::Stop
    }

    /// Returns the arguments for a worker process.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = vec!["--checkpoint".to_owned(), self.checkpoint.to_string()];
        words.extend(self.stops_on_failure().then(|| "--on-failure=stop".to_owned()));
        words.extend(self.force.then(|| "--force".to_owned()));
        words.extend(self.event_args.arguments());
        words
    }
}

/// Options of a sweep that is trained.
#[derive(Clone, Debug, clap::Args)]
pub struct ExecuteArgs {
    /// Number of worker processes [default: 1; with `--resume`, the number of cores divided by `--threads`]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub workers: Option<usize>,
    /// Devices of the workers, one worker each: `auto` (all GPUs, else the CPU), `cpu`, `cuda:0,cuda:1`
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with = "device")]
    pub devices: Vec<DeviceChoice>,
    /// Continue the newest sweep with these settings, or the sweep in DIR; do nothing if it is complete
    #[arg(long)]
    pub resume: bool,
    /// How the workers train.
    #[command(flatten)]
    pub worker_args: WorkerArgs,
}
