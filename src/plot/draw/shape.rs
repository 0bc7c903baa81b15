//! Geometry and line styles: points, rectangles, strokes, text anchors.

use crate::plot::draw::color::Color;

/// A point in pixels; x to the right, y down.
pub type Point = (f64, f64);

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// Returns the right edge.
    pub fn right(self) -> f64 {
        self.x + self.width
    }

    /// Returns the lower edge.
    pub fn bottom(self) -> f64 {
        self.y + self.height
    }

    /// Returns the center.
    pub fn middle(self) -> Point {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Returns the rectangle reduced by these amounts at the left, top, right and bottom.
    pub fn inset(self, left: f64, top: f64, right: f64, bottom: f64) -> Rect {
        Rect {
            x: self.x + left,
            y: self.y + top,
            width: (self.width - left - right).max(1.0),
            height: (self.height - top - bottom).max(1.0),
        }
    }
}

/// Dash pattern, which distinguishes lines without color.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineStyle {
    /// Solid.
    #[default]
    Solid,
    /// Dashed.
    Dashed,
    /// Dotted.
    Dotted,
    /// Dash-dotted.
    DashDotted,
}

impl LineStyle {
    /// All patterns; the most distinct come first.
    pub const ALL: [LineStyle; 4] = [LineStyle::Solid, LineStyle::Dashed, LineStyle::Dotted, LineStyle::DashDotted];

    fn array(self, width: f64) -> Option<String> {
        let lengths: &[f64] = match self {
            LineStyle::Solid => return None,
            LineStyle::Dashed => &[3.5, 2.0],
            LineStyle::Dotted => &[1.0, 1.6],
            LineStyle::DashDotted => &[4.5, 1.8, 1.0, 1.8],
        };
        let unit = width.max(1.2);
        Some(lengths.iter().map(|length| short(length * unit)).collect::<Vec<_>>().join(" "))
    }
}

/// Style of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its color.
    pub color: Color,
    /// Its width in pixels.
    pub width: f64,
    /// Its dash pattern.
    pub line_style: LineStyle,
}

impl Stroke {
    /// Returns a solid line style.
    pub fn solid(color: Color, width: f64) -> Stroke {
        Stroke { color, width, line_style: LineStyle::Solid }
    }

    /// Returns the SVG attributes of the line style.
    pub fn attributes(self) -> String {
        let line_style =
            self.line_style.array(self.width).map(|array| format!(" stroke-dasharray=\"{array}\"")).unwrap_or_default();
        format!("stroke=\"{}\" stroke-width=\"{}\"{line_style}", self.color, short(self.width))
    }
}

/// Alignment of a text relative to its position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// The text starts at the position.
    #[default]
    Start,
    /// The text is centered at the position.
    Middle,
    /// The text ends at the position.
    End,
}

impl Anchor {
    /// Returns the left and right end of a text of this width at `x`.
    pub fn span(self, x: f64, width: f64) -> (f64, f64) {
        match self {
            Anchor::Start => (x, x + width),
            Anchor::Middle => (x - width / 2.0, x + width / 2.0),
            Anchor::End => (x - width, x),
        }
    }
}

/// Returns a number with at most two decimals.
pub fn short(number: f64) -> String {
    let rounded = format!("{number:.2}");
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_minus_zero() {
        assert_eq!([1.0, 0.126, -0.001, 100.5, -3.25].map(short), ["1", "0.13", "0", "100.5", "-3.25"]);
    }
}
