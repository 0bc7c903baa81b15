//! A group: the trials of one variant over its seeds and folds, or of whatever one name on the command line stands for.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::statistics::mean;
use crate::compare::trial::{Axis, Curve, Trial};

/// Trials that differ by nothing but seed and fold.
#[derive(Clone, Debug)]
pub struct Group {
    /// What it is called; no two groups of a comparison share it.
    pub label: String,
    /// Its trials: one at least.
    pub trials: Vec<Trial>,
}

impl Group {
    /// The experiment; `None` of another program's histories.
    pub fn experiment(&self) -> Option<&str> {
        self.trials.first()?.history().map(|history| history.experiment.as_str())
    }

    /// The variant.
    pub fn variant(&self) -> Option<&str> {
        self.trials.first()?.history().map(|history| history.variant.as_str())
    }

    /// The settings that its trials share.
    pub fn config(&self) -> Option<&serde_json::Value> {
        self.trials.first()?.history().map(|history| &history.config)
    }

    /// The epochs that anything is recorded of in any of its trials, ascending.
    pub fn recorded(&self) -> Vec<usize> {
        self.trials.iter().flat_map(Trial::recorded).collect::<BTreeSet<usize>>().into_iter().collect()
    }

    /// The series that any of its trials has, in their order.
    pub fn series(&self) -> Vec<&str> {
        union(self.trials.iter().map(Trial::series))
    }

    /// The losses and metrics that any of its trials has a curve of, in their order.
    pub fn metrics(&self) -> Vec<&str> {
        union(self.trials.iter().map(Trial::metrics))
    }

    /// The metrics that any of its trials was tested with, in their order.
    pub fn tested(&self) -> Vec<&str> {
        union(self.trials.iter().map(Trial::tested))
    }

    /// The mean of a series over the trials that have an epoch and have not diverged, or over all where every one has; those
    /// that were stopped early are missing later on, and values that are not finite are left out.
    pub fn mean_curve(&self, name: &str) -> Curve {
        let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for curve in self.drawn().filter_map(|trial| trial.curve(name)) {
            for (epoch, value) in curve.epochs.into_iter().zip(curve.values).filter(|(_, value)| value.is_finite()) {
                by_epoch.entry(epoch).or_default().push(value);
            }
        }
        let values = by_epoch.values().map(|values| mean(values)).collect();
        Curve { epochs: by_epoch.into_keys().collect(), values }
    }

    /// Where epochs end on an axis: the mean over the trials, of which some may have ended before others, so that what an
    /// epoch takes is averaged, and a later one never lies before an earlier one. Epochs of which nothing is known are left
    /// out.
    pub fn places(&self, axis: Axis) -> BTreeMap<usize, f64> {
        let mut taken: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for trial in self.drawn() {
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

    /// The finite values that a figure has in trials that have not diverged.
    pub fn values(&self, figure: impl Fn(&Trial) -> Option<f64>) -> Vec<f64> {
        self.sound().filter_map(figure).filter(|value| value.is_finite()).collect()
    }

    /// The finite values that a figure has in the trials that are drawn.
    pub fn drawn_values(&self, figure: impl Fn(&Trial) -> Option<f64>) -> Vec<f64> {
        self.drawn().filter_map(figure).filter(|value| value.is_finite()).collect()
    }

    /// A figure that no mean can be taken of: a value that is not finite, or the mean over trials that have all diverged.
    /// `None` where there is a mean, and where no trial has the figure.
    pub fn without_mean(&self, figure: impl Fn(&Trial) -> Option<f64>) -> Option<f64> {
        if !self.values(&figure).is_empty() {
            return None;
        }
        let all: Vec<f64> = self.drawn().filter_map(&figure).collect();
        let not_finite = all.iter().copied().find(|value| !value.is_finite());
        not_finite.or_else(|| (!all.is_empty()).then(|| mean(&all)))
    }

    /// The trials that curves are drawn of: those that have not diverged, or all where every one has.
    pub fn drawn(&self) -> impl Iterator<Item = &Trial> {
        let is_any_sound = self.sound().next().is_some();
        self.trials.iter().filter(move |trial| !is_any_sound || !trial.has_diverged())
    }

    /// The trials that have not diverged.
    pub fn sound(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| !trial.has_diverged())
    }

    /// Whether rows were resampled before they were split, so that its figures are too good.
    pub fn leaks(&self) -> bool {
        let resampled = self.trials.iter().filter_map(|trial| trial.history()?.data.resample.as_ref());
        resampled.into_iter().any(|resample| resample.leak.is_some())
    }

    /// Its seeds, ascending, each once; empty where they are not known.
    pub fn seeds(&self) -> Vec<i64> {
        let mut seeds: Vec<i64> = self.trials.iter().filter_map(Trial::seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }
}

/// Which weights the test metrics of these groups are of, and at which threshold.
pub fn tested_with(groups: &[Group]) -> String {
    let histories = || groups.iter().flat_map(|group| &group.trials).filter_map(Trial::history);
    let of_networks = histories().filter(|history| history.network.is_some());
    let weights: BTreeSet<&str> =
        of_networks.filter_map(|history| history.test.as_ref()).map(|test| test.weights.as_str()).collect();
    let weights = match &Vec::from_iter(weights)[..] {
        [] if histories().any(|history| history.tree.is_some()) => "the fitted tree".to_owned(),
        [] => "as recorded".to_owned(),
        [one] => format!("weights of the {one} epoch"),
        _ => "weights of the best or the last epoch, whichever is kept".to_owned(),
    };
    let has_threshold = histories().filter_map(|history| history.test.as_ref()).any(|test| test.threshold.is_some());
    if has_threshold { format!("{weights}, at the chosen threshold") } else { weights }
}

/// All names in the order in which they first come.
pub fn union<'a>(lists: impl IntoIterator<Item = Vec<&'a str>>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for name in lists.into_iter().flatten() {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}
