//! What training needs.

use tch::Device;

use crate::data::prepare::batches::DeviceRows;
use crate::network::layer::Layer;
use crate::train::TrainSpec;
use crate::train::evaluate::Measure;
use crate::train::optimizer::Optimizer;

/// What training needs, all of it on the device.
#[derive(Debug)]
pub struct Task<'a> {
    /// The settings.
    pub settings: &'a TrainSpec,
    /// What is measured.
    pub measure: &'a Measure,
    /// The metric that tells the best epoch, and whether higher is better.
    pub monitor: (&'a str, bool),
    /// The seed of each replica.
    pub seeds: &'a [i64],
    /// The optimizer of each replica; they may differ in the learning rate and the weight decay, and in nothing else.
    pub optimizers: &'a [&'a Optimizer],
    /// The rows to train on.
    pub training: &'a DeviceRows,
    /// The rows that tell the best epoch.
    pub validation: Option<&'a DeviceRows>,
    /// The network's layers, for observers.
    pub layers: &'a [Layer],
    /// Where the stack is.
    pub device: Device,
    /// How many threads of the CPU may be used.
    pub threads: usize,
}

impl Task<'_> {
    /// Whether a higher value of this metric, of training or validation rows, is a better one.
    pub(super) fn higher_is_better(&self, name: &str) -> bool {
        let name = name.strip_prefix("val_").unwrap_or(name);
        self.measure.metrics.iter().any(|metric| metric.name() == name && metric.higher_is_better() == Some(true))
    }
}
