//! What is compared: each group with its trials, how they ended and read, and where they are.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::cli::text::column_layout::{Cell, Column, Fitted};
use crate::cli::text::number_format;
use crate::cli::text::page::Page;
use crate::compare::group::Group;
use crate::compare::positive_class;
use crate::compare::settings::seeds_in_words;
use crate::compare::statistics::mean;
use crate::compare::trial::{Record, Trial};
use crate::history::diagnosis::Verdict;

/// The table of the groups.
pub(crate) fn text(groups: &[Group], baseline: usize, page: Page) -> String {
    let words = |header: &str, cell: &dyn Fn(&Group) -> String| Column::words(header, groups.iter().map(cell));
    let numbers = |header: &str, cell: &dyn Fn(&Group) -> String| {
        Column::numbers(header, groups.iter().map(|group| Cell { text: cell(group), is_best: false }))
    };
    let fitted = Fitted {
        labels: Column::words("run", groups.iter().map(|group| group.label.clone())),
        groups: vec![
            vec![words("trials", &trials)],
            vec![numbers("epochs", &|group| range(group, &epochs(group)))],
            vec![
                numbers("best epoch", &|group| over(group, |trial| Some(trial.best()?.epoch as f64))),
                numbers("overfits from", &|group| over(group, |trial| Some(trial.diagnosis()?.overfits_from? as f64))),
                numbers("val_loss rise", &|group| {
                    number_format::metric(average(group, |trial| trial.diagnosis()?.val_loss_rise))
                }),
            ],
            vec![words("reading", &reading)],
        ],
        spare: Vec::new(),
        closing: None,
    };
    let mut lines = fitted.tables(page);
    lines.push(format!("baseline: {}\n{}", groups[baseline].label, places(groups).join("\n")));
    lines.extend(positive_class::in_words(groups).map(|positive| page.wrapped(&positive, 2)));
    lines.join("\n\n")
}

/// Where they are: a line for each folder that several of them lie in, and for each of the others.
fn places(groups: &[Group]) -> Vec<String> {
    let mut by_folder: IndexMap<Option<PathBuf>, Vec<&Group>> = IndexMap::new();
    for group in groups {
        by_folder.entry(folder(group)).or_default().push(group);
    }
    let line = |(folder, groups): (Option<PathBuf>, Vec<&Group>)| match (&folder, &groups[..]) {
        (Some(folder), [_, _, ..]) => vec![format!("{} of them: {}", groups.len(), folder.display())],
        (Some(folder), [group]) if group.trials.len() > 1 => vec![format!("{}: {}", group.label, folder.display())],
        _ => groups
            .into_iter()
            .map(|group| match &group.trials[..] {
                [trial] => format!("{}: {}", group.label, trial.file.display()),
                trials => format!("{}: {} files", group.label, trials.len()),
            })
            .collect(),
    };
    by_folder.into_iter().flat_map(line).collect()
}

/// How many trials there are, and their seeds.
fn trials(group: &Group) -> String {
    let n = group.trials.len();
    if let Some(Record::Foreign(read)) = group.trials.first().map(|trial| &trial.record) {
        let word = read.foreign.format.word();
        return if n == 1 { word.to_owned() } else { format!("{n} × {word}") };
    }
    let seeds = group.seeds();
    let folds = group.trials.iter().filter_map(Trial::fold).max().map(|last| format!(", {} folds", last + 1));
    let seeds = match seeds.len() {
        1 => format!("seed {}", seeds[0]),
        _ => format!("{} seeds: {}", seeds.len(), seeds_in_words(&seeds)),
    };
    format!("{seeds}{}", folds.unwrap_or_default())
}

fn average(group: &Group, figure: impl Fn(&Trial) -> Option<f64>) -> Option<f64> {
    Some(group.drawn_values(figure)).filter(|values| !values.is_empty()).map(|values| mean(&values))
}

/// How many epochs each trial had, diverged ones as well.
fn epochs(group: &Group) -> Vec<f64> {
    group.trials.iter().map(|trial| trial.epochs() as f64).collect()
}

/// Whole numbers over trials.
fn over(group: &Group, figure: impl Fn(&Trial) -> Option<f64>) -> String {
    range(group, &group.drawn_values(figure))
}

/// The number that all trials have, or from the lowest to the highest; and how many have one, where not all do.
fn range(group: &Group, values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let some = if values.len() < group.trials.len() {
        format!(" ({} of {})", values.len(), group.trials.len())
    } else {
        String::new()
    };
    match values.len() {
        0 => "–".to_owned(),
        _ if low == high => format!("{low}{some}"),
        _ => format!("{low}–{high}{some}"),
    }
}

/// What the curves show: the most frequent verdict, with its count where there are others.
fn reading(group: &Group) -> String {
    let verdicts: Vec<Verdict> = group.trials.iter().filter_map(Trial::verdict).collect();
    let count = |verdict: Verdict| verdicts.iter().filter(|other| **other == verdict).count();
    let most = Verdict::ALL.into_iter().rev().max_by_key(|verdict| count(*verdict)).filter(|_| !verdicts.is_empty());
    match most {
        None => "–".to_owned(),
        Some(most) if count(most) == group.trials.len() => most.word().to_owned(),
        Some(most) => format!("{} {}/{}", most.word(), count(most), group.trials.len()),
    }
}

/// The folder that all its histories lie in.
fn folder(group: &Group) -> Option<PathBuf> {
    let folder = group.trials.first()?.file.parent()?;
    let all = group.trials.iter().all(|trial| trial.file.parent() == Some(folder));
    all.then(|| folder.to_path_buf()).filter(|folder| folder != Path::new(""))
}
