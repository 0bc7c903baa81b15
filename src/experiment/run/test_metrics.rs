//! Metrics on test rows: for the history of a trial, and again when its model is loaded.
//!
//! They are computed from outputs, so they work for networks with a loss and for models without one.

use indexmap::IndexMap;
use tch::{Device, Tensor};

use crate::classical::tree::Tree;
use crate::data::prepare::batches::DeviceRows;
use crate::data::{Rows, Target, Validation};
use crate::experiment::plan::Plan;
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::history::number::Number;
use crate::history::test_record::{TestRecord, ThresholdRecord};
use crate::metrics::confusion::Confusion;
use crate::metrics::curves::ranking::Ranking;
use crate::metrics::decision::Decision;
use crate::metrics::score::ClassScore;
use crate::metrics::threshold::{ChosenThreshold, ThresholdRule, ValidationScores};
use crate::metrics::{Metric, curves, regression};
use crate::network::stack::Stack;
use crate::tensor::predictor::Predictor;
use crate::train::TrainSpec;
use crate::train::evaluate::{Measure, losses, outputs};
use crate::train::kept_weights::Keep;
use crate::train::loss::Loss;
use crate::train::loss::criterion::Criterion;

/// Returns the metrics of each replica on these rows, at its chosen threshold if there is one.
pub fn test_records(
    stack: &Stack,
    rows: &DeviceRows,
    measure: &Measure,
    keep: Keep,
    choices: &[Option<ChosenThreshold>],
) -> Vec<TestRecord> {
    let outputs = outputs(stack, rows);
    let weights = match keep {
        Keep::Best => "best",
        Keep::Last => "last",
    };
    let evaluation = Evaluation {
        truth: &rows.of_each_replica(&rows.truth, stack.replicas()),
        losses: Some(&losses(&outputs, rows, measure)),
        outputs: &outputs,
        metrics: &measure.metrics,
        decision: measure.decision,
        positive: measure.positive,
        score: measure.score,
    };
    evaluation.records_at(weights, choices)
}

/// Returns the metrics of a tree on these rows, at the chosen threshold if there is one.
pub fn tree_record(
    plan: &Plan,
    tree: &Tree,
    rows: &Rows,
    positive: usize,
    choice: Option<ChosenThreshold>,
) -> TestRecord {
    let (outputs, truth) = (tree.outputs(&rows.features).unsqueeze(0), rows.targets.unsqueeze(0));
    let evaluation = Evaluation {
        outputs: &outputs,
        truth: &truth,
        losses: None,
        metrics: &plan.metrics(),
        decision: Decision::Largest,
        positive,
        score: plan.score(positive),
    };
    evaluation.records_at("last", &[choice]).remove(0)
}

/// Returns the plan's metrics of a tree on these rows.
pub fn tree_metrics(plan: &Plan, tree: &Tree, rows: &Rows, positive: usize) -> Vec<(String, f64)> {
    let (outputs, truth) = (tree.outputs(&rows.features).unsqueeze(0), rows.targets.unsqueeze(0));
    let of = |metric: &Metric| metric.per_replica(&outputs, &truth, Decision::Largest, positive).double_value(&[0]);
    plan.metrics().iter().map(|metric| (metric.name().into_owned(), of(metric))).collect()
}

/// Returns the decision threshold of each replica if the plan asks for one: fixed, or chosen on its validation rows.
///
/// # Shapes
/// `outputs` `[replicas, rows, outputs]`, for the validation rows of each replica.
pub fn choose_thresholds(
    plan: &Plan,
    outputs: Option<&Tensor>,
    validation: &[Option<&Validation>],
    positive: usize,
) -> Vec<Option<ChosenThreshold>> {
    let (Some(by), Some(score)) = (plan.spec.threshold, plan.score(positive)) else {
        return validation.iter().map(|_| None).collect();
    };
    let choice = |(replica, rows): (usize, &Option<&Validation>)| match (rows, outputs, by) {
        (Some(rows), Some(outputs), _) => {
            ValidationScores::new(rows, &score.of(&outputs.get(replica as i64)), positive).choose(by)
        }
        (_, _, ThresholdRule::Fixed(value)) => Some(ChosenThreshold::fixed(value)),
        _ => None,
    };
    validation.iter().enumerate().map(choice).collect()
}

