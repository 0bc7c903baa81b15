//! A group: the trials of one variant over its seeds and folds, or of one argument on the command line.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexSet;

use crate::compare::statistics::mean;
use crate::compare::trial::{Axis, Curve, Trial};
use crate::history::History;

/// Trials that differ only in seed and fold.
#[derive(Clone, Debug)]
pub struct Group {
    /// Label, unique within a comparison.
    pub label: String,
    /// The trials; at least one.
    pub trials: Vec<Trial>,
}

impl Group {
    /// Returns the experiment; `None` for foreign histories.
    pub fn experiment(&self) -> Option<&str> {
        self.trials.first()?.history().map(|history| history.experiment.as_str())
    }

    /// Returns the variant; `None` for foreign histories.
    pub fn variant(&self) -> Option<&str> {
        self.trials.first()?.history().map(|history| history.variant.as_str())
    }

    /// Returns the settings that the trials share; `None` for foreign histories.
    pub fn config(&self) -> Option<&serde_json::Value> {
        self.trials.first()?.history().map(|history| &history.config)
    }

    /// Returns whether all trials are decision trees.
    pub fn is_tree(&self) -> bool {
        self.trials.iter().all(|trial| trial.history().is_some_and(|h| h.network.is_none() && h.tree.is_some()))
    }

    /// Returns the epochs recorded in any of the trials, ascending.
    pub fn recorded_epochs(&self) -> Vec<usize> {
        self.trials.iter().flat_map(Trial::recorded_epochs).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// Returns the names of the series that any trial has, in order.
    pub fn series(&self) -> Vec<&str> {
        union(self.trials.iter().map(Trial::series))
    }

    /// Returns the names of the losses and metrics that any trial has a curve of, in order.
    pub fn metrics(&self) -> Vec<&str> {
        union(self.trials.iter().map(Trial::metrics))
    }

    /// Returns the names of the test metrics that any trial has, in order.
    pub fn tested(&self) -> Vec<&str> {
        union(self.trials.iter().map(Trial::tested))
    }

    /// Returns the mean curve over the trials that have an epoch and have not diverged (over all trials if all
    /// diverged). Trials that stopped early are missing in later epochs. Values that are not finite are left out.
    pub fn mean_curve(&self, name: &str) -> Curve {
        let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for curve in self.plotted().filter_map(|trial| trial.curve(name)) {
            for (epoch, value) in curve.epochs.into_iter().zip(curve.values).filter(|(_, value)| value.is_finite()) {
                by_epoch.entry(epoch).or_default().push(value);
            }
        }
        let values = by_epoch.values().map(|values| mean(values)).collect();
        Curve { epochs: by_epoch.into_keys().collect(), values }
    }

    /// Returns the end of each epoch on an axis. It sums the mean duration of each epoch over the trials, so that the
    /// positions ascend even if some trials ended early. Epochs without a known position are left out.
    pub fn places(&self, axis: Axis) -> BTreeMap<usize, f64> {
        let mut taken: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for trial in self.plotted() {
            let mut before = 0.0;
            for (epoch, place) in trial.places(axis) {
                taken.entry(epoch).or_default().push(place - before);
                before = place;
            }
        }
        let mut place = 0.0;
        taken
            .into_iter()
            .map(|(epoch, taken)| {
                place += mean(&taken);
                (epoch, place)
            })
            .collect()
    }

    /// Returns the finite values of a metric in the trials that have not diverged.
    pub fn values(&self, metric: impl Fn(&Trial) -> Option<f64>) -> Vec<f64> {
        self.not_diverged().filter_map(metric).filter(|value| value.is_finite()).collect()
    }

    /// Returns the finite values of a metric in the plotted trials.
    pub fn plotted_values(&self, metric: impl Fn(&Trial) -> Option<f64>) -> Vec<f64> {
        self.plotted().filter_map(metric).filter(|value| value.is_finite()).collect()
    }

    /// Returns a value for a metric without a mean: one that is not finite, or the mean over trials that all diverged.
    /// `None` if there is a mean, or if no trial has the metric.
    pub fn without_mean(&self, metric: impl Fn(&Trial) -> Option<f64>) -> Option<f64> {
        if !self.values(&metric).is_empty() {
            return None;
        }
        let all: Vec<f64> = self.plotted().filter_map(&metric).collect();
        let not_finite = all.iter().copied().find(|value| !value.is_finite());
        not_finite.or_else(|| (!all.is_empty()).then(|| mean(&all)))
    }

    /// Returns the trials to plot: those that have not diverged, or all if all diverged.
    pub fn plotted(&self) -> impl Iterator<Item = &Trial> {
        let is_any_sound = self.not_diverged().next().is_some();
        self.trials.iter().filter(move |trial| !is_any_sound || !trial.has_diverged())
    }

    /// Returns the trials that have not diverged.
    pub fn not_diverged(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| !trial.has_diverged())
    }

    /// Returns whether rows were resampled before the split (data leakage), so that the metrics are inflated.
    pub fn leaks(&self) -> bool {
        let resampled = self.trials.iter().filter_map(|trial| trial.history()?.data.resample.as_ref());
        resampled.into_iter().any(|resample| resample.leak.is_some())
    }

    /// Returns the distinct seeds, ascending; empty for foreign histories.
    pub fn seeds(&self) -> Vec<i64> {
        self.trials.iter().filter_map(Trial::seed).collect::<BTreeSet<i64>>().into_iter().collect()
    }
}

/// Describes the weights and the threshold behind the test metrics of these groups.
pub fn describe_test_weights(groups: &[Group]) -> String {
    let histories = || groups.iter().flat_map(|group| &group.trials).filter_map(Trial::history);
    let of_networks = histories().filter(|history| history.network.is_some());
    let weights: BTreeSet<&str> =
        of_networks.filter_map(|history| history.test.as_ref()).map(|test| test.weights.as_str()).collect();
    let has_tree = histories().any(|history| history.tree.is_some());
    let of_networks = match &Vec::from_iter(weights)[..] {
        [] if has_tree => None,
        [] => Some("as recorded".to_owned()),
        [one] => Some(format!("weights of the {one} epoch")),
        _ => Some("weights of the best or of the last epoch".to_owned()),
    };
    let weights: Vec<String> = of_networks.into_iter().chain(has_tree.then(|| "the fitted tree".to_owned())).collect();
    let weights = weights.join(" or ");
    let has_threshold = |history: &History| Some(history.test.as_ref()?.threshold.is_some());
    let thresholds: BTreeSet<bool> = histories().filter_map(has_threshold).collect();
    match (thresholds.contains(&true), thresholds.contains(&false)) {
        (true, false) => format!("{weights}, at the chosen threshold"),
        (true, true) => format!("{weights}, at the chosen threshold if there is one"),
        (false, _) => weights,
    }
}

/// Returns the distinct names in order of first occurrence.
pub fn union<'a>(lists: impl IntoIterator<Item = Vec<&'a str>>) -> Vec<&'a str> {
    lists.into_iter().flatten().collect::<IndexSet<&str>>().into_iter().collect()
}
