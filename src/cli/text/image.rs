//! Draws an image in the terminal: gray half blocks if the terminal shows colors, otherwise shading characters.
//!
//! A character is about twice as high as it is wide. A half block therefore holds two pixels, one above the other, and a
//! shaded pixel takes two characters.

use std::fmt::Write;

use crate::cli::text::terminal::Greys;
use crate::data::table::form::ImageSize;
use crate::plot::format::raster::shrunk;

/// Shading characters, from dark to light.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Number of columns of the frame.
const FRAME: usize = 2;

/// Returns an image of at most this many columns; `pixels` are its values row by row, from 0 (black) to 1 (white).
pub fn drawn(pixels: &[f64], size: ImageSize, greys: Greys, columns: usize) -> String {
    let pixel_columns = if greys == Greys::None { 2 } else { 1 };
    let (pixels, size) =
        shrunk(pixels, size, size.width.div_ceil((columns.saturating_sub(FRAME) / pixel_columns).max(1)));
    let rows: Vec<&[f64]> = pixels.chunks_exact(size.width).collect();
    let lines: Vec<String> = match greys {
        Greys::None => framed(rows.iter().map(|row| shaded(row)), 2 * size.width),
        Greys::Few | Greys::Many => rows.chunks(2).map(|pair| half_blocks(pair, greys)).collect(),
    };
    lines.join("\n")
}

/// Returns one row of pixels, two characters each.
fn shaded(row: &[f64]) -> String {
    let shade = |value: &f64| SHADES[((value.clamp(0.0, 1.0) * SHADES.len() as f64) as usize).min(SHADES.len() - 1)];
    row.iter().map(shade).flat_map(|shade| [shade, shade]).collect()
}

/// Returns lines of this width in a frame, without which the edges of a dark image are invisible.
fn framed(lines: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let edge = "─".repeat(width);
    let mut framed = vec![format!("┌{edge}┐")];
    framed.extend(lines.map(|line| format!("│{line}│")));
    framed.push(format!("└{edge}┘"));
    framed
}

/// Returns two rows of pixels, the upper in the text color, the lower in the background color.
fn half_blocks(pair: &[&[f64]], greys: Greys) -> String {
    let color = |value: f64| {
        let value = value.clamp(0.0, 1.0);
        match greys {
            Greys::Many => {
                let grey = (value * 255.0).round() as u8;
                format!("2;{grey};{grey};{grey}")
            }
            // 232 to 255 are the greys of the 256 colors, 16 is black and 231 white
            Greys::Few | Greys::None => match (value * 25.0).round() as u8 {
                0 => "5;16".to_owned(),
                25 => "5;231".to_owned(),
                grey => format!("5;{}", 231 + grey),
            },
        }
    };
    let mut line = String::new();
    let mut last = (String::new(), String::new());
    for (place, &upper) in pair[0].iter().enumerate() {
        let colors = (color(upper), pair.get(1).map(|lower| color(lower[place])).unwrap_or_default());
        if colors != last {
            let _ = match &colors {
                (upper, lower) if lower.is_empty() => write!(line, "\x1b[38;{upper}m"), // an odd last row
                (upper, lower) => write!(line, "\x1b[38;{upper};48;{lower}m"),
            };
            last = colors;
        }
        line.push('▀');
    }
    line + "\x1b[0m"
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ImageSize = ImageSize { height: 3, width: 2 };
    const PIXELS: [f64; 6] = [0.0, 1.0, 0.5, 0.0, 1.0, 0.25];

    #[test]
    fn shades_go_from_blank_to_full_two_characters_a_pixel() {
        assert_eq!(drawn(&PIXELS, SIZE, Greys::None, 80), "┌────┐\n│  ██│\n│▒▒  │\n│██░░│\n└────┘");
    }

    #[test]
    fn half_blocks_hold_two_rows_and_an_odd_last_one_stands_alone() {
        let many = drawn(&PIXELS, SIZE, Greys::Many, 80);
        let lines: Vec<&str> = many.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "\x1b[38;2;0;0;0;48;2;128;128;128m▀\x1b[38;2;255;255;255;48;2;0;0;0m▀\x1b[0m");
        assert_eq!(lines[1], "\x1b[38;2;255;255;255m▀\x1b[38;2;64;64;64m▀\x1b[0m");
        let few = drawn(&PIXELS, SIZE, Greys::Few, 80);
        assert!(few.starts_with("\x1b[38;5;16;48;5;244m▀\x1b[38;5;231;48;5;16m▀"), "{few:?}");
    }

    #[test]
    fn an_image_that_is_too_wide_is_made_smaller() {
        let size = ImageSize { height: 5, width: 100 };
        let wide = drawn(&[1.0; 500], size, Greys::None, 80);
        assert_eq!(wide.lines().map(|line| line.chars().count()).collect::<Vec<_>>(), [70, 70, 70, 70]);
        let colored = drawn(&[1.0; 500], size, Greys::Few, 102);
        assert_eq!(colored.matches('▀').count(), 300);
        assert_eq!(colored.matches("48;5;231").count(), 2, "a color holds until it changes");
        let (pixels, size) = shrunk(&[0.0, 1.0, 1.0, 0.0, 1.0, 1.0], ImageSize { height: 2, width: 3 }, 2);
        assert_eq!((pixels, size), (vec![0.5, 1.0], ImageSize { height: 1, width: 2 }));
    }
}
