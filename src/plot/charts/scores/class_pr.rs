//! Precision–recall curves by class: for each class, its rows against all others (one vs. rest).

use crate::config::hint::hinted;
use crate::metrics::curves::ranking::Ranking;
use crate::plot::Plot;
use crate::plot::charts::metric_labels::list;
use crate::plot::charts::scores::roc_pr::{Curve, Kind, draw_line, mean_area};
use crate::plot::draw::axis::Axis;
use crate::plot::draw::line::step_line;
use crate::plot::draw::page::{Page, PageOptions};
use crate::plot::draw::panel::Panel;
use crate::plot::draw::ticks::{Unit, number};

/// Scores of a class.
#[derive(Clone, Debug, Default)]
pub struct ClassScores {
    /// Name of the class.
    pub name: String,
    /// For each trial, the score of each row and whether the row is of the class.
    pub trials: Vec<Vec<(f64, bool)>>,
}

const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 560.0;
const LEAST_HEIGHT: f64 = 180.0;

/// Maximum number of classes, which limits the number of lines in the plot.
const MOST_CLASSES: usize = 14;

/// Draws the curves, the class with the lowest average precision first.
///
/// # Errors
/// When no class has rows and other rows.
pub fn draw(mut page: Page, classes: &[ClassScores], options: &PageOptions) -> anyhow::Result<Plot> {
    let mut notes = Vec::new();
    let mut lines: Vec<(&str, Vec<Curve>, f64)> = Vec::new();
    for class in classes {
        let curves: Vec<Curve> = class.trials.iter().filter_map(|rows| curve(rows)).collect();
        match mean_area(&curves) {
            Some(sample) => lines.push((class.name.as_str(), curves, sample.mean)),
            None => notes.push(format!("skipping class `{}`: no test rows", class.name)),
        }
    }
    if lines.is_empty() {
        return Err(hinted("there are no rows of at least two classes", "choose other rows with `--rows`"));
    }
    let macro_mean = lines.iter().map(|(_, _, area)| area).sum::<f64>() / lines.len() as f64;
    page.notes.insert(0, format!("Mean AP of {} classes: {}.", lines.len(), number(macro_mean, 4)));
    lines.sort_by(|one, other| one.2.total_cmp(&other.2));
    if lines.len() > MOST_CLASSES {
        page.notes.push(format!("Only the {MOST_CLASSES} classes with the lowest AP are shown."));
        lines.truncate(MOST_CLASSES);
    }
    let axis = |name: &str| Axis::linear(name, Unit::Plain, -0.015, 1.015);
    let [x, y] = Kind::PrecisionRecall.axes();
    let mut panel = Panel::new(y, axis(x), axis(y));
    for (place, (name, curves, _)) in lines.iter().enumerate() {
        page.legend.push(draw_line(&mut panel, place, name, curves, Kind::PrecisionRecall));
    }
    let names: Vec<&str> = page.legend.iter().map(|entry| entry.name.as_str()).collect();
    page.description = format!("Precision–recall curves by class: {}.", list(&names, 24));
    Ok(Plot { svg: page.draw_panels(options, [WIDTH, HEIGHT, LEAST_HEIGHT], vec![panel]), notes })
}

/// Returns the curve of a trial with its average precision, as in scikit-learn; `None` if all rows are of one class.
fn curve(rows: &[(f64, bool)]) -> Option<Curve> {
    let (scores, is_of_class): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
    let ranking = Ranking::new(&scores, &is_of_class).filter(Ranking::has_both)?;
    let mut corners: Vec<(f64, f64)> = Vec::new();
    let (mut area, mut before) = (0.0, 0.0);
    for (right, wrong) in ranking.right.iter().zip(&ranking.wrong) {
        let (recall, precision) = (*right as f64 / ranking.positives() as f64, *right as f64 / (right + wrong) as f64);
        if recall > before {
            area += (recall - before) * precision;
            // a precision holds down to the next lower recall
            corners.push((before, precision));
            before = recall;
        }
    }
    corners.extend(corners.last().map(|last| (1.0, last.1)));
    Some(Curve { points: step_line(&corners), area: Some(area), chosen: None, positives: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::layout_checks::{outside, overlapping};

    #[test]
    fn a_curve_has_the_average_precision_of_scikit_learn() {
        // average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.8333…
        let rows = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        let curve = curve(&rows).unwrap();
        assert!((curve.area.unwrap() - 0.833_333_333).abs() < 1e-8);
        assert_eq!(curve.points, [(0.0, 1.0), (0.5, 1.0), (0.5, 2.0 / 3.0), (1.0, 2.0 / 3.0), (1.0, 2.0 / 3.0)]);
        assert!(super::curve(&[(0.1, true)]).is_none());
    }

    #[test]
    fn the_hardest_classes_come_first_and_no_label_lies_upon_another() {
        let class = |class: usize| ClassScores {
            name: format!("class {class}"),
            trials: vec![
                (0..60)
                    .map(|row| {
                        (
                            (row * 7 % 60) as f64 - if row % 20 == class { class as f64 * 9.0 } else { 0.0 },
                            row % 20 == class,
                        )
                    })
                    .collect(),
            ],
        };
        for (many, width) in [(3, 620.0), (20, 400.0)] {
            let classes: Vec<ClassScores> = (0..many).map(class).collect();
            let options = PageOptions { width: Some(width), ..PageOptions::default() };
            let drawn = draw(Page::default(), &classes, &options).unwrap().svg;
            assert_eq!((outside(&drawn), overlapping(&drawn)), (Vec::new(), Vec::new()), "{many}");
            let first = drawn.placed().iter().find(|text| text.text.starts_with("class ")).unwrap();
            assert!(!first.text.starts_with("class 0 "), "{first:?}");
        }
        let alone = ClassScores { name: "a".to_owned(), trials: vec![vec![(0.5, true)]] };
        assert!(draw(Page::default(), &[alone], &PageOptions::default()).is_err());
    }
}
