//! Plot of ROC and precision–recall curves: one line per group with its trials as thin lines, the area in the legend,
//! and the chosen threshold as a marker.

use crate::compare::group::Group;
use crate::compare::positive_class;
use crate::compare::statistics::sample::Sample;
use crate::config::hint::hinted;
use crate::history::History;
use crate::history::test_record::TestRecord;
use crate::plot::Plot;
use crate::plot::charts::metric_labels::list;
use crate::plot::charts::{best_first, titles};
use crate::plot::draw::axis::Axis;
use crate::plot::draw::color::{AXIS, Color, INK};
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::line::step_line;
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::{Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel};
use crate::plot::draw::shape::{LineStyle, Point, Stroke};
use crate::plot::draw::ticks::{Unit, number, percent};
use crate::views::capital::capital;

/// Kind of curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True positive rate over false positive rate.
    Roc,
    /// Precision over recall.
    PrecisionRecall,
}

const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 540.0;
const LEAST_HEIGHT: f64 = 180.0;

/// Maximum number of groups, which limits the number of lines in the plot.
const MOST_GROUPS: usize = 14;

/// Curve of a trial.
pub(super) struct Curve {
    /// Points from left to right; a precision–recall curve is a step function.
    pub(super) points: Vec<Point>,
    /// Area under the curve.
    pub(super) area: Option<f64>,
    /// Point of the chosen threshold, at which the test metrics are computed.
    pub(super) chosen: Option<Point>,
    /// Share of rows of the positive class.
    pub(super) positives: Option<f64>,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::Roc => "ROC curve",
            Kind::PrecisionRecall => "precision–recall curve",
        }
    }

    pub(super) fn axes(self) -> [&'static str; 2] {
        match self {
            Kind::Roc => ["false positive rate", "True positive rate"],
            Kind::PrecisionRecall => ["recall", "Precision"],
        }
    }

    fn area(self) -> &'static str {
        match self {
            Kind::Roc => "AUC",
            Kind::PrecisionRecall => "AP",
        }
    }

    fn curve(self, test: &TestRecord, positive: usize) -> Option<Curve> {
        let both = |xs: &[f64], ys: &[f64]| -> Vec<Point> { xs.iter().copied().zip(ys.iter().copied()).collect() };
        let (points, area) = match self {
            Kind::Roc => test.roc.as_ref().map(|curve| (both(&curve.fpr, &curve.tpr), "roc_auc"))?,
            Kind::PrecisionRecall => {
                let curve = test.precision_recall.as_ref()?;
                let mut points = both(&curve.recall, &curve.precision);
                points.reverse(); // from recall 0 on; each precision holds down to the next lower recall
                let (recalls, mut precisions): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
                precisions.rotate_left(1);
                if let [.., before, last] = &mut precisions[..] {
                    *last = *before;
                }
                (step_line(&both(&recalls, &precisions)), "ap")
            }
        };
        let area = test.metrics.get(area).map(|area| area.0);
        let chosen = test.threshold.as_ref().and_then(|_| self.at(test.confusion.as_ref()?, positive));
        Some(Curve { points, area, chosen, positives: test.positives })
    }

    /// Returns the point on the curve that belongs to a confusion matrix.
    fn at(self, confusion: &[Vec<u64>], positive: usize) -> Option<Point> {
        let count = |t: usize, p: usize| confusion.get(t).and_then(|row| row.get(p)).copied().unwrap_or(0) as f64;
        let [[tn, fp], [miss, hit]] = [1 - positive, positive].map(|t| [1 - positive, positive].map(|p| count(t, p)));
        let point = match self {
            Kind::Roc => (fp / (fp + tn), hit / (hit + miss)),
            Kind::PrecisionRecall => (hit / (hit + miss), hit / (hit + fp)),
        };
        (point.0.is_finite() && point.1.is_finite()).then_some(point)
    }
}

