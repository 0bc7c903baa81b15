//! Learning curves of all groups in one chart for each metric, in characters.

use crate::cli::commands::compare::chart::{Chart, Line};
use crate::cli::text::page::Page;
use crate::compare::comparison::Comparison;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::trial::Axis;

/// As many curves as can be told apart in one chart.
const MOST: usize = 6;

/// The charts: of the validation loss, and of the metric that was tested; of training where there is no validation.
pub(crate) fn text(groups: &[Group], comparison: &Comparison, axis: Axis, page: Page) -> Vec<String> {
    let chosen = chosen(groups, comparison);
    let mut parts: Vec<String> = Vec::new();
    for metric in metrics(groups, comparison) {
        let lines: Vec<Line> = chosen
            .iter()
            .filter_map(|&place| {
                let points = points(&groups[place], &metric, axis);
                (!points.is_empty()).then(|| Line { label: groups[place].label.clone(), place, points })
            })
            .collect();
        if lines.iter().any(|line| line.points.len() > 1) {
            parts.push(Chart { title: &metric, axis: axis.word(), lines: &lines }.text(page));
        } else if axis != Axis::Epoch && lines.is_empty() {
            parts
                .push(format!("{metric}: how many {}s an epoch takes is not known", axis.word().trim_end_matches('s')));
        }
    }
    if let (Some(last), true) = (parts.last_mut(), chosen.len() < groups.len()) {
        last.push('\n');
        last.push_str(&page.wrapped(
            &format!(
                "curves of {} of {} runs: the baseline and {}; `runner plot` draws all",
                chosen.len(),
                groups.len(),
                match (comparison.ranked_by(), comparison.has_validation) {
                    (None, _) => "those named first",
                    (Some(_), true) => "the best on validation rows",
                    (Some(_), false) => "the best on training rows",
                }
            ),
            2,
        ));
    }
    parts
}

/// What curves are drawn of.
fn metrics(groups: &[Group], comparison: &Comparison) -> Vec<String> {
    let has = |name: &str| groups.iter().filter(|group| group.metrics().contains(&name)).count();
    let main = comparison.tests.first().map(|test| metric_of(&test.figure));
    let main = main.map(|metric| metric.strip_prefix("val_").unwrap_or(metric));
    let mut chosen = Vec::new();
    for metric in ["loss"].into_iter().chain(main.filter(|metric| *metric != "loss")) {
        let of_validation = format!("val_{metric}");
        match (has(&of_validation), has(metric)) {
            (0, 0) => {}
            (validation, training) if validation >= training && validation > 0 => chosen.push(of_validation),
            _ => chosen.push(metric.to_owned()),
        }
    }
    chosen
}

/// The groups that are drawn: all, or the baseline and the best by validation rows.
fn chosen(groups: &[Group], comparison: &Comparison) -> Vec<usize> {
    let mut places: Vec<usize> = (0..groups.len()).collect();
    if places.len() > MOST {
        if let Some(figure) = comparison.ranked_by() {
            let sign = if figure.higher_is_better == Some(false) { 1.0 } else { -1.0 };
            let worth = |place: &usize| figure.groups[*place].as_ref().map_or(f64::INFINITY, |s| sign * s.mean);
            places.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
        }
        places.retain(|&place| place != comparison.baseline);
        places.insert(0, comparison.baseline);
        places.truncate(MOST);
        places.sort_unstable();
    }
    places
}

/// The mean curve over trials.
fn points(group: &Group, metric: &str, axis: Axis) -> Vec<(f64, f64)> {
    let (curve, places) = (group.mean_curve(metric), group.places(axis));
    let both = curve.epochs.iter().zip(curve.values);
    both.filter_map(|(epoch, value)| Some((*places.get(epoch)?, value))).filter(|(_, v)| v.is_finite()).collect()
}
