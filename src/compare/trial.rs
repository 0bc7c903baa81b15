//! One trial as it is compared: a history of ours, or what another program wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::compare::foreign_trial::ForeignTrial;
use crate::compare::metric_name::is_metric;
use crate::history::diagnosis::{Diagnosis, Verdict};
use crate::history::foreign::foreign_history::{Foreign, Moment};
use crate::history::{Best, History, Status, figure};

/// A trial and the file that it was read from.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The file; of TensorBoard's, the folder that was named.
    pub file: PathBuf,
    /// What it holds.
    pub record: Record,
}

/// What a trial left.
#[derive(Clone, Debug)]
pub enum Record {
    /// A history of ours.
    Ours(Box<History>),
    /// Curves that another program wrote.
    Foreign(Box<ForeignTrial>),
}

/// A metric by epoch. Epochs that lack it are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The epochs, ascending, from 1.
    pub epochs: Vec<usize>,
    /// Its values; NaN and infinite ones are those of a diverged trial.
    pub values: Vec<f64>,
}

/// What curves are drawn over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Axis {
    /// The number of the epoch.
    #[default]
    Epoch,
    /// How many batches were trained.
    Step,
    /// How long training took so far.
    Seconds,
}

impl Axis {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Axis::Epoch => "epoch",
            Axis::Step => "step",
            Axis::Seconds => "seconds",
        }
    }
}

impl Curve {
    /// The value in an epoch.
    pub fn at(&self, epoch: usize) -> Option<f64> {
        let row = self.epochs.binary_search(&epoch).ok()?;
        self.values.get(row).copied()
    }
}

/// What foreign series of the test rows begin with: other programs log them as they do curves.
const TESTED: &str = "test_";

impl Trial {
    /// A history of ours.
    pub fn ours(history: History, file: PathBuf) -> Trial {
        Trial { file, record: Record::Ours(Box::new(history)) }
    }

    /// Curves of another program.
    pub fn foreign(foreign: Foreign, file: PathBuf) -> Trial {
        Trial { file, record: Record::Foreign(Box::new(ForeignTrial::new(foreign))) }
    }

    /// Our history; `None` where it is another program's.
    pub fn history(&self) -> Option<&History> {
        match &self.record {
            Record::Ours(history) => Some(history),
            Record::Foreign(_) => None,
        }
    }

    /// The seed, where it is known.
    pub fn seed(&self) -> Option<i64> {
        self.history().map(|history| history.seed)
    }

    /// The fold, in cross-validation.
    pub fn fold(&self) -> Option<usize> {
        self.history()?.fold
    }

    /// What it is called within its group: `seed 3`, `seed 0, fold 2`, or the file's name.
    pub fn name(&self) -> String {
        match self.history() {
            Some(History { seed, fold: Some(fold), .. }) => format!("seed {seed}, fold {fold}"),
            Some(History { seed, .. }) => format!("seed {seed}"),
            None => stem(&self.file),
        }
    }

    /// All series that have an entry, in their order.
    pub fn series(&self) -> Vec<&str> {
        match &self.record {
            Record::Ours(history) => {
                let series = history.history.series.iter();
                series.filter(|(_, values)| !values.is_empty()).map(|(name, _)| name.as_str()).collect()
            }
            Record::Foreign(read) => {
                let series = read.foreign.series.iter();
                series.filter(|(_, points)| !points.is_empty()).map(|(name, _)| name.as_str()).collect()
            }
        }
    }

    /// The losses and metrics that it has a curve of, in their order: `loss`, `acc`, `val_loss`, …
    pub fn metrics(&self) -> Vec<&str> {
        let is_curve = |name: &&str| is_metric(name) && (self.history().is_some() || !name.starts_with(TESTED));
        self.series().into_iter().filter(is_curve).collect()
    }

