//! Compares several variants: which is best on the validation rows, and whether the differences are significant.

use indexmap::IndexSet;

use crate::compare::comparison::{CompareOptions, Comparison, MetricComparison, MetricTest, compare};
use crate::compare::group::{Group, describe_test_weights};
use crate::compare::statistics::difference::{Difference, Significance, pairs_needed};
use crate::compare::statistics::sample::Sample;
use crate::history::diagnosis;
use crate::history::number::unsigned_zero;
use crate::views::document::badge::Badge;
use crate::views::document::block::{Block, callout};
use crate::views::document::statistic::{MISSING, mean_and_std, mean_and_std_of, range, signed, value_or_dash};
use crate::views::document::table::{Cell, RowKind, Table};

/// Number of best-epoch metrics in the summary, in addition to the tested ones.
const METRICS: usize = 2;

/// Returns the comparison with the group of this label, or with the first one.
pub fn blocks(groups: &[Group], baseline: Option<&str>) -> Vec<Block> {
    let options = CompareOptions { baseline: baseline.map(str::to_owned), ..CompareOptions::default() };
    let comparison = match compare(groups, &options) {
        Ok(comparison) => comparison,
        Err(error) => return vec![Block::Paragraph(format!("The runs cannot be compared: {error:#}"))],
    };
    let mut blocks: Vec<Block> = Vec::new();
    blocks.extend(comparison.tests.iter().map(|tested| conclusion(tested, &comparison, groups)));
    blocks.extend(metrics(groups, &comparison));
    let tests = comparison.tests.iter().filter_map(|tested| differences(tested, &comparison, groups));
    blocks.extend(tests.map(Block::Table));
    blocks.push(Block::Folded("All metrics side by side".to_owned(), all_metrics(groups, &comparison)));
    // Data leakage has its own box at the top, with the reason.
    let leaks: Vec<String> =
        groups.iter().filter(|group| group.leaks()).map(|group| format!("{}: data leakage", group.label)).collect();
    let is_told = |caution: &&String| leaks.iter().any(|leak| caution.starts_with(leak.as_str()));
    let cautions = comparison.cautions.iter().filter(|caution| !is_told(caution)).cloned().collect();
    blocks.extend(callout(false, "Cautions", cautions));
    blocks
}

/// Returns the columns of the summary: the metrics that were tested for significance, and metrics of the best epoch, on
/// validation rows if there are any. The table of all metrics shows the rest.
fn columns(comparison: &Comparison) -> IndexSet<&str> {
    let names = || comparison.metrics.iter().map(|figure| figure.name.as_str());
    let tested: Vec<&str> = comparison.tests.iter().map(|tested| tested.metric.as_str()).collect();
    let best = |prefix: &str| -> Vec<&str> { names().filter(|name| name.starts_with(prefix)).take(METRICS).collect() };
    let of_best = ["best.val_", "best.", "last."].into_iter().map(best).find(|names| !names.is_empty());
    tested.into_iter().chain(of_best.unwrap_or_default()).collect()
}

/// Returns the tables of the summary. Metrics on training and validation rows have one table, metrics on test rows
/// another, since these are measured with the saved weights at the chosen threshold.
fn metrics(groups: &[Group], comparison: &Comparison) -> Vec<Block> {
    let (tested, columns): (Vec<&str>, Vec<&str>) =
        columns(comparison).into_iter().partition(|name| name.starts_with("test."));
    let mut blocks = main_table(groups, comparison, &columns);
    blocks.extend((!tested.is_empty()).then(|| Block::Table(test_table(groups, comparison, &tested))));
    blocks
}

/// Returns whether a group is the baseline.
fn row_kind(place: usize, comparison: &Comparison) -> RowKind {
    if place == comparison.baseline { RowKind::Baseline } else { RowKind::Plain }
}

