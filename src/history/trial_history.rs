//! The history of one trial, and how its file is written and read.

use std::path::Path;

use anyhow::{Context, anyhow};
use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::hint::Hint;
use crate::device::memory;
use crate::history::baseline::constant_prediction::Baselines;
use crate::history::curves::Curves;
use crate::history::diagnosis::verdict::{Diagnosis, Verdict};
use crate::history::expectation::result::ExpectationResult;
use crate::history::provenance::Provenance;
use crate::history::readable_json;
use crate::history::test_record::TestRecord;
use crate::history::tree::TreeRecord;
use crate::history::trial_fields::{
    Best, DataRecord, Environment, Learned, ModuleRecord, NetworkRecord, ReferenceComparison, Status,
};
use crate::io::{atomic_write, bounded_file};
use crate::metrics::Metric;
use crate::metrics::script::remember_metrics_of;

/// The value of `schema` in every history that this version writes.
pub const SCHEMA: &str = "runner.history/2";

/// The values of `schema` of earlier versions. Their histories are still read: former keys are aliases of the new ones.
const FORMER_SCHEMAS: [&str; 1] = ["runner.history/1"];

/// Size of a small history, in bytes.
const SMALL: u64 = 1 << 20;

/// The history of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// Version of the format: `runner.history/2`.
    pub schema: String,
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the variant; `base` if the experiment has no variants.
    pub variant: String,
    /// The seed.
    pub seed: i64,
    /// The fold of the cross-validation, from 0.
    pub fold: Option<usize>,
    /// How the trial ended.
    pub status: Status,
    /// Start time: UTC, RFC 3339.
    pub started: String,
    /// Duration of the stack that the trial belongs to, in seconds.
    pub seconds: f64,
    /// Software and hardware.
    pub environment: Environment,
    /// The data.
    pub data: DataRecord,
    /// The network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkRecord>,
    /// The decision tree, if the model is a tree and was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<TreeRecord>,
    /// The modules written in PyTorch: network, loss and metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleRecord>,
    /// The resolved experiment: every setting with its value.
    pub config: serde_json::Value,
    /// The command that repeats the run, and where each setting was set.
    #[serde(default, rename = "provenance", alias = "asked", skip_serializing_if = "Option::is_none")]
    pub asked: Option<Provenance>,
    /// Metrics by epoch. `loss` and `acc` are averages over the batches of the epoch in training mode. `val_…` are
    /// computed after the epoch in evaluation mode.
    pub history: Curves,
    /// The best epoch by the monitored metric.
    pub best: Option<Best>,
    /// The diagnosis of the learning curves.
    pub diagnosis: Option<Diagnosis>,
    /// Results on the test rows, with the saved weights.
    pub test: Option<TestRecord>,
    /// Metrics of a constant prediction on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baselines: Option<Baselines>,
    /// All parameters and predictions of a tiny network.
    pub learned: Option<Learned>,
    /// The expectations of the experiment and whether the trial meets them.
    pub expectations: Vec<ExpectationResult>,
    /// Published values of the same experiment, next to the values of this trial.
    #[serde(default, rename = "references", alias = "theirs", skip_serializing_if = "Vec::is_empty")]
    pub theirs: Vec<ReferenceComparison>,
}

impl History {
    /// Returns the name of the trial's files without extension: `base-seed0`.
    pub fn stem(&self) -> String {
        Self::stem_of(&self.variant, self.seed, self.fold)
    }

    /// Returns the name of the files of this trial without extension.
    pub fn stem_of(variant: &str, seed: i64, fold: Option<usize>) -> String {
        let fold = fold.map(|fold| format!("-fold{fold}")).unwrap_or_default();
        format!("{variant}-seed{seed}{fold}")
    }

