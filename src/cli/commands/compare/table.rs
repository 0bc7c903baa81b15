//! Every figure of every group, the best marked, with how far the others are from the baseline. Metrics of the test rows are in
//! a table of their own: they are of the weights that are kept, at the threshold that was chosen.
//!
//! As many groups as fit stand in columns beside their differences, so that a figure is read along its line. More of them
//! stand in rows, with as many columns as fit.

use crate::cli::commands::compare::settings::cut;
use crate::cli::text::column_layout::{Cell, Column, Fitted};
use crate::cli::text::number_format;
use crate::cli::text::page::Page;
use crate::compare::comparison::{Comparison, Figure};
use crate::compare::group::{Group, tested_with};
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::sample::Sample;

/// The tables, and what their marks mean.
pub(crate) fn text(groups: &[Group], comparison: &Comparison, page: Page) -> Vec<String> {
    let shown: Vec<&Figure> = comparison.figures.iter().filter(|figure| figure.is_there()).collect();
    if shown.is_empty() {
        return vec!["no figures: no epoch was completed".to_owned()];
    }
    let (tested, of_epochs): (Vec<&Figure>, Vec<&Figure>) =
        shown.into_iter().partition(|figure| figure.name.starts_with("test."));
    let spread = groups.iter().any(|group| group.trials.len() > 1).then_some("means over trials ± standard deviation");
    let tables = |shown: &[&Figure], legend: &dyn Fn(&Fitted) -> Vec<String>| -> Vec<String> {
        if shown.is_empty() {
            return Vec::new();
        }
        let fitted = Some(beside(groups, shown, comparison.baseline))
            .filter(|fitted| fitted.is_one(page))
            .unwrap_or_else(|| below(groups, shown, comparison.baseline));
        let legend = legend(&fitted).into_iter().chain(spread.map(str::to_owned)).collect::<Vec<_>>().join("; ");
        let mut tables = fitted.tables(page);
        if let Some(last) = tables.last_mut() {
            last.push('\n');
            last.push_str(&page.wrapped(&legend, 2));
        }
        tables
    };
    let of_epochs = tables(&of_epochs, &|fitted| {
        let mut legend = vec!["best: the epoch with the best value of the monitored metric".to_owned()];
        let rows = if comparison.has_validation { "validation" } else { "training" };
        match (fitted.has_best(), page.styled) {
            (true, true) => legend.push(format!("bold: best on {rows} rows")),
            (true, false) => legend.push(format!("*: best on {rows} rows")),
            (false, _) => {}
        }
        legend
    });
    let of_test = tables(&tested, &|_| vec![format!("test rows: {}", tested_with(groups))]);
    [of_epochs, of_test].concat()
}

/// A row for each figure; columns for the groups, and behind each its difference from the baseline.
fn beside(groups: &[Group], shown: &[&Figure], baseline: usize) -> Fitted {
    let of_group = |(place, group): (usize, &Group)| {
        let cell = |figure: &&Figure| Cell { text: cell(figure, place), is_best: figure.best[place] };
        let mut columns = vec![Column::numbers(cut(&group.label, 28), shown.iter().map(cell))];
        if place != baseline {
            let delta = |figure: &&Figure| Cell { text: delta(figure, place, baseline), is_best: false };
            columns.push(Column::numbers("Δ", shown.iter().map(delta)));
        }
        columns.retain(|column| !column.is_empty());
        columns
    };
    Fitted {
        labels: Column::words("figure", shown.iter().map(|figure| words(&figure.name))),
        groups: groups.iter().enumerate().map(of_group).collect(),
        spare: Vec::new(),
        closing: None,
    }
}

/// A row for each group; columns for the figures, those of one metric together, and the difference of the last one.
fn below(groups: &[Group], shown: &[&Figure], baseline: usize) -> Fitted {
    let mut by_metric: Vec<(&str, Vec<Column>)> = Vec::new();
    for figure in shown {
        let of_group = |place: usize| Cell { text: cell(figure, place), is_best: figure.best[place] };
        let cells = (0..groups.len()).map(of_group);
        let mut columns = vec![Column::numbers(words(&figure.name), cells)];
        if figure.name.starts_with("test.") || figure.name.starts_with("last.val_") {
            let delta = (0..groups.len()).map(|place| Cell { text: delta(figure, place, baseline), is_best: false });
            columns.push(Column::numbers("Δ", delta));
        }
        columns.retain(|column| !column.is_empty());
        let is_test = figure.name.starts_with("test.");
        match by_metric.last_mut() {
            Some((metric, group)) if *metric == metric_of(&figure.name) && !is_test => group.extend(columns),
            _ => by_metric.push((metric_of(&figure.name), columns)),
        }
    }
    Fitted {
        labels: Column::words("run", groups.iter().map(|group| group.label.clone())),
        groups: by_metric.into_iter().map(|(_, columns)| columns).collect(),
        spare: Vec::new(),
        closing: None,
    }
}

/// A figure in words: `val_acc best` of `best.val_acc`.
pub(crate) fn words(name: &str) -> String {
    match name.split_once('.') {
        Some(("test", metric)) => format!("test {metric}"),
        Some((when @ ("first" | "best" | "last" | "min" | "max"), metric)) => format!("{metric} {when}"),
        _ => name.to_owned(),
    }
}

/// Returns a group's metric: its mean; without one, its non-finite value or the mean of its diverged trials.
pub(crate) fn cell(figure: &Figure, place: usize) -> String {
    match (&figure.groups[place], figure.without_mean[place]) {
        (None, Some(value)) => number_format::metric(Some(value.0)),
        (found, _) => sample(found.as_ref(), &figure.name),
    }
}

/// A mean with its standard deviation.
pub(crate) fn sample(sample: Option<&Sample>, name: &str) -> String {
    let Some(sample) = sample else { return "–".to_owned() };
    let mean = number_format::of(name, Some(sample.mean));
    match sample.std {
        Some(std) => format!("{mean} ±{}", number_format::spread(Some(sample.mean), Some(std))),
        None => mean,
    }
}

/// How far a group's figure is from the baseline's.
fn delta(figure: &Figure, place: usize, baseline: usize) -> String {
    let difference = figure.value(place).zip(figure.value(baseline)).map(|(value, base)| value - base);
    match difference.filter(|difference| place != baseline && difference.is_finite()) {
        Some(difference) => signed(difference),
        None => "–".to_owned(),
    }
}

/// Returns a difference with its sign.
pub(crate) fn signed(value: f64) -> String {
    let text = number_format::metric(Some(value.abs()));
    match value {
        value if value > 0.0 => format!("+{text}"),
        value if value < 0.0 => format!("−{text}"),
        _ => text,
    }
}
