//! Draws the curves of a metric, with their ranges over trials.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType};

use crate::cli::commands::watch::look::{Look, shortened};
use crate::cli::commands::watch::view::{Curve, Metric, Point};
use crate::cli::text::number_format;
use crate::plot::draw::ticks::{self, Unit};

/// Colors of the curves.
const COLORS: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::LightRed];

/// Markers of the curves where there are no colors, and as they are in the title.
const MARKERS: [(Marker, &str); 3] = [(Marker::Braille, "⠒"), (Marker::Dot, "•"), (Marker::Block, "█")];

/// Smallest height of a frame with a label in the middle of the axis.
const HIGH: u16 = 8;

/// Draws a metric.
pub fn draw(frame: &mut Frame, area: Rect, metric: &Metric, look: &Look) {
    let block = Block::bordered().title(title(metric, look, area.width.saturating_sub(2)));
    let value = |value: f64| if look.is_logarithmic { value.log10() } else { value };
    let scaled =
        |point: &Point| Point { mean: value(point.mean), low: value(point.low), high: value(point.high), ..*point };
    let is_shown = |point: &Point| point.low.is_finite() && point.high.is_finite() && point.mean.is_finite();
    let of_curve = |curve: &Curve| curve.points.iter().map(scaled).filter(is_shown).collect::<Vec<Point>>();
    let curves: Vec<Vec<Point>> = metric.curves.iter().map(of_curve).collect();
    let all = || curves.iter().flatten();
    let (low, high) =
        all().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), point| (low.min(point.low), high.max(point.high)));
    if all().next().is_none() {
        let why = if look.is_logarithmic { "no values above 0 for a logarithmic scale" } else { "no finite values" };
        frame.render_widget(ratatui::widgets::Paragraph::new(why).centered().block(block), area);
        return;
    }
    let last = all().map(|point| point.epoch).fold(2.0, f64::max);
    let parts = if area.height >= HIGH { 2 } else { 1 };
    let (bounds, labels) = y_axis(low, high, parts, look.is_logarithmic);
    let of = |select: fn(&Point) -> f64| -> Vec<Vec<(f64, f64)>> {
        curves.iter().map(|points| points.iter().map(|point| (point.epoch, select(point))).collect()).collect()
    };
    let (means, lows, highs) = (of(|point| point.mean), of(|point| point.low), of(|point| point.high));
    let has_range: Vec<bool> = curves.iter().map(|points| points.iter().any(|point| point.low < point.high)).collect();
    let set = |data, style, marker, kind| Dataset::default().data(data).style(style).marker(marker).graph_type(kind);
    // the most important curve is drawn last, over the others
    let places = || (0..curves.len()).rev();
    let ranges = places().filter(|place| has_range[*place]).flat_map(|place| {
        let style = style(place, look).add_modifier(Modifier::DIM);
        [&lows[place], &highs[place]].map(|data| set(data, style, Marker::Dot, GraphType::Scatter))
    });
    let lines = places().map(|place| {
        let kind = if means[place].len() > 1 { GraphType::Line } else { GraphType::Scatter };
        set(&means[place], style(place, look), marker(place, look), kind)
    });
    let chart = Chart::new(ranges.chain(lines).collect())
        .block(block)
        .legend_position(None)
        .x_axis(Axis::default().title("epoch").bounds([1.0, last]).labels(x_labels(last)))
        .y_axis(Axis::default().bounds(bounds).labels(labels));
    frame.render_widget(chart, area);
}

fn style(place: usize, look: &Look) -> Style {
    look.color(COLORS[place % COLORS.len()])
}

fn marker(place: usize, look: &Look) -> Marker {
    if look.is_colored { Marker::Braille } else { MARKERS[place % MARKERS.len()].0 }
}

/// Returns the name of the metric and those of the curves with their last values.
fn title(metric: &Metric, look: &Look, width: u16) -> Line<'static> {
    let scale = if look.is_logarithmic { " (log)" } else { "" };
    let mut room = width;
    let mut spans = Vec::new();
    let mut add = |text: String, style: Style| {
        let text = shortened(&text, room);
        room = room.saturating_sub(text.chars().count() as u16);
        spans.push(Span::styled(text, style));
    };
    add(format!(" {}{scale} ", metric.name), Style::new().add_modifier(Modifier::BOLD));
    for (place, curve) in metric.curves.iter().enumerate() {
        let Some(point) = curve.points.last() else { continue };
        let sign = if look.is_colored { "─" } else { MARKERS[place % MARKERS.len()].1 };
        let space = if curve.label.is_empty() { "" } else { " " };
        let value = number_format::of(&metric.name, Some(point.mean));
        add(format!(" {sign} {}{space}{value} ", curve.label), style(place, look));
    }
    Line::from(spans)
}

/// Returns the bounds of the axis of the values, and its labels at equal distances from the lower bound to the upper one.
fn y_axis(low: f64, high: f64, parts: usize, is_logarithmic: bool) -> ([f64; 2], Vec<String>) {
    let wide = if high > low { high - low } else { low.abs().max(1e-3) };
    let (low, high) = if high > low { (low, high) } else { (low - wide / 2.0, high + wide / 2.0) };
    if is_logarithmic {
        let at = |part: usize| low + (high - low) * part as f64 / parts as f64;
        return ([low, high], (0..=parts).map(|part| number_format::short(10_f64.powf(at(part)))).collect());
    }
    let step = ticks::step(low, high, 2 * parts, Unit::Plain);
    let from = (low / step).floor() * step;
    let steps = ((high - from) / step - 1e-9).ceil().max(1.0);
    let steps = (steps / parts as f64).ceil() * parts as f64;
    let at = |part: usize| from + step * steps * part as f64 / parts as f64;
    ([from, from + step * steps], (0..=parts).map(|part| ticks::format_number(at(part))).collect())
}

/// Returns the labels of the axis of the epochs: the first, the last and one in the middle if it is a whole number.
fn x_labels(last: f64) -> Vec<String> {
    let middle = (1.0 + last) / 2.0;
    let middle = (middle.fract() == 0.0 && last > 2.0).then_some(middle);
    [Some(1.0), middle, Some(last)].into_iter().flatten().map(|epoch| format!("{epoch}")).collect()
}
