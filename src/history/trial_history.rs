//! The history of one trial: what it holds, and how it is written to its file and read.

use std::path::Path;

use anyhow::{Context, anyhow};
use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::hint::Hint;
use crate::device::memory;
use crate::history::asked::Asked;
use crate::history::baseline::constant_prediction::Baselines;
use crate::history::curves::Curves;
use crate::history::diagnosis::verdict::{Diagnosis, Verdict};
use crate::history::expectation::verified::Verified;
use crate::history::json;
use crate::history::records::{Beside, Best, DataRecord, Environment, Learned, NetworkRecord, Status};
use crate::history::tested::TestRecord;
use crate::history::tree::TreeRecord;
use crate::io::{atomic_write, bounded_file};
use crate::metrics::Metric;

/// The value of `schema` in every history of this version.
pub const SCHEMA: &str = "runner.history/1";

/// The history of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// `runner.history/1`.
    pub schema: String,
    /// The experiment's name.
    pub experiment: String,
    /// The variant's name; `base` where an experiment has no variants.
    pub variant: String,
    /// The seed.
    pub seed: i64,
    /// The fold, in cross-validation.
    pub fold: Option<usize>,
    /// How the trial ended.
    pub status: Status,
    /// When it started: UTC, RFC 3339.
    pub started: String,
    /// How long the stack that it belongs to took, seconds.
    pub seconds: f64,
    /// What it ran on.
    pub environment: Environment,
    /// What it was trained on.
    pub data: DataRecord,
    /// What was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkRecord>,
    /// The decision tree, where it is one and was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<TreeRecord>,
    /// The resolved experiment.
    pub config: serde_json::Value,
    /// The command that asked for it, and who set which setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Metrics by epoch: `loss` and `acc` are averages over the epoch's batches in training mode, `val_…` are taken
    /// after the epoch in evaluation mode.
    pub history: Curves,
    /// The best epoch by the monitored metric.
    pub best: Option<Best>,
    /// What the curves show.
    pub diagnosis: Option<Diagnosis>,
    /// Figures on the test rows, of the weights that were kept.
    pub test: Option<TestRecord>,
    /// What a constant prediction gets on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baselines: Option<Baselines>,
    /// What a tiny network has learned.
    pub learned: Option<Learned>,
    /// What the experiment expected, and what came.
    pub expectations: Vec<Verified>,
    /// What a walkthrough reports of the same experiment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub theirs: Vec<Beside>,
}

impl History {
    /// The name of the trial's files, without their endings.
    pub fn stem(&self) -> String {
        Self::stem_of(&self.variant, self.seed, self.fold)
    }

    /// The name of the files of a trial, without their endings.
    pub fn stem_of(variant: &str, seed: i64, fold: Option<usize>) -> String {
        let fold = fold.map(|fold| format!("-fold{fold}")).unwrap_or_default();
        format!("{variant}-seed{seed}{fold}")
    }

    /// What the curves show in a word. A trial whose weights left the finite numbers has diverged, even where its loss
    /// has not.
    pub fn verdict(&self) -> Option<Verdict> {
        match self.status {
            Status::Diverged => Some(Verdict::Diverged),
            _ => self.diagnosis.as_ref().map(|diagnosis| diagnosis.verdict),
        }
    }

    /// The epoch whose weights are kept, and tested: the best one, or with `keep = "last"` the last one.
    pub fn kept_epoch(&self) -> Option<usize> {
        let last = self.history.epoch.last().copied();
        match self.keeps_last() {
            true => last,
            false => self.best.as_ref().map(|best| best.epoch).or(last),
        }
    }

    /// Whether the weights of the last epoch are kept.
    pub fn keeps_last(&self) -> bool {
        match &self.test {
            Some(test) => test.weights == "last",
            None => self.config["train"]["keep"] == "last",
        }
    }

