//! Rows that `runner eval` evaluates, and the metrics of each trial, also as JSON.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use serde_json::{Map, Value, json};
use tch::Device;

use crate::config::hint::{hinted, in_a_line};
use crate::experiment::store::find::{SavedRun, SavedTrial};
use crate::experiment::store::run_record;
use crate::experiment::store::trial_data::Part;
use crate::experiment::verify::agreement::{Agreement, HistoryMetrics};
use crate::history::RowCounts;
use crate::history::number::Number;
use crate::history::test_record::TestRecord;
use crate::train::kept_weights::Keep;

/// Rows to evaluate.
pub(crate) enum EvalRows {
    /// A part of the trial's data.
    Part {
        part: Part,
        /// Whether the part was chosen because the run has no test rows.
        is_fallback: bool,
    },
    /// A file of the user.
    File(String),
}

impl EvalRows {
    /// Parses the name of a part or a file. Without it, returns the test rows, or the validation rows if there are no test rows.
    ///
    /// # Errors
    /// If `name` is neither a part of the data nor a file, or the file of a model.
    pub(crate) fn parse(name: Option<&str>, run: &SavedRun) -> anyhow::Result<EvalRows> {
        let Some(name) = name else {
            let has = |rows: fn(&RowCounts) -> usize| run.trials.iter().any(|t| rows(&t.history.data.rows) > 0);
            return Ok(match !has(|rows| rows.test) && has(|rows| rows.validation) {
                true => EvalRows::Part { part: Part::Validation, is_fallback: true },
                false => EvalRows::Part { part: Part::Test, is_fallback: false },
            });
        };
        if let Ok(part) = name.parse() {
            return Ok(EvalRows::Part { part, is_fallback: false });
        }
        let is_path = name.contains(['.', ',', MAIN_SEPARATOR]) || PathBuf::from(name).exists();
        if let Some(what) = model_file(Path::new(name)) {
            let hint = "name `test`, `validation`, `train`, or a file of rows: a table (`.csv`), arrays (`.npz` with `x`) or \
                        an image; RUN has the model";
            return Err(hinted(format!("`{name}` is {what}, but rows are expected"), hint));
        }
        if is_path {
            return Ok(EvalRows::File(name.to_owned()));
        }
        let hint = "use `test`, `validation`, `train`, or the path of a file";
        Err(hinted(format!("`{name}` is neither a part of the data nor a file"), hint))
    }

    /// Returns the part of the trial's data; `None` for a file.
    pub(crate) fn part(&self) -> Option<Part> {
        match self {
            EvalRows::Part { part, .. } => Some(*part),
            EvalRows::File(_) => None,
        }
    }

    /// Returns the name of the rows, such as `test rows`.
    pub(crate) fn name(&self) -> String {
        match self {
            EvalRows::Part { part, is_fallback } => {
                let why = if *is_fallback { ", since the run has no test rows" } else { "" };
                format!("{} rows{why}", part.name())
            }
            EvalRows::File(file) => format!("rows of `{file}`"),
        }
    }
}

/// Returns what the file of a model has, by its name; `None` for other files.
fn model_file(path: &Path) -> Option<&'static str> {
    let what = match &*path.extension()?.to_string_lossy().to_lowercase() {
        "pt" | "pth" => "a file of PyTorch, such as a model or its weights",
        "ckpt" | "checkpoint" => "a checkpoint of training",
        "keras" => "a model of Keras",
        "onnx" => "a model in the ONNX format",
        "safetensors" if path.with_file_name(run_record::FILE).is_file() => "the weights of a run",
        _ => return None,
    };
    path.is_file().then_some(what)
}

/// Result of evaluating one trial.
pub(crate) struct TrialResult<'a> {
    pub(crate) trial: &'a SavedTrial,
    pub(crate) outcome: Result<Evaluation, Failure>,
}

/// Reason why a trial has no metrics.
pub(crate) enum Failure {
    /// Its training diverged.
    Diverged,
    /// One of its files, or its data, are missing or damaged.
    Failed(anyhow::Error),
}

/// Metrics of one trial.
pub(crate) struct Evaluation {
    /// Name of the data set.
    pub(crate) data: &'static str,
    pub(crate) rows: usize,
    /// Short description of the model.
    pub(crate) model: String,
    /// Device that they were computed on.
    pub(crate) device: Device,
    /// Epoch whose weights were kept: best or last.
    pub(crate) keep: Keep,
    /// The computed metrics.
    pub(crate) record: TestRecord,
    /// The metrics in the history, if it has any for these rows.
    pub(crate) stated: Option<HistoryMetrics>,
    /// Comparison of the two.
    pub(crate) agreement: Option<Agreement>,
}

/// Returns an object for each trial. A trial that could not be evaluated has an `error`.
pub(crate) fn to_json(run: &SavedRun, eval_rows: &EvalRows, results: &[TrialResult]) -> Value {
    let numbers = |metrics: &mut dyn Iterator<Item = (&String, &Number)>| -> Value {
        metrics.map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into()
    };
    let trial = |TrialResult { trial, outcome }: &TrialResult| {
        let history = &trial.history;
        let mut object = json!({ "trial": trial.stem(), "experiment": history.experiment, "variant": history.variant,
            "seed": history.seed, "fold": history.fold, "status": history.status });
        match outcome {
            Ok(evaluation) => {
                object["rows"] = json!(evaluation.rows);
                object["metrics"] = numbers(&mut evaluation.record.metrics.iter());
                object["confusion"] = json!(evaluation.record.confusion);
                object["report"] = json!(evaluation.record.report);
                object["positive"] = json!(history.data.positive_name());
                object["prevalence"] = json!(evaluation.record.positives);
                object["roc"] = json!(evaluation.record.roc);
                object["precision_recall"] = json!(evaluation.record.precision_recall);
                object["threshold"] = json!(evaluation.record.threshold);
                object["history"] = evaluation.stated.as_ref().map_or(Value::Null, |s| numbers(&mut s.metrics.iter()));
                // null: no difference was found, but not everything could be compared
                let same = |agreement: &Agreement| match agreement.is_same() {
                    true if agreement.is_complete() => Some(true),
                    true => None,
                    false => Some(false),
                };
                object["same"] = json!(evaluation.agreement.as_ref().and_then(same));
                let missing = |agreement: &Agreement| [&agreement.not_stated[..], &agreement.not_found].concat();
                object["not_compared"] = json!(evaluation.agreement.as_ref().map(missing));
                object["largest_difference"] = json!(evaluation.agreement.as_ref().map(|a| Number(a.largest())));
            }
            Err(Failure::Failed(error)) => object["error"] = json!(in_a_line(error)),
            Err(Failure::Diverged) => {}
        }
        object
    };
    let data = match eval_rows {
        EvalRows::Part { part, .. } => part.name(),
        EvalRows::File(file) => file,
    };
    json!({ "run": run.folder, "data": data, "trials": results.iter().map(trial).collect::<Vec<_>>() })
}
