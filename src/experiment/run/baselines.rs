//! Constant-prediction baselines: the metrics of a prediction that is the same for every row.

use tch::{Device, Kind, Tensor};

use crate::data::Target;
use crate::data::prepare::batches::DeviceRows;
use crate::history::baseline::{Baseline, Baselines, caution};
use crate::history::number::Number;
use crate::history::{History, Status};
use crate::train::evaluate::{Measure, compute_metrics};

/// Returns the baseline of each replica of a stack on these rows; `None` if there are no rows or the target has no baseline.
/// `training` are the true values of the training rows, `[replicas, rows, …]`, and `outputs` is the number of outputs of the
/// network.
pub fn of_stack(
    target: Target,
    measure: &Measure,
    training: &Tensor,
    outputs: usize,
    rows: &DeviceRows,
) -> Vec<Option<Baseline>> {
    let _no_grad = tch::no_grad_guard();
    let replicas = training.size()[0] as usize;
    if rows.is_empty() {
        return vec![None; replicas];
    }
    // the loss of the best constant prediction for these rows, for each replica
    let losses = || {
        let targets = rows.of_each_replica(&rows.targets, replicas);
        let weights = rows.weights.as_ref().map(|weights| rows.of_each_replica(weights, replicas));
        measure.loss.constant_prediction_loss(&targets, outputs, weights.as_ref())
    };
    match target {
        Target::Classes(classes) => {
            let truth = rows.of_each_replica(&rows.truth, replicas);
            let of_replica = |(replica, loss): (usize, f64)| {
                let mut baseline = Baseline::of_counts(&class_counts(&truth.get(replica as i64), classes))?;
                baseline.metrics.insert("loss".to_owned(), Number(loss));
                Some(baseline)
            };
            losses().into_iter().enumerate().map(of_replica).collect()
        }
        Target::Labels(_) => {
            let of_loss = |loss| Baseline { class: None, metrics: [("loss".to_owned(), Number(loss))].into() };
            losses().into_iter().map(|loss| Some(of_loss(loss))).collect()
        }
        Target::Values(_) => {
            let mean = training.to_kind(Kind::Double).mean_dim(1, true, None).to_kind(Kind::Float);
            let mean = mean.reshape([replicas as i64, 1, -1]);
            let width = mean.size()[2];
            let outputs = mean.expand([replicas as i64, rows.len() as i64, width], false);
            let mut baselines = vec![Baseline::default(); replicas];
            for (name, values) in compute_metrics(&outputs, rows, measure) {
                let values = Vec::<f64>::try_from(values.to_device(Device::Cpu)).expect("metrics are f64");
                for (baseline, value) in baselines.iter_mut().zip(values) {
                    baseline.metrics.insert(name.clone(), Number(value));
                }
            }
            baselines.into_iter().map(Some).collect()
        }
    }
}

/// Records the baselines of validation and test rows in a history; of a trial that ended by itself, with a caution if it
/// is no better than they are.
pub fn record(history: &mut History, validation: Option<Baseline>, test: Option<Baseline>) {
    let mut baselines = Baselines { validation, test, caution: None };
    let has_ended = matches!(history.status, Status::Completed | Status::EarlyStopped);
    baselines.caution = caution(history, &baselines).filter(|_| has_ended);
    history.baselines = Some(baselines).filter(|baselines| !baselines.is_empty());
}

/// Counts the rows of each class.
pub fn class_counts(truth: &Tensor, classes: usize) -> Vec<u64> {
    let truth = truth.to_device(Device::Cpu).to_kind(Kind::Int64).contiguous();
    let counts = Vec::<i64>::try_from(truth.bincount(None::<Tensor>, classes as i64)).expect("counts are int64");
    counts.into_iter().map(|count| count.max(0) as u64).collect()
}
