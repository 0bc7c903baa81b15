//! Calibration curve (reliability diagram): observed share of correct rows by predicted probability, in bins of equal
//! width, above a histogram of the probabilities; with the expected calibration error (ECE).

use crate::compare::statistics::sample::Sample;
use crate::plot::Plot;
use crate::plot::draw::axis::Axis;
use crate::plot::draw::color::{AXIS, Color};
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::{Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel};
use crate::plot::draw::shape::{LineStyle, Point, Stroke};
use crate::plot::draw::ticks::{Unit, number};

/// Predicted probabilities of a variant.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Name of the variant.
    pub label: String,
    /// For each trial, the probability of each prediction and whether it is right.
    pub trials: Vec<Vec<(f64, bool)>>,
    /// Number of different predictions: those of the same row by several seeds count once.
    pub predictions: usize,
}

impl Scored {
    /// Returns the mean bins of the trials, with each row counted once.
    fn mean_bins(&self, count: usize) -> Vec<Bin> {
        let all: usize = self.trials.iter().map(Vec::len).sum();
        let share = self.predictions as f64 / all.max(1) as f64;
        let pooled = bins(self.trials.iter().flatten(), count);
        pooled
            .into_iter()
            .map(|Bin { rows, right, sum }| Bin { rows: share * rows, right: share * right, sum: share * sum })
            .collect()
    }
}

/// Names of what is plotted.
#[derive(Clone, Debug)]
pub struct Words {
    /// The probability, on the horizontal axis.
    pub probability: String,
    /// The observed share, on the vertical axis.
    pub observed: String,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 600.0;
const LEAST_HEIGHT: f64 = 260.0;

/// Height of the histogram, as a share of that of the curve.
const HISTOGRAM: f64 = 0.3;

/// Ratio of the largest to the smallest count above which the histogram is logarithmic.
const UNEVEN: f64 = 100.0;

/// Standard normal quantile of a 95 % interval.
const Z: f64 = 1.96;

/// The predictions whose probabilities lie in a bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    rows: f64,
    right: f64,
    /// Sum of the probabilities.
    sum: f64,
}

impl Bin {
    fn mean(self) -> f64 {
        self.sum / self.rows
    }

    fn share(self) -> f64 {
        self.right / self.rows
    }

    /// Returns Wilson's 95 % interval of the share.
    fn interval(self) -> (f64, f64) {
        let (rows, share) = (self.rows, self.share());
        let middle = share + Z * Z / (2.0 * rows);
        let room = Z * (share * (1.0 - share) / rows + Z * Z / (4.0 * rows * rows)).sqrt();
        let scale = 1.0 + Z * Z / rows;
        ((middle - room) / scale, (middle + room) / scale)
    }
}

/// Returns the bins of equal width; a probability on an edge belongs to the upper bin, and 1 to the last.
fn bins<'a>(rows: impl IntoIterator<Item = &'a (f64, bool)>, count: usize) -> Vec<Bin> {
    let mut bins = vec![Bin::default(); count];
    for (probability, is_right) in rows.into_iter().filter(|(probability, _)| probability.is_finite()) {
        let bin = &mut bins[((probability * count as f64) as usize).min(count - 1)];
        bin.rows += 1.0;
        bin.right += f64::from(u8::from(*is_right));
        bin.sum += probability;
    }
    bins
}

/// Returns the expected calibration error: the mean difference of a bin's share and mean probability, weighted by its rows.
fn expected_calibration_error(bins: &[Bin]) -> f64 {
    let rows: f64 = bins.iter().map(|bin| bin.rows).sum();
    let filled = bins.iter().filter(|bin| bin.rows > 0.0);
    filled.map(|bin| bin.rows * (bin.share() - bin.mean()).abs()).sum::<f64>() / rows
}

/// Draws the calibration curves with this number of bins, the mean of the trials of each variant.
pub fn draw(mut page: Page, series: &[Scored], count: usize, words: &Words, options: &PageOptions) -> Plot {
    let axis = |name: &str| Axis::linear(name, Unit::Plain, -0.015, 1.015);
    let mut curve = Panel::new(words.observed.clone(), axis(""), axis(&words.observed));
    let chance = Stroke { color: AXIS, width: 1.2, line_style: LineStyle::Dotted };
    curve.artists.push(Artist::Line(vec![(0.0, 0.0), (1.0, 1.0)], chance));
    let means: Vec<Vec<Bin>> = series.iter().map(|scored| scored.mean_bins(count)).collect();
    let rows = || means.iter().flatten().map(|bin| bin.rows).filter(|rows| *rows > 0.0);
    let most = rows().reduce(f64::max).unwrap_or(1.0);
    let least = rows().reduce(f64::min).unwrap_or(1.0);
    let counts = match most / least > UNEVEN {
        true => Axis::log("", [f64::min(0.7, 0.8 * least), most])
            .unwrap_or_else(|| Axis::linear("", Unit::Whole, 0.0, most)),
        false => Axis::linear("", Unit::Whole, 0.0, 1.06 * most),
    };
    let mut histogram = Panel::new("Predictions per bin", axis(&words.probability), counts);
    histogram.share = HISTOGRAM;
    let several = series.len() > 1;
    let mut texts = Vec::new();
    for (place, (scored, bins)) in series.iter().zip(&means).enumerate() {
        let (color, marker) = (Color::nth(place), Marker::nth(place));
        let filled = || bins.iter().filter(|bin| bin.rows > 0.0);
        if !several {
            let interval = |bin: &Bin| {
                let (low, high) = bin.interval();
                Artist::Line(vec![(bin.mean(), low), (bin.mean(), high)], Stroke::solid(color.lighter(0.5), 2.0))
            };
            curve.artists.extend(filled().map(interval));
        }
        let points: Vec<Point> = filled().map(|bin| (bin.mean(), bin.share())).collect();
        curve.artists.push(Artist::Line(points.clone(), Stroke::solid(color, 2.0)));
        curve.artists.extend(points.into_iter().map(|at| Artist::Marker(at, marker, 4.0, color)));
        histogram.artists.extend(bars(bins, several, color));
        let errors: Vec<f64> = scored
            .trials
            .iter()
            .map(|trial| expected_calibration_error(&self::bins(trial, count)))
            .filter(|error| error.is_finite())
            .collect();
        let error = Sample::from_values(&errors).map_or(String::new(), |sample| {
            let std = sample.std.map(|std| format!(" ± {}", number(std, 4))).unwrap_or_default();
            format!(" (ECE {}{std})", number(sample.mean, 4))
        });
        let name = format!("{}{error}", scored.label);
        page.legend.push(Entry::new(Handle::Line(Stroke::solid(color, 2.0), Some(marker)), name.clone()));
        texts.push(name);
    }
    page.keys.push(Entry::new(Handle::Line(chance, None), "perfectly calibrated"));
    if !several {
        let bar = Handle::Line(Stroke::solid(Color::nth(0).lighter(0.5), 2.0), None);
        page.keys.push(Entry::new(bar, "95 % interval"));
    }
    page.notes.push(format!(
        "{count} bins of equal width. ECE, the expected calibration error, is the mean distance from the diagonal, weighted by \
         the predictions per bin."
    ));
    page.description = format!("Calibration curve of {}.", texts.join(", "));
    let svg = page.draw_panels(options, [WIDTH, HEIGHT, LEAST_HEIGHT], vec![curve, histogram]);
    Plot { svg, notes: Vec::new() }
}