/// Returns the table of test metrics.
fn test_table(groups: &[Group], comparison: &Comparison, columns: &[&str]) -> Table {
    let heads = std::iter::once("variant".to_owned()).chain(columns.iter().map(|name| in_a_head(name)));
    let mut table = Table::new(format!("Test rows: {}", describe_test_weights(groups)), heads, 1..).with_id("tested");
    for (place, group) in groups.iter().enumerate() {
        let values = columns.iter().map(|name| mean_and_std_of(&group.values(|trial| trial.metric_value(name))).into());
        table.row_of(
            row_kind(place, comparison),
            std::iter::once(Cell::Label(place, group.label.clone())).chain(values),
        );
    }
    table
}

/// Returns the table of training and validation metrics, and a note about it.
fn main_table(groups: &[Group], comparison: &Comparison, columns: &[&str]) -> Vec<Block> {
    const RISE: &str = "diagnosis.val_loss_rise";
    let has_rise = groups.iter().any(|group| !group.values(|trial| trial.metric_value(RISE)).is_empty());
    // The deciding metric comes first; on a phone, the other columns need scrolling.
    let first = 1 + usize::from(!columns.is_empty());
    let mut heads: Vec<String> = columns.iter().map(|name| in_a_head(name)).collect();
    heads.insert(0, "variant".to_owned());
    heads.insert(first, "diagnosis".to_owned());
    heads.push("best epoch".to_owned());
    heads.extend(has_rise.then(|| "val_loss rise".to_owned()));
    heads.push("trials".to_owned());
    let several = groups.iter().any(|group| group.trials.len() > 1);
    let has_best = columns.iter().filter_map(|name| comparison.metric(name)).any(|figure| figure.best.contains(&true));
    let means = if several { ": means and standard deviations over their trials" } else { "" };
    let caption = format!("All variants{means}{}", star(has_best, comparison));
    let mut table = Table::new(caption, heads, 1..).with_id("comparison");
    table.columns[first].is_number = false;
    for (place, group) in groups.iter().enumerate() {
        let values = |name: &str| group.plotted_values(|trial| trial.metric_value(name));
        let epochs = Sample::from_values(&values("best.epoch"));
        let mut cells = vec![Cell::Label(place, group.label.clone())];
        cells.extend(columns.iter().map(|name| match comparison.metric(name) {
            Some(figure) => metric_cell(figure, place),
            None => mean_and_std_of(&values(name)).into(),
        }));
        cells.insert(first, Cell::Badges(diagnoses(group)));
        cells.push(epochs.map_or(MISSING.to_owned(), |epochs| range(epochs.min, epochs.max, " to ")).into());
        cells.extend(has_rise.then(|| mean_and_std_of(&values(RISE)).into()));
        cells.push(group.trials.len().to_string().into());
        table.row_of(row_kind(place, comparison), cells);
    }
    let mut blocks = vec![Block::Table(table)];
    if columns.iter().any(|name| name.starts_with("best.")) {
        let rise = if has_rise { "val_loss rise: validation loss of the last epoch minus its lowest. " } else { "" };
        blocks.push(Block::Note(format!("{rise}Best epoch: the best one by the metric that a trial monitors.")));
    }
    blocks
}

/// Returns the explanation of the star.
fn star(has_best: bool, comparison: &Comparison) -> &'static str {
    match (has_best, comparison.has_validation) {
        (false, _) => "",
        (true, true) => "; ★ best on validation rows",
        (true, false) => "; ★ best on training rows",
    }
}