    /// Whether this is among what the curves show.
    pub fn finds(&self, finding: Verdict) -> bool {
        match self.status {
            Status::Diverged => finding == Verdict::Diverged,
            _ => self.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.finds(finding)),
        }
    }

    /// Says where a classifier never predicts a class, or is no better than the majority class.
    pub fn caution(&self) -> Option<&str> {
        self.baselines.as_ref()?.caution.as_deref()
    }

    /// The metrics of it that are about the positive class, by name; none where there are not two classes.
    pub fn metrics_of_the_positive_class(&self) -> Vec<String> {
        if self.data.positive_name().is_none() {
            return Vec::new();
        }
        let of_test = self.test.iter().flat_map(|test| test.metrics.keys());
        let names = self.history.series.keys().chain(of_test).map(|name| name.trim_start_matches("val_"));
        let is_there: IndexSet<&str> = names.collect();
        let of_positives = Metric::ALL.iter().filter(|metric| metric.is_of_the_positive_class());
        of_positives.map(|metric| metric.name().into_owned()).filter(|name| is_there.contains(name.as_str())).collect()
    }

    /// Writes the history, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        atomic_write::write_whole(path, self.to_json()?.as_bytes())
    }

    /// The history as it stands in its file.
    ///
    /// # Errors
    /// When it cannot be serialized as JSON.
    pub fn to_json(&self) -> anyhow::Result<String> {
        json::readable(self).context("failed to lay out the history")
    }

    /// Reads a history.
    ///
    /// # Errors
    /// When the file cannot be read, is no history, or one of another schema.
    pub fn read(path: &Path) -> anyhow::Result<History> {
        Self::read_or_schema(path)?.map_err(|schema| {
            let shown = path.display();
            match schema {
                Some(other) => anyhow!("`{shown}` is a `{other}`, and this version reads `{SCHEMA}`")
                    .context(Hint("another version of runner wrote it".to_owned())),
                None => anyhow!("`{shown}` is no history: it names no `schema`").context(Hint(
                    "use the history of a trial, such as `base-seed0.json` in the run directory".to_owned(),
                )),
            }
        })
    }

    /// Reads a history; `None` where the file is whole JSON, and no history of any version.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or a history of another version.
    pub fn read_if_one(path: &Path) -> anyhow::Result<Option<History>> {
        match Self::read_or_schema(path)? {
            Ok(history) => Ok(Some(history)),
            Err(Some(schema)) if schema.starts_with("runner.history/") => Self::read(path).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Reads a history, or what another file of whole JSON names as its schema.
    fn read_or_schema(path: &Path) -> anyhow::Result<Result<History, Option<String>>> {
        let shown = path.display();
        let text =
            bounded_file::read(path, memory::most_json()).with_context(|| format!("failed to read `{shown}`"))?;
        let parsed = serde_json::from_slice::<History>(&text);
        match parsed {
            Ok(history) if history.schema == SCHEMA => return Ok(Ok(history)),
            // as values of JSON, a large file takes many times its size
            Err(error) if text.len() as u64 > bounded_file::JSON => {
                return Err(anyhow::Error::new(error).context(format!("failed to read `{shown}` as a history")));
            }
            Ok(_) | Err(_) => {}
        }
        // why not?
        let value: serde_json::Value = serde_json::from_slice(&text)
            .with_context(|| format!("failed to read `{shown}` as JSON"))
            .context(Hint("it is damaged or cut short, or no history".to_owned()))?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => serde_json::from_value(value)
                .with_context(|| format!("failed to read `{shown}` as a history"))
                .context(Hint("the file is damaged; `runner schema` prints the schema of histories".to_owned()))
                .map(Ok),
            other => Ok(Err(other.map(str::to_owned))),
        }
    }
}

/// A trial that ended with this loss after an epoch.
#[cfg(test)]
pub(crate) fn trial_for_tests(variant: &str, seed: i64, loss: f64) -> History {
    use crate::history::records::RowCounts;

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
