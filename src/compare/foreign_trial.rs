//! Curves of another program: their best epoch and their diagnosis.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::compare::metric_name::is_metric;
use crate::history::Best;
use crate::history::curves::Curves;
use crate::history::diagnosis::{Diagnosis, diagnose};
use crate::history::foreign::foreign_history::Foreign;
use crate::history::number::Number;

/// Curves of another program, and what they show.
#[derive(Clone, Debug)]
pub struct ForeignTrial {
    /// As they were read.
    pub foreign: Foreign,
    pub(super) best: Option<Best>,
    pub(super) diagnosis: Option<Diagnosis>,
}

impl ForeignTrial {
    /// The best epoch is that of the lowest validation loss, or training loss where there is none; the diagnosis is ours, but
    /// without a loss to call a poor one.
    pub fn new(foreign: Foreign) -> ForeignTrial {
        let monitor = ["val_loss", "loss"].into_iter().find(|name| foreign.series.contains_key(*name));
        let best = monitor.and_then(|monitor| best(&foreign, monitor));
        let diagnosis = diagnose(&whole(&foreign), f64::NAN);
        ForeignTrial { foreign, best, diagnosis }
    }
}

/// The epoch with the lowest finite value.
fn best(foreign: &Foreign, monitor: &str) -> Option<Best> {
    let finite = foreign.series.get(monitor)?.iter().filter(|point| point.value.0.is_finite());
    let epoch = finite.min_by(|a, b| a.value.0.total_cmp(&b.value.0))?.epoch;
    let metrics: IndexMap<String, Number> = foreign
        .series
        .iter()
        .filter(|(name, _)| is_metric(name))
        .filter_map(|(name, points)| Some((name.clone(), points.iter().find(|point| point.epoch == epoch)?.value)))
        .collect();
    Some(Best { epoch, monitor: monitor.to_owned(), metrics })
}

/// The training and validation curves over the epochs that have finite values of both, as they are diagnosed; of a loss
/// that ends in a value that is not finite, that curve alone.
fn whole(foreign: &Foreign) -> Curves {
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
