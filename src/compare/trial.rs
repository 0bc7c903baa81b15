//! A trial to compare: a history of `runner` or of another program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::compare::foreign_trial::ForeignTrial;
use crate::compare::metric_name::is_metric;
use crate::experiment::store::find::stem_of;
use crate::history::diagnosis::{Diagnosis, Verdict};
use crate::history::foreign::foreign_history::Foreign;
use crate::history::{Best, History, Status, metric_path};

/// A trial and the file it was read from.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The file; for TensorBoard event files, the folder.
    pub file: PathBuf,
    /// The history.
    pub record: Record,
}

/// The history of a trial.
#[derive(Clone, Debug)]
pub enum Record {
    /// A history of `runner`.
    Runner(Box<History>),
    /// A history of another program.
    Foreign(Box<ForeignTrial>),
}

/// A metric by epoch. Epochs without it are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The epochs, ascending, from 1.
    pub epochs: Vec<usize>,
    /// The values; NaN and infinite values mean that the trial diverged.
    pub values: Vec<f64>,
}

/// The x axis of curves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Axis {
    /// Epoch number.
    #[default]
    Epoch,
    /// Number of training steps (batches).
    Step,
    /// Training time in seconds.
    Seconds,
}

impl Axis {
    /// Returns the name.
    pub fn word(self) -> &'static str {
        match self {
            Axis::Epoch => "epoch",
            Axis::Step => "step",
            Axis::Seconds => "seconds",
        }
    }
}

impl Curve {
    /// Returns the value in an epoch.
    pub fn at(&self, epoch: usize) -> Option<f64> {
        let row = self.epochs.binary_search(&epoch).ok()?;
        self.values.get(row).copied()
    }
}

/// Prefix of test metrics in foreign histories: other programs log them as curves.
const TEST_PREFIX: &str = "test_";

impl Trial {
    /// A history of `runner`.
    pub fn from_history(history: History, file: PathBuf) -> Trial {
        Trial { file, record: Record::Runner(Box::new(history)) }
    }

    /// A history of another program, or the curves of a trial of `runner` in training, whose best epoch is that of the
    /// monitored metric.
    pub fn from_foreign(foreign: Foreign, file: PathBuf, monitor: Option<&str>) -> Trial {
        Trial { file, record: Record::Foreign(Box::new(ForeignTrial::new(foreign, monitor))) }
    }

    /// Returns the history of `runner`; `None` for foreign histories.
    pub fn history(&self) -> Option<&History> {
        match &self.record {
            Record::Runner(history) => Some(history),
            Record::Foreign(_) => None,
        }
    }

    /// Returns the seed; `None` for foreign histories.
    pub fn seed(&self) -> Option<i64> {
        self.history().map(|history| history.seed)
    }

    /// Returns the fold in cross-validation.
    pub fn fold(&self) -> Option<usize> {
        self.history()?.fold
    }

    /// Returns the name within the group: `seed 3`, `seed 0, fold 2`, or the file name.
    pub fn name(&self) -> String {
        match self.history() {
            Some(History { seed, fold: Some(fold), .. }) => format!("seed {seed}, fold {fold}"),
            Some(History { seed, .. }) => format!("seed {seed}"),
            None => stem_of(&self.file),
        }
    }

    /// Returns the names of all series that are not empty, in order.
    pub fn series(&self) -> Vec<&str> {
        match &self.record {
            Record::Runner(history) => {
                let series = history.history.series.iter();
                series.filter(|(_, values)| !values.is_empty()).map(|(name, _)| name.as_str()).collect()
            }
            Record::Foreign(read) => {
                let series = read.foreign.series.iter();
                series.filter(|(_, points)| !points.is_empty()).map(|(name, _)| name.as_str()).collect()
            }
        }
    }

    /// Returns the names of the losses and metrics with a curve, in order: `loss`, `acc`, `val_loss`, …
    pub fn metrics(&self) -> Vec<&str> {
        let is_curve = |name: &&str| is_metric(name) && (self.history().is_some() || !name.starts_with(TEST_PREFIX));
        self.series().into_iter().filter(is_curve).collect()
    }

