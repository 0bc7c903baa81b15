//! Plot of one metric for several groups: a row per group with a dot for each trial, the mean and its 95 % interval.

use crate::compare::comparison::{main_metric, metric_paths, resolve_metric};
use crate::compare::direction::higher_is_better;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::statistics::sample::Sample;
use crate::config::hint::hinted;
use crate::plot::Plot;
use crate::plot::charts::metric_labels::{unit, value, words};
use crate::plot::charts::{best_first, titles};
use crate::plot::draw::axis::{Axis, length, range};
use crate::plot::draw::color::{AXIS, BLUE, GRID, INK, QUIET, WHITE};
use crate::plot::draw::font::{LABEL, SMALL};
use crate::plot::draw::legend::{self, Entry};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::{Page, PageOptions};
use crate::plot::draw::shape::{Anchor, Rect, Stroke};
use crate::plot::draw::ticks::{Unit, number};
use crate::plot::format::svg::Svg;
use crate::views::capital::capital;

const WIDTH: f64 = 720.0;
const ROW: f64 = 44.0;
const AXIS_ROOM: f64 = 26.0;
/// Maximum number of groups.
const MOST_GROUPS: usize = 40;

const DOT_RADIUS: f64 = 3.4;

/// The row of a group.
struct Row<'a> {
    group: &'a Group,
    values: Vec<f64>,
    sample: Sample,
}

/// Draws a metric of the groups, such as `test.acc`, `best.val_loss` or `acc`; without a prefix, the metric is that of
/// the test rows, else of the best epoch. The default is the most important metric.
///
/// # Errors
/// When no group has the metric.
pub fn draw(groups: &[Group], named: Option<&str>, options: &PageOptions) -> anyhow::Result<Plot> {
    let metric_path = metric_path(groups, named)?;
    let mut notes = Vec::new();
    let mut rows = Vec::new();
    let has_metric = |group: &&Group| !group.values(|trial| trial.metric_value(&metric_path)).is_empty();
    let (mut shown, others): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(has_metric);
    notes.extend(others.iter().map(|group| format!("skipping `{}`: no {metric_path}", group.label)));
    let rest = best_first::keep(&mut shown, MOST_GROUPS, &mut notes);
    for group in shown {
        let values = group.values(|trial| trial.metric_value(&metric_path));
        rows.extend(Sample::from_values(&values).map(|sample| Row { group, values, sample }));
    }
    let shown: Vec<&Group> = rows.iter().map(|row| row.group).collect();
    let metric = metric_of(&metric_path);
    let several = rows.iter().any(|row| row.values.len() > 1);
    let mut legend = Vec::new();
    if several {
        legend.push(Entry::new(legend::Handle::Ring(QUIET), format!("one {}", titles::trial_noun(&shown))));
        legend.push(Entry::new(legend::Handle::Line(Stroke::solid(BLUE, 2.4), Some(Marker::Diamond)), "mean, 95 % CI"));
    }
    let better = higher_is_better(metric).map(|higher| if higher { "higher is better" } else { "lower is better" });
    let lines = rows.iter().map(|row| format!("{} {}", row.group.label, format_mean(metric, &row.sample)));
    let interval = several.then_some("Error bars are 95 % confidence intervals of the mean (Student's t).");
    let page = Page {
        title: titles::title_of_kind(&shown, &heading(&metric_path)),
        subtitle: [titles::subtitle(&shown)]
            .into_iter()
            .chain(better.map(str::to_owned))
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        description: format!("{}: {}.", capital(&heading(&metric_path)), lines.collect::<Vec<_>>().join("; ")),
        legend,
        keys: Vec::new(),
        notes: interval.map(str::to_owned).into_iter().chain(rest).collect(),
    };
    let of_rows = |row: f64| row * rows.len() as f64 + AXIS_ROOM + 6.0;
    let size = [WIDTH, of_rows(ROW), of_rows(0.64 * ROW)];
    Ok(Plot { svg: page.draw(options, size, |svg, room| draw_rows(svg, room, &rows, metric)), notes })
}

