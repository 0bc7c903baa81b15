//! JSON, CSV and Markdown output of `runner compare`.

use serde_json::{Value, json};

use crate::cli::commands::compare::table::{format_metric, metric_label, signed};
use crate::cli::truncate::truncated;
use crate::compare::comparison::{Comparison, MetricComparison};
use crate::compare::differing_settings::{Setting, differing, main_differences, settings};
use crate::compare::group::Group;
use crate::compare::positive_class::positive_classes;
use crate::compare::statistics::difference::Difference;
use crate::compare::trial::{Record, Trial};
use crate::history::number::{p_value, unsigned_zero};
use crate::io::csv_line;

pub(crate) fn to_json(groups: &[Group], comparison: &Comparison, all: bool) -> Value {
    let group_json = |group: &Group| {
        let format = match group.trials.first().map(|trial| &trial.record) {
            Some(Record::Foreign(read)) => read.foreign.format.word(),
            _ => "runner",
        };
        json!({
            "label": group.label,
            "format": format,
            "experiment": group.experiment(),
            "variant": group.variant(),
            "leaks": group.leaks(),
            "positive": positive_classes([group]).first().map(|(class, _)| class),
            "trials": group.trials.iter().map(trial_json).collect::<Vec<_>>(),
        })
    };
    let shown = if all { settings(groups) } else { differing(groups) };
    let setting_json = |setting: &Setting| json!({ "key": setting.key, "values": setting.values });
    json!({
        "groups": groups.iter().map(group_json).collect::<Vec<_>>(),
        "baseline": comparison.baseline,
        "settings": shown.iter().map(setting_json).collect::<Vec<_>>(),
        "metrics": comparison.metrics,
        "tests": comparison.tests,
        "cautions": comparison.cautions,
    })
}

fn trial_json(trial: &Trial) -> Value {
    json!({
        "file": trial.file,
        "seed": trial.seed(),
        "fold": trial.fold(),
        "epochs": trial.epochs(),
        "best_epoch": trial.best().map(|best| best.epoch),
        "overfits_from": trial.diagnosis().and_then(|diagnosis| diagnosis.overfits_from),
        "val_loss_rise": trial.diagnosis().and_then(|diagnosis| diagnosis.val_loss_rise),
        "generalization_gap": trial.diagnosis().and_then(|diagnosis| diagnosis.generalization_gap),
        "gap": trial.diagnosis().and_then(|diagnosis| diagnosis.val_loss_rise), // key of earlier versions
        "diagnosis": trial.verdict(),
        "findings": trial.diagnosis().map(|diagnosis| &diagnosis.findings),
    })
}

/// Returns the difference of a group from the baseline in a metric, if it was tested.
fn tested_difference<'a>(comparison: &'a Comparison, metric: &str, index: usize) -> Option<&'a Difference> {
    comparison.tests.iter().find(|test| test.metric == metric)?.groups[index].as_ref()
}

/// Returns CSV with a line for each metric of each group.
pub(crate) fn to_csv(groups: &[Group], comparison: &Comparison) -> String {
    const HEADER: &str = "run,metric,n,mean,std,low,high,min,max,best,difference,difference_low,difference_high,p,p_holm,hedges_g,superiority,significance,caution";
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let mut lines = vec![HEADER.to_owned()];
    for metric in &comparison.metrics {
        for (index, group) in groups.iter().enumerate() {
            let caution = caution(group, metric, index);
            let Some(sample) = &metric.groups[index] else {
                // no trial has a value that enters a mean: n is 0
                lines.extend(metric.without_mean[index].map(|value| {
                    format!(
                        "{},{},0,{value},,,,,,false,,,,,,,,,{caution}",
                        csv_line::cell(&group.label),
                        csv_line::cell(&metric.name)
                    )
                }));
                continue;
            };
            let tested = tested_difference(comparison, &metric.name, index);
            let base = metric.groups[comparison.baseline].as_ref().filter(|_| index != comparison.baseline);
            let field = |value: fn(&Difference) -> Option<f64>| number(tested.and_then(value));
            let cells = [
                csv_line::cell(&group.label),
                csv_line::cell(&metric.name),
                sample.n.to_string(),
                sample.mean.to_string(),
                number(sample.std),
                number(sample.interval.map(|interval| interval.low)),
                number(sample.interval.map(|interval| interval.high)),
                sample.min.to_string(),
                sample.max.to_string(),
                metric.best[index].to_string(),
                tested.map_or_else(
                    || number(base.map(|base| sample.mean - base.mean)),
                    |difference| difference.difference.to_string(),
                ),
                field(|d| Some(d.interval?.low)),
                field(|d| Some(d.interval?.high)),
                field(|d| d.p),
                field(|d| d.corrected),
                field(|d| d.hedges_g),
                field(|d| d.superiority),
                tested
                    .and_then(|d| Some(serde_json::to_value(d.significance).ok()?.as_str()?.to_owned()))
                    .unwrap_or_default(),
                caution,
            ];
            lines.push(cells.join(","));
        }
    }
    lines.join("\n")
}

