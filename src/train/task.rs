//! Everything that training needs.

use tch::Device;

use crate::data::prepare::batches::DeviceRows;
use crate::network::layer::Layer;
use crate::train::TrainSpec;
use crate::train::evaluate::Measure;

/// Everything that training needs, on the device.
#[derive(Debug)]
pub struct Task<'a> {
    /// Settings of training that all replicas share.
    pub settings: &'a TrainSpec,
    /// Settings of each replica, which differ at most in what [`TrainSpec::shared`] sets to fixed values.
    pub replicas: &'a [&'a TrainSpec],
    /// Loss and metrics.
    pub measure: &'a Measure,
    /// Metric that determines the best epoch, and whether higher is better.
    pub monitor: (&'a str, bool),
    /// Seed of each replica.
    pub seeds: &'a [i64],
    /// Training rows.
    pub training: &'a DeviceRows,
    /// Validation rows.
    pub validation: Option<&'a DeviceRows>,
    /// Layers of the network, for observers.
    pub layers: &'a [Layer],
    /// Device of the stack.
    pub device: Device,
    /// Maximum number of CPU threads.
    pub threads: usize,
}

impl Task<'_> {
    /// Returns whether higher values of a metric, of training or validation rows, are better.
    pub(super) fn higher_is_better(&self, name: &str) -> bool {
        let name = name.strip_prefix("val_").unwrap_or(name);
        self.measure.metrics.iter().any(|metric| metric.name() == name && metric.info().higher_is_better == Some(true))
    }
}
