//! Section with all metrics by variant (first, best and last epoch; test rows in a separate table), and a table of all
//! trials.

use crate::compare::group::{Group, describe_test_weights};
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::{Record, Trial};
use crate::history::number::{of_name, seconds};
use crate::views::classes::confusion::tests;
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::{MISSING, mean_and_std, range};
use crate::views::document::table::{Cell, Table};
use crate::views::variant;

/// Metrics that the table of all trials shows, the first four that any trial has.
const MAIN: [&str; 8] =
    ["test.acc", "test.f1", "test.r2", "test.loss", "best.val_acc", "best.val_loss", "last.acc", "last.loss"];

/// Returns the section.
pub fn section(groups: &[Group]) -> Section {
    let parts = groups.iter().map(|group| (group.label.clone(), of_group(group)));
    let parts: Vec<(String, Vec<Block>)> = parts.filter(|(_, tables)| !tables.is_empty()).collect();
    let metrics = match parts.is_empty() {
        true => Block::Note("No metrics were recorded.".to_owned()),
        false => Block::ByGroup(parts),
    };
    let trials: usize = groups.iter().map(|group| group.trials.len()).sum();
    let table = Block::Table(each_trial(groups));
    let each = match trials {
        1 => table,
        trials => Block::Folded(format!("Each of the {trials} trials"), vec![table]),
    };
    Section { id: "metrics", title: "Metrics", blocks: vec![metrics, each] }
}

/// Returns the tables of a group's metrics.
pub fn of_group(group: &Group) -> Vec<Block> {
    let n = group.trials.len();
    let sample = |metric: &str| Sample::from_values(&group.values(|trial| trial.metric_value(metric)));
    let is_at_once = group.trials.iter().all(|trial| trial.epochs() <= 1);
    let epoch = |low: f64, high: f64| format!(" ({})", range(low, high, "–"));
    let best = sample("best.epoch").map_or(String::new(), |epochs| epoch(epochs.min, epochs.max));
    let epochs = || group.trials.iter().map(Trial::epochs);
    let last = epochs().min().zip(epochs().max()).map_or(String::new(), |(low, high)| epoch(low as f64, high as f64));
    let has_best = group.trials.iter().any(|trial| trial.best().is_some());
    let columns = match is_at_once {
        true => vec![("last", "training and validation rows".to_owned())],
        false => [
            Some(("first", "first epoch".to_owned())),
            has_best.then(|| ("best", format!("best epoch{best}"))),
            Some(("last", format!("last epoch{last}"))),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    let of = if n > 1 { format!(", mean ± standard deviation over {n} trials") } else { String::new() };
    let threshold = sample("test.threshold.value");
    let default = if threshold.is_some() { "; at the default threshold" } else { "" };
    let weights = tests(group).next().filter(|_| !is_at_once);
    let weights = weights.map_or(String::new(), |test| format!(", weights of the {} epoch", test.weights));
    let threshold = threshold.map(|threshold| format!(", at the chosen threshold ({})", mean_and_std(&threshold)));
    let of_test = format!("{}: test rows{weights}{}{of}", group.label, threshold.unwrap_or_default());
    let tables = [
        by_epoch(group, format!("{}{of}{default}", group.label), &columns, &group.metrics()),
        by_epoch(group, of_test, &[("test", "test rows".to_owned())], &group.tested()),
    ];
    tables.into_iter().filter_map(Table::filled).map(Block::Table).collect()
}

/// Returns a table with these metrics in these epochs.
fn by_epoch(group: &Group, caption: String, columns: &[(&str, String)], names: &[&str]) -> Table {
    let heads = std::iter::once("metric").chain(columns.iter().map(|(_, head)| head.as_str()));
    let mut table = Table::new(caption, heads, 1..);
    for name in names {
        let values = columns.iter().map(|(when, _)| {
            let metric = format!("{when}.{name}");
            let sample = Sample::from_values(&group.values(|trial| trial.metric_value(&metric)));
            let not_finite = || group.trials.iter().find_map(|trial| trial.metric_value(&metric));
            let shown = sample.map(|sample| mean_and_std(&sample));
            shown.or_else(|| not_finite().map(|value| of_name(name, value))).unwrap_or_else(|| MISSING.to_owned())
        });
        table.row(std::iter::once((*name).to_owned()).chain(values));
    }
    table
}

/// Returns a table with a row for each trial.
fn each_trial(groups: &[Group]) -> Table {
    let trials = || groups.iter().flat_map(|group| &group.trials);
    let is_there = |name: &&str| trials().any(|trial| trial.metric_value(name).is_some());
    let metrics: Vec<&str> = MAIN.into_iter().filter(is_there).take(4).collect();
    // Test metrics belong to the saved weights, which may be of another epoch, and to a threshold; do not mix them with
    // others.
    let is_tested = metrics.first().is_some_and(|name| name.starts_with("test."));
    let metrics: Vec<&str> = metrics.into_iter().filter(|name| name.starts_with("test.") == is_tested).collect();
    let mut heads = ["trial", "status", "epochs", "best"].map(str::to_owned).to_vec();
    heads.extend(metrics.iter().map(|name| name.replacen('.', " ", 1)));
    heads.extend(["time", "diagnosis", "file"].map(str::to_owned));
    let several = groups.len() > 1;
    let of = if is_tested { format!("; test rows: {}", describe_test_weights(groups)) } else { String::new() };
    let mut table = Table::new(format!("Every trial{of}"), heads, 2..5 + metrics.len());
    for (place, group) in groups.iter().enumerate() {
        for trial in &group.trials {
            let label = match (several, group.trials.len()) {
                (true, 1) => Cell::Label(place, group.label.clone()),
                (true, _) => Cell::Label(place, format!("{}, {}", group.label, trial.name())),
                (false, _) => trial.name().into(),
            };
            let status = match &trial.record {
                Record::Runner(history) => history.status.word(),
                Record::Foreign(read) => read.foreign.format.word(),
            };
            let best = trial.best().map_or(MISSING.to_owned(), |best| best.epoch.to_string());
            let mut cells = vec![label, status.into(), trial.epochs().to_string().into(), best.into()];
            cells.extend(metrics.iter().map(|metric| {
                Cell::Text(trial.metric_value(metric).map_or(MISSING.to_owned(), |value| of_name(metric, value)))
            }));
            let time = trial.history().map_or(MISSING.to_owned(), |history| seconds(history.seconds));
            cells.extend([time.into(), Cell::Badges(Vec::from_iter(variant::badge(trial))), Cell::Code(file(trial))]);
            table.row(cells);
        }
    }
    table
}

/// Returns the path of a trial's file within its run; parent folders are private and left out.
fn file(trial: &Trial) -> String {
    let path = trial.file.canonicalize().unwrap_or_else(|_| trial.file.clone());
    let parts: Vec<String> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let kept = if trial.history().is_some() { 3 } else { 2 };
    parts[parts.len().saturating_sub(kept)..].join("/")
}
