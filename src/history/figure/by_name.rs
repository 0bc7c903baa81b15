//! Finds the figure of a name in a history.

use serde_json::Value;

use crate::history::figure::found::{Found, PREDICTION, STATUS};
use crate::history::number::Number;
use crate::history::trial_history::History;

/// The figure of this name, when the history has one.
pub fn figure(history: &History, name: &str) -> Option<Found> {
    let number = |value: f64| Some(Found::Number(Number(value)));
    let curves = &history.history;
    let over_epochs = |metric: &str, better: fn(f64, f64) -> f64| {
        curves.metric(metric)?.into_iter().reduce(better).map(|value| Found::Number(Number(value)))
    };
    if name == STATUS {
        return serde_json::from_value(serde_json::to_value(history.status).ok()?).ok();
    }
    let (group, rest) = name.split_once('.')?;
    match group {
        "first" => number(curves.at(*curves.epoch.first()?, rest)?),
        "last" => number(curves.at(*curves.epoch.last()?, rest)?),
        "epoch" => {
            let (epoch, metric) = rest.split_once('.')?;
            number(curves.at(epoch.parse().ok()?, metric)?)
        }
        "min" => over_epochs(rest, f64::min),
        "max" => over_epochs(rest, f64::max),
        "learned" => {
            let learned = history.learned.as_ref()?;
            let (part, index) = rest.rsplit_once('.')?;
            let index: usize = index.parse().ok()?;
            let values = match part.split_once('.') {
                Some((PREDICTION, row)) => &learned.predictions.get(row.parse::<usize>().ok()?)?.output,
                _ => learned.parameters.get(part)?,
            };
            values.get(index).map(|value| Found::Number(*value))
        }
        "best" if history.best.as_ref().is_some_and(|best| best.metrics.contains_key(rest)) => {
            history.best.as_ref()?.metrics.get(rest).map(|value| Found::Number(*value))
        }
        "test" if history.test.as_ref().is_some_and(|test| test.metrics.contains_key(rest)) => {
            history.test.as_ref()?.metrics.get(rest).map(|value| Found::Number(*value))
        }
        "best" | "data" | "test" | "diagnosis" | "tree" => {
            let json = match group {
                "data" => serde_json::to_value(&history.data),
                "tree" => serde_json::to_value(history.tree.as_ref()?),
                "best" => serde_json::to_value(history.best.as_ref()?),
                "test" => serde_json::to_value(history.test.as_ref()?),
                _ => serde_json::to_value(history.diagnosis.as_ref()?),
            };
            let rest = if (group, rest) == ("diagnosis", "gap") { "val_loss_rise" } else { rest }; // its former name
            serde_json::from_value(at_path(&json.ok()?, rest)?.clone()).ok()
        }
        _ => None,
    }
}

/// The value at a path of names and places with dots between them; a name may hold dots itself.
fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let part = |name: &str| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => value.get(name),
    };
    part(path).or_else(|| path.match_indices('.').find_map(|(dot, _)| at_path(part(&path[..dot])?, &path[dot + 1..])))
}

/// The figure of this name where it is a number.
pub fn number(history: &History, name: &str) -> Option<f64> {
    match figure(history, name)? {
        Found::Number(Number(value)) => Some(value),
        Found::Word(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::records::Best;
    use crate::history::tested::TestRecord;
    use crate::history::trial_history::trial_for_tests;
    use serde_json::json;

    #[test]
    fn what_lies_deeper_is_found_by_its_path() {
        let scores = json!({ "precision": 0.5, "recall": null, "f1": 0.25 });
        let class = json!({ "precision": 0.5, "recall": 0.75, "f1": 0.6, "support": 4 });
        let test: TestRecord = serde_json::from_value(json!({
            "weights": "best", "mcc": 0.5, "f1": "nan", "confusion": [[3, 1], [2, 0]],
            "report": { "classes": [class, class], "accuracy": 0.5, "macro": scores, "weighted": scores },
        }))
        .unwrap();
        let best = json!({ "epoch": 3, "monitor": "loss", "gradient_norm.0": 0.125 });
        let best: Best = serde_json::from_value(best).unwrap();
        let history = History { test: Some(test), best: Some(best), ..trial_for_tests("base", 0, 1.0) };
        let found = |name: &str| number(&history, name);
        assert_eq!(found("test.mcc"), Some(0.5));
        assert_eq!(found("test.confusion.1.0"), Some(2.0));
        assert_eq!(found("test.report.macro.f1"), Some(0.25));
        assert_eq!(found("test.report.classes.1.recall"), Some(0.75));
        assert_eq!(found("test.report.classes.1.support"), Some(4.0));
        assert_eq!(found("best.gradient_norm.0"), Some(0.125));
        assert!(found("test.f1").unwrap().is_nan());
        for none in ["test.report.macro.recall", "test.confusion.2.0", "test.confusion", "test.report.classes.x.f1"] {
            assert_eq!(figure(&history, none), None, "{none}");
        }
    }
}
