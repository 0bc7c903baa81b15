//! Parallel coordinates: an upright axis for each setting and for the metric, and a line for each configuration.

use crate::compare::metric_name::metric_of;
use crate::plot::charts::sweep::page::{metric_axis, page};
use crate::plot::draw::axis::Axis;
use crate::plot::draw::color::{AXIS, Color, INK, QUIET, WHITE};
use crate::plot::draw::font::{HEADING, SMALL};
use crate::plot::draw::legend::{Entry, Handle};
use crate::plot::draw::page::{MARGIN, Page, PageOptions};
use crate::plot::draw::shape::{Anchor, Point, Rect, Stroke};
use crate::plot::draw::ticks::{Unit, format_number};
use crate::plot::format::svg::Svg;
use crate::sweep::results::Overview;
use crate::sweep::results::setting_column::{SettingColumn, SettingScale};

/// Maximum number of lines: the best ones.
const MOST_LINES: usize = 500;

const HEIGHT: f64 = 360.0;
const LEAST_HEIGHT: f64 = 200.0;
const AXIS_DISTANCE: f64 = 150.0;
/// Space above the axes for their names, and below them for values that are not set.
const ABOVE: f64 = 24.0;
const BELOW: f64 = 30.0;

/// Draws a line for each configuration with all of its trials.
pub(super) fn draw(overview: &Overview, options: &PageOptions) -> Svg {
    let lines: Vec<(usize, f64)> = overview.means().take(MOST_LINES).collect();
    let y = metric_axis(overview, &lines.iter().map(|(_, mean)| *mean).collect::<Vec<_>>());
    let mut notes = vec!["The colors are the ranks: the better a configuration, the lighter its line.".to_owned()];
    let all = overview.means().count();
    if all > lines.len() {
        notes.push(format!("The best {} of {all} configurations.", lines.len()));
    }
    if overview.dropped().next().is_some() {
        notes.push("Configurations that were dropped early have no line.".to_owned());
    }
    if overview.columns.iter().any(|column| column.values.contains(&None)) {
        notes.push("–: the configuration does not have the setting.".to_owned());
    }
    let keys = vec![Entry::new(Handle::Line(Stroke::solid(INK, 2.6), None), "best")];
    let page = Page { keys, notes, ..page(overview, "configurations in parallel coordinates") };
    let width = AXIS_DISTANCE * (overview.columns.len() + 1) as f64 + 2.0 * MARGIN;
    let size = [width.clamp(520.0, 1600.0), HEIGHT, LEAST_HEIGHT];
    let chart = Chart { overview, lines, metric: y };
    page.draw(options, size, |svg, room| chart.draw(svg, room))
}

struct Chart<'a> {
    overview: &'a Overview<'a>,
    lines: Vec<(usize, f64)>,
    metric: Axis,
}

