//! Training: losses, optimizers, learning-rate schedules and the loop.

mod backend;
pub mod callback;
pub mod checkpoint;
pub mod evaluate;
pub mod fit;
pub mod fused_cpu;
pub mod kept_weights;
pub mod loss;
pub mod optimizer;
pub mod per_replica;
pub mod regularize;
pub mod schedule;
pub mod state;
pub mod task;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, require};
use crate::config::defaults;
use crate::config::shorthand::{any_or_none, named, number_or_table_or_none};
use crate::data::Target;
use crate::history::metric_path;
use crate::metrics::{self, Metric};
use crate::network::torchscript::TorchScript;
use crate::observe::observer::Observer;
use crate::train::kept_weights::Keep;

/// The `[train]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Number of epochs.
    pub epochs: usize,
    /// Number of rows per step.
    #[serde(alias = "batch_size")]
    pub batch: Batch,
    /// Whether the training rows are shuffled in each epoch.
    #[serde(default = "defaults::yes")]
    pub shuffle: bool,
    /// Loss function.
    #[serde(deserialize_with = "named")]
    pub loss: loss::Loss,
    /// Optimizer.
    #[serde(deserialize_with = "named")]
    pub optimizer: optimizer::Optimizer,
    /// Learning-rate schedule.
    #[serde(default, deserialize_with = "named")]
    pub schedule: schedule::Schedule,
    /// Gradient clipping.
    #[serde(default, deserialize_with = "any_or_none")]
    pub clip: Option<regularize::clip::Clip>,
    /// Penalty on large weights.
    #[serde(default, deserialize_with = "any_or_none")]
    pub penalty: Option<regularize::penalty::Penalty>,
    /// Random changes of training images in each step.
    #[serde(default, deserialize_with = "any_or_none")]
    pub augment: Option<regularize::augment::Augment>,
    /// When a trial stops before the last epoch; a number is its `patience`.
    #[serde(default, deserialize_with = "number_or_table_or_none")]
    pub early_stopping: Option<regularize::early_stopping::EarlyStopping>,
    /// Metrics besides the loss. The default is `acc` for classes and labels, and `mae` for numbers.
    #[serde(default, deserialize_with = "metrics::list_or_none")]
    pub metrics: Option<Vec<Metric>>,
    /// What is observed inside the layers during training.
    #[serde(default)]
    pub observe: Vec<Observer>,
    /// Metric that determines the best epoch. The default is `val_loss`, or `loss` without validation rows.
    #[serde(default)]
    pub monitor: Option<String>,
    /// Which weights are saved and tested.
    #[serde(default)]
    pub keep: Keep,
}

/// Batch size: a number of rows, or `"full"` for all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "BatchSpec", into = "BatchSpec")]
#[schemars(with = "BatchSpec")]
pub enum Batch {
    /// All rows.
    Full,
    /// A number of rows; the last batch of an epoch may be smaller.
    Rows(usize),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number of at least 1, or `\"full\"`")]
enum BatchSpec {
    Rows(usize),
    Word(String),
}

impl TryFrom<BatchSpec> for Batch {
    type Error = String;

