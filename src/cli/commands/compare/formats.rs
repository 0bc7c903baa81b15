//! A comparison for other programs: JSON, CSV, Markdown.

use serde_json::{Value, json};

use crate::cli::commands::compare::differences::p;
use crate::cli::commands::compare::settings::cut;
use crate::cli::commands::compare::table::{cell, signed, words};
use crate::compare::comparison::{Comparison, Figure};
use crate::compare::group::Group;
use crate::compare::positive_class::positive_classes;
use crate::compare::settings::{Setting, differing, settings};
use crate::compare::statistics::difference::Difference;
use crate::compare::trial::{Record, Trial};

/// All of it as JSON.
pub(crate) fn json(groups: &[Group], comparison: &Comparison, all: bool) -> Value {
    let of_group = |group: &Group| {
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
            "trials": group.trials.iter().map(of_trial).collect::<Vec<_>>(),
        })
    };
    let shown = if all { settings(groups) } else { differing(groups) };
    let of_setting = |setting: &Setting| json!({ "key": setting.key, "values": setting.values });
    json!({
        "groups": groups.iter().map(of_group).collect::<Vec<_>>(),
        "baseline": comparison.baseline,
        "settings": shown.iter().map(of_setting).collect::<Vec<_>>(),
        "figures": comparison.figures,
        "tests": comparison.tests,
        "cautions": comparison.cautions,
    })
}

fn of_trial(trial: &Trial) -> Value {
    json!({
        "file": trial.file,
        "seed": trial.seed(),
        "fold": trial.fold(),
        "epochs": trial.epochs(),
        "best_epoch": trial.best().map(|best| best.epoch),
        "overfits_from": trial.diagnosis().and_then(|diagnosis| diagnosis.overfits_from),
        "val_loss_rise": trial.diagnosis().and_then(|diagnosis| diagnosis.val_loss_rise),
        "generalization_gap": trial.diagnosis().and_then(|diagnosis| diagnosis.generalization_gap),
        "gap": trial.diagnosis().and_then(|diagnosis| diagnosis.val_loss_rise), // its name in earlier versions
        "verdict": trial.verdict(),
        "findings": trial.diagnosis().map(|diagnosis| &diagnosis.findings),
    })
}

/// The difference of a group by a figure, where that was tested.
fn tested<'a>(comparison: &'a Comparison, figure: &str, place: usize) -> Option<&'a Difference> {
    comparison.tests.iter().find(|test| test.figure == figure)?.groups[place].as_ref()
}

/// A line for each figure of each group.
pub(crate) fn csv(groups: &[Group], comparison: &Comparison) -> String {
    const HEADER: &str = "run,figure,n,mean,std,low,high,min,max,best,difference,difference_low,difference_high,p,p_holm,hedges_g,superiority,verdict,caution";
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let mut lines = vec![HEADER.to_owned()];
    for figure in &comparison.figures {
        for (place, group) in groups.iter().enumerate() {
            let caution = caution(group, figure, place);
            let Some(sample) = &figure.groups[place] else {
                // it is in no mean: of 0 trials
                lines.extend(figure.without_mean[place].map(|value| {
                    format!("{},{},0,{value},,,,,,false,,,,,,,,,{caution}", quoted(&group.label), quoted(&figure.name))
                }));
                continue;
            };
            let tested = tested(comparison, &figure.name, place);
            let base = figure.groups[comparison.baseline].as_ref().filter(|_| place != comparison.baseline);
            let of = |value: fn(&Difference) -> Option<f64>| number(tested.and_then(value));
            let cells = [
                quoted(&group.label),
                quoted(&figure.name),
                sample.n.to_string(),
                sample.mean.to_string(),
                number(sample.std),
                number(sample.interval.map(|interval| interval.low)),
                number(sample.interval.map(|interval| interval.high)),
                sample.min.to_string(),
                sample.max.to_string(),
                figure.best[place].to_string(),
                tested.map_or_else(
                    || number(base.map(|base| sample.mean - base.mean)),
                    |difference| difference.difference.to_string(),
                ),
                of(|d| Some(d.interval?.low)),
                of(|d| Some(d.interval?.high)),
                of(|d| d.p),
                of(|d| d.corrected),
                of(|d| d.hedges_g),
                of(|d| d.superiority),
                tested
                    .and_then(|d| Some(serde_json::to_value(d.verdict).ok()?.as_str()?.to_owned()))
                    .unwrap_or_default(),
                caution,
            ];
            lines.push(cells.join(","));
        }
    }
    lines.join("\n")
}

/// Why a group's figure is not what it looks like, in a few words.
fn caution(group: &Group, figure: &Figure, place: usize) -> String {
    let (diverged, all) = (group.trials.iter().filter(|trial| trial.has_diverged()).count(), group.trials.len());
    match diverged {
        0 if figure.without_mean[place].is_some() => "not finite".to_owned(),
        0 => String::new(),
        _ if diverged == all => "diverged".to_owned(),
        _ => format!("{diverged} of {all} trials diverged"),
    }
}

/// A cell of a CSV file.
pub(in crate::cli) fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Tables as Markdown has them: settings, figures, differences, cautions.
pub(crate) fn markdown(groups: &[Group], comparison: &Comparison, all: bool) -> String {
    let labels: Vec<String> = groups.iter().map(|group| group.label.clone()).collect();
    let header = |first: &str| [vec![first.to_owned()], labels.clone()].concat();
    let mut parts = Vec::new();
    let shown = if all { settings(groups) } else { differing(groups) };
    if !shown.is_empty() {
        let row = |setting: &Setting| {
            let values = setting.values.iter().map(|value| cut(value.as_deref().unwrap_or("–"), 80));
            [vec![setting.key.clone()], values.collect()].concat()
        };
        parts.push(rows(&header("setting"), shown.iter().map(row)));
    }
    let row = |figure: &Figure| {
        let cell = |place: usize| {
            let text = cell(figure, place);
            if figure.best[place] { format!("**{text}**") } else { text }
        };
        [vec![words(&figure.name)], (0..groups.len()).map(cell).collect()].concat()
    };
    parts.push(rows(&header("figure"), comparison.figures.iter().map(row)));
    for test in comparison.tests.iter().filter(|test| test.groups.iter().any(Option::is_some)) {
        let row = |(place, difference): (usize, &Option<Difference>)| {
            let d = difference.as_ref()?;
            let said_p = |value: Option<f64>| value.map_or("–".to_owned(), p);
            let interval = d.interval.map(|interval| format!("{} to {}", signed(interval.low), signed(interval.high)));
            Some(vec![
                labels[place].clone(),
                signed(d.difference),
                interval.unwrap_or("–".to_owned()),
                said_p(d.p),
                said_p(d.corrected),
                d.hedges_g.map_or("–".to_owned(), |g| format!("{g:+.2}")),
                d.verdict.words().to_owned(),
            ])
        };
        let figure = format!("{} against {}", words(&test.figure), labels[comparison.baseline]);
        let header = [figure.as_str(), "Δ", "95 % interval", "p", "p (Holm)", "g", "which is"].map(str::to_owned);
        parts.push(rows(&header, test.groups.iter().enumerate().filter_map(row)));
    }
    parts.extend(comparison.cautions.iter().map(|caution| format!("Caution: {caution}.")));
    parts.join("\n\n")
}

/// A table of Markdown.
pub(in crate::cli) fn rows(header: &[String], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule = format!("|{}", "---|".repeat(header.len()));
    [line(header), rule].into_iter().chain(rows.map(|row| line(&row))).collect::<Vec<_>>().join("\n")
}