    /// Returns a series by epoch.
    pub fn curve(&self, name: &str) -> Option<Curve> {
        match &self.record {
            Record::Runner(history) => {
                let curves = &history.history;
                let values = curves.metric(name)?;
                let epochs: Vec<usize> = curves.epoch.iter().copied().take(values.len()).collect();
                Some(Curve { values: values[..epochs.len()].to_vec(), epochs }).filter(|curve| !curve.epochs.is_empty())
            }
            Record::Foreign(read) => {
                let points = read.foreign.series.get(name).filter(|points| !points.is_empty())?;
                let points: BTreeMap<usize, f64> = points.iter().map(|point| (point.epoch, point.value.0)).collect();
                Some(Curve { epochs: points.keys().copied().collect(), values: points.values().copied().collect() })
            }
        }
    }

    /// Returns the number of trained epochs.
    pub fn epochs(&self) -> usize {
        match &self.record {
            Record::Runner(history) => history.history.epoch.last().copied().unwrap_or(0),
            Record::Foreign(_) => {
                let last = |name: &str| self.curve(name)?.epochs.last().copied();
                self.series().into_iter().filter_map(last).max().unwrap_or(0)
            }
        }
    }

    /// Returns the recorded epochs, ascending; other programs may skip some.
    pub fn recorded_epochs(&self) -> Vec<usize> {
        self.places(Axis::Epoch).into_keys().collect()
    }

    /// Returns whether the trial diverged: its loss is not finite.
    pub fn has_diverged(&self) -> bool {
        match &self.record {
            Record::Runner(history) => history.status == Status::Diverged,
            Record::Foreign(_) => {
                ["loss", "val_loss"].into_iter().filter_map(|name| self.last(name)).any(|loss| !loss.is_finite())
            }
        }
    }

    /// Returns the best epoch.
    pub fn best(&self) -> Option<&Best> {
        match &self.record {
            Record::Runner(history) => history.best.as_ref(),
            Record::Foreign(read) => read.best_epoch.as_ref(),
        }
    }

