//! Plot of precision, recall and F1 by threshold, with the chosen threshold; one panel per group.

use crate::compare::group::Group;
use crate::compare::statistics::sample::Sample;
use crate::config::hint::hinted;
use crate::history::History;
use crate::history::test_record::PrecisionRecallCurve;
use crate::plot::Plot;
use crate::plot::charts::metric_labels::list;
use crate::plot::charts::scores::roc_pr::positive_class;
use crate::plot::charts::{best_first, titles};
use crate::plot::draw::axis::{Axis, range};
use crate::plot::draw::color::{BLUE, Color, GREEN, QUIET, VERMILION};
use crate::plot::draw::grid::Grid;
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::page::{MARGIN, Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel, TopLabel};
use crate::plot::draw::shape::{LineStyle, Stroke};
use crate::plot::draw::ticks::{Unit, number};

const WIDTH: f64 = 620.0;
const SEVERAL_WIDTH: f64 = 900.0;
const LEAST_PANEL: f64 = 320.0;
const HEIGHT: f64 = 320.0;
const LEAST_HEIGHT: f64 = 130.0;

/// Maximum number of groups.
const MOST_GROUPS: usize = 24;

/// Number of intervals into which the range of thresholds is divided.
const PLACES: usize = 400;

/// Name, color and dash pattern of each line.
const LINES: [(&str, Color, LineStyle); 3] =
    [("precision", BLUE, LineStyle::Dashed), ("recall", VERMILION, LineStyle::Dotted), ("F1", GREEN, LineStyle::Solid)];

/// Draws precision, recall and F1 by threshold.
///
/// # Errors
/// When no group has threshold curves.
pub fn draw(groups: &[Group], options: &PageOptions) -> anyhow::Result<Plot> {
    let (mut shown, others): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| !curves(group).is_empty());
    if shown.is_empty() {
        let hint = "name a run with two classes whose test rows contain both";
        return Err(hinted("none of these runs has metrics by threshold", hint));
    }
    let skipped = |group: &&Group| format!("skipping `{}`: no metrics by threshold", group.label);
    let mut notes = others.iter().map(skipped).collect();
    let rest = best_first::keep(&mut shown, MOST_GROUPS, &mut notes);
    let panels: Vec<Panel> = shown.iter().map(|group| panel(group, shown.len() == 1)).collect();
    let several = shown.iter().any(|group| curves(group).len() > 1);
    let line = |(name, color, line_style): (&str, Color, LineStyle)| {
        let stroke = Stroke { color, width: 2.0, line_style };
        Entry::new(if several { Handle::Band(stroke) } else { Handle::Line(stroke, None) }, name)
    };
    let mut subtitle = titles::subtitle(&shown);
    if several {
        subtitle += ": mean ± standard deviation";
    }
    let labels: Vec<&str> = shown.iter().map(|group| group.label.as_str()).collect();
    let of_rows = shown.iter().any(|group| is_chosen(group)).then(|| {
        "Curves of the test rows; the threshold was chosen on the validation rows, where its F1 or cost is best."
            .to_owned()
    });
    let page = Page {
        title: titles::title_of_kind(&shown, "precision, recall and F1 by threshold"),
        subtitle,
        description: format!("Precision, recall and F1 on the test rows by threshold, of {}.", list(&labels, 24)),
        legend: LINES.map(line).to_vec(),
        keys: Vec::new(),
        notes: positive_class(&shown).into_iter().chain(of_rows).chain(rest).collect(),
    };
    let width = options.width.unwrap_or(if panels.len() == 1 { WIDTH } else { SEVERAL_WIDTH });
    let columns = Grid::columns_for(panels.len(), width - 2.0 * MARGIN, LEAST_PANEL);
    let grid = Grid { panels, columns, shares_axes: false };
    let size = [width, HEIGHT * grid.rows() as f64, LEAST_HEIGHT * grid.rows() as f64];
    Ok(Plot { svg: page.draw(options, size, |svg, room| grid.draw(svg, room)), notes })
}

fn curves(group: &Group) -> Vec<PrecisionRecallCurve> {
    let histories = group.trials.iter().filter_map(|trial| trial.history());
    let curve = |history: &History| history.test.as_ref()?.curve_with_threshold(history.data.positive_index());
    histories.filter_map(curve).collect()
}

