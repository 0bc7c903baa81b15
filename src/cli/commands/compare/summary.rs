//! Table of the groups: the settings that differ and the main metrics. Columns that do not fit are counted.

use std::collections::HashSet;

use indexmap::IndexSet;

use crate::cli::commands::compare::overview;
use crate::cli::commands::compare::screen::Screen;
use crate::cli::commands::compare::table::{metric_cell, metric_label};
use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::fit;
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::MetricComparison;
use crate::compare::differing_settings::{Setting, differing, main_differences, settings};
use crate::compare::group::describe_test_weights;
use crate::compare::metric_name::metric_of;
use crate::compare::positive_class;

/// Maximum number of metrics, unless more are tested.
const MAX_METRICS: usize = 5;

/// Maximum number of names of settings that are not shown.
const MAX_NAMES: usize = 4;

/// Returns the table with notes below it.
pub(crate) fn render(screen: &Screen, page: TextStyle) -> String {
    let differences = main_differences(&screen.groups);
    let metrics = main_metrics(screen);
    let ranked_by = screen.comparison.ranked_by().map(|metric| metric.name.as_str());
    let (mut columns, too_wide) = setting_columns(&differences, screen, page);
    let count = columns.len();
    let mut other_metrics = 0;
    for (place, metric) in metrics.iter().enumerate() {
        let is_tested = screen.comparison.tests.iter().any(|test| test.metric == metric.name);
        let rank = match (place, is_tested || Some(metric.name.as_str()) == ranked_by) {
            (0, _) => 0,
            (_, true) => 1,
            _ => {
                other_metrics += 1;
                3 + 2 * other_metrics
            }
        };
        let cells = screen.shown.iter().map(|&place| metric_cell(metric, place));
        columns.push((rank, Column::numbers(metric_label(&metric.name), cells)));
    }
    columns.extend(trial_columns(screen));
    let (table, left_out) = fit(&screen.labels(page), &columns, page);
    let is_left_out = |place: usize| left_out.contains(&place);
    let shown_metrics: Vec<&MetricComparison> =
        (0..metrics.len()).filter(|place| !is_left_out(count + place)).map(|place| metrics[place]).collect();
    let headers = (0..count).filter(|&place| is_left_out(place)).map(|place| columns[place].1.header().to_owned());
    let hidden_settings: Vec<String> = headers.chain(too_wide).collect();
    let differ = differing(&screen.groups).len();
    let legend = [marks(&shown_metrics, screen, page), hidden(&hidden_settings, shown_metrics.len(), differ, screen)];
    let mut lines = vec![table];
    if metrics.is_empty() {
        lines.push("no metrics: no epoch was completed".to_owned());
    }
    lines.extend(legend.iter().filter(|parts| !parts.is_empty()).map(|parts| page.wrapped(&parts.join("; "), 2)));
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n")
}

/// Returns the metrics to show, the most important one first: the tested ones, the one that ranks the groups, the main
/// metric and the loss on each part of the data, then others.
pub(super) fn main_metrics(screen: &Screen) -> Vec<&MetricComparison> {
    let comparison = &screen.comparison;
    let tests = &comparison.tests;
    let base = |name: &str| metric_of(name).trim_start_matches("val_").to_owned();
    let main = tests.first().map_or_else(|| "loss".to_owned(), |test| base(&test.metric));
    let mut names: IndexSet<String> = tests.iter().map(|test| test.metric.clone()).collect();
    names.extend(comparison.ranked_by().map(|metric| metric.name.clone()));
    let others = comparison.metrics.iter().map(|metric| base(&metric.name));
    for metric in [main, "loss".to_owned()].into_iter().chain(others) {
        let is_there = |name: &String| comparison.metric(name).is_some_and(MetricComparison::is_there);
        let of_curves = [format!("best.val_{metric}"), format!("best.{metric}"), format!("last.{metric}")];
        names.extend(of_curves.into_iter().find(is_there));
        names.extend(Some(format!("test.{metric}")).filter(is_there));
    }
    let is_shown = |metric: &&MetricComparison| screen.shown.iter().any(|&place| metric.value(place).is_some());
    let found = names.iter().filter_map(|name| comparison.metric(name)).filter(is_shown);
    found.take(MAX_METRICS.max(tests.len())).collect()
}

