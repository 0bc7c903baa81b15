//! Device, CPU threads, precision and determinism.

use crate::cli::args::user_defaults;
use crate::device::DeviceChoice;
use crate::device::compute_mode::ComputeMode;
use crate::device::precision::Precision;
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

/// Precision and determinism.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ComputeModeArgs {
    /// Precision of the layers: float32, tf32 (on a GPU; faster, less precise) or bf16 (bfloat16, as with
    /// `torch.autocast`) [default: float32]
    #[arg(long, value_enum, value_name = "PRECISION", default_value_t)]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    precision: Precision,
    /// The former name of `--precision tf32`.
    #[arg(long, hide = true, conflicts_with = "precision")]
    tf32: bool,
    /// Use only deterministic algorithms (matters on a GPU)
    #[arg(long)]
    deterministic: bool,
}

impl ComputeModeArgs {
    /// Returns precision and determinism.
    pub fn mode(self) -> ComputeMode {
        let precision = if self.tf32 { Precision::Tf32 } else { self.precision };
        ComputeMode { precision, deterministic: self.deterministic }
    }

    /// Returns these arguments. Defaults are omitted.
    pub fn arguments(self) -> Vec<String> {
        let ComputeMode { precision, deterministic } = self.mode();
        let precision = (precision != Precision::default()).then(|| ["--precision", precision.name()]);
        let deterministic = deterministic.then_some("--deterministic");
        precision.into_iter().flatten().chain(deterministic).map(str::to_owned).collect()
    }
}
