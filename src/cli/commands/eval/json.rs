//! What `runner eval` gives to programs.

use serde_json::{Map, Value, json};

use crate::cli::commands::eval::evaluated::{Chosen, Evaluated, Unfound};
use crate::config::hint::in_a_line;
use crate::experiment::store::find::SavedRun;
use crate::experiment::verify::agreement::Agreement;
use crate::history::number::Number;

/// An object for each trial; of one that could not be evaluated, why not.
pub(crate) fn json(run: &SavedRun, chosen: &Chosen, evaluated: &[Evaluated]) -> Value {
    let numbers = |figures: &mut dyn Iterator<Item = (&String, &Number)>| -> Value {
        figures.map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into()
    };
    let trial = |Evaluated { trial, found }: &Evaluated| {
        let history = &trial.history;
        let mut object = json!({ "trial": trial.stem(), "experiment": history.experiment, "variant": history.variant,
            "seed": history.seed, "fold": history.fold, "status": history.status });
        match found {
            Ok(found) => {
                object["rows"] = json!(found.rows);
                object["figures"] = numbers(&mut found.record.metrics.iter());
                object["confusion"] = json!(found.record.confusion);
                object["report"] = json!(found.record.report);
                object["positive"] = json!(history.data.positive_name());
                object["positives"] = json!(found.record.positives);
                object["roc"] = json!(found.record.roc);
                object["precision_recall"] = json!(found.record.precision_recall);
                object["threshold"] = json!(found.record.threshold);
                object["history"] = found.stated.as_ref().map_or(Value::Null, |s| numbers(&mut s.metrics.iter()));
                // unknown where nothing differs, and not everything was compared
                let same = |agreement: &Agreement| match agreement.is_same() {
                    true if agreement.is_complete() => Some(true),
                    true => None,
                    false => Some(false),
                };
                object["same"] = json!(found.agreement.as_ref().and_then(same));
                let missing = |agreement: &Agreement| [&agreement.not_stated[..], &agreement.not_found].concat();
                object["not_compared"] = json!(found.agreement.as_ref().map(missing));
                object["largest_difference"] = json!(found.agreement.as_ref().map(|a| Number(a.largest())));
            }
            Err(Unfound::Failed(error)) => object["error"] = json!(in_a_line(error)),
            Err(Unfound::Diverged) => {}
        }
        object
    };
    let data = match chosen {
        Chosen::Part { part, .. } => part.name(),
        Chosen::File(file) => file,
    };
    json!({ "run": run.folder, "data": data, "trials": evaluated.iter().map(trial).collect::<Vec<_>>() })
}
