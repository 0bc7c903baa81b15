//! Data of the page's charts as JSON: curves by group and trial, layer statistics, ROC and precision–recall curves, and
//! confusion matrices.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::compare::direction::higher_is_better;
use crate::compare::group::{Group, union};
use crate::compare::metric_name::is_metric;
use crate::compare::trial::Trial;
use crate::history::History;
use crate::history::number::Number;
use crate::views::document::thinning;
use crate::views::layers;

/// Returns the data of all charts.
pub fn of(groups: &[Group]) -> Value {
    let every = thinning::epoch_step(groups);
    let mut grids = Grids::default();
    let metrics = metrics(groups);
    let trials: Vec<Value> = groups
        .iter()
        .enumerate()
        .flat_map(|(place, group)| group.trials.iter().map(move |trial| (place, trial)))
        .map(|(place, trial)| of_trial(place, trial, &metrics, every, &mut grids))
        .collect();
    let trials = with_thresholds(trials, groups);
    let observed: Vec<Value> = layers::observed(groups).iter().map(|kind| observed(kind, &mut grids)).collect();
    let listed: Vec<Value> = metrics.iter().map(Metric::json).collect();
    json!({
        "groups": groups.iter().map(|group| json!({ "label": group.label })).collect::<Vec<_>>(),
        "metrics": listed,
        "shown": shown_first(&metrics, groups),
        "grids": grids.0,
        "trials": trials,
        "observed": observed,
    })
}

/// A metric with curves for training rows, validation rows or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name, without `val_`.
    pub name: String,
    /// Whether there is a training curve.
    pub train: bool,
    /// Whether there is a validation curve.
    pub val: bool,
}

impl Metric {
    fn json(&self) -> Value {
        let better = higher_is_better(&self.name).map(|higher| if higher { "higher" } else { "lower" });
        json!({ "name": self.name, "train": self.train, "val": self.val, "better": better })
    }

    /// Returns the names of its curves.
    pub fn series(&self) -> Vec<String> {
        let names = [(self.train, self.name.clone()), (self.val, format!("val_{}", self.name))];
        names.into_iter().filter(|(there, _)| *there).map(|(_, name)| name).collect()
    }
}

/// Returns the metrics for which any group has a curve, and the learning rate if it changes.
pub fn metrics(groups: &[Group]) -> Vec<Metric> {
    let names = union(groups.iter().map(Group::metrics));
    let mut metrics: Vec<Metric> = Vec::new();
    for name in &names {
        let (base, val) = name.strip_prefix("val_").map_or((*name, false), |base| (base, true));
        match metrics.iter_mut().find(|metric| metric.name == base) {
            Some(metric) if val => metric.val = true,
            Some(metric) => metric.train = true,
            None => metrics.push(Metric { name: base.to_owned(), train: !val, val }),
        }
    }
    let changes =
        |trial: &Trial| trial.curve("lr").is_some_and(|lr| lr.values.windows(2).any(|pair| pair[0] != pair[1]));
    if groups.iter().flat_map(|group| &group.trials).any(changes) {
        metrics.push(Metric { name: "lr".to_owned(), train: true, val: false });
    }
    metrics.sort_by_key(|metric| metric.name != "loss"); // the loss comes first, also in histories of other programs
    metrics
}

/// Returns the metrics that are shown by default: the loss, and the monitored or first other metric.
fn shown_first(metrics: &[Metric], groups: &[Group]) -> Vec<String> {
    let monitored = groups.iter().flat_map(|group| &group.trials).find_map(|trial| {
        let monitor = trial.best()?.monitor.as_str();
        Some(monitor.strip_prefix("val_").unwrap_or(monitor).to_owned()).filter(|name| name != "loss")
    });
    let loss = metrics.iter().find(|metric| metric.name == "loss");
    let other = metrics
        .iter()
        .find(|metric| Some(&metric.name) == monitored.as_ref())
        .or_else(|| metrics.iter().find(|metric| metric.name != "loss" && metric.name != "lr"));
    loss.into_iter().chain(other).map(|metric| metric.name.clone()).collect()
}

/// Lists of epochs; trials with the same epochs share a list.
#[derive(Debug, Default)]
struct Grids(Vec<Vec<usize>>);

impl Grids {
    fn place(&mut self, epochs: Vec<usize>) -> usize {
        self.0.iter().position(|grid| *grid == epochs).unwrap_or_else(|| {
            self.0.push(epochs);
            self.0.len() - 1
        })
    }
}

