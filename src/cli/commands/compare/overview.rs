//! Overview of the compared groups: trials, epochs, diagnosis, and the paths of their files.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::compare::group::Group;
use crate::compare::settings::format_seeds;
use crate::compare::statistics::mean;
use crate::compare::trial::{Record, Trial};
use crate::history::diagnosis::Verdict;

/// Returns the table of the groups and the paths of their files below it.
pub(crate) fn render(groups: &[Group], page: TextStyle) -> String {
    let words = |header: &str, cell: &dyn Fn(&Group) -> String| Column::words(header, groups.iter().map(cell));
    let numbers = |header: &str, cell: &dyn Fn(&Group) -> String| {
        Column::numbers(header, groups.iter().map(|group| Cell { text: cell(group), is_best: false }))
    };
    let labels = Column::words("run", groups.iter().map(|group| group.label.clone()));
    let columns = vec![
        vec![words("trials", &trials)],
        vec![numbers("epochs", &epochs)],
        vec![
            numbers("best epoch", &best_epoch),
            numbers("overfits from", &|group| {
                trial_range(group, |trial| Some(trial.diagnosis()?.overfits_from? as f64))
            }),
            numbers("val_loss rise", &|group| {
                number_format::metric(mean_of_trials(group, |trial| trial.diagnosis()?.val_loss_rise))
            }),
        ],
        vec![words("diagnosis", &diagnosis)],
    ];
    let mut lines = Fitted::new(labels, columns).tables(page);
    lines.push(locations(groups).join("\n"));
    lines.join("\n\n")
}

/// Returns the paths of the groups: one line for each folder with several groups, and one for each other group.
pub(super) fn locations(groups: &[Group]) -> Vec<String> {
    let mut by_folder: IndexMap<Option<PathBuf>, Vec<&Group>> = IndexMap::new();
    for group in groups {
        by_folder.entry(common_folder(group)).or_default().push(group);
    }
    let line = |(folder, groups): (Option<PathBuf>, Vec<&Group>)| match (&folder, &groups[..]) {
        (Some(folder), [_, _, ..]) => vec![format!("{} groups: {}", groups.len(), folder.display())],
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

/// Returns the number of trials and their seeds, or the format of a foreign history.
pub(super) fn trials(group: &Group) -> String {
    let n = group.trials.len();
    if let Some(Record::Foreign(read)) = group.trials.first().map(|trial| &trial.record) {
        let format = read.foreign.format.word();
        return if n == 1 { format.to_owned() } else { format!("{n} × {format}") };
    }
    let seeds = group.seeds();
    let folds = group.trials.iter().filter_map(Trial::fold).max().map(|last| format!(", {} folds", last + 1));
    let seeds = match seeds.len() {
        1 => format!("seed {}", seeds[0]),
        _ => format!("{} seeds: {}", seeds.len(), format_seeds(&seeds)),
    };
    format!("{seeds}{}", folds.unwrap_or_default())
}

/// Returns the mean of a value over the trials that have it.
fn mean_of_trials(group: &Group, value: impl Fn(&Trial) -> Option<f64>) -> Option<f64> {
    Some(group.plotted_values(value)).filter(|values| !values.is_empty()).map(|values| mean(&values))
}

/// Returns the number of epochs, or the range of the trials' numbers of epochs. Diverged trials are included.
pub(super) fn epochs(group: &Group) -> String {
    range(group, &group.trials.iter().map(|trial| trial.epochs() as f64).collect::<Vec<_>>())
}

/// Returns the best epoch, or the range of the trials' best epochs.
pub(super) fn best_epoch(group: &Group) -> String {
    trial_range(group, |trial| Some(trial.best()?.epoch as f64))
}

/// Returns the range of a whole number over trials.
fn trial_range(group: &Group, value: impl Fn(&Trial) -> Option<f64>) -> String {
    range(group, &group.plotted_values(value))
}

/// Returns the common value of all trials, or the smallest and largest value. If not all trials have a value, adds how many
/// do.
fn range(group: &Group, values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let count = if values.len() < group.trials.len() {
        format!(" ({} of {})", values.len(), group.trials.len())
    } else {
        String::new()
    };
    match values.len() {
        0 => "–".to_owned(),
        _ if low == high => format!("{low}{count}"),
        _ => format!("{low}–{high}{count}"),
    }
}

/// Returns the most frequent diagnosis of the trials, with its count if others differ.
pub(super) fn diagnosis(group: &Group) -> String {
    let verdicts: Vec<Verdict> = group.trials.iter().filter_map(Trial::verdict).collect();
    let count = |verdict: Verdict| verdicts.iter().filter(|other| **other == verdict).count();
    let most = Verdict::ALL.into_iter().rev().max_by_key(|verdict| count(*verdict)).filter(|_| !verdicts.is_empty());
    match most {
        None => "–".to_owned(),
        Some(most) if count(most) == group.trials.len() => most.word().to_owned(),
        Some(most) => format!("{} {}/{}", most.word(), count(most), group.trials.len()),
    }
}

/// Returns the folder of all histories of a group, if it is the same.
fn common_folder(group: &Group) -> Option<PathBuf> {
    let folder = group.trials.first()?.file.parent()?;
    let all = group.trials.iter().all(|trial| trial.file.parent() == Some(folder));
    all.then(|| folder.to_path_buf()).filter(|folder| folder != Path::new(""))
}
