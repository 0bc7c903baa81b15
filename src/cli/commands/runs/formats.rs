//! JSON, CSV and Markdown output of `runner runs`.

use serde_json::{Value, json};

use crate::cli::commands::compare::formats::markdown_table;
use crate::cli::text::column_layout::Column;
use crate::compare::run_list::RunSummary;
use crate::io::csv_line;

/// Returns the runs as JSON, with the values of the requested metrics.
pub(crate) fn to_json(runs: &[RunSummary], metric_names: &[String]) -> Value {
    let run_json = |run: &RunSummary| {
        let statuses: Vec<Value> =
            run.statuses.iter().map(|(status, count)| json!({ "status": status, "trials": count })).collect();
        let metrics: serde_json::Map<String, Value> =
            metric_names.iter().zip(&run.metrics).map(|(name, value)| (name.clone(), json!(value))).collect();
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
            "metrics": metrics,
        })
    };
    Value::Array(runs.iter().map(run_json).collect())
}

/// Returns CSV with a line for each run.
pub(crate) fn to_csv(runs: &[RunSummary], metric_names: &[String]) -> String {
    const HEADER: &str = "experiment,variant,folder,variants,trials,status,leaks,best_metric,best_value,best_epoch,test_metric,test_value,seconds,device,started,missing";
    let header =
        metric_names.iter().fold(HEADER.to_owned(), |header, name| format!("{header},{}", csv_line::cell(name)));
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let line = |run: &RunSummary| {
        let statuses: Vec<String> =
            run.statuses.iter().map(|(status, count)| format!("{count} {}", status.word())).collect();
        let (best, test) = (run.best.as_ref(), run.test.as_ref());
        let mut cells = vec![
            csv_line::cell(&run.experiment),
            csv_line::cell(run.variant.as_deref().unwrap_or_default()),
            csv_line::cell(&run.folder.to_string_lossy()),
            run.variants.to_string(),
            run.trials.to_string(),
            csv_line::cell(&statuses.join("; ")),
            run.leaks.to_string(),
            best.map(|best| csv_line::cell(&best.metric)).unwrap_or_default(),
            number(best.map(|best| best.value)),
            number(best.map(|best| best.epoch)),
            test.map(|test| csv_line::cell(&test.metric)).unwrap_or_default(),
            number(test.map(|test| test.value)),
            run.seconds.to_string(),
            csv_line::cell(&run.device),
            run.started.clone(),
            run.missing.to_string(),
        ];
        cells.extend(run.metrics.iter().map(|value| number(*value)));
        cells.join(",")
    };
    std::iter::once(header).chain(runs.iter().map(line)).collect::<Vec<_>>().join("\n")
}

/// Returns the table of runs as Markdown.
pub(crate) fn to_markdown(columns: &[Column], labels: &Column) -> String {
    let all: Vec<&Column> = std::iter::once(labels).chain(columns).collect();
    let header: Vec<String> = all.iter().map(|column| column.header().to_owned()).collect();
    let lines = (0..labels.texts().count())
        .map(|row| all.iter().map(|column| column.texts().nth(row).unwrap_or_default().to_owned()).collect());
    markdown_table(&header, lines)
}
