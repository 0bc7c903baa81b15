//! Plot of the metric against each setting: a panel for each setting with a point for each configuration.

use crate::plot::charts::setting_axis::Scaled;
use crate::plot::charts::strip_plot::heading;
use crate::plot::charts::sweep::page::{cross, cross_keys, metric_axis, page, worst_end};
use crate::plot::draw::axis::{Axis, Scale, range};
use crate::plot::draw::color::{BLUE, INK};
use crate::plot::draw::grid::Grid;
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::marker::Marker;
use crate::plot::draw::page::{MARGIN, Page, PageOptions};
use crate::plot::draw::panel::{Artist, Panel};
use crate::plot::draw::shape::Stroke;
use crate::plot::format::svg::Svg;
use crate::sweep::results::Overview;
use crate::sweep::results::setting_column::{SettingColumn, SettingScale};

const WIDTH: f64 = 860.0;
const PANEL_WIDTH: f64 = 250.0;
const PANEL_HEIGHT: f64 = 210.0;

/// Draws the metric against each setting that differs.
pub(super) fn draw(overview: &Overview, options: &PageOptions) -> Svg {
    let ends = overview.means().flat_map(|(place, mean)| match std_of(overview, place) {
        Some(std) => vec![mean - std, mean, mean + std],
        None => vec![mean],
    });
    let means: Vec<f64> = overview.means().map(|(_, mean)| mean).collect();
    let y = match metric_axis(overview, &means) {
        log @ Axis { scale: Scale::Log, .. } => log,
        _ => metric_axis(overview, &ends.collect::<Vec<f64>>()),
    };
    let width = options.width.unwrap_or(WIDTH);
    let columns = Grid::columns_for(overview.columns.len(), width - 2.0 * MARGIN, PANEL_WIDTH);
    let panel_width = width / columns as f64;
    let panels = overview.columns.iter().map(|column| panel(overview, column, y.clone(), panel_width)).collect();
    let grid = Grid { panels, columns, shares_axes: false };
    let mut keys =
        vec![Entry::new(Handle::Marker(Marker::Circle, BLUE), "configuration"), Entry::new(Handle::Ring(INK), "best")];
    keys.extend(cross_keys(overview));
    let has_bars = overview.means().any(|(place, _)| std_of(overview, place).is_some());
    let notes = has_bars.then(|| "Error bars: ± standard deviation over the seeds.".to_owned());
    let page = Page {
        keys,
        notes: notes.into_iter().collect(),
        ..page(overview, &format!("{} by setting", heading(&overview.metric)))
    };
    let height = grid.rows() as f64 * (PANEL_HEIGHT + 55.0);
    let size = [width, height, 0.6 * height];
    page.draw(options, size, |svg, room| grid.draw(svg, room))
}

fn std_of(overview: &Overview, place: usize) -> Option<f64> {
    overview.ranking.results[place].metric.as_ref()?.std
}

/// Returns the panel of a setting.
fn panel(overview: &Overview, column: &SettingColumn, y: Axis, width: f64) -> Panel {
    let ends = range(column.values.iter().copied().flatten()).unwrap_or((0.0, 1.0));
    let x = match &column.scale {
        SettingScale::Linear => Scaled::numbers(&column.label, ends, false),
        SettingScale::Log => Scaled::numbers(&column.label, ends, true),
        SettingScale::Choices(choices) => Scaled::words(&column.label, choices.clone(), width),
    };
    let at = |place: usize| column.values[place];
    let worst = worst_end(overview, &y);
    // the title is that of the vertical axis, and says whether it is logarithmic
    let mut panel = Panel::new(overview.metric.clone(), x.axis().clone(), y);
    let mut best = None;
    let mut marks = Vec::new();
    for (place, mean) in overview.means() {
        let Some(x) = at(place) else { continue };
        if let Some(std) = std_of(overview, place).filter(|std| *std > 0.0) {
            let bar = vec![(x, mean - std), (x, mean + std)];
            panel.artists.push(Artist::Line(bar, Stroke::solid(BLUE.lighter(0.6), 1.2)));
        }
        marks.push(Artist::Marker((x, mean), Marker::Circle, 3.0, BLUE));
        if place == 0 {
            best = Some(Artist::Ring((x, mean), INK));
        }
    }
    marks.reverse(); // the best ones above the others
    panel.artists.extend(marks);
    let crosses = |places: Vec<usize>, is_dropped: bool| {
        places.into_iter().filter_map(move |place| Some(cross((at(place)?, worst), is_dropped)))
    };
    panel.artists.extend(crosses(overview.dropped().collect(), true));
    panel.artists.extend(crosses(overview.failed().collect(), false));
    panel.artists.extend(best);
    panel
}
