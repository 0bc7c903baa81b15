//! JSON, CSV, Markdown and LaTeX output of `runner runs`.

use serde_json::{Map, Value, json};

use crate::cli::commands::compare::formats::markdown_table;
use crate::cli::commands::runs::columns::{Fit, ListColumn, Listed, TIME};
use crate::cli::text::column::Column;
use crate::compare::runs::changes::{ShortKeys, shorten};
use crate::compare::runs::run_field::FieldValue;
use crate::compare::runs::run_info::RunState;
use crate::compare::runs::run_summary::RunSummary;
use crate::io::csv_line;
use crate::views::document::statistic::UNBROKEN;

/// Returns the runs as JSON, with the values of the fields: the first `chosen` ones are those of `--columns`.
pub(super) fn to_json(listed: &Listed, chosen: usize) -> Value {
    let run_json = |run: &RunSummary| {
        let info = &run.info;
        let statuses: Vec<Value> =
            run.statuses.iter().map(|(status, count)| json!({ "status": status, "trials": count })).collect();
        let value = |place: usize| run.fields[place].as_ref().map(FieldValue::to_json);
        let map = |places: &mut dyn Iterator<Item = usize>| -> Map<String, Value> {
            places.map(|place| (listed.fields[place].clone(), json!(value(place)))).collect()
        };
        let changes: Map<String, Value> = info.changes.iter().map(|c| (c.key.clone(), json!(c.value))).collect();
        let progress = info.state.progress();
        let process = match info.state {
            RunState::Running { process, .. } => process,
            RunState::Interrupted { .. } | RunState::Failed | RunState::Finished => None,
        };
        json!({
            "id": info.entry.id,
            "experiment": info.entry.experiment,
            "variant": run.variant,
            "name": info.about.name,
            "tags": info.about.tags,
            "note": info.about.note,
            "archived": info.about.archived,
            "folder": info.entry.folder,
            "changed": changes,
            "state": info.state.word(),
            "epoch": progress.map(|(epoch, _)| epoch),
            "epochs": progress.map(|(_, epochs)| epochs),
            "process": process,
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
            "host": info.host,
            "job": info.job,
            "started": info.started,
            "metrics": map(&mut (chosen..listed.fields.len()).filter(|place| listed.fields[*place].contains('.'))),
            "columns": map(&mut (0..chosen)),
        })
    };
    Value::Array(listed.runs.iter().map(run_json).collect())
}

/// Returns CSV with a line for each run: the columns of `--columns`, or all that is known, with the changed settings.
pub(super) fn to_csv(listed: &Listed, chosen: usize) -> String {
    let field = |run: &RunSummary, place: usize| run.fields[place].as_ref().map(FieldValue::to_csv).unwrap_or_default();
    if chosen > 0 {
        let rows = listed.runs.iter().map(|run| csv_line::line((0..chosen).map(|place| field(run, place))));
        return std::iter::once(csv_line::line(&listed.fields[..chosen])).chain(rows).collect::<Vec<_>>().join("\n");
    }
    const HEADER: &str = "experiment,variant,folder,variants,trials,status,leaks,best_metric,best_value,best_epoch,test_metric,test_value,seconds,device,started,missing,id,name,tags,note,state,epoch,epochs";
    let keys = changed_keys(listed);
    let further: Vec<usize> = (0..listed.fields.len()).filter(|place| !keys.contains(&listed.fields[*place])).collect();
    let names = keys.iter().chain(further.iter().map(|place| &listed.fields[*place]));
    let header = names.fold(HEADER.to_owned(), |header, name| format!("{header},{}", csv_line::cell(name)));
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let line = |run: &RunSummary| {
        let info = &run.info;
        let statuses: Vec<String> =
            run.statuses.iter().map(|(status, count)| format!("{count} {}", status.word())).collect();
        let (best, test) = (run.best.as_ref(), run.test.as_ref());
        let count = |count: Option<usize>| count.map(|count| count.to_string()).unwrap_or_default();
        let mut cells = vec![
            info.entry.experiment.clone(),
            run.variant.clone().unwrap_or_default(),
            info.entry.folder.to_string_lossy().into_owned(),
            run.variants.to_string(),
            run.trials.to_string(),
            statuses.join("; "),
            run.leaks.to_string(),
            best.map(|best| best.metric.clone()).unwrap_or_default(),
            number(best.map(|best| best.value)),
            number(best.and_then(|best| best.epoch)),
            test.map(|test| test.metric.clone()).unwrap_or_default(),
            number(test.map(|test| test.value)),
            run.seconds.to_string(),
            run.device.clone(),
            info.started.clone(),
            run.missing.to_string(),
            info.entry.id.clone(),
            info.about.name.clone().unwrap_or_default(),
            info.about.tags.join(", "),
            info.about.note.clone().unwrap_or_default(),
            info.state.word().to_owned(),
            count(info.state.progress().map(|(epoch, _)| epoch)),
            count(info.state.progress().map(|(_, epochs)| epochs)),
        ];
        cells.extend(keys.iter().map(|key| setting(run, key)));
        cells.extend(further.iter().map(|&place| field(run, place)));
        csv_line::line(cells)
    };
    std::iter::once(header).chain(listed.runs.iter().map(line)).collect::<Vec<_>>().join("\n")
}