fn panel(group: &Group, is_lone: bool) -> Panel {
    let curves = curves(group);
    let (low, high) = range(curves.iter().flat_map(|curve| curve.threshold.iter().map(|t| t.0))).unwrap_or((0.0, 1.0));
    let (from, to) = if (0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high) { (0.0, 1.0) } else { (low, high) };
    let x = Axis::exact("threshold", Unit::Plain, [from, to]);
    let title = if is_lone { String::new() } else { group.label.clone() };
    let mut panel = Panel::new(title, x.clone(), Axis::linear("", Unit::Plain, 0.0, 1.015));
    let even = (0..=PLACES).map(|at| x.from + (x.to - x.from) * at as f64 / PLACES as f64);
    let mut places: Vec<f64> = even.chain(chosen(group)).filter(|at| (x.from..=x.to).contains(at)).collect();
    places.sort_by(f64::total_cmp);
    for (number, (_, color, line_style)) in LINES.into_iter().enumerate() {
        let of = |curve: &PrecisionRecallCurve, place: f64| at(curve, number, place);
        let points = places.iter().map(|&place| {
            let values: Vec<f64> = curves.iter().filter_map(|curve| of(curve, place)).collect();
            (place, Sample::from_values(&values))
        });
        let points: Vec<(f64, Option<Sample>)> = points.collect();
        let mean = |sample: &Option<Sample>| sample.as_ref().map_or(f64::NAN, |sample| sample.mean);
        if curves.len() > 1 {
            let ends = |(place, sample): &(f64, Option<Sample>)| {
                // undefined in all trials but one, or in all: no band
                let spread = sample.as_ref().and_then(|sample| Some((sample.mean, sample.std?)));
                spread.map_or((*place, f64::NAN, f64::NAN), |(mean, std)| {
                    (*place, (mean - std).max(0.0), (mean + std).min(1.0))
                })
            };
            panel.artists.insert(0, Artist::Band(points.iter().map(ends).collect(), color));
        }
        let line = points.iter().map(|(place, sample)| (*place, mean(sample))).collect();
        panel.artists.push(Artist::Line(line, Stroke { color, width: 2.0, line_style }));
    }
    mark_chosen(&mut panel, group);
    panel
}

/// Returns whether a threshold was chosen on the validation rows.
fn is_chosen(group: &Group) -> bool {
    let tests = group.trials.iter().filter_map(|trial| trial.history()?.test.as_ref());
    tests.filter_map(|test| test.threshold.as_ref()).any(|threshold| threshold.validation.is_some())
}

/// Returns the thresholds of the trials, in order.
fn chosen(group: &Group) -> Vec<f64> {
    let thresholds = group.trials.iter().filter_map(|trial| trial.history()?.test.as_ref()?.threshold.as_ref());
    let mut chosen: Vec<f64> = thresholds.map(|threshold| threshold.value).filter(|value| value.is_finite()).collect();
    chosen.sort_by(f64::total_cmp);
    chosen
}

/// Marks the threshold of each trial, and labels the median.
fn mark_chosen(panel: &mut Panel, group: &Group) {
    let chosen = chosen(group);
    let stroke = Stroke { color: QUIET, width: 1.0, line_style: LineStyle::Dotted };
    for &value in &chosen {
        panel.artists.insert(0, Artist::VerticalLine(value, stroke));
    }
    if let (Some(&first), Some(&last)) = (chosen.first(), chosen.last()) {
        let median = chosen[(chosen.len() - 1) / 2];
        let range =
            if first < last { format!(" ({} to {})", number(first, 2), number(last, 2)) } else { String::new() };
        panel.top_labels.push(TopLabel {
            x: median,
            text: format!("chosen {}{range}", number(median, 2)),
            is_left: median > panel.x.to / 2.0,
        });
    }
}

/// Returns the metric at a threshold, which equals that of the next higher threshold of the curve. Beyond the last one,
/// nothing is predicted positive.
fn at(curve: &PrecisionRecallCurve, line: usize, place: f64) -> Option<f64> {
    let row = curve.threshold.partition_point(|threshold| threshold.0 < place);
    let is_predicted = curve.threshold.get(row)?.0.is_finite();
    let values = [&curve.precision, &curve.recall, &curve.f1][line];
    // without positive predictions, precision is undefined, and recall and F1 are 0
    if is_predicted { values.get(row).copied() } else { (line > 0).then_some(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::number::Number;

    #[test]
    fn a_threshold_has_the_figures_of_the_next_higher_score() {
        let curve = PrecisionRecallCurve {
            precision: vec![0.2, 0.5, 1.0],
            recall: vec![1.0, 0.5, 0.0],
            f1: vec![0.3, 0.5, 0.0],
            threshold: vec![Number(0.1), Number(0.6), Number(f64::INFINITY)],
        };
        assert_eq!(
            [0.0, 0.1, 0.3, 0.6].map(|place| at(&curve, 0, place)),
            [Some(0.2), Some(0.2), Some(0.5), Some(0.5)]
        );
        assert_eq!([0, 1, 2].map(|line| at(&curve, line, 0.7)), [None, Some(0.0), Some(0.0)]);
    }
}
