//! What surrounds every picture: title, subtitle and legend above it, notes below it, and a margin.

use crate::plot::color::{INK, QUIET};
use crate::plot::font::{Font, LABEL, SMALL, TITLE};
use crate::plot::legend::{Entry, Legend};
use crate::plot::svg::{Anchor, Point, Rect, Svg};

/// Around all.
pub const MARGIN: f64 = 16.0;

/// How large a picture is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// Its width in pixels; by default what its kind needs.
    pub width: Option<f64>,
    /// Its height in pixels; by default what its kind needs.
    pub height: Option<f64>,
}

/// What surrounds a picture.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What is shown.
    pub title: String,
    /// Of what, in smaller letters.
    pub subtitle: String,
    /// For those who hear it read: what is to be seen.
    pub description: String,
    /// What is what.
    pub legend: Vec<Entry>,
    /// What holds for all of that: in rows of their own, where all of it does not fit one.
    pub keys: Vec<Entry>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

impl Page {
    /// Draws what surrounds a body of this size, or of what is left of a given height, and lets `draw` draw the body.
    pub fn draw(self, width: f64, body: Body, draw: impl FnOnce(&mut Svg, Rect)) -> Svg {
        let inner = width - 2.0 * MARGIN;
        let title = TITLE.wrapped(&self.title, inner);
        let subtitle = if self.subtitle.is_empty() { Vec::new() } else { LABEL.wrapped(&self.subtitle, inner) };
        let notes: Vec<String> = self.notes.iter().flat_map(|note| SMALL.wrapped(note, inner)).collect();
        let legends = legends(self.legend, self.keys, inner);
        let lines = |count: usize, font: Font| count as f64 * font.leading();
        let mut header = MARGIN + lines(title.len(), TITLE) + lines(subtitle.len(), LABEL) + 8.0;
        let legend_at = header;
        if !legends.is_empty() {
            header += legends.iter().map(|legend| legend.height).sum::<f64>() + 8.0;
        }
        let footer = if notes.is_empty() { MARGIN } else { 8.0 + lines(notes.len(), SMALL) + MARGIN - 4.0 };
        let body_height = match body {
            Body::High(height) => height,
            Body::Within(height) => (height - header - footer).max(LEAST_BODY),
        };
        let height = header + body_height + footer;
        let mut svg = Svg::new(width, height, &self.title, &self.description);
        let top = (MARGIN, MARGIN - 3.0);
        let below = set(&mut svg, top, TITLE, &title, true);
        set(&mut svg, below, LABEL, &subtitle, false);
        let mut at = legend_at;
        for legend in legends {
            legend.draw(&mut svg, (MARGIN, at));
            at += legend.height;
        }
        draw(&mut svg, Rect { x: MARGIN, y: header, width: inner, height: body_height });
        set(&mut svg, (MARGIN, height - footer + 8.0), SMALL, &notes, false);
        svg
    }
}

/// All entries in one row where they fit, otherwise the keys below the others.
fn legends(entries: Vec<Entry>, keys: Vec<Entry>, width: f64) -> Vec<Legend> {
    let together = Legend::new([&entries[..], &keys[..]].concat(), width);
    let mut legends = match together.rows() {
        0 | 1 => vec![together],
        _ => vec![Legend::new(entries, width), Legend::new(keys, width)],
    };
    legends.retain(|legend| legend.height > 0.0);
    legends
}

/// How high a body is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body {
    /// So many pixels.
    High(f64),
    /// What is left of a picture of so many pixels.
    Within(f64),
}

impl Body {
    /// A body of this height, unless the picture's height is given.
    pub fn of(size: Size, wanted: f64) -> Body {
        size.height.map_or(Body::High(wanted), Body::Within)
    }
}

/// A body is never lower.
const LEAST_BODY: f64 = 90.0;

/// Sets lines below each other, and returns where the next would begin.
fn set(svg: &mut Svg, (x, y): Point, font: Font, lines: &[String], is_title: bool) -> Point {
    let color = if is_title { INK } else { QUIET };
    for (number, line) in lines.iter().enumerate() {
        let base = y + number as f64 * font.leading() + font.size;
        svg.text((x, base), Anchor::Start, font, color, line);
    }
    (x, y + lines.len() as f64 * font.leading())
}
