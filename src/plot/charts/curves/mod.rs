//! Plot of learning curves: one panel per metric with training and validation curves. A single group is drawn as mean
//! and band, with the best epoch and the start of overfitting. Several groups differ by color and marker; many groups
//! have a panel each.

mod options;
pub mod panel;
pub mod series;
pub mod texts;

use crate::compare::group::{Group, union};
use crate::config::hint::hinted;
use crate::config::suggest;
use crate::plot::Plot;
use crate::plot::charts::curves::panel::{Layout, UsedElements};
use crate::plot::charts::{best_first, metric_labels};
use crate::plot::draw::grid::Grid;
use crate::plot::draw::page::MARGIN;
use crate::plot::draw::panel::Panel;

pub use crate::plot::charts::curves::options::{Limits, Options, Smoothing};

/// Maximum number of groups.
pub const MOST_GROUPS: usize = 24;

const WIDTH: f64 = 900.0;
const LONE_WIDTH: f64 = 620.0;
const LEAST_PANEL: f64 = 330.0;
const PANEL_HEIGHT: f64 = 310.0;
const LEAST_MULTIPLE: f64 = 210.0;
const MULTIPLE_HEIGHT: f64 = 170.0;
const LEAST_HEIGHT: f64 = 130.0;

/// Draws the learning curves of the groups.
///
/// # Errors
/// When no group has a curve of the requested metrics.
pub fn draw(groups: &[Group], options: &Options) -> anyhow::Result<Plot> {
    let mut notes = Vec::new();
    let all: Vec<&Group> = groups.iter().collect();
    let mut shown = with_curves(&all, &options.metrics, &mut notes)?;
    let below = best_first::keep(&mut shown, MOST_GROUPS, &mut notes);
    let layout = Layout::new(shown.len());
    let mut metrics = match &options.metrics[..] {
        [] => default_metrics(&shown),
        named => named.to_vec(),
    };
    if layout == Layout::Multiples && options.metrics.is_empty() {
        metrics.truncate(1);
    }
    check_limits(&metrics, options)?;
    let mut used = UsedElements::default();
    let panels: Vec<Panel> =
        metrics.iter().flat_map(|metric| panel::panels(&shown, metric, layout, options, &mut used)).collect();
    if panels.is_empty() {
        let message = format!("`--x {}`: none of these runs has recorded it", options.x.word());
        return Err(hinted(message, "use `--x epoch`, which every run has"));
    }
    notes.append(&mut used.notes);
    let mut page = texts::page(&shown, &metrics, layout, options, &used);
    page.notes.extend(below);
    let (default, least, height) = match layout {
        Layout::Multiples => (WIDTH, LEAST_MULTIPLE, MULTIPLE_HEIGHT),
        Layout::Single | Layout::Overlaid if panels.len() == 1 => (LONE_WIDTH, LEAST_PANEL, PANEL_HEIGHT),
        Layout::Single | Layout::Overlaid => (WIDTH, LEAST_PANEL, PANEL_HEIGHT),
    };
    let width = options.page.width.unwrap_or(default);
    let columns = Grid::columns_for(panels.len(), width - 2.0 * MARGIN, least);
    let grid = Grid { panels, columns, shares_axes: layout == Layout::Multiples && metrics.len() == 1 };
    let size = [width, height * grid.rows() as f64, LEAST_HEIGHT * grid.rows() as f64];
    Ok(Plot { svg: page.draw(&options.page, size, |svg, room| grid.draw(svg, room)), notes })
}

/// Checks that the range of the vertical axis is that of one metric, and can be logarithmic if requested.
fn check_limits(metrics: &[String], options: &Options) -> anyhow::Result<()> {
    match (options.ylim, metrics) {
        (Some(_), [_, other, ..]) => {
            let names = metrics.iter().map(|metric| format!("`{metric}`")).collect::<Vec<_>>().join(" and ");
            let message = format!("`--ylim` is the range of one metric, but {names} are plotted");
            Err(hinted(message, format!("add `--metric {other}` to plot one metric")))
        }
        (Some(limits), _) if options.log && limits.low <= 0.0 => {
            let message = format!("`--ylim` must start above 0 on a logarithmic axis, found {}", limits.low);
            Err(hinted(message, "leave `--log` out, or use a small positive number"))
        }
        _ => Ok(()),
    }
}

/// Returns the groups that have a curve of the requested metrics, and adds notes about the others.
fn with_curves<'a>(groups: &[&'a Group], wanted: &[String], notes: &mut Vec<String>) -> anyhow::Result<Vec<&'a Group>> {
    let has = |group: &Group, metric: &str| {
        let series = group.series();
        series.contains(&metric) || series.contains(&metric_labels::validation(metric).as_str())
    };
    let (trees, groups): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| group.is_tree());
    notes.extend(
        trees.iter().map(|group| format!("skipping `{}`: a decision tree has no learning curves", group.label)),
    );
    let series = union(groups.iter().map(|group| group.series()));
    if series.is_empty() {
        let hint = "use `runner plot confusion` for a decision tree";
        return Err(hinted("no epoch was trained: there are no learning curves to plot", hint));
    }
    if let Some(metric) = wanted.iter().find(|metric| !groups.iter().any(|group| has(group, metric))) {
        let message = format!("none of these runs has a curve of `{metric}`");
        return Err(hinted(message, suggest::hint(metric, series)));
    }
    let is_shown = |group: &&&Group| match wanted {
        [] => !group.metrics().is_empty(),
        wanted => wanted.iter().any(|metric| has(group, metric)),
    };
    let (shown, others): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| is_shown(group));
    for group in others {
        let what = if wanted.is_empty() { "curves".to_owned() } else { wanted.join(" or ") };
        notes.push(format!("skipping `{}`: no {what}", group.label));
    }
    Ok(shown)
}