    /// A series by epoch.
    pub fn curve(&self, name: &str) -> Option<Curve> {
        match &self.record {
            Record::Ours(history) => {
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

    /// How many epochs were trained.
    pub fn epochs(&self) -> usize {
        match &self.record {
            Record::Ours(history) => history.history.epoch.last().copied().unwrap_or(0),
            Record::Foreign(_) => {
                let last = |name: &str| self.curve(name)?.epochs.last().copied();
                self.series().into_iter().filter_map(last).max().unwrap_or(0)
            }
        }
    }

    /// The epochs that anything is recorded of, ascending: what other programs log may leave some out.
    pub fn recorded(&self) -> Vec<usize> {
        self.places(Axis::Epoch).into_keys().collect()
    }

    /// Whether its loss left the finite numbers.
    pub fn has_diverged(&self) -> bool {
        match &self.record {
            Record::Ours(history) => history.status == Status::Diverged,
            Record::Foreign(_) => {
                ["loss", "val_loss"].into_iter().filter_map(|name| self.last(name)).any(|loss| !loss.is_finite())
            }
        }
    }

    /// The best epoch.
    pub fn best(&self) -> Option<&Best> {
        match &self.record {
            Record::Ours(history) => history.best.as_ref(),
            Record::Foreign(read) => read.best.as_ref(),
        }
    }

    /// What the curves show.
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        match &self.record {
            Record::Ours(history) => history.diagnosis.as_ref(),
            Record::Foreign(read) => read.diagnosis.as_ref(),
        }
    }

    /// What the curves show, in a word.
    pub fn verdict(&self) -> Option<Verdict> {
        match &self.record {
            Record::Ours(history) => history.verdict(),
            Record::Foreign(read) => read.diagnosis.as_ref().map(|diagnosis| diagnosis.verdict),
        }
    }

    /// A metric in the first epoch that has it.
    pub fn first(&self, metric: &str) -> Option<f64> {
        self.curve(metric)?.values.first().copied()
    }

    /// A metric in the last epoch that has it.
    pub fn last(&self, metric: &str) -> Option<f64> {
        self.curve(metric)?.values.last().copied()
    }

    /// A metric in the best epoch.
    pub fn in_best(&self, metric: &str) -> Option<f64> {
        Some(self.best()?.metrics.get(metric)?.0)
    }

    /// A metric in the epoch whose weights are kept; of another program's, in the best epoch, or the last.
    pub fn kept(&self, metric: &str) -> Option<f64> {
        match &self.record {
            Record::Ours(history) => history.history.at(history.kept_epoch()?, metric),
            Record::Foreign(_) => self.in_best(metric).or_else(|| self.last(metric)),
        }
    }

    /// A metric on the test rows.
    pub fn test(&self, metric: &str) -> Option<f64> {
        match &self.record {
            Record::Ours(history) => Some(history.test.as_ref()?.metrics.get(metric)?.0),
            Record::Foreign(_) => self.last(&format!("{TESTED}{metric}")),
        }
    }

    /// A figure by its name, as in an expectation: `first.loss`, `last.val_acc`, `best.val_acc`, `min.val_loss`,
    /// `test.acc`, `diagnosis.val_loss_rise`, …
    pub fn figure(&self, name: &str) -> Option<f64> {
        if let Some(history) = self.history() {
            return figure::number(history, name);
        }
        let (when, metric) = name.split_once('.')?;
        let over_epochs = |better: fn(f64, f64) -> f64| self.curve(metric)?.values.into_iter().reduce(better);
        match when {
            "first" => self.first(metric),
            "last" => self.last(metric),
            "best" if metric == "epoch" => self.best().map(|best| best.epoch as f64),
            "best" => self.in_best(metric),
            "min" => over_epochs(f64::min),
            "max" => over_epochs(f64::max),
            "test" => self.test(metric),
            "diagnosis" => {
                let diagnosis = self.diagnosis()?;
                match metric {
                    "val_loss_rise" | "gap" => diagnosis.val_loss_rise,
                    "generalization_gap" => diagnosis.generalization_gap,
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The metrics that were taken of the test rows.
    pub fn tested(&self) -> Vec<&str> {
        match &self.record {
            Record::Ours(history) => {
                history.test.iter().flat_map(|test| test.metrics.keys().map(String::as_str)).collect()
            }
            Record::Foreign(_) => self.series().into_iter().filter_map(|name| name.strip_prefix(TESTED)).collect(),
        }
    }

    /// Where the end of an epoch lies on an axis: its number, the batches or the seconds until then; `None` where that
    /// is not known.
    pub fn at(&self, epoch: usize, axis: Axis) -> Option<f64> {
        match axis {
            Axis::Epoch => Some(epoch as f64),
            Axis::Step | Axis::Seconds => self.places(axis).get(&epoch).copied(),
        }
    }

    /// Where the ends of all epochs lie on an axis, as far as that is known.
    pub fn places(&self, axis: Axis) -> BTreeMap<usize, f64> {
        match &self.record {
            Record::Ours(history) => {
                let epochs = &history.history.epoch;
                match axis {
                    Axis::Epoch => epochs.iter().map(|&epoch| (epoch, epoch as f64)).collect(),
                    Axis::Step => match steps_of_an_epoch(history) {
                        Some(steps) => epochs.iter().map(|&epoch| (epoch, epoch as f64 * steps as f64)).collect(),
                        None => BTreeMap::new(),
                    },
                    Axis::Seconds => {
                        let seconds = history.history.metric("seconds").unwrap_or_default();
                        let passed = seconds.iter().scan(0.0, |passed, taken| {
                            *passed += taken;
                            Some(*passed)
                        });
                        epochs.iter().copied().zip(passed).collect()
                    }
                }
            }
            Record::Foreign(read) => match axis {
                Axis::Epoch => {
                    let points = read.foreign.series.values().flatten();
                    points.map(|point| (point.epoch, point.epoch as f64)).collect()
                }
                Axis::Step | Axis::Seconds => {
                    let moments = read.foreign.clock.iter();
                    let place = |moment: &Moment| match axis {
                        Axis::Step => moment.step.map(|step| step as f64),
                        _ => moment.seconds,
                    };
                    moments.filter_map(|(epoch, moment)| Some((*epoch, place(moment)?))).collect()
                }
            },
        }
    }
}

/// How many batches an epoch has.
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

/// A file's name without its ending.
pub(super) fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
