//! Looks up metric paths in a history.

use serde_json::Value;

use crate::history::metric_path::former_names::current;
use crate::history::metric_path::metric_value::{MetricValue, PREDICTION, STATUS};
use crate::history::number::Number;
use crate::history::trial_history::History;

/// Returns the value at a metric path, or `None` if the history has none. Former names of paths are understood.
pub fn lookup(history: &History, path: &str) -> Option<MetricValue> {
    let path = &*current(path);
    let number = |value: f64| Some(MetricValue::Number(Number(value)));
    let curves = &history.history;
    let over_epochs = |metric: &str, better: fn(f64, f64) -> f64| {
        curves.metric(metric)?.into_iter().reduce(better).map(|value| MetricValue::Number(Number(value)))
    };
    if path == STATUS {
        return serde_json::from_value(serde_json::to_value(history.status).ok()?).ok();
    }
    let (group, rest) = path.split_once('.')?;
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
            values.get(index).map(|value| MetricValue::Number(*value))
        }
        "best" if history.best.as_ref().is_some_and(|best| best.metrics.contains_key(rest)) => {
            history.best.as_ref()?.metrics.get(rest).map(|value| MetricValue::Number(*value))
        }
        // a tree has one epoch, which is not chosen
        "best" if history.tree.is_some() && history.best.is_none() => {
            history.history.at(*history.history.epoch.last()?, rest).map(|value| MetricValue::Number(Number(value)))
        }
        "test" if history.test.as_ref().is_some_and(|test| test.metrics.contains_key(rest)) => {
            history.test.as_ref()?.metrics.get(rest).map(|value| MetricValue::Number(*value))
        }
        "best" | "data" | "test" | "diagnosis" | "tree" => {
            let json = match group {
                "data" => serde_json::to_value(&history.data),
                "tree" => serde_json::to_value(history.tree.as_ref()?),
                "best" => serde_json::to_value(history.best.as_ref()?),
                "test" => serde_json::to_value(history.test.as_ref()?),
                _ => serde_json::to_value(history.diagnosis.as_ref()?),
            };
            serde_json::from_value(at_path(&json.ok()?, rest)?.clone()).ok()
        }
        _ => None,
    }
}

/// Returns the value at a path of keys and indexes separated by dots. A key may contain dots.
fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let part = |name: &str| match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => value.get(name),
    };
    part(path).or_else(|| path.match_indices('.').find_map(|(dot, _)| at_path(part(&path[..dot])?, &path[dot + 1..])))
}

/// Returns the value at a metric path if it is a number.
pub fn lookup_number(history: &History, path: &str) -> Option<f64> {
    match lookup(history, path)? {
        MetricValue::Number(Number(value)) => Some(value),
        MetricValue::Word(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::test_record::TestRecord;
    use crate::history::trial_fields::Best;
    use crate::history::trial_history::trial_for_tests;
    use serde_json::json;

    #[test]
    fn nested_values_are_found_by_their_path() {
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
        let found = |path: &str| lookup_number(&history, path);
        assert_eq!(found("test.mcc"), Some(0.5));
        assert_eq!(found("test.confusion.1.0"), Some(2.0));
        assert_eq!(found("test.report.macro.f1"), Some(0.25));
        assert_eq!(found("test.report.classes.1.recall"), Some(0.75));
        assert_eq!(found("test.report.classes.1.support"), Some(4.0));
        assert_eq!(found("best.gradient_norm.0"), Some(0.125));
        assert!(found("test.f1").unwrap().is_nan());
        for none in ["test.report.macro.recall", "test.confusion.2.0", "test.confusion", "test.report.classes.x.f1"] {
            assert_eq!(lookup(&history, none), None, "{none}");
        }
    }
}