/// Draws the curves of the groups.
///
/// # Errors
/// When no group has one.
pub fn draw(groups: &[Group], kind: Kind, options: &PageOptions) -> anyhow::Result<Plot> {
    let curves = |group: &Group| -> Vec<Curve> {
        let curve = |history: &History| kind.curve(history.test.as_ref()?, history.data.positive_index());
        group.trials.iter().filter_map(|trial| curve(trial.history()?)).collect()
    };
    let all: Vec<(&Group, Vec<Curve>)> = groups.iter().map(|group| (group, curves(group))).collect();
    let (mut shown, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, curves)| !curves.is_empty());
    if shown.is_empty() {
        let message = format!("none of these runs has a {}", kind.words());
        let classes = groups.iter().filter_map(|group| group.trials.first()?.history());
        let hint = match kind {
            Kind::PrecisionRecall if classes.into_iter().any(|history| history.data.classes.len() > 2) => {
                "add `--by-class` for a curve of each class"
            }
            _ => "name a run with two classes whose test rows contain both",
        };
        return Err(hinted(message, hint));
    }
    let left_out = |group: &Group| format!("skipping `{}`: no {}", group.label, kind.words());
    let mut notes = others.iter().map(|(group, _)| left_out(group)).collect();
    let mut kept: Vec<&Group> = shown.iter().map(|(group, _)| *group).collect();
    let rest = best_first::keep(&mut kept, MOST_GROUPS, &mut notes);
    shown.retain(|(group, _)| kept.iter().any(|kept| std::ptr::eq(*kept, *group)));
    let [x, y] = kind.axes();
    // A small margin, so that lines along the edges are fully visible.
    let axis = |name: &str| Axis::linear(name, Unit::Plain, -0.015, 1.015);
    let mut panel = Panel::new(y, axis(x), axis(y));
    let mut legend = Vec::new();
    for (place, (group, curves)) in shown.iter().enumerate() {
        legend.push(draw_line(&mut panel, place, &group.label, curves, kind));
    }
    let groups: Vec<&Group> = shown.iter().map(|(group, _)| *group).collect();
    let keys = draw_chance(&mut panel, &shown, kind);
    let title = titles::title_of_kind(&groups, kind.words());
    let names: Vec<&str> = legend.iter().map(|entry| entry.name.as_str()).collect();
    let description = format!("{} of {}.", capital(kind.words()), list(&names, 24));
    let several = shown.iter().any(|(_, curves)| curves.len() > 1);
    let spread = several.then(|| {
        let over = if kind == Kind::Roc { "the same false positive rate" } else { "the same recall" };
        let trial_noun = titles::trial_noun(&groups);
        format!(
            "Thin lines are single {trial_noun}s, the thick line is their mean at {over}; ± is the standard deviation."
        )
    });
    let notes_below = spread.into_iter().chain(positive_class(&groups)).chain(rest).collect();
    let page = Page { title, subtitle: titles::subtitle(&groups), description, legend, keys, notes: notes_below };
    Ok(Plot { svg: page.draw_panels(options, [WIDTH, HEIGHT, LEAST_HEIGHT], vec![panel]), notes })
}

/// Draws the curves of a group or class, and returns its legend entry.
pub(super) fn draw_line(panel: &mut Panel, place: usize, name: &str, curves: &[Curve], kind: Kind) -> Entry {
    let color = Color::nth(place);
    let stroke = Stroke { color, width: 2.2, line_style: LineStyle::ALL[place % LineStyle::ALL.len()] };
    match curves {
        [lone] => panel.artists.push(Artist::Line(lone.points.clone(), stroke)),
        several => {
            let thin = Stroke::solid(color.lighter(0.45), 0.8);
            panel.artists.extend(several.iter().map(|curve| Artist::Line(curve.points.clone(), thin)));
            panel.artists.push(Artist::Line(mean(several), stroke));
        }
    }
    let chosen = curves.iter().filter_map(|curve| curve.chosen);
    panel.artists.extend(chosen.map(|at| Artist::Marker(at, Marker::nth(place), 4.5, color)));
    let area = mean_area(curves).map(|sample| {
        let std = sample.std.map(|std| format!(" ± {}", number(std, 4))).unwrap_or_default();
        format!(" ({} {}{std})", kind.area(), number(sample.mean, 4))
    });
    let marker = curves.iter().any(|curve| curve.chosen.is_some()).then_some(Marker::nth(place));
    Entry::new(Handle::Line(stroke, marker), format!("{name}{}", area.unwrap_or_default()))
}

/// Returns the mean area under the curves; `None` if none has an area.
pub(super) fn mean_area(curves: &[Curve]) -> Option<Sample> {
    let areas: Vec<f64> = curves.iter().filter_map(|curve| curve.area).filter(|area| area.is_finite()).collect();
    Sample::from_values(&areas)
}