    fn try_from(written: BatchSpec) -> Result<Self, String> {
        match written {
            BatchSpec::Rows(rows) => Ok(Batch::Rows(rows)),
            BatchSpec::Word(word) if word == "full" => Ok(Batch::Full),
            BatchSpec::Word(word) => Err(format!("expected a whole number or `\"full\"`, found `{word:?}`")),
        }
    }
}

impl From<Batch> for BatchSpec {
    fn from(batch: Batch) -> Self {
        match batch {
            Batch::Rows(rows) => BatchSpec::Rows(rows),
            Batch::Full => BatchSpec::Word("full".to_owned()),
        }
    }
}

impl Batch {
    /// Returns the batch size for `rows` training rows, which it cannot exceed.
    pub fn size(self, rows: usize) -> usize {
        match self {
            Batch::Full => rows,
            Batch::Rows(size) => size.min(rows),
        }
        .max(1)
    }
}

impl TrainSpec {
    /// Checks the settings.
    ///
    /// # Errors
    /// When a setting is out of range, a metric does not fit the target, or the monitored metric does not exist. Keys
    /// are relative to `train`.
    pub fn check(&self, has_validation: bool, target: Target) -> Result<(), Invalid> {
        at_least_one("epochs", self.epochs)?;
        require(self.epochs <= 1_000_000, "epochs", "must be at most 1,000,000", self.epochs)?;
        if let Batch::Rows(rows) = self.batch {
            at_least_one("batch", rows)?;
        }
        self.optimizer.check().map_err(|fault| fault.under("optimizer"))?;
        self.schedule.check(self.epochs).map_err(|fault| fault.under("schedule"))?;
        self.schedule.check_momentum(&self.optimizer).map_err(|fault| fault.under("schedule"))?;
        self.clip.map_or(Ok(()), |clip| clip.check().map_err(|fault| fault.under("clip")))?;
        self.penalty.map_or(Ok(()), |penalty| penalty.check().map_err(|fault| fault.under("penalty")))?;
        if let Some(early_stopping) = &self.early_stopping {
            early_stopping.check(self.keep).map_err(|fault| fault.under("early_stopping"))?;
        }
        self.loss.check(target).map_err(|fault| fault.under("loss"))?;
        metrics::check(&self.metrics(target), target)?;
        self.monitors().try_for_each(|(key, monitor)| self.check_monitor(&key, monitor, has_validation, target))
    }

    /// Fills in the defaults that depend on other settings, and renames monitored metrics: `val_accuracy` is `val_acc`.
    pub fn resolve(&mut self) {
        self.schedule.resolve(&self.optimizer);
        let plateau = self.schedule.plateau_mut().map(|plateau| &mut plateau.monitor);
        let stopping = self.early_stopping.as_mut().map(|stopping| &mut stopping.monitor);
        for monitor in std::iter::once(&mut self.monitor).chain(plateau).chain(stopping).flatten() {
            *monitor = metric_path::canonical(monitor);
        }
    }

    /// Returns the optimizer that training starts with. It has the largest momentum of the schedule, so that it
    /// allocates the state that every step needs.
    pub fn starting_optimizer(&self) -> optimizer::Optimizer {
        match self.schedule.largest_momentum() {
            Some(momentum) => self.optimizer.with_momentum(momentum),
            None => self.optimizer.clone(),
        }
    }

    /// Returns the settings with fixed values for those that replicas of a stack have separately.
    pub fn shared(&self) -> TrainSpec {
        TrainSpec {
            loss: self.loss.shared(),
            optimizer: self.optimizer.shared(),
            schedule: schedule::Schedule::Constant,
            clip: self.clip.map(regularize::clip::Clip::shared),
            penalty: None,
            early_stopping: None,
            ..self.clone()
        }
    }

    /// Returns the TorchScript modules of the loss and the metrics, each with its key relative to `train`.
    pub fn modules_mut(&mut self) -> Vec<(String, &mut TorchScript)> {
        let loss = match &mut self.loss {
            loss::Loss::TorchScript(module) => Some(("loss.torchscript".to_owned(), module)),
            _ => None,
        };
        loss.into_iter().chain(metrics::modules_mut(&mut self.metrics)).collect()
    }

    /// Returns the metrics that settings monitor, each with the key of the setting.
    fn monitors(&self) -> impl Iterator<Item = (String, &str)> {
        let own = self.monitor.as_deref().map(|name| ("monitor".to_owned(), name));
        let plateau = self
            .schedule
            .plateau()
            .and_then(|(plateau, key, _)| Some((format!("schedule.{key}.monitor"), plateau.monitor.as_deref()?)));
        let stopping = self.early_stopping.as_ref().and_then(|stopping| stopping.monitor.as_deref());
        own.into_iter().chain(plateau).chain(stopping.map(|name| ("early_stopping.monitor".to_owned(), name)))
    }

