//! A history of another program, with its best epoch and diagnosis.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::is_metric;
use crate::history::Best;
use crate::history::curves::Curves;
use crate::history::diagnosis::{Diagnosis, diagnose};
use crate::history::foreign::foreign_history::Foreign;
use crate::history::number::Number;

/// A foreign history with its best epoch and diagnosis.
#[derive(Clone, Debug)]
pub struct ForeignTrial {
    /// The curves as read.
    pub foreign: Foreign,
    pub(super) best_epoch: Option<Best>,
    pub(super) diagnosis: Option<Diagnosis>,
}

impl ForeignTrial {
    /// Finds the best epoch, by this metric if the history has it, or else by validation or training loss, and diagnoses the
    /// curves. There is no constant-prediction baseline, so the fit is never called poor.
    pub fn new(foreign: Foreign, monitor: Option<&str>) -> ForeignTrial {
        let mut metrics = monitor.into_iter().chain(["val_loss", "loss"]);
        let monitor = metrics.find(|name| foreign.series.contains_key(*name));
        let best_epoch = monitor.and_then(|monitor| best_epoch(&foreign, monitor));
        let diagnosis = diagnose(&diagnosed_curves(&foreign), f64::NAN);
        ForeignTrial { foreign, best_epoch, diagnosis }
    }
}

/// Returns the epoch with the best finite value; without a known direction, the lowest one.
fn best_epoch(foreign: &Foreign, monitor: &str) -> Option<Best> {
    let sign = if higher_is_better(monitor).unwrap_or(false) { -1.0 } else { 1.0 };
    let finite = foreign.series.get(monitor)?.iter().filter(|point| point.value.0.is_finite());
    let epoch = finite.min_by(|a, b| (sign * a.value.0).total_cmp(&(sign * b.value.0)))?.epoch;
    let metrics: IndexMap<String, Number> = foreign
        .series
        .iter()
        .filter(|(name, _)| is_metric(name))
        .filter_map(|(name, points)| Some((name.clone(), points.iter().find(|point| point.epoch == epoch)?.value)))
        .collect();
    Some(Best { epoch, monitor: monitor.to_owned(), metrics })
}

/// Returns the training and validation curves over the epochs with finite values of both. If a loss ends in a value
/// that is not finite, returns that curve alone.
fn diagnosed_curves(foreign: &Foreign) -> Curves {
    let of = |name: &str| -> BTreeMap<usize, f64> {
        let points = foreign.series.get(name).into_iter().flatten();
        points.map(|point| (point.epoch, point.value.0)).collect()
    };
    let is_broken = |name: &&str| of(name).values().next_back().is_some_and(|value| !value.is_finite());
    let broken = ["loss", "val_loss"].into_iter().find(is_broken);
    if let Some(broken) = broken {
        let mut curves = Curves::default();
        of(broken).into_iter().for_each(|(epoch, value)| curves.push(epoch, &[("loss", value)]));
        return curves;
    }
    let names: Vec<&str> =
        ["loss", "val_loss", "acc", "val_acc"].into_iter().filter(|name| !of(name).is_empty()).collect();
    let series: Vec<BTreeMap<usize, f64>> = names.iter().map(|name| of(name)).collect();
    let mut curves = Curves::default();
    for &epoch in series.first().into_iter().flat_map(BTreeMap::keys) {
        let row: Option<Vec<(&str, f64)>> = names
            .iter()
            .zip(&series)
            .map(|(name, values)| Some((*name, *values.get(&epoch).filter(|value| value.is_finite())?)))
            .collect();
        if let Some(row) = row {
            curves.push(epoch, &row);
        }
    }
    curves
}
