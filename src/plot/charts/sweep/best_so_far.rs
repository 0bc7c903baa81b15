//! Plot of the best value so far against the number of epochs that all trials were trained.

use std::collections::HashSet;

use crate::plot::Plot;
use crate::plot::charts::sweep::page::{check_results, cross, cross_keys, metric_axis, metric_title, page, worst_end};
use crate::plot::draw::axis::Axis;
use crate::plot::draw::color::BLUE;
use crate::plot::draw::grid::Grid;
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::{Body, Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel};
use crate::plot::draw::shape::{Point, Stroke};
use crate::plot::draw::ticks::Unit;
use crate::sweep::results::Overview;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 330.0;
const LEAST_HEIGHT: f64 = 150.0;

/// Draws the best mean so far as steps, and a point for each configuration.
///
/// # Errors
/// When there are no results.
pub(super) fn draw(overview: &Overview, options: &PageOptions) -> anyhow::Result<Plot> {
    check_results(overview)?;
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
    let grid = Grid { panels: vec![panel], columns: 1, shares_axes: false };
    let body = Body::new(options, HEIGHT, LEAST_HEIGHT);
    let width = options.width.unwrap_or(WIDTH);
    Ok(Plot { svg: page.titled(options).draw(width, body, |svg, room| grid.draw(svg, room)), notes: Vec::new() })
}
