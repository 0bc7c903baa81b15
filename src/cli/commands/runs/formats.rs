//! Past runs for other programs: JSON, CSV, Markdown.

use serde_json::{Value, json};

use crate::cli::commands::compare::formats::{quoted, rows};
use crate::cli::text::column_layout::Column;
use crate::compare::past::Past;

/// The runs, with the figures that were asked for by their names.
pub(crate) fn json(runs: &[Past], wanted: &[String]) -> Value {
    let of = |run: &Past| {
        let statuses: Vec<Value> =
            run.statuses.iter().map(|(status, count)| json!({ "status": status, "trials": count })).collect();
        let figures: serde_json::Map<String, Value> =
            wanted.iter().zip(&run.figures).map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "experiment": run.experiment,
            "variant": run.variant,
            "folder": run.folder,
            "variants": run.variants,
            "trials": run.trials,
            "missing": run.missing,
            "statuses": statuses,
            "leaks": run.leaks,
            "best": run.best,
            "test": run.test,
            "positive": run.positive,
            "seconds": run.seconds,
            "device": run.device,
            "started": run.started,
            "figures": figures,
        })
    };
    Value::Array(runs.iter().map(of).collect())
}

/// A line for each run.
pub(crate) fn csv(runs: &[Past], wanted: &[String]) -> String {
    const HEADER: &str = "experiment,variant,folder,variants,trials,status,leaks,best_metric,best_value,best_epoch,test_metric,test_value,seconds,device,started,missing";
    let header = wanted.iter().fold(HEADER.to_owned(), |header, name| format!("{header},{}", quoted(name)));
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let line = |run: &Past| {
        let statuses: Vec<String> =
            run.statuses.iter().map(|(status, count)| format!("{count} {}", status.word())).collect();
        let (best, test) = (run.best.as_ref(), run.test.as_ref());
        let mut cells = vec![
            quoted(&run.experiment),
            quoted(run.variant.as_deref().unwrap_or_default()),
            quoted(&run.folder.to_string_lossy()),
            run.variants.to_string(),
            run.trials.to_string(),
            quoted(&statuses.join("; ")),
            run.leaks.to_string(),
            best.map(|best| quoted(&best.metric)).unwrap_or_default(),
            number(best.map(|best| best.value)),
            number(best.map(|best| best.epoch)),
            test.map(|test| quoted(&test.metric)).unwrap_or_default(),
            number(test.map(|test| test.value)),
            run.seconds.to_string(),
            quoted(&run.device),
            run.started.clone(),
            run.missing.to_string(),
        ];
        cells.extend(run.figures.iter().map(|value| number(*value)));
        cells.join(",")
    };
    std::iter::once(header).chain(runs.iter().map(line)).collect::<Vec<_>>().join("\n")
}

/// The table that is shown, as Markdown has it.
pub(crate) fn markdown(columns: &[Column], labels: &Column) -> String {
    let all: Vec<&Column> = std::iter::once(labels).chain(columns).collect();
    let header: Vec<String> = all.iter().map(|column| column.header().to_owned()).collect();
    let lines = (0..labels.texts().count())
        .map(|row| all.iter().map(|column| column.texts().nth(row).unwrap_or_default().to_owned()).collect());
    rows(&header, lines)
}