/// Returns tables of all metrics with a column for each group; test metrics have a separate table.
fn all_metrics(groups: &[Group], comparison: &Comparison) -> Vec<Block> {
    let (tested, others): (Vec<&MetricComparison>, Vec<&MetricComparison>) =
        comparison.metrics.iter().partition(|figure| figure.name.starts_with("test."));
    let has_best = comparison.metrics.iter().any(|figure| figure.best.contains(&true));
    let caption = format!("Training and validation rows{}", star(has_best, comparison));
    let parts = [(caption, others), (format!("Test rows: {}", describe_test_weights(groups)), tested)];
    let table = |(caption, figures): (String, Vec<&MetricComparison>)| {
        let heads = std::iter::once("metric").chain(groups.iter().map(|group| group.label.as_str()));
        let mut table = Table::new(caption, heads, 1..);
        for figure in figures {
            let values = (0..groups.len()).map(|place| metric_cell(figure, place));
            table.row(std::iter::once(in_a_head(&figure.name).into()).chain(values));
        }
        table.filled().map(Block::Table)
    };
    parts.into_iter().filter_map(table).collect()
}

/// Returns the cell of a group's metric, marked if the metric ranks groups.
fn metric_cell(figure: &MetricComparison, place: usize) -> Cell {
    let text = shown_of(figure, place);
    match figure.best.contains(&true) {
        true => Cell::Ranked { text, is_best: figure.best.get(place) == Some(&true) },
        false => Cell::Text(text),
    }
}

/// Returns a group's metric: its mean; without one, its non-finite value or the mean of its diverged trials.
fn shown_of(figure: &MetricComparison, place: usize) -> String {
    match (&figure.groups[place], figure.without_mean[place]) {
        (Some(sample), _) => mean_and_std(sample),
        (None, value) => value_or_dash(value.map(|value| value.0)),
    }
}

/// Returns a metric's name for a column head: `val_acc, best epoch`.
fn in_a_head(name: &str) -> String {
    match name.split_once('.') {
        Some(("best", metric)) => format!("{metric}, best epoch"),
        Some(("first", metric)) => format!("{metric}, first epoch"),
        Some(("last", metric)) => format!("{metric}, last epoch"),
        _ => name.replacen('.', " ", 1),
    }
}

/// Returns a metric's name for a sentence: `val_acc in the best epoch`.
fn in_a_sentence(name: &str) -> String {
    match name.split_once('.') {
        Some(("best", metric)) => format!("{metric} in the best epoch"),
        Some(("last", metric)) => format!("{metric} in the last epoch"),
        _ => name.replacen('.', " ", 1),
    }
}

/// Returns the diagnoses of a group's trials, with badges for data leakage and interrupted trials.
pub fn diagnoses(group: &Group) -> Vec<Badge> {
    let mut badges = Vec::new();
    badges.extend(group.leaks().then(|| Badge::new("verdict leaks", "data leakage")));
    for verdict in diagnosis::Verdict::ALL {
        let number = group.trials.iter().filter(|trial| trial.verdict() == Some(verdict)).count();
        let of = if number < group.trials.len() { format!(" {number}/{}", group.trials.len()) } else { String::new() };
        badges.extend((number > 0).then(|| Badge::verdict(verdict, &of)));
    }
    badges.extend(group.trials.iter().find_map(|trial| Badge::interrupted(trial.history())));
    badges
}