/// Returns the columns of the settings with their ranks, and the names of those that are too wide. If there is not enough
/// room, a setting with more different values comes before others, and one of the network or the training before one of the
/// data.
fn setting_columns(differing: &[Setting], screen: &Screen, page: TextStyle) -> (Vec<(usize, Column)>, Vec<String>) {
    let values = |setting: &Setting| -> Vec<Option<String>> {
        screen.shown.iter().map(|&place| setting.values[place].clone()).collect()
    };
    let distinct = |setting: &Setting| values(setting).into_iter().collect::<HashSet<_>>().len();
    let mut by_rank: Vec<usize> = (0..differing.len()).collect();
    let is_of_data = |setting: &Setting| setting.key.starts_with("data.");
    by_rank.sort_by_key(|&place| (std::cmp::Reverse(distinct(&differing[place])), is_of_data(&differing[place])));
    let (mut columns, mut too_wide) = (Vec::new(), Vec::new());
    for (place, setting) in differing.iter().enumerate() {
        let name = short_key(&setting.key, differing);
        let Some(cells) = shortened(&values(setting), page.width * 2 / 5) else {
            too_wide.push(name);
            continue;
        };
        let rank = by_rank.iter().position(|&other| other == place).unwrap_or_default();
        columns.push((2 + 2 * rank, Column::values(name, cells)));
    }
    (columns, too_wide)
}

/// Returns the end of a key that no other key has: `lr` for `train.optimizer.adam.lr`.
fn short_key(key: &str, settings: &[Setting]) -> String {
    let parts: Vec<&str> = key.split('.').collect();
    let end = |length: usize| parts[parts.len() - length..].join(".");
    let is_unique = |end: &str| {
        let ends_so = |setting: &&Setting| setting.key == end || setting.key.ends_with(&format!(".{end}"));
        settings.iter().filter(ends_so).count() == 1
    };
    let starts_with_a_name = |end: &str| end.starts_with(|letter: char| !letter.is_ascii_digit() && letter != '*');
    (1..=parts.len()).map(end).find(|end| is_unique(end) && starts_with_a_name(end)).unwrap_or_else(|| key.to_owned())
}

/// Returns the values as cells. If one is wider than `most`, the parts of a list that all have in common at its start and
/// end become `…`; `None` if that is not enough.
fn shortened(values: &[Option<String>], most: usize) -> Option<Vec<String>> {
    let fits = |cells: &[String]| cells.iter().all(|cell| cell.chars().count() <= most);
    let whole: Vec<String> = values.iter().map(|value| value.clone().unwrap_or_else(|| "–".to_owned())).collect();
    if fits(&whole) {
        return Some(whole);
    }
    let lists: Vec<Vec<&str>> = values.iter().flatten().map(|value| value.split(", ").collect()).collect();
    let shortest = lists.iter().map(Vec::len).min()?;
    let same =
        |index: &dyn Fn(&Vec<&str>) -> usize| lists.iter().all(|list| list[index(list)] == lists[0][index(&lists[0])]);
    let start = (0..shortest).take_while(|&place| same(&|_| place)).count();
    let end = (0..shortest - start).take_while(|&place| same(&|list| list.len() - 1 - place)).count();
    // something remains of each list
    let (start, end) = match shortest - start - end {
        0 if start > 0 => (start - 1, end),
        0 => (start, end.saturating_sub(1)),
        _ => (start, end),
    };
    let cell = |value: &Option<String>| {
        let Some(value) = value else { return "–".to_owned() };
        let list: Vec<&str> = value.split(", ").collect();
        let [before, after] = [start, end].map(|left_out| (left_out > 0).then_some("…"));
        let kept = list[start..list.len() - end].iter().copied();
        before.into_iter().chain(kept).chain(after).collect::<Vec<_>>().join(", ")
    };
    Some(values.iter().map(cell).collect()).filter(|cells: &Vec<String>| fits(cells))
}

/// Returns the columns about training: best epoch and diagnosis.
fn trial_columns(screen: &Screen) -> Vec<(usize, Column)> {
    let groups = || screen.shown.iter().map(|&place| &screen.groups[place]);
    let best_epoch = Column::numbers("best epoch", groups().map(overview::best_epoch).map(Cell::plain));
    let diagnosis = Column::words("diagnosis", groups().map(overview::diagnosis));
    [(12, best_epoch), (9, diagnosis)].into_iter().filter(|(_, column)| !column.is_empty()).collect()
}