/// Returns the loss and metrics of a stack of this network. `replicas` are the settings of each replica, or one for all;
/// `truth` are the training rows of each replica, as in [`Criterion::new`].
pub fn measure(
    network: &NetworkPlan,
    replicas: &[&TrainSpec],
    target: Target,
    truth: &Tensor,
    positive: usize,
) -> Measure {
    let (train, width) = (&network.train, network.outputs());
    let losses: Vec<&Loss> = replicas.iter().map(|settings| &settings.loss).collect();
    Measure {
        loss: Criterion::new(&losses, truth, width, positive),
        metrics: train.metrics(target),
        decision: train.loss.decision(network.output_kind(), width, target),
        positive,
        score: train.loss.score(network.output_kind(), target, width).map(|score| score.for_class(positive)),
    }
}

/// Outputs and true values of rows, and the metrics to compute from them.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'a> {
    /// `[replicas, rows, outputs]`.
    pub outputs: &'a Tensor,
    /// `[replicas, rows]` int64 for classes, otherwise `[replicas, rows, outputs]` f32.
    pub truth: &'a Tensor,
    /// Loss of each replica, `[replicas]`, if there is a loss.
    pub losses: Option<&'a Tensor>,
    /// Metrics of the experiment.
    pub metrics: &'a [Metric],
    /// How an output becomes a prediction.
    pub decision: Decision,
    /// Index of the positive class of a binary target.
    pub positive: usize,
    /// Score of the positive class of a binary target.
    pub score: Option<ClassScore>,
}

impl Evaluation<'_> {
    /// Returns the metrics of each replica; `weights` says whether the best or the last weights were tested.
    pub fn records(&self, weights: &str) -> Vec<TestRecord> {
        let _no_grad = tch::no_grad_guard();
        let (outputs, truth, decision) = (self.outputs, self.truth, self.decision);
        let confusions = Confusion::per_replica(outputs, truth, decision);
        let near_zero = self.metrics.contains(&Metric::Mape).then(|| regression::targets_near_zero(&truth.get(0)));
        let values: Vec<(String, Vec<f64>)> = self
            .compute_metrics()
            .into_iter()
            .map(|(name, figure)| (name, Vec::try_from(figure.to_device(Device::Cpu)).expect("metrics are f64")))
            .collect();
        let of_replica = |replica: usize| {
            let confusion = confusions.as_ref().map(|confusions| &confusions[replica]);
            let ranking = self.score.and_then(|score| Some((ranking(&self.replica_outputs(replica), score)?, score)));
            TestRecord {
                weights: weights.to_owned(),
                metrics: values.iter().map(|(name, values)| (name.clone(), Number(values[replica]))).collect(),
                confusion: confusion.map(|confusion| confusion.0.clone()),
                report: confusion.map(Confusion::report),
                positives: confusion.and_then(|confusion| confusion.positives(self.positive)),
                roc: ranking.as_ref().and_then(|(ranking, score)| curves::roc(ranking, *score)),
                precision_recall: ranking.and_then(|(ranking, score)| curves::precision_recall(&ranking, score)),
                threshold: None,
                targets_near_zero: near_zero,
            }
        };
        (0..outputs.size()[0] as usize).map(of_replica).collect()
    }

    /// Same as `records`, with the predictions of each replica at its chosen threshold, if there is one.
    ///
    /// # Panics
    /// When the number of choices is not the number of replicas, or a choice has no score to apply it to.
    pub fn records_at(&self, weights: &str, choices: &[Option<ChosenThreshold>]) -> Vec<TestRecord> {
        let defaults = self.records(weights);
        assert_eq!(defaults.len(), choices.len(), "a choice for each replica");
        let at = |(replica, (default, choice)): (usize, (TestRecord, &Option<ChosenThreshold>))| {
            let Some(choice) = choice else { return default };
            let (outputs, truth, losses) = self.replica_outputs(replica);
            let decision = self.score.expect("two classes have a score").at_least(choice.value);
            let (outputs, truth, losses) = (&outputs, &truth, losses.as_ref());
            // ranking metrics do not depend on the threshold and are not computed again
            let evaluation = Evaluation { outputs, truth, losses, decision, score: None, ..*self };
            let threshold = ThresholdRecord {
                value: choice.value,
                by: serde_json::to_value(choice.by).expect("it is made of JSON's types"),
                validation: choice.validation.clone(),
                at_default: {
                    let confusion = default.confusion.expect("two classes have a confusion matrix");
                    choice.by.evaluate(&confusion, self.positive)
                },
            };
            TestRecord {
                threshold: Some(threshold),
                roc: default.roc,
                precision_recall: default.precision_recall,
                ..evaluation.records(weights).remove(0)
            }
        };
        defaults.into_iter().zip(choices).enumerate().map(at).collect()
    }

    /// Computes the loss, the metrics of the experiment, and those that are always computed on test rows.
    fn compute_metrics(&self) -> IndexMap<String, Tensor> {
        let classes = self.decision.class_count(self.outputs).map(|classes| classes as usize);
        let always = Metric::test_defaults(classes).iter().filter(|metric| !self.metrics.contains(metric));
        let loss = self.losses.map(|losses| ("loss".to_owned(), losses.shallow_clone()));
        let metrics = self.metrics.iter().chain(always).map(|metric| {
            (metric.name().into_owned(), metric.per_replica(self.outputs, self.truth, self.decision, self.positive))
        });
        loss.into_iter().chain(metrics).collect()
    }

    /// Returns outputs, true values and loss of one replica, as a stack of one.
    fn replica_outputs(&self, replica: usize) -> (Tensor, Tensor, Option<Tensor>) {
        let one = |tensor: &Tensor| tensor.narrow(0, replica as i64, 1);
        (one(self.outputs), one(self.truth), self.losses.map(one))
    }
}

