//! Images inside an SVG, drawn as runs of pixels of the same color: no embedded bitmap, and sharp at every size.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::data::table::form::ImageSize;
use crate::plot::draw::color::Color;
use crate::plot::draw::shape::{Rect, short};
use crate::plot::format::svg::Svg;

/// Number of gray levels.
const GRAY_LEVELS: usize = 32;

/// Number of levels of red, green and blue.
const COLOR_LEVELS: usize = 10;

/// Maximum side length in pixels of gray images; larger ones are scaled down.
const MAX_SIDE: usize = 64;

/// The same of color images, which have more runs.
const MAX_COLOR_SIDE: usize = 48;

/// Draws an image into a rectangle; `pixels` are its values row by row, from 0 (black) to 1 (white). If it has three times as
/// many values as pixels, they are all red ones, then green, then blue.
pub fn draw(svg: &mut Svg, room: Rect, pixels: &[f64], size: ImageSize) {
    let is_color = pixels.len() == 3 * size.height * size.width;
    let (levels, max_side) = if is_color { (COLOR_LEVELS, MAX_COLOR_SIDE) } else { (GRAY_LEVELS, MAX_SIDE) };
    let side = size.width.max(size.height).div_ceil(max_side); // no more than is visible
    let planes: Vec<(Vec<f64>, ImageSize)> =
        pixels.chunks_exact(size.height * size.width).map(|plane| shrunk(plane, size, side)).collect();
    let size = planes.first().map_or(size, |(_, size)| *size);
    let level = |value: f64| (value.clamp(0.0, 1.0) * (levels - 1) as f64).round() as usize;
    let level_of = |value: f64| level(if value.is_nan() { 0.0 } else { value });
    // the color of a pixel is one number, with a digit for each plane
    let code = |pixel: usize| planes.iter().fold(0, |code, (plane, _)| code * levels + level_of(plane[pixel]));
    let codes: Vec<usize> = (0..size.height * size.width).map(code).collect();
    let share = |digit: usize| (digit % levels) as f64 / (levels - 1) as f64;
    let color = |code: usize| match is_color {
        true => Color::from_shares([code / levels / levels, code / levels, code].map(share)),
        false => Color::grey(share(code)),
    };
    let scale = (room.width / size.width as f64).min(room.height / size.height as f64);
    let (width, height) = (scale * size.width as f64, scale * size.height as f64);
    let (x, y) = (room.x + (room.width - width) / 2.0, room.y + (room.height - height) / 2.0);
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    codes.iter().for_each(|code| *counts.entry(*code).or_default() += 1);
    let background = counts.iter().max_by_key(|(_, count)| **count).map_or(0, |(code, _)| *code);
    svg.rect(Rect { x, y, width, height }, color(background));
    for code in counts.into_keys().filter(|&code| code != background) {
        let mut path = String::new();
        for (row, line) in codes.chunks_exact(size.width).enumerate() {
            for (from, to) in runs(line, code) {
                let (left, top) = (short(x + from as f64 * scale), short(y + row as f64 * scale));
                let (length, side) = (short((to - from) as f64 * scale), short(scale));
                let _ = write!(path, "M{left} {top}h{length}v{side}h-{length}z"); // writing to a String cannot fail
            }
        }
        svg.cells(&path, color(code));
    }
}

/// Returns the runs of pixels in a line that have this color, as start and end.
fn runs(line: &[usize], color: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for place in (0..line.len()).filter(|&place| line[place] == color) {
        match runs.last_mut() {
            Some((_, to)) if *to == place => *to = place + 1,
            _ => runs.push((place, place + 1)),
        }
    }
    runs
}

/// Returns the image scaled down by averaging squares of `side` × `side` pixels.
pub fn shrunk(pixels: &[f64], size: ImageSize, side: usize) -> (Vec<f64>, ImageSize) {
    if side <= 1 {
        return (pixels.to_vec(), size);
    }
    let smaller = ImageSize { height: size.height.div_ceil(side), width: size.width.div_ceil(side) };
    let mean = |row: usize, column: usize| {
        let rows = row * side..size.height.min((row + 1) * side);
        let columns = column * side..size.width.min((column + 1) * side);
        let count = rows.len() * columns.len();
        rows.flat_map(|row| columns.clone().map(move |column| pixels[row * size.width + column])).sum::<f64>()
            / count as f64
    };
    let places = (0..smaller.height).flat_map(|row| (0..smaller.width).map(move |column| (row, column)));
    (places.map(|(row, column)| mean(row, column)).collect(), smaller)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_drawn_as_runs_on_its_most_frequent_grey() {
        let mut svg = Svg::new(20.0, 20.0, "", "");
        let pixels = [0.0, 1.0, 1.0, 0.0, 0.0, 0.0];
        draw(&mut svg, Rect { x: 0.0, y: 0.0, width: 6.0, height: 6.0 }, &pixels, ImageSize { height: 2, width: 3 });
        let text = svg.finish();
        assert!(text.contains("<rect x=\"0\" y=\"1\" width=\"6\" height=\"4\" fill=\"#000000\"/>"), "{text}");
        assert!(text.contains("<path d=\"M2 1h4v2h-4z\" fill=\"#ffffff\""), "{text}");
    }

    #[test]
    fn a_color_image_has_the_colors_of_its_planes() {
        let mut svg = Svg::new(20.0, 20.0, "", "");
        let (red, green, blue) = ([1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, f64::NAN]);
        let pixels = [red, green, blue].concat();
        draw(&mut svg, Rect { x: 0.0, y: 0.0, width: 3.0, height: 1.0 }, &pixels, ImageSize { height: 1, width: 3 });
        let text = svg.finish();
        assert!(text.contains("<rect x=\"0\" y=\"0\" width=\"3\" height=\"1\" fill=\"#ff0000\"/>"), "{text}");
        assert!(text.contains("<path d=\"M2 0h1v1h-1z\" fill=\"#00ff00\""), "{text}");
    }

    #[test]
    fn a_large_image_is_made_smaller() {
        let (pixels, size) = shrunk(&vec![1.0; 200 * 130], ImageSize { height: 200, width: 130 }, 4);
        assert_eq!((size.height, size.width), (50, 33));
        assert!(pixels.iter().all(|value| (*value - 1.0).abs() < 1e-9));
    }
}