/// Returns the name of the requested metric, resolved as in `runner compare`, or of the default one.
fn metric_path(groups: &[Group], named: Option<&str>) -> anyhow::Result<String> {
    let all = metric_paths(groups);
    match named {
        Some(named) => resolve_metric(named, groups, &all),
        None => default_metric(groups, &all),
    }
}

/// Returns the main metric of the groups, one of `all`.
pub(super) fn default_metric(groups: &[Group], all: &[String]) -> anyhow::Result<String> {
    main_metric(groups, all)
        .ok_or_else(|| hinted("none of these runs has a metric to plot", "train at least one epoch"))
}

/// Returns a metric's name for a heading: `test accuracy`, `validation loss in the best epoch`.
pub fn heading(metric_path: &str) -> String {
    let metric = words(metric_of(metric_path));
    match metric_path.split_once('.').map(|(when, _)| when) {
        Some("test") => format!("test {metric}"),
        Some("best") => format!("{metric} in the best epoch"),
        Some("last") => format!("{metric} in the last epoch"),
        Some("first") => format!("{metric} in the first epoch"),
        Some("min") => format!("lowest {metric}"),
        Some("max") => format!("highest {metric}"),
        _ => metric_path.to_owned(),
    }
}

/// Returns the mean and the standard deviation.
fn format_mean(metric: &str, sample: &Sample) -> String {
    let times = if unit(metric) == Unit::Percent { 100.0 } else { 1.0 };
    let sign = if unit(metric) == Unit::Percent { " %" } else { "" };
    match sample.std.map(|std| std * times).filter(|std| *std > 1e-6) {
        // Round to two significant digits of the standard deviation.
        Some(std) => {
            let decimals = (1 - std.log10().floor() as i32).clamp(0, 6) as usize;
            format!("{} ± {}{sign}", number(sample.mean * times, decimals), number(std, decimals))
        }
        None if unit(metric) == Unit::Percent => format!("{}{sign}", number(sample.mean * times, 2)),
        None => value(metric, sample.mean),
    }
}

fn draw_rows(svg: &mut Svg, room: Rect, rows: &[Row], metric: &str) {
    let widest = |texts: &[String], most: f64| texts.iter().map(|text| LABEL.room(text)).fold(0.0, f64::max).min(most);
    let labels: Vec<String> = rows.iter().map(|row| row.group.label.clone()).collect();
    let means: Vec<String> = rows.iter().map(|row| format_mean(metric, &row.sample)).collect();
    let (left, right) = (widest(&labels, 0.34 * room.width), widest(&means, 0.34 * room.width));
    let frame = room.inset(left + 14.0, 0.0, right + 14.0, AXIS_ROOM);
    let ends = rows.iter().flat_map(|row| row.sample.interval).flat_map(|interval| [interval.low, interval.high]);
    let all = rows.iter().flat_map(|row| row.values.iter().copied());
    let axis = axis_around(metric, ends.chain(all).collect());
    let x = |value: f64| frame.x + axis.share(value).unwrap_or(0.0).clamp(-0.02, 1.02) * frame.width;
    for tick in axis.ticks(((frame.width / 80.0) as usize).clamp(2, 8)) {
        svg.line((x(tick.value), frame.y), (x(tick.value), frame.bottom()), Stroke::solid(GRID, 1.0));
        svg.text((x(tick.value), frame.bottom() + 15.0), Anchor::Middle, SMALL, QUIET, &tick.label);
    }
    svg.line((frame.x, frame.bottom()), (frame.right(), frame.bottom()), Stroke::solid(AXIS, 1.0));
    let height = frame.height / rows.len() as f64;
    for (number, (row, mean_text)) in rows.iter().zip(&means).enumerate() {
        let y = frame.y + (number as f64 + 0.5) * height;
        let base = y + LABEL.cap_height() / 2.0;
        svg.text((frame.x - 14.0, base), Anchor::End, LABEL, INK, &LABEL.shorten(&row.group.label, left));
        svg.text((frame.right() + 14.0, base), Anchor::Start, LABEL, INK, &LABEL.shorten(mean_text, right));
        let is_lone = row.values.len() == 1;
        let lift = if row.sample.interval.is_some() { 0.14 * height } else { 0.0 };
        for (at, side) in spread_dots(&row.values.iter().map(|value| x(*value)).collect::<Vec<_>>(), 0.26 * height) {
            let fill = if is_lone { BLUE } else { WHITE };
            let edge = if is_lone { BLUE } else { QUIET };
            svg.circle((at, y - lift + side), DOT_RADIUS, Some(fill), Some(Stroke::solid(edge, 1.3)));
        }
        if let Some(interval) = row.sample.interval {
            let y = y + 0.22 * height;
            let bar = Stroke::solid(BLUE, 2.4);
            svg.line((x(interval.low), y), (x(interval.high), y), bar);
            for end in [interval.low, interval.high] {
                svg.line((x(end), y - 5.0), (x(end), y + 5.0), bar);
            }
            Marker::Diamond.draw(svg, (x(row.sample.mean), y), 5.0, BLUE);
        }
    }
}