/// Returns what the marks and headers mean.
fn marks(metrics: &[&MetricComparison], screen: &Screen, page: TextStyle) -> Vec<String> {
    let mut parts = Vec::new();
    if metrics.iter().any(|metric| screen.shown.iter().any(|&place| metric.best[place])) {
        let rows = if screen.comparison.has_validation { "validation" } else { "training" };
        parts.push(format!("{} = best value ({rows} rows)", if page.styled { "bold" } else { "*" }));
    }
    if screen.groups.iter().any(|group| group.trials.len() > 1) {
        parts.push("± = standard deviation".to_owned());
    }
    if metrics.iter().any(|metric| metric.name.starts_with("best.")) {
        parts.push("\"best\" columns: value in the best epoch".to_owned());
    }
    if metrics.iter().any(|metric| metric.name.starts_with("test.")) {
        parts.push(format!("test metrics: {}", describe_test_weights(&screen.groups)));
    }
    parts.extend(positive_class::describe(&screen.groups));
    parts
}

/// Returns what the table does not show.
fn hidden(hidden_settings: &[String], shown_metrics: usize, differ: usize, screen: &Screen) -> Vec<String> {
    let mut parts = Vec::new();
    let all = settings(&screen.groups).len();
    let metrics = screen.comparison.metrics.iter().filter(|metric| metric.is_there()).count() - shown_metrics;
    let mut not_shown = Vec::new();
    match hidden_settings {
        [] => {}
        [one] => not_shown.push(format!("the setting {one}")),
        several => {
            let more = if several.len() > MAX_NAMES { ", …" } else { "" };
            let names = several[..several.len().min(MAX_NAMES)].join(", ");
            not_shown.push(format!("{} settings that differ ({names}{more})", several.len()));
        }
    }
    not_shown.extend((metrics > 0).then(|| format!("{metrics} metric{}", if metrics == 1 { "" } else { "s" })));
    let known: Vec<&str> =
        screen.groups.iter().filter(|group| group.config().is_some()).map(|group| group.label.as_str()).collect();
    match known.len() {
        0 => parts.push("the settings of these runs are unknown".to_owned()),
        1 if screen.groups.len() > 1 => parts.push(format!("settings are known only for {}", known[0])),
        1 => {}
        _ if differ == 0 => parts.push("no setting differs".to_owned()),
        _ if all > differ => {
            let are = if all - differ == 1 { "setting is" } else { "settings are" };
            parts.push(format!("{} {are} the same", all - differ));
        }
        _ => {}
    }
    if !screen.all && !not_shown.is_empty() {
        parts.push(format!("not shown: {} (`--all`)", not_shown.join(", ")));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_as_short_as_is_unique() {
        let keys =
            ["train.batch", "train.optimizer.adam.lr", "train.optimizer.sgd.lr", "network.layers.0", "data.batch"];
        let settings: Vec<Setting> =
            keys.iter().map(|key| Setting { key: (*key).to_owned(), values: Vec::new() }).collect();
        let short: Vec<String> = keys[..4].iter().map(|key| short_key(key, &settings)).collect();
        assert_eq!(short, ["train.batch", "adam.lr", "sgd.lr", "layers.0"]);
        assert_eq!(short_key("train.batch", &settings[..2]), "batch");
    }

    #[test]
    fn values_that_are_too_wide_keep_what_differs() {
        let of = |values: &[&str], most: usize| {
            shortened(&values.iter().map(|value| Some((*value).to_owned())).collect::<Vec<_>>(), most)
        };
        let cells = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
        let layers = ["64, relu, 32, relu, 10", "64, relu, 16, relu, 10"];
        assert_eq!(of(&layers, 30), cells(&layers));
        assert_eq!(of(&layers, 10), cells(&["…, 32, …", "…, 16, …"]));
        let of_two_lengths = ["64, relu, 32, relu, 10", "64, relu, 10"];
        assert_eq!(of(&of_two_lengths, 20), cells(&["…, relu, 32, relu, …", "…, relu, …"]));
        assert_eq!(of(&of_two_lengths, 19), None);
    }
}