/// Ranks the rows of a stack of one; `None` if a score is NaN.
fn ranking((outputs, truth, _): &(Tensor, Tensor, Option<Tensor>), score: ClassScore) -> Option<Ranking> {
    let on_cpu = |tensor: Tensor| tensor.get(0).to_device(Device::Cpu).contiguous();
    let ranks = Vec::<f64>::try_from(on_cpu(score.rank(outputs))).expect("ranks are f64");
    let is_positive = Vec::<bool>::try_from(on_cpu(truth.eq(score.class() as i64))).expect("just compared");
    Ranking::new(&ranks, &is_positive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::score::Score;
    use crate::metrics::threshold::ThresholdRule;

    /// Two replicas with four rows each; three and one of them are of class 1.
    fn two_replicas() -> (Tensor, Tensor) {
        let outputs = Tensor::from_slice(&[2.0_f32, -1.0, 0.5, -0.5, 3.0, 2.0, -1.0, -2.0]).view([2, 4, 1]);
        (outputs, Tensor::from_slice(&[1_i64, 1, 1, 0, 0, 1, 0, 0]).view([2, 4]))
    }

    fn evaluation<'a>(outputs: &'a Tensor, truth: &'a Tensor, metrics: &'a [Metric]) -> Evaluation<'a> {
        let (decision, score) = (Decision::Above(0.0), Some(Score::Logit.for_class(1)));
        Evaluation { outputs, truth, losses: None, metrics, decision, positive: 1, score }
    }

    #[test]
    fn classes_have_a_report_whatever_is_named_and_two_of_them_curves() {
        let (outputs, truth) = two_replicas();
        let records = evaluation(&outputs, &truth, &[Metric::Ap, Metric::Acc]).records("last");
        for (record, positives) in records.iter().zip([0.75, 0.25]) {
            let names: Vec<&str> = record.metrics.keys().map(String::as_str).collect();
            assert_eq!(names, ["ap", "acc", "mcc", "balanced_acc", "roc_auc"], "none twice, and no loss");
            assert_eq!(record.report.as_ref().unwrap().accuracy, Some(record.metrics["acc"].0));
            assert_eq!((record.positives, &record.threshold), (Some(positives), &None));
            assert_eq!(record.roc.as_ref().unwrap().threshold[0].0, f64::INFINITY);
        }
        assert_eq!(records[1].metrics["ap"].0, 0.5);
        assert_eq!(records[1].precision_recall.as_ref().unwrap().recall, [1.0, 1.0, 0.0, 0.0]);
        let three = Tensor::eye(3, (tch::Kind::Float, Device::Cpu)).unsqueeze(0);
        let truth = Tensor::from_slice(&[0_i64, 1, 2]).unsqueeze(0);
        let of_three =
            Evaluation { decision: Decision::Largest, score: None, ..evaluation(&three, &truth, &[]) }.records("best");
        assert_eq!(of_three[0].metrics.keys().collect::<Vec<_>>(), ["mcc", "balanced_acc"]);
        assert!(of_three[0].roc.is_none() && of_three[0].positives.is_none() && of_three[0].report.is_some());
    }

    #[test]
    fn each_replica_is_judged_at_its_own_threshold_beside_the_default() {
        let (outputs, truth) = two_replicas();
        let evaluation = evaluation(&outputs, &truth, &[Metric::F1]);
        let defaults = evaluation.records("best");
        let records = evaluation.records_at("best", &[None, Some(ChosenThreshold::fixed(0.9))]);
        assert_eq!(records[0], defaults[0]);
        let threshold = records[1].threshold.as_ref().unwrap();
        assert_eq!((threshold.value, &threshold.by), (0.9, &serde_json::json!(0.9)));
        assert_eq!(Some(&threshold.at_default.confusion), defaults[1].confusion.as_ref());
        assert_eq!(records[1].confusion.as_ref().unwrap(), &[[2, 1], [1, 0]], "logits of 2 are 0.88");
        assert_eq!((records[1].metrics["f1"].0, defaults[1].metrics["f1"].0), (0.0, 2.0 / 3.0));
        assert_eq!((&records[1].roc, &records[1].positives), (&defaults[1].roc, &Some(0.25)));
        assert_eq!(records[1].metrics["ap"], defaults[1].metrics["ap"]);
        let by = ThresholdRule::Fixed(0.9).evaluate(records[1].confusion.as_ref().unwrap(), 1);
        assert_eq!((by.scores.recall, by.scores.precision, by.cost), (Some(0.0), Some(0.0), None));
    }

    #[test]
    fn with_the_first_class_as_the_positive_one_the_figures_are_its_own_and_the_matrix_keeps_its_order() {
        let (outputs, truth) = two_replicas();
        let metrics = [Metric::Precision, Metric::Recall, Metric::Ap];
        let second = evaluation(&outputs, &truth, &metrics);
        let first = Evaluation { positive: 0, score: Some(Score::Logit.for_class(0)), ..second };
        let (of_first, of_second) = (first.records("best"), second.records("best"));
        assert_eq!(of_first[0].confusion, of_second[0].confusion);
        assert_eq!(of_first[0].report, of_second[0].report);
        assert_eq!((of_first[0].positives, of_second[0].positives), (Some(0.25), Some(0.75)));
        let report = &of_first[0].report.as_ref().unwrap().classes;
        for (record, class) in [(&of_first[0], 0), (&of_second[0], 1)] {
            let found = ["precision", "recall"].map(|name| Some(record.metrics[name].0));
            assert_eq!(found, [report[class].scores.precision, report[class].scores.recall]);
        }
        assert_eq!(of_first[0].metrics["roc_auc"], of_second[0].metrics["roc_auc"], "the area is the same");
        assert_ne!(of_first[0].metrics["ap"], of_second[0].metrics["ap"]);
        // the first class is predicted where its probability is at least 0.3: logits of at most 0.847
        let at = &first.records_at("best", &[Some(ChosenThreshold::fixed(0.3)), None])[0];
        assert_eq!(at.confusion.as_ref().unwrap(), &[[1, 0], [2, 1]]);
        assert_eq!((at.metrics["recall"].0, at.metrics["precision"].0), (1.0, 1.0 / 3.0));
        assert_eq!(at.threshold.as_ref().unwrap().at_default.scores.recall, Some(1.0));
    }
}