fn of_trial(group: usize, trial: &Trial, metrics: &[Metric], every: usize, grids: &mut Grids) -> Value {
    let names: Vec<String> = metrics.iter().flat_map(Metric::series).collect();
    let curves: Vec<_> = names.iter().filter_map(|name| Some((name, trial.curve(name)?))).collect();
    let all: BTreeSet<usize> = curves.iter().flat_map(|(_, curve)| curve.epochs.iter().copied()).collect();
    let epochs = thinning::epochs(trial, &all, every);
    let mut series = Map::new();
    for (name, curve) in curves {
        // Curves, especially of other programs, may end early.
        let mut values: Vec<Value> = epochs.iter().map(|&epoch| value(curve.at(epoch))).collect();
        while values.last().is_some_and(Value::is_null) {
            values.pop();
        }
        series.insert(name.clone(), Value::Array(values));
    }
    let test = trial.history().and_then(|history| history.test.as_ref());
    let mut json = json!({
        "name": trial.name(),
        "group": group,
        "grid": grids.place(epochs),
        "series": series,
        "best": trial.best().map(|best| best.epoch),
        "onset": trial.diagnosis().and_then(|diagnosis| diagnosis.overfits_from),
    });
    if let Some(confusion) = test.and_then(|test| test.confusion.as_ref()) {
        json["confusion"] = json!(confusion);
    }
    json
}

/// Returns a value of a curve; a non-finite value becomes a string, a missing one null.
fn value(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| json!(Number(thinning::rounded(value))))
}

/// Returns the trials with their ROC, precision–recall and threshold curves.
fn with_thresholds<'a>(mut trials: Vec<Value>, groups: &'a [Group]) -> Vec<Value> {
    let histories = groups.iter().flat_map(|group| &group.trials).map(|trial| trial.history());
    let test = |history: &'a History| Some((history.test.as_ref()?, history.data.positive_index()));
    let tests: Vec<_> = histories.map(|history| history.and_then(test)).collect();
    let curves = tests.iter().flatten().map(|(test, _)| test.roc.iter().count() + test.precision_recall.iter().count());
    let most = thinning::points_of_each(curves.sum());
    let number = |value: &f64| json!(Number(thinning::rounded(*value)));
    for (trial, (test, positive)) in trials.iter_mut().zip(tests).filter_map(|(trial, test)| Some((trial, test?))) {
        let kept = |values: &[f64]| -> Vec<Value> {
            thinning::places(values.len(), most).into_iter().filter_map(|place| values.get(place)).map(number).collect()
        };
        let numbers = |values: &[Number]| kept(&values.iter().map(|value| value.0).collect::<Vec<f64>>());
        if let Some(roc) = &test.roc {
            trial["roc"] =
                json!({ "fpr": kept(&roc.fpr), "tpr": kept(&roc.tpr), "threshold": numbers(&roc.threshold) });
        }
        if let Some(curve) = test.curve_with_threshold(positive) {
            trial["pr"] = json!({
                "precision": kept(&curve.precision),
                "recall": kept(&curve.recall),
                "f1": kept(&curve.f1),
                "threshold": numbers(&curve.threshold),
            });
            trial["positives"] = json!(test.positives);
        }
        if let Some(threshold) = &test.threshold {
            trial["threshold"] = number(&threshold.value);
        }
    }
    trials
}

fn observed(kind: &layers::Observed, grids: &mut Grids) -> Value {
    let groups = kind.groups.iter().map(|(group, epochs, values)| {
        let values: Vec<Value> = values
            .iter()
            .map(|layer| layer.as_ref().map_or(Value::Null, |layer| layer.iter().map(|v| value(*v)).collect()))
            .collect();
        json!({ "group": group, "grid": grids.place(epochs.clone()), "values": values })
    });
    json!({ "name": kind.words(), "log": !kind.is_share(), "layers": kind.layers, "groups": groups.collect::<Vec<_>>() })
}

/// Returns whether there are curves to draw. Trees have none, since they are fitted in one step.
pub fn has_curves(groups: &[Group]) -> bool {
    let has = |trial: &Trial| {
        let is_tree = trial.history().is_some_and(|history| history.network.is_none());
        !is_tree && trial.series().into_iter().any(is_metric)
    };
    groups.iter().flat_map(|group| &group.trials).any(has)
}
