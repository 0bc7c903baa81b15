//! A stack's figures on rows that it was not trained on: what a history states of the test rows, and what is taken
//! again when a network is rebuilt from its weights.

use tch::{Device, Tensor};

use crate::classical::tree::Tree;
use crate::data::batches::DeviceRows;
use crate::data::{Rows, Target};
use crate::experiment::network_plan::NetworkPlan;
use crate::experiment::plan::Plan;
use crate::history::TestRecord;
use crate::history::number::Number;
use crate::metrics::confusion::Confusion;
use crate::metrics::decision::Decision;
use crate::metrics::{Metric, regression};
use crate::network::stack::Stack;
use crate::predictor::Predictor;
use crate::train::Keep;
use crate::train::evaluate::{Measure, figures, outputs};

/// Each replica's figures on these rows.
pub fn tested(stack: &Stack, rows: &DeviceRows, measure: &Measure, keep: Keep) -> Vec<TestRecord> {
    let outputs = outputs(stack, rows);
    let truth = rows.of_each_replica(&rows.truth, stack.replicas());
    let confusions = Confusion::of_replicas(&outputs, &truth, measure.decision);
    let targets_near_zero = measure.metrics.contains(&Metric::Mape).then(|| regression::targets_near_zero(&rows.truth));
    let figures: Vec<(String, Vec<f64>)> = figures(&outputs, rows, measure)
        .into_iter()
        .map(|(name, figure)| (name, Vec::try_from(figure.to_device(Device::Cpu)).expect("figures are f64")))
        .collect();
    let weights = match keep {
        Keep::Best => "best",
        Keep::Last => "last",
    };
    let of_replica = |replica: usize| TestRecord {
        weights: weights.to_owned(),
        metrics: figures.iter().map(|(name, values)| (name.clone(), Number(values[replica]))).collect(),
        confusion: confusions.as_ref().map(|confusions| confusions[replica].0.clone()),
        targets_near_zero,
    };
    (0..stack.replicas()).map(of_replica).collect()
}

/// A tree's figures on these rows.
pub fn of_tree(plan: &Plan, tree: &Tree, rows: &Rows) -> TestRecord {
    let (outputs, truth) = (tree.outputs(&rows.features).unsqueeze(0), rows.targets.unsqueeze(0));
    let confusion = Confusion::of_replicas(&outputs, &truth, Decision::Largest).expect("a tree predicts classes");
    TestRecord {
        weights: "last".to_owned(),
        metrics: figures_of_tree(plan, tree, rows).into_iter().map(|(name, value)| (name, Number(value))).collect(),
        confusion: Some(confusion[0].0.clone()),
        targets_near_zero: None,
    }
}

/// The metrics of a tree on these rows.
pub fn figures_of_tree(plan: &Plan, tree: &Tree, rows: &Rows) -> Vec<(String, f64)> {
    let (outputs, truth) = (tree.outputs(&rows.features).unsqueeze(0), rows.targets.unsqueeze(0));
    let of = |metric: Metric| metric.of_each_replica(&outputs, &truth, Decision::Largest).double_value(&[0]);
    plan.metrics().into_iter().map(|metric| (metric.name().into_owned(), of(metric))).collect()
}

/// What is measured of a network; `truth`, of the training rows of each replica, as for [`crate::train::loss::Loss::criterion`].
pub fn measure(network: &NetworkPlan, target: Target, truth: &Tensor) -> Measure {
    let (train, width) = (&network.train, network.outputs());
    Measure {
        loss: train.loss.criterion(truth, width),
        metrics: train.metrics(target),
        decision: train.loss.decision(width, target),
    }
}
