//! Plots of what more configurations bring: the best value so far against the number of epochs that all trials were trained,
//! and the expected best of n configurations.

use std::collections::HashSet;

use crate::plot::charts::sweep::page::{cross, cross_keys, metric_axis, metric_title, page, worst_end};
use crate::plot::draw::axis::Axis;
use crate::plot::draw::color::BLUE;
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::{Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel};
use crate::plot::draw::shape::{Point, Stroke};
use crate::plot::draw::ticks::Unit;
use crate::plot::format::svg::Svg;
use crate::sweep::results::Overview;

/// Width of the plot, and height and least height of its content.
const SIZE: [f64; 3] = [640.0, 330.0, 150.0];

/// Draws the best mean so far as steps, and a point for each configuration.
pub(super) fn best_so_far(overview: &Overview, options: &PageOptions) -> Svg {
    let means: Vec<f64> = overview.means().map(|(_, mean)| mean).collect();
    let epochs = overview.course.iter().map(|step| step.epochs as f64);
    let last = overview.course.last().map_or(0.0, |step| step.epochs as f64);
    let x = Axis::exact("epochs of all trials", Unit::Whole, epochs.chain([0.0, 1.02 * last]));
    let y = metric_axis(overview, &means);
    let worst = worst_end(overview, &y);
    let dropped: HashSet<usize> = overview.dropped().collect();
    let mut panel = Panel::new(metric_title(overview), x, y);
    let mut steps: Vec<Point> = Vec::new();
    let mut mean_of = vec![None; overview.ranking.results.len()];
    overview.means().for_each(|(place, mean)| mean_of[place] = Some(mean));
    for step in &overview.course {
        let at = step.epochs as f64;
        match mean_of[step.place] {
            Some(mean) => {
                panel.artists.push(Artist::Marker((at, mean), Marker::Circle, 2.8, BLUE.lighter(0.35)));
            }
            None => panel.artists.push(cross((at, worst), dropped.contains(&step.place))),
        }
        if let Some(best) = step.best {
            steps.extend(steps.last().map(|last| (at, last.1)));
            steps.push((at, best));
        }
    }
    panel.artists.push(Artist::Line(steps, Stroke::solid(BLUE, 2.0)));
    let mut keys = vec![
        Entry::new(Handle::Line(Stroke::solid(BLUE, 2.0), None), "best so far"),
        Entry::new(Handle::Marker(Marker::Circle, BLUE.lighter(0.35)), "configuration"),
    ];
    keys.extend(cross_keys(overview));
    let notes = vec!["In the order in which the configurations were chosen.".to_owned()];
    let page = Page { keys, notes, ..page(overview, "best configuration so far") };
    page.draw_panels(options, SIZE, vec![panel])
}

/// Draws the expected best of n configurations.
pub(super) fn expected_best(overview: &Overview, options: &PageOptions) -> Svg {
    let points: Vec<Point> = overview.expected_best.iter().map(|(size, best)| (*size as f64, *best)).collect();
    let x = Axis::exact("number of configurations", Unit::Whole, points.iter().map(|point| point.0));
    let y = metric_axis(overview, &points.iter().map(|point| point.1).collect::<Vec<_>>());
    let mut panel = Panel::new(metric_title(overview), x, y);
    panel.artists.push(Artist::Line(points, Stroke::solid(BLUE, 2.0)));
    let mut notes = vec!["Mean of the best over all subsets of this number of configurations.".to_owned()];
    if let Some(rounds) = overview.record.search.rounds {
        notes.push(format!("Only the first {} configurations, which were chosen without results.", rounds.startup()));
    }
    if overview.dropped().next().is_some() {
        notes.push("Only configurations that were trained to the end: those dropped early are left out.".to_owned());
    }
    if overview.failed().next().is_some() {
        notes.push("Diverged and failed configurations have the worst value of the others.".to_owned());
    }
    let page = Page { notes, ..page(overview, "expected best of n configurations") };
    page.draw_panels(options, SIZE, vec![panel])
}
