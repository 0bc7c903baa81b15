//! JSON output of `runner eval`.

use serde_json::{Map, Value, json};

use crate::cli::commands::eval::evaluation::{EvalRows, Failure, TrialResult};
use crate::config::hint::in_a_line;
use crate::experiment::store::find::SavedRun;
use crate::experiment::verify::agreement::Agreement;
use crate::history::number::Number;

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
