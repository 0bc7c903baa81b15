//! Options of a run that can affect its results.

use serde::{Deserialize, Serialize};
use tch::Device;

use crate::device;
use crate::device::compute_mode::ComputeMode;
use crate::device::precision::{Precision, precision_or_tf32};

/// Device, threads and arithmetic of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// Maximum number of CPU threads.
    pub threads: usize,
    /// Maximum number of replicas per stack, if set.
    pub stack: Option<usize>,
    /// Precision of the network's layers.
    #[serde(default, alias = "tf32", deserialize_with = "precision_or_tf32")]
    pub precision: Precision,
    /// Whether only deterministic algorithms are used.
    pub deterministic: bool,
}

impl RunOptions {
    /// Returns the options of a run.
    pub fn new(device: Device, threads: usize, stack: Option<usize>, mode: ComputeMode) -> RunOptions {
        let ComputeMode { precision, deterministic } = mode;
        RunOptions { device: device::name(device), threads, stack, precision, deterministic }
    }

    /// Returns precision and determinism.
    pub fn mode(&self) -> ComputeMode {
        ComputeMode { precision: self.precision, deterministic: self.deterministic }
    }
}