/// Returns the result of the significance tests in a sentence or two.
fn conclusion(tested: &MetricTest, comparison: &Comparison, groups: &[Group]) -> Block {
    let figure = comparison.ranked_by();
    let best: Vec<&str> = groups
        .iter()
        .enumerate()
        .filter(|(place, _)| figure.is_some_and(|figure| figure.best.get(*place) == Some(&true)))
        .map(|(_, group)| group.label.as_str())
        .collect();
    let rows = if comparison.has_validation { "validation" } else { "training" };
    let name = in_a_sentence(&tested.metric);
    let one_trial = || format!("With one trial each, differences in {name} cannot be tested: train more seeds.");
    let by = figure.map_or(String::new(), |figure| in_a_sentence(&figure.name));
    let baseline = &groups[comparison.baseline].label;
    let found: Vec<&Difference> = tested.groups.iter().flatten().collect();
    let leader = match &best[..] {
        [] if comparison.has_validation => "No variant is best on the validation rows.".to_owned(),
        [] => "Without validation rows no variant is called the best.".to_owned(),
        [one] => format!("Best on {rows} rows: {one} ({by})."),
        several => format!("Best on {rows} rows: {} (the same {by}).", several.join(" and ")),
    };
    let count = |verdict: Significance| found.iter().filter(|difference| difference.significance == verdict).count();
    let differ = count(Significance::Significant);
    let rest = match (&found[..], differ) {
        ([], _) => String::new(),
        ([one], _) => {
            let other = tested.groups.iter().position(Option::is_some).map(|place| groups[place].label.as_str());
            let other = other.unwrap_or_default();
            match one.significance {
                Significance::Significant => format!("{other} and {baseline} differ significantly in {name}."),
                Significance::NotSignificant => {
                    format!("The difference in {name} between {other} and {baseline} is not significant.")
                }
                Significance::TooFew => format!(
                    "There are too few trials to test the difference in {name} between {other} and {baseline}: at least {} pairs of seeds are needed.",
                    pairs_needed(comparison.comparisons().max(1))
                ),
                Significance::OneTrial => one_trial(),
                Significance::Same => format!("{other} and {baseline} have the same {name}."),
            }
        }
        (all, 0) if count(Significance::OneTrial) == all.len() => one_trial(),
        (all, 0) if count(Significance::TooFew) > 0 => format!(
            "There are too few trials to test the {} differences in {name} from {baseline}: at least {} pairs of seeds are needed.",
            all.len(),
            pairs_needed(comparison.comparisons().max(1))
        ),
        (all, 0) => format!("None of {} differences in {name} from {baseline} is significant.", all.len()),
        (all, differ) => format!("{differ} of {} differences in {name} from {baseline} are significant.", all.len()),
    };
    Block::Diagnosis(format!("{leader} {rest}"), Vec::new(), String::new())
}

/// Returns a table of each variant's difference from the baseline; `None` if none can be tested.
fn differences(tested: &MetricTest, comparison: &Comparison, groups: &[Group]) -> Option<Table> {
    let with_p = tested.groups.iter().flatten().filter(|difference| difference.p.is_some());
    let tests: IndexSet<&str> = with_p.map(|difference| difference.test.name(difference.design)).collect();
    if tested.groups.iter().flatten().all(|difference| difference.interval.is_none()) {
        return None;
    }
    let several = comparison.comparisons() > 1;
    let corrected = if several { ", corrected for multiple comparisons by Holm's method" } else { "" };
    let caption = format!(
        "Difference in {} from {}: 95 % bootstrap interval, and p of a {}{corrected}",
        in_a_sentence(&tested.metric),
        groups[comparison.baseline].label,
        Vec::from_iter(tests).join(" or a ")
    );
    let heads = ["variant", "difference", "95 % interval", "p", "effect (Hedges' g)", "conclusion"];
    let mut table = Table::new(caption, heads, 1..5).with_id("differences");
    for (place, difference) in tested.groups.iter().enumerate() {
        let Some(difference) = difference else { continue };
        let interval =
            difference.interval.map(|interval| format!("{} to {}", signed(interval.low), signed(interval.high)));
        let cells = [
            signed(difference.difference),
            interval.unwrap_or_else(|| MISSING.to_owned()),
            value_or_dash(difference.corrected.or(difference.p)),
            difference.hedges_g.map_or(MISSING.to_owned(), |g| unsigned_zero(format!("{g:+.2}"))),
            verdict(difference.significance).to_owned(),
        ];
        table.row(std::iter::once(Cell::Label(place, groups[place].label.clone())).chain(cells.map(Cell::Text)));
    }
    Some(table)
}

fn verdict(verdict: Significance) -> &'static str {
    match verdict {
        Significance::OneTrial => "one trial on a side: cannot be tested",
        Significance::Same => "the same",
        Significance::TooFew => "too few trials to tell",
        Significance::NotSignificant => "not significant",
        Significance::Significant => "significant",
    }
}