/// Returns why a metric of a group must be read with caution: diverged trials or non-finite values.
fn caution(group: &Group, metric: &MetricComparison, index: usize) -> String {
    let (diverged, all) = (group.trials.iter().filter(|trial| trial.has_diverged()).count(), group.trials.len());
    match diverged {
        0 if metric.without_mean[index].is_some() => "not finite".to_owned(),
        0 => String::new(),
        _ if diverged == all => "diverged".to_owned(),
        _ => format!("{diverged} of {all} trials diverged"),
    }
}

/// Returns Markdown tables: settings, metrics and differences; then the cautions.
pub(crate) fn to_markdown(groups: &[Group], comparison: &Comparison, all: bool) -> String {
    let labels: Vec<String> = groups.iter().map(|group| group.label.clone()).collect();
    let header = |first: &str| [vec![first.to_owned()], labels.clone()].concat();
    let mut parts = Vec::new();
    let shown = if all { settings(groups) } else { main_differences(groups) };
    if !shown.is_empty() {
        let row = |setting: &Setting| {
            let values = setting.values.iter().map(|value| truncated(value.as_deref().unwrap_or("–"), 80));
            [vec![setting.key.clone()], values.collect()].concat()
        };
        parts.push(markdown_table(&header("setting"), shown.iter().map(row)));
    }
    let row = |metric: &MetricComparison| {
        let metric_cell = |index: usize| {
            let text = format_metric(metric, index);
            if metric.best[index] { format!("**{text}**") } else { text }
        };
        [vec![metric_label(&metric.name)], (0..groups.len()).map(metric_cell).collect()].concat()
    };
    parts.push(markdown_table(&header("metric"), comparison.metrics.iter().map(row)));
    for test in comparison.tests.iter().filter(|test| test.groups.iter().any(Option::is_some)) {
        let row = |(index, difference): (usize, &Option<Difference>)| {
            let d = difference.as_ref()?;
            let p_cell = |value: Option<f64>| value.map_or("–".to_owned(), p_value);
            let interval = d.interval.map(|interval| format!("{} to {}", signed(interval.low), signed(interval.high)));
            Some(vec![
                labels[index].clone(),
                signed(d.difference),
                interval.unwrap_or("–".to_owned()),
                p_cell(d.p),
                p_cell(d.corrected),
                d.hedges_g.map_or("–".to_owned(), |g| unsigned_zero(format!("{g:+.2}"))),
                d.significance.words().to_owned(),
            ])
        };
        let title = format!("{} compared with {}", metric_label(&test.metric), labels[comparison.baseline]);
        let header = [title.as_str(), "Δ", "95 % interval of Δ", "p", "p (Holm)", "g", "result"].map(str::to_owned);
        parts.push(markdown_table(&header, test.groups.iter().enumerate().filter_map(row)));
    }
    parts.extend(comparison.cautions.iter().map(|caution| format!("Caution: {caution}.")));
    parts.join("\n\n")
}

/// Returns a Markdown table.
pub(in crate::cli) fn markdown_table(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule = format!("|{}", "---|".repeat(header.len()));
    [line(header), rule].into_iter().chain(rows.map(|row| line(&row))).collect::<Vec<_>>().join("\n")
}
