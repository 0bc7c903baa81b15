//! Colors: the palette of Okabe and Ito, which is safe for color-blind readers, in an order that also works in
//! grayscale, and color maps.

use std::fmt;

/// RGB color, 0–255 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// Color of text.
pub const INK: Color = Color(0x1f, 0x23, 0x28);
/// Color of less prominent text: subtitles, notes, numbers at axes.
pub const QUIET: Color = Color(0x57, 0x60, 0x6a);
/// Color of axes.
pub const AXIS: Color = Color(0x8c, 0x95, 0x9f);
/// Color of grid lines.
pub const GRID: Color = Color(0xe6, 0xe9, 0xec);
/// Color of a highlighted background in a panel.
pub const SHADE: Color = Color(0xf3, 0xf1, 0xec);
/// Color of lines in the background.
pub const GHOST: Color = Color(0xcd, 0xd2, 0xd7);
/// Color of the background.
pub const WHITE: Color = Color(0xff, 0xff, 0xff);

/// Color of text on a light cell.
pub const BLACK: Color = Color(0, 0, 0);

/// Okabe and Ito's blue.
pub const BLUE: Color = Color(0x00, 0x72, 0xb2);
/// Okabe and Ito's vermilion.
pub const VERMILION: Color = Color(0xd5, 0x5e, 0x00);
/// Okabe and Ito's bluish green.
pub const GREEN: Color = Color(0x00, 0x9e, 0x73);

/// Categorical colors. Okabe and Ito's yellow is missing, since it is hard to see on white.
pub const PALETTE: [Color; 7] = [
    BLUE,
    VERMILION,
    GREEN,
    Color(0xcc, 0x79, 0xa7), // reddish purple
    Color(0x00, 0x00, 0x00),
    Color(0xe6, 0x9f, 0x00), // orange
    Color(0x56, 0xb4, 0xe9), // sky blue
];

/// Color map from white to dark blue.
const BLUES: [Color; 6] = [
    Color(0xff, 0xff, 0xff),
    Color(0xd6, 0xe6, 0xf4),
    Color(0xab, 0xd0, 0xe6),
    Color(0x6a, 0xae, 0xd6),
    Color(0x2e, 0x7e, 0xbc),
    Color(0x08, 0x30, 0x6b),
];

/// Color map from dark purple over blue to green: Viridis without its lightest part.
const DEPTHS: [Color; 5] = [
    Color(0x44, 0x01, 0x54),
    Color(0x40, 0x43, 0x87),
    Color(0x29, 0x78, 0x8e),
    Color(0x22, 0xa7, 0x84),
    Color(0x79, 0xd1, 0x51),
];

impl Color {
    /// Returns the categorical color with this index; colors repeat.
    pub fn nth(number: usize) -> Color {
        PALETTE[number % PALETTE.len()]
    }

    /// Returns a color from white (0) to dark blue (1).
    pub fn from_blues(share: f64) -> Color {
        along(&BLUES, share)
    }

    /// Returns a color from dark purple (0) to light green (1), which shows the depth of a layer.
    pub fn from_viridis(share: f64) -> Color {
        along(&DEPTHS, share)
    }

    /// Returns a gray from black (0) to white (1).
    pub fn grey(share: f64) -> Color {
        let value = (share.clamp(0.0, 1.0) * 255.0).round() as u8;
        Color(value, value, value)
    }

    /// Returns the color with these shares of red, green and blue, from 0 to 1.
    pub fn from_shares(shares: [f64; 3]) -> Color {
        let [red, green, blue] = shares.map(|share| Color::grey(share).0);
        Color(red, green, blue)
    }

    /// Returns the relative luminance as defined in WCAG 2, from 0 (black) to 1 (white).
    pub fn luminance(self) -> f64 {
        let linear = |value: u8| match f64::from(value) / 255.0 {
            value if value <= 0.04045 => value / 12.92,
            value => ((value + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Returns the contrast ratio of two colors as defined in WCAG 2, from 1 to 21.
    pub fn contrast(self, other: Color) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Returns white or black, whichever has more contrast with this color.
    pub fn ink_on(self) -> Color {
        if self.contrast(WHITE) > self.contrast(BLACK) { WHITE } else { BLACK }
    }

    /// Returns a mix of this color and white; `share` is the share of white.
    pub fn lighter(self, share: f64) -> Color {
        between(self, WHITE, share)
    }
}

fn along(stops: &[Color], share: f64) -> Color {
    let place = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let stop = (place as usize).min(stops.len() - 2);
    between(stops[stop], stops[stop + 1], place - stop as f64)
}

fn between(from: Color, to: Color, share: f64) -> Color {
    let mixed = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share).round() as u8;
    Color(mixed(from.0, to.0), mixed(from.1, to.1), mixed(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_a_cell_is_legible_on_every_share() {
        for step in 0..=100 {
            let cell = Color::from_blues(f64::from(step) / 100.0);
            assert!(cell.contrast(cell.ink_on()) >= 4.4, "{step} % on {cell}");
        }
    }

    #[test]
    fn shares_only_get_darker_and_depths_only_lighter() {
        let steps = |color: fn(f64) -> Color| (0..=50).map(move |step| color(f64::from(step) / 50.0).luminance());
        assert!(steps(Color::from_blues).is_sorted_by(|a, b| a > b));
        assert!(steps(Color::from_viridis).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn lines_are_seen_on_white_paper() {
        assert!(PALETTE.iter().all(|color| color.contrast(WHITE) >= 2.0));
        assert!(QUIET.contrast(WHITE) >= 4.5);
        assert_eq!(BLUE.to_string(), "#0072b2");
        assert_eq!(BLUE.lighter(1.0), WHITE);
    }
}
