//! Baselines of validation and test rows: what a prediction gets that is the same for every row.

use tch::{Device, Kind, Tensor};

use crate::data::prepare::batches::DeviceRows;
use crate::data::{Rows, Target};
use crate::history::baseline::Baseline;
use crate::history::number::Number;
use crate::train::evaluate::{Measure, figures};

/// What the baselines of a stack are taken with.
#[derive(Clone, Copy, Debug)]
pub struct Constant<'a> {
    /// What is predicted.
    pub target: Target,
    /// The loss and the metrics.
    pub measure: &'a Measure,
    /// What is true of the training rows of each replica, `[replicas, rows, …]`.
    pub training: &'a Tensor,
    /// How many outputs a network has.
    pub outputs: usize,
}

impl Constant<'_> {
    /// The baseline of each replica on these rows; `None` where rows or target have none.
    pub fn on(&self, rows: &DeviceRows) -> Vec<Option<Baseline>> {
        let _no_grad = tch::no_grad_guard();
        let replicas = self.training.size()[0] as usize;
        if rows.is_empty() {
            return vec![None; replicas];
        }
        match self.target {
            Target::Classes(classes) => {
                let truth = rows.of_each_replica(&rows.truth, replicas);
                let losses = self.losses(rows, replicas);
                let of_replica = |(replica, loss): (usize, f64)| {
                    let mut baseline = Baseline::of_counts(&counts(&truth.get(replica as i64), classes))?;
                    baseline.metrics.insert("loss".to_owned(), Number(loss));
                    Some(baseline)
                };
                losses.into_iter().enumerate().map(of_replica).collect()
            }
            Target::Labels(_) => {
                let of_loss = |loss| Baseline { class: None, metrics: [("loss".to_owned(), Number(loss))].into() };
                self.losses(rows, replicas).into_iter().map(|loss| Some(of_loss(loss))).collect()
            }
            Target::Values(_) => {
                let mean = self.training.to_kind(Kind::Double).mean_dim(1, true, None).to_kind(Kind::Float);
                let mean = mean.reshape([replicas as i64, 1, -1]);
                let width = mean.size()[2];
                let outputs = mean.expand([replicas as i64, rows.len() as i64, width], false);
                let mut baselines = vec![Baseline::default(); replicas];
                for (name, values) in figures(&outputs, rows, self.measure) {
                    let values = Vec::<f64>::try_from(values.to_device(Device::Cpu)).expect("figures are f64");
                    for (baseline, value) in baselines.iter_mut().zip(values) {
                        baseline.metrics.insert(name.clone(), Number(value));
                    }
                }
                baselines.into_iter().map(Some).collect()
            }
        }
    }

    /// The loss of the best constant prediction of these rows, for each replica.
    fn losses(&self, rows: &DeviceRows, replicas: usize) -> Vec<f64> {
        let targets = rows.of_each_replica(&rows.targets, replicas);
        let weights = rows.weights.as_ref().map(|weights| rows.of_each_replica(weights, replicas));
        self.measure.loss.of_constant_prediction(&targets, self.outputs, weights.as_ref())
    }
}

/// The baseline of rows of classes, where there is no loss.
pub fn of_classes(rows: &Rows, classes: usize) -> Option<Baseline> {
    Baseline::of_counts(&counts(&rows.targets, classes))
}

/// How many rows each class has.
fn counts(truth: &Tensor, classes: usize) -> Vec<u64> {
    let truth = truth.to_device(Device::Cpu).to_kind(Kind::Int64).contiguous();
    let counts = Vec::<i64>::try_from(truth.bincount(None::<Tensor>, classes as i64)).expect("counts are int64");
    counts.into_iter().map(|count| count.max(0) as u64).collect()
}