/// Returns the histogram: filled bars, or with several series the outline of each.
fn bars(bins: &[Bin], several: bool, color: Color) -> Vec<Artist> {
    let edge = |place: usize| place as f64 / bins.len() as f64;
    let height = |bin: &Bin| if bin.rows > 0.0 { bin.rows } else { f64::NAN };
    if several {
        let ends = |(place, bin): (usize, &Bin)| [(edge(place), height(bin)), (edge(place + 1), height(bin))];
        let line = bins.iter().enumerate().flat_map(ends).collect();
        return vec![Artist::Line(line, Stroke::solid(color, 1.6))];
    }
    let gap = 0.004;
    let bar = |(place, bin): (usize, &Bin)| {
        let [from, to] = [edge(place) + gap, edge(place + 1) - gap];
        Artist::Band(vec![(from, 0.0, bin.rows), (to, 0.0, bin.rows)], color)
    };
    bins.iter().enumerate().filter(|(_, bin)| bin.rows > 0.0).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::layout_checks::{outside, overlapping};

    fn words() -> Words {
        Words {
            probability: "predicted probability of fraud".to_owned(),
            observed: "Observed share of fraud".to_owned(),
        }
    }

    #[test]
    fn the_error_is_the_weighted_distance_of_share_and_mean_probability() {
        // two rows at 0.2, one right; two at 0.9, both right: |0.5 − 0.2| and |1 − 0.9|
        let rows = [(0.2, true), (0.2, false), (0.9, true), (0.9, true)];
        let bins = bins(&rows, 10);
        assert_eq!((bins[2].rows, bins[2].right, bins[9].rows), (2.0, 1.0, 2.0));
        assert!((expected_calibration_error(&bins) - (2.0 * 0.3 + 2.0 * 0.1) / 4.0).abs() < 1e-12);
        assert_eq!(
            self::bins(&[(0.0, true), (1.0, true), (f64::NAN, true)], 5).iter().map(|bin| bin.rows).sum::<f64>(),
            2.0
        );
        let (low, high) = Bin { rows: 100.0, right: 50.0, sum: 0.0 }.interval();
        // Wilson's interval of 50 of 100
        assert!((low - 0.40383).abs() < 1e-4 && (high - 0.59617).abs() < 1e-4, "{low} {high}");
    }

    #[test]
    fn several_seeds_on_the_same_rows_have_the_bins_of_their_mean_and_count_each_row_once() {
        let trials = vec![vec![(0.1, true), (0.1, false)], vec![(0.2, false), (0.9, true)]];
        let scored = Scored { label: String::new(), trials, predictions: 2 };
        let bins = scored.mean_bins(2);
        assert_eq!((bins[0].rows, bins[1].rows), (1.5, 0.5));
        assert!((bins[0].mean() - 0.4 / 3.0).abs() < 1e-12 && (bins[0].share() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn no_label_lies_outside_or_upon_another() {
        let trial = |seed: usize| {
            (0..500).map(|row| ((row * 7 % 100) as f64 / 100.0, (row + seed).is_multiple_of(3))).collect()
        };
        let scored =
            |label: &str| Scored { label: label.to_owned(), trials: (0..3).map(trial).collect(), predictions: 500 };
        for (labels, width) in [(&["one"][..], 300.0), (&["one", "two", "three"], 560.0), (&["one"], 1200.0)] {
            let series: Vec<Scored> = labels.iter().map(|label| scored(label)).collect();
            let options = PageOptions { width: Some(width), ..PageOptions::default() };
            let drawn = draw(Page { title: "t".to_owned(), ..Page::default() }, &series, 10, &words(), &options).svg;
            assert_eq!((outside(&drawn), overlapping(&drawn)), (Vec::new(), Vec::new()), "{width}");
            assert!(drawn.finish().contains("(ECE 0."));
        }
    }
}
