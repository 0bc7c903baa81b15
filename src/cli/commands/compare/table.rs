//! Tables of all metrics of all groups, with the best value marked and the difference from the baseline. Test metrics have
//! a separate table, because they are those of the saved weights at the chosen threshold.
//!
//! If all groups fit side by side, each has a column and each metric a row. Otherwise each group has a row, and the
//! metrics are columns.

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout::Fitted;
use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::{Comparison, MetricComparison};
use crate::compare::group::{Group, describe_test_weights};
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::sample::Sample;

/// Returns the tables, with a legend below each.
pub(crate) fn render(groups: &[Group], comparison: &Comparison, page: TextStyle) -> Vec<String> {
    let shown: Vec<&MetricComparison> = comparison.metrics.iter().filter(|metric| metric.is_there()).collect();
    if shown.is_empty() {
        return vec!["no metrics: no epoch was completed".to_owned()];
    }
    let (test_metrics, epoch_metrics): (Vec<&MetricComparison>, Vec<&MetricComparison>) =
        shown.into_iter().partition(|metric| metric.name.starts_with("test."));
    let std_note = groups.iter().any(|group| group.trials.len() > 1).then_some("mean ± standard deviation over trials");
    let tables = |shown: &[&MetricComparison], legend: &dyn Fn(&Fitted) -> Vec<String>| -> Vec<String> {
        if shown.is_empty() {
            return Vec::new();
        }
        let fitted = Some(groups_as_columns(groups, shown, comparison.baseline))
            .filter(|fitted| fitted.is_one(page))
            .unwrap_or_else(|| groups_as_rows(groups, shown, comparison.baseline));
        let legend = legend(&fitted).into_iter().chain(std_note.map(str::to_owned)).collect::<Vec<_>>().join("; ");
        let mut tables = fitted.tables(page);
        if let Some(last) = tables.last_mut() {
            last.push('\n');
            last.push_str(&page.wrapped(&legend, 2));
        }
        tables
    };
    let epoch_tables = tables(&epoch_metrics, &|fitted| {
        let mut legend = vec!["best: the epoch with the best value of the monitored metric".to_owned()];
        let rows = if comparison.has_validation { "validation" } else { "training" };
        match (fitted.has_best(), page.styled) {
            (true, true) => legend.push(format!("bold: best on {rows} rows")),
            (true, false) => legend.push(format!("*: best on {rows} rows")),
            (false, _) => {}
        }
        legend
    });
    let test_tables = tables(&test_metrics, &|_| vec![format!("test rows: {}", describe_test_weights(groups))]);
    [epoch_tables, test_tables].concat()
}

/// Returns a table with a row for each metric and columns for each group: its value and its difference from the baseline.
fn groups_as_columns(groups: &[Group], shown: &[&MetricComparison], baseline: usize) -> Fitted {
    let group_columns = |(index, group): (usize, &Group)| {
        let cell =
            |metric: &&MetricComparison| Cell { text: format_metric(metric, index), is_best: metric.best[index] };
        let mut columns = vec![Column::numbers(group.label.as_str(), shown.iter().map(cell))];
        if index != baseline {
            let delta =
                |metric: &&MetricComparison| Cell { text: format_delta(metric, index, baseline), is_best: false };
            columns.push(Column::numbers("Δ", shown.iter().map(delta)));
        }
        columns.retain(|column| !column.is_empty());
        columns
    };
    let labels = Column::words("metric", shown.iter().map(|metric| metric_label(&metric.name)));
    Fitted::new(labels, groups.iter().enumerate().map(group_columns).collect())
}

/// Returns a table with a row for each group and columns for the metrics. Final validation metrics and test metrics also have
/// a column for the difference from the baseline.
fn groups_as_rows(groups: &[Group], shown: &[&MetricComparison], baseline: usize) -> Fitted {
    let mut by_metric: Vec<(&str, Vec<Column>)> = Vec::new();
    for metric in shown {
        let group_cell = |index: usize| Cell { text: format_metric(metric, index), is_best: metric.best[index] };
        let cells = (0..groups.len()).map(group_cell);
        let mut columns = vec![Column::numbers(metric_label(&metric.name), cells)];
        if metric.name.starts_with("test.") || metric.name.starts_with("last.val_") {
            let delta =
                (0..groups.len()).map(|index| Cell { text: format_delta(metric, index, baseline), is_best: false });
            columns.push(Column::numbers("Δ", delta));
        }
        columns.retain(|column| !column.is_empty());
        let is_test = metric.name.starts_with("test.");
        match by_metric.last_mut() {
            Some((name, group)) if *name == metric_of(&metric.name) && !is_test => group.extend(columns),
            _ => by_metric.push((metric_of(&metric.name), columns)),
        }
    }
    let labels = Column::words("run", groups.iter().map(|group| group.label.clone()));
    Fitted::new(labels, by_metric.into_iter().map(|(_, columns)| columns).collect())
}

/// Returns the label of a metric path: `val_acc best` for `best.val_acc`.
pub(crate) fn metric_label(name: &str) -> String {
    match name.split_once('.') {
        Some(("test", metric)) => format!("test {metric}"),
        Some((when @ ("first" | "best" | "last" | "min" | "max"), metric)) => format!("{metric} {when}"),
        _ => name.to_owned(),
    }
}

/// Returns the metric of a group: its mean, or without one its non-finite value or the mean of its diverged trials.
pub(crate) fn format_metric(metric: &MetricComparison, index: usize) -> String {
    match (&metric.groups[index], metric.without_mean[index]) {
        (None, Some(value)) => number_format::metric(Some(value.0)),
        (found, _) => format_sample(found.as_ref(), &metric.name),
    }
}

/// Returns a mean with its standard deviation.
pub(crate) fn format_sample(sample: Option<&Sample>, name: &str) -> String {
    let Some(sample) = sample else { return "–".to_owned() };
    let mean = number_format::of(name, Some(sample.mean));
    match sample.std {
        Some(std) => format!("{mean} ±{}", number_format::spread(Some(sample.mean), Some(std))),
        None => mean,
    }
}

/// Returns the difference of a group's metric from the baseline.
fn format_delta(metric: &MetricComparison, index: usize, baseline: usize) -> String {
    let difference = metric.value(index).zip(metric.value(baseline)).map(|(value, base)| value - base);
    match difference.filter(|difference| index != baseline && difference.is_finite()) {
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