    /// Checks that `name` is a metric of this run, and that either higher or lower values are better.
    fn check_monitor(&self, key: &str, name: &str, has_validation: bool, target: Target) -> Result<(), Invalid> {
        let known = self.metric_names(has_validation, target);
        if known.iter().any(|known| known == name) {
            return match self.higher_is_better(name, target) {
                Some(_) => Ok(()),
                None => Err(self.without_direction(key, name, target)),
            };
        }
        if let Some(metric) = name.strip_prefix("test.").or_else(|| name.strip_prefix("test_")) {
            let same = [format!("val_{metric}"), metric.to_owned()].into_iter().find(|name| known.contains(name));
            let message =
                format!("must have a value in each epoch, and `{name}` has none: test rows are evaluated at the end");
            let hint = same.unwrap_or_else(|| known.last().cloned().unwrap_or_default());
            return Err(Invalid::new(key, message).hint(format!("write `monitor = \"{hint}\"`")));
        }
        let hint = match name.strip_prefix("val_") {
            Some(_) if !has_validation => "split off validation rows: `split = { validation = 0.2 }`".to_owned(),
            _ => crate::config::suggest::hint(name, known.iter().map(String::as_str)),
        };
        Err(Invalid::new(key, format!("must be a metric of this run, found `{name}`")).hint(hint))
    }

    /// Returns the error if a monitored metric does not say whether higher or lower values are better.
    fn without_direction(&self, key: &str, name: &str, target: Target) -> Invalid {
        let metric = name.strip_prefix("val_").unwrap_or(name);
        let metrics = self.metrics(target);
        let is_own = |one: &Metric| one.name() == metric && matches!(one, Metric::TorchScript(_));
        if metrics.iter().any(is_own) {
            let message = format!("cannot be `{name}`: the metric does not say whether higher or lower is better");
            let hint = format!("add `higher_is_better = true` (or `false`) to the metric `{metric}`");
            return Invalid::new(key, message).hint(hint);
        }
        let message = format!("cannot be `{name}`: neither higher nor lower is better");
        Invalid::new(key, message).hint("monitor the loss or another metric")
    }

    /// Returns the metrics besides the loss.
    pub fn metrics(&self, target: Target) -> Vec<Metric> {
        self.metrics.clone().unwrap_or_else(|| Metric::defaults(target))
    }

    /// Returns the names of all metrics of an epoch: `loss`, the metrics, and both with the prefix `val_`.
    pub fn metric_names(&self, has_validation: bool, target: Target) -> Vec<String> {
        let mut names = vec!["loss".to_owned()];
        names.extend(self.metrics(target).iter().map(|metric| metric.name().into_owned()));
        if has_validation {
            let validation: Vec<String> = names.iter().map(|name| format!("val_{name}")).collect();
            names.extend(validation);
        }
        names
    }

    /// Returns the metric that determines the best epoch, and whether higher is better.
    pub fn monitored(&self, has_validation: bool, target: Target) -> (&str, bool) {
        let default = if has_validation { "val_loss" } else { "loss" };
        let name = self.monitor.as_deref().unwrap_or(default);
        (name, self.higher_is_better(name, target).unwrap_or(false))
    }