/// Returns an axis around the values; it need not start at zero, since dots have no length.
fn axis_around(metric: &str, values: Vec<f64>) -> Axis {
    let axis = Axis::with_margins("", unit(metric), values.iter().copied());
    let (low, high) = range(values).unwrap_or((0.0, 1.0));
    let room = 0.06 * length(low, high);
    Axis { from: low - room, to: high + room, ..axis }
}

/// Moves overlapping dots alternately up and down, within a limit.
fn spread_dots(places: &[f64], limit: f64) -> Vec<(f64, f64)> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&one, &other| places[one].total_cmp(&places[other]));
    let mut placed: Vec<(f64, f64)> = Vec::new();
    for number in order {
        let at = places[number];
        let steps = (0..)
            .map(|step: i32| f64::from((step + 1) / 2) * if step % 2 == 0 { 1.0 } else { -1.0 } * 2.2 * DOT_RADIUS);
        let is_free = |side: &f64| placed.iter().all(|other| (other.0 - at).hypot(other.1 - side) >= 2.0 * DOT_RADIUS);
        let side = steps.take_while(|side| side.abs() <= limit).find(is_free).unwrap_or(0.0);
        placed.push((at, side));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::layout_checks::{groups, outside, overlapping};

    #[test]
    fn dots_that_are_near_stand_beside_each_other() {
        let placed = spread_dots(&[10.0, 10.5, 40.0], 20.0);
        assert_eq!(placed[2], (40.0, 0.0));
        assert!((placed[0].1 - placed[1].1).abs() >= 2.0 * DOT_RADIUS);
    }

    #[test]
    fn rows_have_their_figures_and_no_label_lies_upon_another() {
        for (many, trials, width) in [(1, 1, 300.0), (2, 5, 720.0), (24, 3, 500.0)] {
            let options = PageOptions { width: Some(width), ..PageOptions::default() };
            let drawn = draw(&groups(many, trials, 12), None, &options).unwrap().svg;
            assert_eq!(outside(&drawn), Vec::<String>::new(), "{many} groups");
            assert_eq!(overlapping(&drawn), Vec::<String>::new(), "{many} groups");
        }
        let text = draw(&groups(2, 3, 12), Some("val_loss"), &PageOptions::default()).unwrap().svg.finish();
        assert!(text.contains("validation loss in the best epoch") && text.contains("mean, 95 % CI"), "{text}");
    }

    #[test]
    fn a_figure_that_is_missing_is_told() {
        let error = draw(&groups(1, 1, 3), Some("test.acq"), &PageOptions::default()).unwrap_err();
        assert!(error.to_string().contains("test.acq") || format!("{error:#}").contains("test.acq"), "{error:#}");
    }
}
