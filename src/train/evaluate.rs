//! A network's figures on rows that it is not trained on: no gradients, evaluation mode, large blocks.

use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use crate::data::Rows;
use crate::data::prepare::batches::DeviceRows;
use crate::metrics::Metric;
use crate::metrics::decision::Decision;
use crate::metrics::score::ClassScore;
use crate::network::stack::Stack;
use crate::tensor::predictor::Predictor;
use crate::train::loss::Loss;
use crate::train::loss::criterion::Criterion;

/// How many rows go through the network at once, over all replicas.
const BLOCK: usize = 16_384;

/// The figures of each replica, by name, still on the device: `[replicas]`, f64.
pub type Figures = Vec<(String, Tensor)>;

/// What is measured of a network's outputs.
#[derive(Debug)]
pub struct Measure {
    /// The loss.
    pub loss: Criterion,
    /// The metrics beside it.
    pub metrics: Vec<Metric>,
    /// How an output becomes a prediction.
    pub decision: Decision,
    /// Positive class, of two: the one that precision, recall, F1 and the areas are about.
    pub positive: usize,
    /// Its score, of two classes.
    pub score: Option<ClassScore>,
}

impl Measure {
    /// The metrics of each replica: `outputs` `[replicas, rows, outputs]`, `truth` `[replicas, rows, …]`.
    pub fn metrics(&self, outputs: &Tensor, truth: &Tensor) -> Figures {
        let of = |metric: &Metric| metric.of_each_replica(outputs, truth, self.decision, self.positive);
        self.metrics.iter().map(|metric| (metric.name().into_owned(), of(metric))).collect()
    }
}

/// Rows on the device, with targets as the loss takes them.
pub fn on_device(rows: &Rows, loss: &Loss, outputs: usize, device: Device) -> DeviceRows {
    let rows = rows.to(device);
    DeviceRows {
        targets: loss.targets(&rows.targets, outputs),
        features: rows.features.to_kind(Kind::Float),
        truth: rows.targets,
        weights: rows.weights,
        chosen: None,
    }
}

/// What the network makes of every row, in evaluation mode: `[replicas, rows, outputs]`.
pub fn outputs(stack: &Stack, rows: &DeviceRows) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let block = (BLOCK / stack.replicas()).max(256);
    let blocks: Vec<Tensor> = (0..rows.len())
        .step_by(block)
        .map(|start| stack.forward_t(&rows.features(&(start..rows.len().min(start + block)), stack.replicas()), false))
        .collect();
    Tensor::cat(&blocks, 1)
}

/// A stack of one network, asked as any other model is.
impl Predictor for Stack {
    fn outputs(&self, features: &Tensor) -> Tensor {
        let truth = Tensor::zeros([features.size()[0]], (Kind::Int64, Device::Cpu)); // nothing is asked of it
        let targets = truth.shallow_clone();
        let features = features.to_device(self.arena().values().device());
        let rows = DeviceRows { features, targets, truth, weights: None, chosen: None };
        outputs(self, &rows).get(0).to_device(Device::Cpu).to_kind(Kind::Double)
    }
}

/// Loss and metrics of each replica on these rows.
pub fn evaluate(stack: &Stack, rows: &DeviceRows, measure: &Measure) -> Figures {
    figures(&outputs(stack, rows), rows, measure)
}

/// Loss and metrics of each replica, from what it made of these rows: `outputs` `[replicas, rows, outputs]`.
pub fn figures(outputs: &Tensor, rows: &DeviceRows, measure: &Measure) -> Figures {
    let _no_grad = tch::no_grad_guard();
    let truth = rows.of_each_replica(&rows.truth, outputs.size()[0] as usize);
    let mut figures = vec![("loss".to_owned(), losses(outputs, rows, measure))];
    figures.extend(measure.metrics(outputs, &truth));
    figures
}

/// The loss of each replica, from what it made of these rows: `outputs` `[replicas, rows, outputs]` → `[replicas]`, f64.
pub fn losses(outputs: &Tensor, rows: &DeviceRows, measure: &Measure) -> Tensor {
    let _no_grad = tch::no_grad_guard();
    let replicas = outputs.size()[0] as usize;
    let targets = rows.of_each_replica(&rows.targets, replicas);
    let weights = rows.weights.as_ref().map(|weights| rows.of_each_replica(weights, replicas));
    measure.loss.of_each_replica(outputs, &targets, weights.as_ref()).to_kind(Kind::Double)
}
