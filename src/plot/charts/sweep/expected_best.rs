//! Plot of the expected best of n configurations.

use crate::plot::Plot;
use crate::plot::charts::sweep::page::{check_results, metric_axis, metric_title, page};
use crate::plot::draw::axis::Axis;
use crate::plot::draw::color::BLUE;
use crate::plot::draw::grid::Grid;
use crate::plot::draw::page::{Body, Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel};
use crate::plot::draw::shape::{Point, Stroke};
use crate::plot::draw::ticks::Unit;
use crate::sweep::results::Overview;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 330.0;
const LEAST_HEIGHT: f64 = 150.0;

/// Draws the expected best of n configurations.
///
/// # Errors
/// When there are no results.
pub(super) fn draw(overview: &Overview, options: &PageOptions) -> anyhow::Result<Plot> {
    check_results(overview)?;
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
    let grid = Grid { panels: vec![panel], columns: 1, shares_axes: false };
    let body = Body::new(options, HEIGHT, LEAST_HEIGHT);
    let width = options.width.unwrap_or(WIDTH);
    Ok(Plot { svg: page.titled(options).draw(width, body, |svg, room| grid.draw(svg, room)), notes: Vec::new() })
}