    /// Returns whether higher values of a metric, of training or validation rows, are better; `None` if neither higher
    /// nor lower is.
    fn higher_is_better(&self, name: &str, target: Target) -> Option<bool> {
        let name = name.strip_prefix("val_").unwrap_or(name);
        match self.metrics(target).iter().find(|metric| metric.name() == name) {
            Some(metric) => metric.info().higher_is_better,
            None => Some(false), // a loss
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: Target = Target::Classes(10);

    /// Parses a `[train]` table that contains this line.
    fn read(line: &str) -> Result<TrainSpec, String> {
        let text = format!("epochs = 20\nbatch = 8\nloss = \"cross_entropy\"\noptimizer = \"adam\"\n{line}");
        toml_edit::de::from_str(&text).map_err(|error| error.to_string())
    }

    fn fault(line: &str, has_validation: bool) -> Invalid {
        read(line).unwrap().check(has_validation, CLASSES).unwrap_err()
    }

    #[test]
    fn shorthands_equal_their_tables() {
        for (short, long) in [
            ("early_stopping = 3", "early_stopping = { patience = 3 }"),
            ("schedule = \"cosine\"", "schedule = { cosine = { min_lr = 0 } }"),
            ("schedule = { exponential = 0.95 }", "schedule = { exponential = { gamma = 0.95 } }"),
            ("schedule = { step = 10 }", "schedule = { step = { every = 10, gamma = 0.1 } }"),
            ("schedule = { warm_up = 5 }", "schedule = { warm_up = { epochs = 5, then = \"constant\" } }"),
            ("", "schedule = \"constant\""),
        ] {
            assert_eq!(read(short).unwrap(), read(long).unwrap());
        }
        let nested = read("schedule = { warm_up = { epochs = 5, then = { step = 10 } } }").unwrap();
        let again: TrainSpec = serde_json::from_value(serde_json::to_value(&nested).unwrap()).unwrap();
        assert_eq!(again, nested);
        assert!(read("early_stopping = 2.5").unwrap_err().contains("must be a whole number"));
    }

    #[test]
    fn monitored_metrics_must_be_recorded_in_the_run() {
        let stopping = fault("early_stopping = { monitor = \"val_los\" }", true);
        assert_eq!(stopping.key, "early_stopping.monitor");
        assert_eq!(stopping.hint.as_deref(), Some("did you mean `val_loss`?"));
        let plateau =
            "schedule = { warm_up = { epochs = 2, then = { reduce_on_plateau = { monitor = \"val_acc\" } } } }";
        assert_eq!(read(plateau).unwrap().check(true, CLASSES), Ok(()));
        let fault = fault(plateau, false);
        assert_eq!(fault.key, "schedule.warm_up.then.reduce_on_plateau.monitor");
        assert!(fault.hint.unwrap().starts_with("split off validation rows"));
    }

    #[test]
    fn monitored_metrics_may_have_their_names_in_keras() {
        let lines = "monitor = \"val_accuracy\"\nearly_stopping = { monitor = \"val_accuracy\" }\n\
                     schedule = { warm_up = { epochs = 2, then = { reduce_on_plateau = { monitor = \"accuracy\" } } } }";
        let mut train = read(lines).unwrap();
        assert!(train.check(true, CLASSES).is_err());
        train.resolve();
        assert_eq!(train.check(true, CLASSES), Ok(()));
        assert_eq!(train.monitored(true, CLASSES), ("val_acc", true));
    }

    #[test]
    fn settings_out_of_range_are_reported() {
        for (line, key) in [
            ("schedule = { step = { every = 0 } }", "schedule.step.every"),
            ("schedule = { warm_up = 20 }", "schedule.warm_up.epochs"),
            ("schedule = { one_cycle = { base_momentum = 1.0 } }", "schedule.one_cycle.base_momentum"),
            ("schedule = { one_cycle = { max_momentum = -0.5 } }", "schedule.one_cycle.max_momentum"),
            ("schedule = { warm_up = { epochs = 2, then = \"one_cycle\" } }", "schedule.warm_up.then"),
            ("clip = { norm = 0.0 }", "clip.norm"),
            ("penalty = { l1 = -1.0 }", "penalty.l1"),
            ("early_stopping = { restore_best = false }", "early_stopping.restore_best"),
            ("early_stopping = { restore_best = true }\nkeep = \"last\"", "early_stopping.restore_best"),
        ] {
            assert_eq!(fault(line, true).key, key);
        }
    }

    fn check(settings: &str, target: Target) -> Result<(), Invalid> {
        let text = format!("epochs = 1\nbatch = 1\noptimizer = \"sgd\"\nloss = \"mse\"\n{settings}");
        toml_edit::de::from_str::<TrainSpec>(&text).unwrap().check(false, target)
    }

    #[test]
    fn a_monitored_metric_has_a_better_direction_and_each_metric_is_named_once() {
        assert_eq!(check("metrics = [\"me\", \"r2\"]\nmonitor = \"r2\"", Target::Values(1)), Ok(()));
        let fault = check("metrics = [\"me\"]\nmonitor = \"me\"", Target::Values(1)).unwrap_err();
        assert_eq!(fault.message, "cannot be `me`: neither higher nor lower is better");
        let own = "metrics = [{ torchscript = \"dice.pt\", name = \"dice\" }]\nmonitor = \"dice\"";
        let fault = check(own, Target::Classes(2)).unwrap_err();
        assert_eq!(fault.message, "cannot be `dice`: the metric does not say whether higher or lower is better");
        assert_eq!(fault.hint.unwrap(), "add `higher_is_better = true` (or `false`) to the metric `dice`");
        assert!(check("metrics = [\"acc\", \"accuracy\"]", Target::Classes(2)).is_err());
        assert_eq!(check("metrics = [{ top_k = 2 }, \"top_k\"]\nmonitor = \"top_2\"", Target::Classes(9)), Ok(()));
        assert_eq!(check("monitor = \"mae\"", Target::Values(3)), Ok(()), "the default for numbers");
    }
}