/// Returns the keys of the settings that any of the runs changed.
fn changed_keys(listed: &Listed) -> Vec<String> {
    let mut keys = indexmap::IndexSet::new();
    keys.extend(listed.runs.iter().flat_map(|run| &run.info.changes).map(|change| change.key.clone()));
    keys.into_iter().collect()
}

/// Returns the value of a setting in a run, changed or not; empty if the run does not have it.
fn setting(run: &RunSummary, key: &str) -> String {
    let changed = || run.info.changes.iter().find(|change| change.key == key).map(|change| change.value.clone());
    changed().or_else(|| Some(shorten(key, run.settings.get(key)?))).unwrap_or_default()
}

/// Returns the columns of the standard list for a document: each changed setting in a column, instead of all changes in
/// one, and without the age and the columns for wide pages.
pub(super) fn with_settings(listed: &Listed) -> Vec<ListColumn> {
    let keys = changed_keys(listed);
    let short = ShortKeys::new(keys.iter().map(String::as_str));
    let column = |key: &String| {
        let cells = listed.runs.iter().map(|run| setting(run, key)).collect();
        ListColumn { column: Column::values(short.label(key), cells), fit: Fit::Keep }
    };
    let is_wanted = |listed: &ListColumn| !matches!(listed.fit, Fit::LeaveOut(order) if order > TIME);
    let standard = listed.standard().into_iter().filter(is_wanted);
    let is_changes = |listed: &ListColumn| listed.column.header() == "changed";
    standard.flat_map(|each| if is_changes(&each) { keys.iter().map(column).collect() } else { vec![each] }).collect()
}

/// Returns columns as a Markdown table.
pub(super) fn to_markdown(columns: &[ListColumn]) -> String {
    let header: Vec<String> = columns.iter().map(|listed| listed.column.header().to_owned()).collect();
    markdown_table(&header, rows(columns).into_iter())
}

/// Returns columns as a LaTeX table for the package `booktabs`.
pub(super) fn to_latex(columns: &[ListColumn]) -> String {
    let alignment: String = columns.iter().map(|listed| if listed.column.is_text() { 'l' } else { 'r' }).collect();
    let line = |cells: Vec<String>| {
        format!("  {} \\\\", cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>().join(" & "))
    };
    let header = line(columns.iter().map(|listed| listed.column.header().to_owned()).collect());
    let mut lines = vec![
        "% \\usepackage{booktabs}".to_owned(),
        format!("\\begin{{tabular}}{{{alignment}}}"),
        "  \\toprule".to_owned(),
        header,
        "  \\midrule".to_owned(),
    ];
    lines.extend(rows(columns).into_iter().map(line));
    lines.extend(["  \\bottomrule", "\\end{tabular}"].map(str::to_owned));
    lines.join("\n")
}

/// Returns the texts by row.
fn rows(columns: &[ListColumn]) -> Vec<Vec<String>> {
    let columns: Vec<Vec<&str>> = columns.iter().map(|listed| listed.column.texts().collect()).collect();
    let count = columns.first().map_or(0, Vec::len);
    (0..count).map(|row| columns.iter().map(|column| column[row].replace(UNBROKEN, " ")).collect()).collect()
}

/// Returns text for LaTeX.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '–' => escaped.push_str("--"),
            '±' => escaped.push_str("$\\pm$"),
            '×' => escaped.push_str("$\\times$"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::text::column::Cell;

    #[test]
    fn a_latex_table_has_rules_and_no_special_characters() {
        let words = Column::words("val_loss", ["a & b".to_owned(), "50 %".to_owned()]);
        let numbers = Column::numbers("n", ["1", "2"].map(|text| Cell::plain(text.to_owned())));
        let columns = [words, numbers].map(|column| ListColumn { column, fit: Fit::Keep });
        let expected = "% \\usepackage{booktabs}\n\\begin{tabular}{lr}\n  \\toprule\n  val\\_loss & n \\\\\n  \\midrule\n  \
                        a \\& b & 1 \\\\\n  50 \\% & 2 \\\\\n  \\bottomrule\n\\end{tabular}";
        assert_eq!(to_latex(&columns), expected);
    }
}
