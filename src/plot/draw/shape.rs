//! What drawings are made of: points, rectangles, strokes, and which point of a text is named.

use crate::plot::draw::color::Color;

/// A point, x to the right and y down, pixels.
pub type Point = (f64, f64);

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Its left side.
    pub x: f64,
    /// Its upper side.
    pub y: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

impl Rect {
    /// Its right side.
    pub fn right(self) -> f64 {
        self.x + self.width
    }

    /// Its lower side.
    pub fn bottom(self) -> f64 {
        self.y + self.height
    }

    /// Its middle.
    pub fn middle(self) -> Point {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The same without so much at its left, top, right and bottom.
    pub fn inset(self, left: f64, top: f64, right: f64, bottom: f64) -> Rect {
        Rect {
            x: self.x + left,
            y: self.y + top,
            width: (self.width - left - right).max(1.0),
            height: (self.height - top - bottom).max(1.0),
        }
    }
}

/// How a line is broken, so that lines can be told apart without colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    #[default]
    Solid,
    /// Into dashes.
    Dashed,
    /// Into dots.
    Dotted,
    /// Into dashes and dots.
    DashDotted,
}

impl Dash {
    /// All of them, those first that are told apart most easily.
    pub const ALL: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDotted];

    fn array(self, width: f64) -> Option<String> {
        let lengths: &[f64] = match self {
            Dash::Solid => return None,
            Dash::Dashed => &[3.5, 2.0],
            Dash::Dotted => &[1.0, 1.6],
            Dash::DashDotted => &[4.5, 1.8, 1.0, 1.8],
        };
        let unit = width.max(1.2);
        Some(lengths.iter().map(|length| short(length * unit)).collect::<Vec<_>>().join(" "))
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Its color.
    pub color: Color,
    /// Its width, pixels.
    pub width: f64,
    /// How it is broken.
    pub dash: Dash,
}

impl Stroke {
    /// An unbroken line.
    pub fn solid(color: Color, width: f64) -> Stroke {
        Stroke { color, width, dash: Dash::Solid }
    }

    /// The attributes of an element that is drawn with it.
    pub fn attributes(self) -> String {
        let dash =
            self.dash.array(self.width).map(|array| format!(" stroke-dasharray=\"{array}\"")).unwrap_or_default();
        format!("stroke=\"{}\" stroke-width=\"{}\"{dash}", self.color, short(self.width))
    }
}

/// Which point of a text is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    #[default]
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

impl Anchor {
    /// The left and the right end of a text of this width whose point is at `x`.
    pub fn span(self, x: f64, width: f64) -> (f64, f64) {
        match self {
            Anchor::Start => (x, x + width),
            Anchor::Middle => (x - width / 2.0, x + width / 2.0),
            Anchor::End => (x - width, x),
        }
    }
}

/// A number with two decimals at most.
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