    /// Returns the diagnosis label. A trial with NaN or infinite weights has diverged, even if its loss is finite.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.status {
            Status::Diverged => Some(Verdict::Diverged),
            _ => self.diagnosis.as_ref().map(|diagnosis| diagnosis.verdict),
        }
    }

    /// Returns the checksum of the module that the setting `key` names; `None` if it names none, or an older version wrote
    /// the history.
    pub fn module(&self, key: &str) -> Option<&str> {
        self.modules.iter().find(|module| module.key == key).map(|module| module.sha256.as_str())
    }

    /// Returns the epoch whose weights are saved and tested: the best one, or the last one with `keep = "last"`.
    pub fn kept_epoch(&self) -> Option<usize> {
        let last = self.history.epoch.last().copied();
        match self.keeps_last() {
            true => last,
            false => self.best.as_ref().map(|best| best.epoch).or(last),
        }
    }

    /// Returns whether the weights of the last epoch are saved.
    pub fn keeps_last(&self) -> bool {
        match &self.test {
            Some(test) => test.weights == "last",
            None => self.config["train"]["keep"] == "last",
        }
    }

    /// Returns whether the diagnosis has this label, first or later.
    pub fn finds(&self, finding: Verdict) -> bool {
        match self.status {
            Status::Diverged => finding == Verdict::Diverged,
            _ => self.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.finds(finding)),
        }
    }

    /// Returns the warning that a classifier never predicts a class or is no better than the majority class, if any.
    pub fn caution(&self) -> Option<&str> {
        self.baselines.as_ref()?.caution.as_deref()
    }

    /// Returns the names of the trial's metrics that are about the positive class; empty unless there are two classes.
    pub fn metrics_of_the_positive_class(&self) -> Vec<String> {
        if self.data.positive_name().is_none() {
            return Vec::new();
        }
        let of_test = self.test.iter().flat_map(|test| test.metrics.keys());
        let names = self.history.series.keys().chain(of_test).map(|name| name.trim_start_matches("val_"));
        let is_there: IndexSet<&str> = names.collect();
        let of_positives = Metric::ALL.iter().filter(|metric| metric.info().uses_positive_class);
        of_positives.map(|metric| metric.name().into_owned()).filter(|name| is_there.contains(name.as_str())).collect()
    }

    /// Writes the history atomically.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        atomic_write::write_whole(path, self.to_json()?.as_bytes())
    }

    /// Returns the text of the history's file.
    ///
    /// # Errors
    /// If the history cannot be serialized as JSON.
    pub fn to_json(&self) -> anyhow::Result<String> {
        readable_json::readable(self).context("failed to serialize the history")
    }

    /// Reads a history of this or an earlier version.
    ///
    /// # Errors
    /// If the file cannot be read, is not a history, or has an unknown schema.
    pub fn read(path: &Path) -> anyhow::Result<History> {
        Self::read_or_schema(path)?.map_err(|schema| {
            let shown = path.display();
            let readable: Vec<String> =
                FORMER_SCHEMAS.iter().chain([&SCHEMA]).map(|schema| format!("`{schema}`")).collect();
            match schema {
                Some(other) => {
                    anyhow!("`{shown}` has the schema `{other}`; this version reads {}", readable.join(" and "))
                        .context(Hint("use the version of runner that wrote it".to_owned()))
                }
                None => anyhow!("`{shown}` is not a history: it has no `schema`").context(Hint(
                    "use the history of a trial, such as `base-seed0.json` in the run directory".to_owned(),
                )),
            }
        })
    }

    /// Reads a history. Returns `None` if the file is valid JSON but not a history of any version.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or is a history of an unknown version.
    pub fn read_if_history(path: &Path) -> anyhow::Result<Option<History>> {
        match Self::read_or_schema(path)? {
            Ok(history) => Ok(Some(history)),
            Err(Some(schema)) if schema.starts_with("runner.history/") => Self::read(path).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Reads a history, or returns the `schema` of another JSON file.
    fn read_or_schema(path: &Path) -> anyhow::Result<Result<History, Option<String>>> {
        let shown = path.display();
        // for a small file, the free memory need not be looked up
        let is_small = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= SMALL);
        let most = if is_small { SMALL } else { memory::max_json_bytes() };
        let text = bounded_file::read(path, most).with_context(|| format!("failed to read `{shown}`"))?;
        let parsed = serde_json::from_slice::<History>(&text);
        match parsed {
            Ok(history) if is_readable(&history.schema) => return Ok(Ok(history.upgraded())),
            // as JSON values, a large file takes many times its size in memory
            Err(error) if text.len() as u64 > bounded_file::JSON => {
                return Err(anyhow::Error::new(error).context(format!("failed to read `{shown}` as a history")));
            }
            Ok(_) | Err(_) => {}
        }
        // find the reason
        let value: serde_json::Value = serde_json::from_slice(&text)
            .with_context(|| format!("failed to read `{shown}` as JSON"))
            .context(Hint("check the file: it is damaged, incomplete or not a history".to_owned()))?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(schema) if is_readable(schema) => serde_json::from_value(value)
                .with_context(|| format!("failed to read `{shown}` as a history"))
                .context(Hint("the file is damaged; `runner schema` prints the schema of histories".to_owned()))
                .map(|history: History| Ok(history.upgraded())),
            other => Ok(Err(other.map(str::to_owned))),
        }
    }

    /// Returns the history with the schema of this version. Its former keys were renamed while it was parsed.
    fn upgraded(self) -> History {
        remember_metrics_of(&self.config);
        History { schema: SCHEMA.to_owned(), ..self }
    }
}

/// Returns whether histories with this `schema` are read.
fn is_readable(schema: &str) -> bool {
    schema == SCHEMA || FORMER_SCHEMAS.contains(&schema)
}

/// Returns a trial of one epoch with this loss.
#[cfg(test)]
pub(crate) fn trial_for_tests(variant: &str, seed: i64, loss: f64) -> History {
    use crate::history::trial_fields::RowCounts;

    let environment = Environment {
        runner: String::new(),
        commit: String::new(),
        libtorch: String::new(),
        device: "cpu".to_owned(),
        threads: 1,
        os: String::new(),
        replicas: 1,
        precision: Some("float32".to_owned()),
        deterministic: Some(false),
        cpu: None,
    };
    let rows = RowCounts { train: 1, validation: 0, test: 0 };
    let mut history = Curves::default();
    history.push(1, &[("loss", loss)]);
    History {
        schema: SCHEMA.to_owned(),
        experiment: "test".to_owned(),
        variant: variant.to_owned(),
        seed,
        fold: None,
        status: Status::Completed,
        started: String::new(),
        seconds: 0.0,
        environment,
        data: DataRecord {
            name: "logic".to_owned(),
            sha256: String::new(),
            rows,
            classes: Vec::new(),
            resample: None,
            positive: None,
        },
        network: Some(NetworkRecord { layers: Vec::new(), parameters: 0 }),
        tree: None,
        modules: Vec::new(),
        config: serde_json::Value::Null,
        asked: None,
        history,
        best: None,
        diagnosis: None,
        test: None,
        baselines: None,
        learned: None,
        expectations: Vec::new(),
        theirs: Vec::new(),
    }
}