    /// Returns the diagnosis of the curves.
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        match &self.record {
            Record::Runner(history) => history.diagnosis.as_ref(),
            Record::Foreign(read) => read.diagnosis.as_ref(),
        }
    }

    /// Returns the verdict of the diagnosis.
    pub fn verdict(&self) -> Option<Verdict> {
        match &self.record {
            Record::Runner(history) => history.verdict(),
            Record::Foreign(read) => read.diagnosis.as_ref().map(|diagnosis| diagnosis.verdict),
        }
    }

    /// Returns a metric in the first epoch that has it.
    pub fn first(&self, metric: &str) -> Option<f64> {
        self.curve(metric)?.values.first().copied()
    }

    /// Returns a metric in the last epoch that has it.
    pub fn last(&self, metric: &str) -> Option<f64> {
        self.curve(metric)?.values.last().copied()
    }

    /// Returns a metric in the best epoch.
    pub fn at_best_epoch(&self, metric: &str) -> Option<f64> {
        match self.history().filter(|history| history.tree.is_some() && history.best.is_none()) {
            Some(tree) => tree.history.at(*tree.history.epoch.last()?, metric),
            None => Some(self.best()?.metrics.get(metric)?.0),
        }
    }

    /// Returns the monitored metric: that of the best epoch, and for a tree that of the experiment if the tree has it.
    pub fn monitor(&self) -> Option<&str> {
        let of_tree = || {
            let history = self.history().filter(|history| history.tree.is_some())?;
            let monitor = history.config["train"]["monitor"].as_str()?;
            history.history.series.contains_key(monitor).then_some(monitor)
        };
        self.best().map(|best| best.monitor.as_str()).or_else(of_tree)
    }

    /// Returns a metric in the epoch whose weights are kept; for foreign histories in the best epoch, else the last.
    pub fn kept(&self, metric: &str) -> Option<f64> {
        match &self.record {
            Record::Runner(history) => history.history.at(history.kept_epoch()?, metric),
            Record::Foreign(_) => self.at_best_epoch(metric).or_else(|| self.last(metric)),
        }
    }

    /// Returns a test metric.
    pub fn test(&self, metric: &str) -> Option<f64> {
        match &self.record {
            Record::Runner(history) => Some(history.test.as_ref()?.metrics.get(metric)?.0),
            Record::Foreign(_) => self.last(&format!("{TEST_PREFIX}{metric}")),
        }
    }

    /// Returns the value of a metric path, as in an expectation: `first.loss`, `last.val_acc`, `best.val_acc`,
    /// `min.val_loss`, `test.acc`, `diagnosis.val_loss_rise`, …
    pub fn metric_value(&self, name: &str) -> Option<f64> {
        if let Some(history) = self.history() {
            return metric_path::lookup_number(history, name);
        }
        let name = &*metric_path::current(name);
        let (when, metric) = name.split_once('.')?;
        let over_epochs = |better: fn(f64, f64) -> f64| self.curve(metric)?.values.into_iter().reduce(better);
        match when {
            "first" => self.first(metric),
            "last" => self.last(metric),
            "best" if metric == "epoch" => self.best().map(|best| best.epoch as f64),
            "best" => self.at_best_epoch(metric),
            "min" => over_epochs(f64::min),
            "max" => over_epochs(f64::max),
            "test" => self.test(metric),
            "diagnosis" => {
                let diagnosis = self.diagnosis()?;
                match metric {
                    "val_loss_rise" => diagnosis.val_loss_rise,
                    "generalization_gap" => diagnosis.generalization_gap,
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Returns the names of the test metrics.
    pub fn tested(&self) -> Vec<&str> {
        match &self.record {
            Record::Runner(history) => {
                history.test.iter().flat_map(|test| test.metrics.keys().map(String::as_str)).collect()
            }
            Record::Foreign(_) => self.series().into_iter().filter_map(|name| name.strip_prefix(TEST_PREFIX)).collect(),
        }
    }

    /// Returns the position of the end of an epoch on the x axis: epoch number, steps or seconds; `None` if unknown.
    pub fn at(&self, epoch: usize, axis: Axis) -> Option<f64> {
        match axis {
            Axis::Epoch => Some(epoch as f64),
            Axis::Step | Axis::Seconds => self.places(axis).get(&epoch).copied(),
        }
    }

    /// Returns the positions of the ends of all epochs on the x axis, as far as they are known.
    pub fn places(&self, axis: Axis) -> BTreeMap<usize, f64> {
        match (&self.record, axis) {
            (Record::Runner(history), Axis::Epoch) => {
                history.history.epoch.iter().map(|&epoch| (epoch, epoch as f64)).collect()
            }
            (Record::Runner(history), Axis::Step) => {
                let Some(steps) = steps_of_an_epoch(history) else { return BTreeMap::new() };
                history.history.epoch.iter().map(|&epoch| (epoch, epoch as f64 * steps as f64)).collect()
            }
            (Record::Runner(history), Axis::Seconds) => {
                let seconds = history.history.metric("seconds").unwrap_or_default();
                let passed = seconds.iter().scan(0.0, |passed, taken| {
                    *passed += taken;
                    Some(*passed)
                });
                history.history.epoch.iter().copied().zip(passed).collect()
            }
            (Record::Foreign(read), Axis::Epoch) => {
                let points = read.foreign.series.values().flatten();
                points.map(|point| (point.epoch, point.epoch as f64)).collect()
            }
            (Record::Foreign(read), Axis::Step) => {
                let moments = read.foreign.clock.iter();
                moments.filter_map(|(epoch, moment)| Some((*epoch, moment.step? as f64))).collect()
            }
            (Record::Foreign(read), Axis::Seconds) => {
                let moments = read.foreign.clock.iter();
                moments.filter_map(|(epoch, moment)| Some((*epoch, moment.seconds?))).collect()
            }
        }
    }
}

/// Returns the number of batches per epoch.
fn steps_of_an_epoch(history: &History) -> Option<usize> {
    let rows = history.data.rows.train;
    match history.config.get("train")?.get("batch")? {
        serde_json::Value::Number(batch) => {
            let batch = usize::try_from(batch.as_u64()?).ok().filter(|&batch| batch > 0)?;
            Some(rows.div_ceil(batch))
        }
        serde_json::Value::String(_) => Some(1), // "full"
        _ => None,
    }
}