impl Chart<'_> {
    fn draw(&self, svg: &mut Svg, room: Rect) {
        let columns = &self.overview.columns;
        let distance = room.width / (columns.len() + 1) as f64;
        let x = |number: usize| room.x + (number as f64 + 0.5) * distance;
        let frame = room.inset(0.0, ABOVE, 0.0, BELOW);
        let y = |share: f64| frame.bottom() - share * frame.height;
        let points = |place: usize, mean: f64| -> Vec<Point> {
            let settings = columns.iter().enumerate().map(|(number, column)| {
                let at = column.values[place].map_or(frame.bottom() + BELOW / 2.0, |value| y(column.share(value)));
                (x(number), at)
            });
            settings.chain([(x(columns.len()), y(self.metric_share(mean)))]).collect()
        };
        let last = self.lines.len().saturating_sub(1).max(1) as f64;
        for (rank, (place, mean)) in self.lines.iter().enumerate().skip(1).rev() {
            let color = Color::from_viridis(1.0 - rank as f64 / last);
            svg.path(&points(*place, *mean), Stroke::solid(color, 1.3));
        }
        if let Some((place, mean)) = self.lines.first() {
            svg.path(&points(*place, *mean), Stroke::solid(WHITE, 4.6));
            svg.path(&points(*place, *mean), Stroke::solid(INK, 2.6));
        }
        let names = columns.iter().map(|column| column.label.as_str()).chain([metric_of(&self.overview.metric)]);
        for (number, name) in names.enumerate() {
            let name = HEADING.shorten(name, distance - 6.0);
            svg.text((x(number), room.y + HEADING.size), Anchor::Middle, HEADING, INK, &name);
            svg.line((x(number), frame.y), (x(number), frame.bottom()), Stroke::solid(AXIS, 1.0));
            let ticks = match columns.get(number) {
                Some(column) => self.ticks(column, distance, frame.height),
                None => self.metric_ticks(),
            };
            for (share, text) in ticks {
                svg.line((x(number) - 3.0, y(share)), (x(number) + 3.0, y(share)), Stroke::solid(AXIS, 1.0));
                label(svg, (x(number), y(share)), &text, distance - 12.0);
            }
            if columns.get(number).is_some_and(|column| column.values.contains(&None)) {
                label(svg, (x(number), frame.bottom() + BELOW / 2.0), "–", distance);
            }
        }
    }

    /// Returns the position of a value of the metric: the best values are at the top.
    fn metric_share(&self, mean: f64) -> f64 {
        let share = self.metric.share(mean).unwrap_or(0.0).clamp(0.0, 1.0);
        if self.overview.higher_is_better { share } else { 1.0 - share }
    }

    fn metric_ticks(&self) -> Vec<(f64, String)> {
        let ticks = self.metric.ticks(6).into_iter().filter(|tick| !tick.label.is_empty());
        ticks.map(|tick| (self.metric_share(tick.value), tick.label)).collect()
    }

    /// Returns labels at positions of a setting's axis, as far as they have room.
    fn ticks(&self, column: &SettingColumn, width: f64, height: f64) -> Vec<(f64, String)> {
        match &column.scale {
            SettingScale::Choices(choices) => {
                let step = choices.len().div_ceil((height / 18.0) as usize).max(1);
                let shown = choices.iter().enumerate().step_by(step);
                shown.map(|(at, text)| (column.share(at as f64), SMALL.shorten(text, width - 16.0))).collect()
            }
            SettingScale::Linear | SettingScale::Log => {
                let mut values: Vec<f64> = column.values.iter().copied().flatten().collect();
                values.sort_by(f64::total_cmp);
                values.dedup();
                let (low, high) = (values[0], values[values.len() - 1]);
                let between = match column.scale {
                    _ if values.len() <= 6 => values.clone(),
                    SettingScale::Log => Axis::log("", [low, high]).map_or(Vec::new(), |axis| numbered(&axis)),
                    _ => numbered(&Axis::linear("", Unit::Plain, low, high)),
                };
                let mut placed: Vec<(f64, String)> = vec![(0.0, short(low)), (1.0, short(high))];
                for value in between {
                    let share = column.share(value);
                    let is_free = placed.iter().all(|(other, _)| (share - other).abs() * height > 16.0);
                    if is_free && (0.0..=1.0).contains(&share) {
                        placed.push((share, short(value)));
                    }
                }
                placed
            }
        }
    }
}

/// Returns the ticks of an axis that have a number.
fn numbered(axis: &Axis) -> Vec<f64> {
    axis.ticks(6).into_iter().filter(|tick| !tick.label.is_empty()).map(|tick| tick.value).collect()
}

/// Returns a number as it was set if it is short; rounding errors, as in 0.30000000000000004, are left out.
fn short(number: f64) -> String {
    let rounded = format!("{number:.12e}").parse::<f64>().unwrap_or(number);
    let plain = rounded.to_string();
    if plain.len() <= 6 { plain } else { format_number(number) }
}

/// Writes a label to the right of an axis, on a white ground above the lines.
fn label(svg: &mut Svg, (x, y): Point, text: &str, most: f64) {
    let text = SMALL.shorten(text, most);
    let ground = Rect { x: x + 5.0, y: y - 7.0, width: SMALL.room(&text) + 4.0, height: 14.0 };
    svg.rect(ground, WHITE);
    svg.text((x + 7.0, y + SMALL.cap_height() / 2.0), Anchor::Start, SMALL, QUIET, &text);
}
