//! What a user asks of a sweep: the experiment, the space and the options of the command line.

use tch::Device;

use crate::experiment::halving::rule::HalvingChoice;
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::source_text::SourceText;
use crate::sweep::spec::Method;
use crate::sweep::sweep_seeds::SweepSeeds;

/// What a user asks of a sweep. Options that are `None` have the value of the file's `[sweep]`, or their default.
#[derive(Clone, Debug)]
pub struct SweepRequest {
    /// The experiment's file.
    pub source: SourceText,
    /// Entries of the space from the command line, as `--space` takes them.
    pub space: Vec<String>,
    /// Number of configurations.
    pub trials: Option<usize>,
    /// How configurations are chosen.
    pub method: Option<Method>,
    /// Number of configurations of a round.
    pub round: Option<usize>,
    /// Path of the metric that ranks configurations.
    pub metric: Option<String>,
    /// Rungs at which configurations are dropped, or none.
    pub halving: Option<HalvingChoice>,
    /// Seeds that each configuration is trained on.
    pub seeds: Option<SweepSeeds>,
    /// Seed of the search.
    pub search_seed: Option<u32>,
    /// Changes from the command line that hold for all configurations, as `--set` takes them.
    pub overrides: Vec<String>,
    /// Variant of the experiment that the configurations start from.
    pub variant: Option<String>,
    /// Device of the tensors.
    pub device: Device,
    /// Options of the runs; `stack` is chosen if it is `None`.
    pub options: RunOptions,
    /// Free memory of the device for one worker, in bytes.
    pub free_memory: u64,
    /// The command, for the record.
    pub command: Option<String>,
}
