//! Learning curves of the groups in the terminal, one chart for each metric.

use crate::cli::commands::compare::chart::{Chart, Line};
use crate::cli::text::text_style::TextStyle;
use crate::compare::comparison::Comparison;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::trial::Axis;

/// Maximum number of curves in a chart.
const MAX_CURVES: usize = 6;

/// Returns charts of the loss and of the tested metric, on validation rows if possible, else on training rows.
pub(crate) fn render(groups: &[Group], comparison: &Comparison, axis: Axis, page: TextStyle) -> Vec<String> {
    let selected = selected_groups(groups, comparison);
    let mut parts: Vec<String> = Vec::new();
    for metric in metrics(groups, comparison) {
        let lines: Vec<Line> = selected
            .iter()
            .filter_map(|&index| {
                let points = mean_points(&groups[index], &metric, axis);
                (!points.is_empty()).then(|| Line { label: groups[index].label.clone(), index, points })
            })
            .collect();
        if lines.iter().any(|line| line.points.len() > 1) {
            parts.push(Chart { title: &metric, axis: axis.word(), lines: &lines }.render(page));
        } else if axis != Axis::Epoch && lines.is_empty() {
            parts.push(format!(
                "{metric}: not shown, because the number of {}s per epoch is unknown",
                axis.word().trim_end_matches('s')
            ));
        }
    }
    if let (Some(last), true) = (parts.last_mut(), selected.len() < groups.len()) {
        last.push('\n');
        last.push_str(&page.wrapped(
            &format!(
                "showing {} of {} runs: the baseline and {}; `runner plot` shows all",
                selected.len(),
                groups.len(),
                match (comparison.ranked_by(), comparison.has_validation) {
                    (None, _) => "the first ones named",
                    (Some(_), true) => "the best on validation rows",
                    (Some(_), false) => "the best on training rows",
                }
            ),
            2,
        ));
    }
    parts
}

/// Returns the metrics to show.
fn metrics(groups: &[Group], comparison: &Comparison) -> Vec<String> {
    let count = |name: &str| groups.iter().filter(|group| group.metrics().contains(&name)).count();
    let main = comparison.tests.first().map(|test| metric_of(&test.metric));
    let main = main.map(|metric| metric.strip_prefix("val_").unwrap_or(metric));
    let mut chosen = Vec::new();
    for metric in ["loss"].into_iter().chain(main.filter(|metric| *metric != "loss")) {
        let val_metric = format!("val_{metric}");
        match (count(&val_metric), count(metric)) {
            (0, 0) => {}
            (validation, training) if validation >= training && validation > 0 => chosen.push(val_metric),
            _ => chosen.push(metric.to_owned()),
        }
    }
    chosen
}

/// Returns the indices of the groups to show: all, or the baseline and the best ones by the ranking metric.
fn selected_groups(groups: &[Group], comparison: &Comparison) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..groups.len()).collect();
    if indices.len() > MAX_CURVES {
        indices = comparison.best_first(groups).unwrap_or(indices);
        indices.retain(|&index| index != comparison.baseline);
        indices.insert(0, comparison.baseline);
        indices.truncate(MAX_CURVES);
        indices.sort_unstable();
    }
    indices
}

/// Returns the mean curve over trials, as points `(x, y)`.
fn mean_points(group: &Group, metric: &str, axis: Axis) -> Vec<(f64, f64)> {
    let (curve, x_by_epoch) = (group.mean_curve(metric), group.places(axis));
    let pairs = curve.epochs.iter().zip(curve.values);
    pairs.filter_map(|(epoch, value)| Some((*x_by_epoch.get(epoch)?, value))).filter(|(_, v)| v.is_finite()).collect()
}