/// Returns the default metrics: the loss, and accuracy or another metric.
fn default_metrics(groups: &[&Group]) -> Vec<String> {
    let mut bases: Vec<&str> = Vec::new();
    for metric in union(groups.iter().map(|group| group.metrics())) {
        if !bases.contains(&metric_labels::base(metric)) {
            bases.push(metric_labels::base(metric));
        }
    }
    // Prefer a metric that all groups have.
    let of_all =
        |base: &&str| groups.iter().all(|group| group.metrics().iter().any(|m| metric_labels::base(m) == *base));
    let others = || bases.iter().copied().filter(|base| *base != "loss");
    let second = bases.iter().copied().find(|base| *base == "acc").or_else(|| others().find(of_all));
    let second = second.or_else(|| others().next());
    let first = bases.iter().copied().find(|base| *base == "loss");
    first.into_iter().chain(second).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::trial::Record;
    use crate::config::hint::Hint;
    use crate::history::History;
    use crate::plot::draw::page::PageOptions;
    use crate::plot::format::svg::Svg;
    use crate::plot::layout_checks::{groups, outside, overlapping};

    fn svg(groups: &[Group], options: &Options) -> Svg {
        draw(groups, options).unwrap().svg
    }

    fn first(group: &mut Group) -> &mut History {
        match &mut group.trials[0].record {
            Record::Runner(history) => history,
            Record::Foreign(_) => unreachable!("made here"),
        }
    }

    #[test]
    fn the_same_curves_give_the_same_bytes() {
        let text = || svg(&groups(3, 4, 30), &Options::default()).finish();
        assert_eq!(text(), text());
    }

    #[test]
    fn no_label_lies_outside_the_picture_or_upon_another() {
        for (many, trials, epochs) in
            [(1, 1, 30), (1, 5, 300), (2, 3, 12), (7, 1, 60), (12, 2, 5), (1, 1, 1), (30, 1, 3)]
        {
            for width in [340.0, 620.0, 900.0, 1600.0] {
                for height in [None, Some(200.0), Some(1000.0)] {
                    let options =
                        Options { page: PageOptions { width: Some(width), height, title: None }, ..Options::default() };
                    let drawn = svg(&groups(many, trials, epochs), &options);
                    assert_eq!(outside(&drawn), Vec::<String>::new(), "{many} groups at {width} × {height:?}");
                    assert_eq!(overlapping(&drawn), Vec::<String>::new(), "{many} groups at {width} × {height:?}");
                }
            }
        }
    }

    #[test]
    fn a_lone_group_has_its_best_epoch_and_its_onset_in_words() {
        let text = svg(&groups(1, 1, 30), &Options::default()).finish();
        for texts in [">best epoch 10<", ">overfits from 11<", ">validation<", ">training<", "<desc"] {
            assert!(text.contains(texts), "no {texts} in {text}");
        }
    }

    #[test]
    fn a_curve_that_ends_in_nan_is_crossed_one_that_has_nothing_else_is_told_and_one_epoch_is_a_point() {
        let mut broken = groups(2, 1, 6);
        first(&mut broken[0]).history.series["loss"][5].0 = f64::NAN;
        first(&mut broken[1]).history.series.values_mut().flatten().for_each(|value| value.0 = f64::NAN);
        let text = svg(&broken, &Options::default()).finish();
        assert!(text.contains(">no longer finite<"), "{text}");
        assert!(text.contains("Not finite in any epoch: loss of variant1, accuracy of variant1."), "{text}");
        assert!(!text.contains("Late epochs"), "{text}");
        let lone = svg(&groups(1, 1, 1), &Options::default()).finish();
        assert!(lone.contains("<circle"), "{lone}");
    }

    #[test]
    fn a_metric_that_is_missing_is_told_with_what_there_is() {
        let of = |metric: &str| Options { metrics: vec![metric.to_owned()], ..Options::default() };
        let error = draw(&groups(1, 1, 3), &of("acq")).unwrap_err();
        assert!(error.downcast_ref::<Hint>().unwrap().0.contains("acc"), "{error:?}");
        let mut two = groups(2, 1, 3);
        first(&mut two[1]).history.series.retain(|name, _| !name.ends_with("acc"));
        assert_eq!(draw(&two, &of("acc")).unwrap().notes, ["skipping `variant1`: no acc"]);
    }

    #[test]
    fn no_epoch_is_an_error_in_words() {
        let error = draw(&groups(1, 1, 0), &Options::default()).unwrap_err();
        assert!(format!("{error:#}").contains("no epoch was trained"), "{error:#}");
    }
}
