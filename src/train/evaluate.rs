//! Loss and metrics on rows that are not trained on: evaluation mode, no gradients, large blocks of rows.

use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use crate::data::Rows;
use crate::data::prepare::batches::DeviceRows;
use crate::data::prepare::features::Features;
use crate::data::prepare::scale::Scaler;
use crate::metrics::Metric;
use crate::metrics::decision::Decision;
use crate::metrics::score::ClassScore;
use crate::network::stack::Stack;
use crate::tensor::predictor::Predictor;
use crate::train::loss::Loss;
use crate::train::loss::criterion::Criterion;

/// Metrics by name, on the device: one value for each replica, `[replicas]`, f64.
pub type MetricTensors = Vec<(String, Tensor)>;

/// The loss and the metrics, and what they need to know about the outputs.
#[derive(Debug)]
pub struct Measure {
    /// The loss.
    pub loss: Criterion,
    /// The metrics besides the loss.
    pub metrics: Vec<Metric>,
    /// How an output becomes a prediction.
    pub decision: Decision,
    /// Index of the positive class, if there are two: precision, recall, F1, ROC AUC and average precision refer to it.
    pub positive: usize,
    /// How the score of the positive class is computed from the outputs, if there are two classes.
    pub score: Option<ClassScore>,
}

impl Measure {
    /// Returns the metrics of each replica: `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows, …]`.
    pub fn metrics(&self, outputs: &Tensor, truth: &Tensor) -> MetricTensors {
        let of = |metric: &Metric| metric.per_replica(outputs, truth, self.decision, self.positive);
        self.metrics.iter().map(|metric| (metric.name().into_owned(), of(metric))).collect()
    }
}

/// Moves rows to the device, with targets in the form that the loss takes. `scaler` is the scaling that bytes still need.
pub fn on_device(rows: &Rows, scaler: Option<&Scaler>, loss: &Loss, outputs: usize, device: Device) -> DeviceRows {
    let rows = rows.to(device);
    DeviceRows {
        targets: loss.targets(&rows.targets, outputs),
        features: match scaler {
            Some(scaler) => Features::from_bytes(&rows.features, scaler),
            None => Features::new(&rows.features),
        },
        truth: rows.targets,
        weights: rows.weights,
        chosen: None,
    }
}

/// Returns the outputs of all rows in evaluation mode: `[replicas, rows, outputs]`.
pub fn outputs(stack: &Stack, rows: &DeviceRows) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let block = stack.rows_at_once();
    let blocks: Vec<Tensor> = (0..rows.len())
        .step_by(block)
        .map(|start| stack.forward_t(&rows.features(&(start..rows.len().min(start + block)), stack.replicas()), false))
        .collect();
    Tensor::cat(&blocks, 1)
}

/// A stack of one network, as a predictor.
impl Predictor for Stack {
    fn outputs(&self, features: &Tensor) -> Tensor {
        let truth = Tensor::zeros([features.size()[0]], (Kind::Int64, Device::Cpu)); // not used
        let targets = truth.shallow_clone();
        let features = Features::new(&features.to_device(self.arena().values().device()));
        let rows = DeviceRows { features, targets, truth, weights: None, chosen: None };
        outputs(self, &rows).get(0).to_device(Device::Cpu).to_kind(Kind::Double)
    }
}

/// Returns loss and metrics of each replica on these rows.
pub fn evaluate(stack: &Stack, rows: &DeviceRows, measure: &Measure) -> MetricTensors {
    compute_metrics(&outputs(stack, rows), rows, measure)
}

/// Returns loss and metrics of each replica from the outputs of these rows, `[replicas, rows, outputs]`.
pub fn compute_metrics(outputs: &Tensor, rows: &DeviceRows, measure: &Measure) -> MetricTensors {
    let _no_grad = tch::no_grad_guard();
    let truth = rows.of_each_replica(&rows.truth, outputs.size()[0] as usize);
    let mut metrics = vec![("loss".to_owned(), losses(outputs, rows, measure))];
    metrics.extend(measure.metrics(outputs, &truth));
    metrics
}

/// Returns the loss of each replica from the outputs of these rows: `[replicas, rows, outputs]` → `[replicas]`, f64.
pub fn losses(outputs: &Tensor, rows: &DeviceRows, measure: &Measure) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let replicas = outputs.size()[0] as usize;
    let targets = rows.of_each_replica(&rows.targets, replicas);
    let weights = rows.weights.as_ref().map(|weights| rows.of_each_replica(weights, replicas));
    measure.loss.of_each_replica(outputs, &targets, weights.as_ref()).to_kind(Kind::Double)
}