/// Draws the curve of a random classifier, and returns the legend entries that apply to all groups.
fn draw_chance(panel: &mut Panel, shown: &[(&Group, Vec<Curve>)], kind: Kind) -> Vec<Entry> {
    let stroke = Stroke { color: AXIS, width: 1.2, line_style: LineStyle::Dotted };
    let mut keys = Vec::new();
    match kind {
        Kind::Roc => {
            panel.artists.insert(0, Artist::Line(vec![(0.0, 0.0), (1.0, 1.0)], stroke));
            keys.push(Entry::new(Handle::Line(stroke, None), "chance"));
        }
        Kind::PrecisionRecall => {
            let mut shares: Vec<f64> =
                shown.iter().flat_map(|(_, curves)| curves.iter().filter_map(|curve| curve.positives)).collect();
            shares.dedup_by(|one, other| (*one - *other).abs() < 0.005);
            for share in &shares {
                panel.artists.insert(0, Artist::Line(vec![(0.0, *share), (1.0, *share)], stroke));
            }
            let name = match shares[..] {
                [share] => format!("chance ({})", percent(share)),
                _ => "chance".to_owned(),
            };
            keys.push(Entry::new(Handle::Line(stroke, None), name));
        }
    }
    if shown.iter().any(|(_, curves)| curves.iter().any(|curve| curve.chosen.is_some())) {
        keys.push(Entry::new(Handle::Marker(Marker::Circle, INK), "chosen threshold"));
    }
    keys
}

/// Returns a sentence that names the positive class.
pub fn positive_class(groups: &[&Group]) -> Option<String> {
    positive_class::describe(groups.iter().copied()).map(|words| format!("{}.", capital(&words.replace('`', ""))))
}

/// Returns the mean of several curves at every x at which one of them has a point.
fn mean(curves: &[Curve]) -> Vec<Point> {
    let mut places: Vec<f64> = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.0)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let average =
        |at: &dyn Fn(&[Point]) -> f64| curves.iter().map(|c| at(&c.points)).sum::<f64>() / curves.len() as f64;
    let both = |x: f64| [(x, average(&|points| ends_at(points, x).0)), (x, average(&|points| ends_at(points, x).1))];
    let mut points: Vec<Point> = places.into_iter().flat_map(both).collect();
    points.dedup();
    points
}

/// Returns the first and last y of a curve at an x; they differ where the curve is vertical. Between two points, the
/// value is interpolated linearly.
fn ends_at(points: &[Point], x: f64) -> (f64, f64) {
    let from = points.partition_point(|point| point.0 < x);
    let to = points.partition_point(|point| point.0 <= x);
    match (points.get(from), from < to) {
        (Some(first), true) => (first.1, points[to - 1].1),
        (None, _) => points.last().map_or((f64::NAN, f64::NAN), |last| (last.1, last.1)),
        (Some(next), false) if from == 0 => (next.1, next.1),
        (Some(next), false) => {
            let before = points[from - 1];
            let height = before.1 + (next.1 - before.1) * (x - before.0) / (next.0 - before.0);
            (height, height)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[Point]) -> Curve {
        Curve { points: points.to_vec(), area: None, chosen: None, positives: None }
    }

    #[test]
    fn the_mean_of_curves_is_taken_at_every_place_and_keeps_upright_pieces() {
        let one = curve(&[(0.0, 0.0), (0.0, 0.5), (1.0, 1.0)]);
        let other = curve(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
        assert_eq!(mean(&[one, other]), [(0.0, 0.0), (0.0, 0.75), (1.0, 1.0)]);
        assert_eq!(ends_at(&[(0.0, 0.0), (1.0, 1.0)], 0.25), (0.25, 0.25));
        assert_eq!(ends_at(&[(0.5, 0.3), (1.0, 1.0)], 0.25), (0.3, 0.3));
    }

    #[test]
    fn the_chosen_threshold_is_where_its_confusion_matrix_says() {
        let confusion = vec![vec![90, 10], vec![4, 6]];
        assert_eq!(Kind::Roc.at(&confusion, 1), Some((0.1, 0.6)));
        assert_eq!(Kind::Roc.at(&[vec![6, 4], vec![10, 90]], 0), Some((0.1, 0.6)), "of the first class");
        assert_eq!(Kind::PrecisionRecall.at(&confusion, 1), Some((0.6, 0.375)));
        assert_eq!(Kind::PrecisionRecall.at(&[vec![9, 0], vec![1, 0]], 1), None, "nothing is predicted");
    }

    #[test]
    fn a_precision_holds_down_to_the_next_lower_recall() {
        let record = serde_json::json!({ "weights": "best", "precision_recall": {
            "precision": [0.5, 1.0, 1.0], "recall": [1.0, 0.5, 0.0], "f1": [0.6, 0.6, 0.0], "threshold": [0.1, 0.9, "inf"] } });
        let test: TestRecord = serde_json::from_value(record).unwrap();
        let points = Kind::PrecisionRecall.curve(&test, 1).unwrap().points;
        assert_eq!(points, [(0.0, 1.0), (0.5, 1.0), (0.5, 0.5), (1.0, 0.5), (1.0, 0.5)]);
    }
}
