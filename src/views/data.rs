//! Sections about the data, the environment, and the command that reproduces the run.

use std::path::Path;

use crate::compare::group::Group;
use crate::compare::trial::Trial;
use crate::history::number::count;
use crate::history::{DataRecord, Environment, History};
use crate::views::document::block::{Block, Section, callout};
use crate::views::document::statistic::MISSING;
use crate::views::document::table::{Cell, Table};

/// Number of classes that are named.
const MAX_CLASSES: usize = 12;

/// Returns the distinct values, each with the labels of the groups that have it; `all` for all of them.
fn distinct<'a, T: PartialEq>(groups: &'a [Group], value: impl Fn(&'a History) -> T) -> Vec<(T, String)> {
    let mut found: Vec<(T, Vec<&str>)> = Vec::new();
    for group in groups {
        for history in group.trials.iter().filter_map(Trial::history) {
            let this = value(history);
            let place = found.iter().position(|(other, _)| *other == this).unwrap_or_else(|| {
                found.push((this, Vec::new()));
                found.len() - 1
            });
            if !found[place].1.contains(&group.label.as_str()) {
                found[place].1.push(&group.label);
            }
        }
    }
    let label_list =
        |labels: Vec<&str>| if labels.len() == groups.len() { "all".to_owned() } else { labels.join(", ") };
    found.into_iter().map(|(value, labels)| (value, label_list(labels))).collect()
}

/// Returns the data section; `None` if no group was trained by runner.
pub fn section(groups: &[Group]) -> Option<Section> {
    let found = distinct(groups, |history| &history.data);
    let leak = found.iter().find_map(|(data, _)| data.resample.as_ref()?.leak.clone());
    let mut blocks: Vec<Block> =
        callout(true, "Data leakage: test rows leak into training", Vec::from_iter(leak)).into_iter().collect();
    let heads = ["of", "data set", "training rows", "validation rows", "test rows", "classes", "resampled", "SHA-256"];
    let first = usize::from(groups.len() < 2);
    let mut table = Table::new("Training data", heads.into_iter().skip(first), 2 - first..5 - first);
    for (data, labels) in &found {
        let rows = |rows: usize| if rows == 0 { "none".to_owned() } else { count(rows) };
        let short: String = data.sha256.chars().take(16).collect();
        let [train, validation, test] = [data.rows.train, data.rows.validation, data.rows.test].map(rows);
        let cells = [labels.clone(), data.name.clone(), train, validation, test, classes(data), resampled(data)];
        let cells = cells.map(Cell::Text).into_iter().chain([Cell::Code(format!("{short}…"))]);
        table.row(cells.skip(first));
    }
    blocks.push(Block::Table(table.filled()?));
    let sums = distinct(groups, |history| (history.data.name.as_str(), history.data.sha256.as_str()));
    let sums = sums.iter().filter(|((_, sum), _)| !sum.is_empty());
    blocks.extend(sums.map(|((name, sum), _)| Block::Note(format!("SHA-256 over the files of {name}: {sum}"))));
    Some(Section { id: "data", title: "Data", blocks })
}

fn classes(data: &DataRecord) -> String {
    match data.classes.len() {
        0 => MISSING.to_owned(),
        few if few <= MAX_CLASSES => data.classes.join(", "),
        many => format!("{many}: {}, …", data.classes[..MAX_CLASSES].join(", ")),
    }
}

fn resampled(data: &DataRecord) -> String {
    let Some(resample) = &data.resample else { return "no".to_owned() };
    let when = if resample.before_split { "all rows, before the split" } else { "training rows" };
    let counts = |counts: &[u64]| counts.iter().map(|&c| count(c as usize)).collect::<Vec<_>>().join(" / ");
    format!("{}, {when}: {} → {}", resample.method.replace('_', " "), counts(&resample.from), counts(&resample.to))
}

/// Returns the numbers of rows that are not 0: `42,000 training, 10,000 test rows`.
pub fn describe_rows(data: &DataRecord) -> String {
    let rows = [("training", data.rows.train), ("validation", data.rows.validation), ("test", data.rows.test)];
    let rows = rows.into_iter().filter(|(_, rows)| *rows > 0).map(|(part, rows)| format!("{} {part}", count(rows)));
    format!("{} rows", rows.collect::<Vec<_>>().join(", "))
}

/// Returns the device, with its precision and determinism settings if they are not the defaults.
fn device(environment: &Environment) -> String {
    let precision = environment.precision.as_deref().filter(|precision| *precision != "float32");
    let deterministic = environment.deterministic.unwrap_or(false).then_some("deterministic");
    let words: Vec<&str> = [environment.device.as_str()].into_iter().chain(precision).chain(deterministic).collect();
    words.join(", ")
}

/// Returns the section with the environment and the command that runs it again; `None` if no group was trained by
/// runner.
pub fn environment(groups: &[Group]) -> Option<Section> {
    let environments = distinct(groups, |history| &history.environment);
    let commands = distinct(groups, |history| command(history, groups));
    let mut blocks = Vec::new();
    let several = commands.len() > 1;
    for (number, (command, labels)) in commands.into_iter().enumerate() {
        blocks.extend(several.then_some(Block::Note(labels)));
        blocks.push(Block::Command(number, command));
    }
    if distinct(groups, |history| recorded_command(history).is_none()).iter().any(|(is_unknown, _)| *is_unknown) {
        let note = "A history of an older version of runner does not record the command; experiment.toml in the run directory has all settings.";
        blocks.push(Block::Note(note.to_owned()));
    }
    let heads = ["of", "runner", "commit", "libtorch", "device", "threads", "system", "trained together"];
    let first = usize::from(environments.len() < 2);
    let mut table = Table::new("Environment", heads.into_iter().skip(first), 0..0);
    for (environment, labels) in environments {
        let Environment { runner, commit, libtorch, os, .. } = environment.clone();
        let (threads, replicas) = (environment.threads.to_string(), environment.replicas.to_string());
        let cells = [labels, runner, commit, libtorch, device(environment), threads, os, replicas];
        table.row(cells.into_iter().skip(first));
    }
    blocks.push(Block::Table(table.filled()?));
    Some(Section { id: "environment", title: "Run it again", blocks })
}

fn recorded_command(history: &History) -> Option<&str> {
    history.asked.as_ref()?.command.as_deref()
}

/// Returns the command that runs it again; if the history lacks it, one that uses the run's `experiment.toml`.
fn command(history: &History, groups: &[Group]) -> String {
    if let Some(command) = recorded_command(history) {
        return command.to_owned();
    }
    let mut trials = groups.iter().flat_map(|group| &group.trials);
    let trial = trials.find(|trial| trial.history().is_some_and(|other| std::ptr::eq(other, history)));
    let folder = trial.and_then(|trial| trial.file.parent()).unwrap_or(Path::new("."));
    format!("runner exp {}", folder.join("experiment.toml").display())
}
