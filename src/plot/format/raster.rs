//! Images inside an SVG, drawn as runs of equally gray pixels: no embedded bitmap, and sharp at every size.

use std::fmt::Write;

use crate::data::table::form::ImageSize;
use crate::plot::draw::color::Color;
use crate::plot::draw::shape::{Rect, short};
use crate::plot::format::svg::Svg;

/// Number of gray levels.
const GRAY_LEVELS: usize = 32;

/// Maximum side length in pixels; larger images are scaled down.
const MAX_SIDE: usize = 64;

/// Draws an image into a rectangle; `pixels` are its values row by row, from 0 (black) to 1 (white).
pub fn draw(svg: &mut Svg, room: Rect, pixels: &[f64], size: ImageSize) {
    let (pixels, size) = shrunk(pixels, size, size.width.max(size.height).div_ceil(MAX_SIDE)); // no more than is visible
    let grey = |value: f64| (value.clamp(0.0, 1.0) * (GRAY_LEVELS - 1) as f64).round() as usize;
    let greys: Vec<usize> = pixels.iter().map(|value| grey(if value.is_nan() { 0.0 } else { *value })).collect();
    let scale = (room.width / size.width as f64).min(room.height / size.height as f64);
    let (width, height) = (scale * size.width as f64, scale * size.height as f64);
    let (x, y) = (room.x + (room.width - width) / 2.0, room.y + (room.height - height) / 2.0);
    let mut counts = [0_usize; GRAY_LEVELS];
    greys.iter().for_each(|grey| counts[*grey] += 1);
    let background = (0..GRAY_LEVELS).max_by_key(|&grey| counts[grey]).unwrap_or(0);
    let color = |grey: usize| Color::grey(grey as f64 / (GRAY_LEVELS - 1) as f64);
    svg.rect(Rect { x, y, width, height }, color(background));
    for grey in (0..GRAY_LEVELS).filter(|&grey| grey != background && counts[grey] > 0) {
        let mut path = String::new();
        for (row, line) in greys.chunks_exact(size.width).enumerate() {
            for (from, to) in runs(line, grey) {
                let (left, top) = (short(x + from as f64 * scale), short(y + row as f64 * scale));
                let (length, side) = (short((to - from) as f64 * scale), short(scale));
                let _ = write!(path, "M{left} {top}h{length}v{side}h-{length}z"); // writing to a String cannot fail
            }
        }
        svg.cells(&path, color(grey));
    }
}

/// Returns the runs of pixels in a line that have this gray level, as start and end.
fn runs(line: &[usize], grey: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for place in (0..line.len()).filter(|&place| line[place] == grey) {
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
    fn a_large_image_is_made_smaller() {
        let (pixels, size) = shrunk(&vec![1.0; 200 * 130], ImageSize { height: 200, width: 130 }, 4);
        assert_eq!((size.height, size.width), (50, 33));
        assert!(pixels.iter().all(|value| (*value - 1.0).abs() < 1e-9));
    }
}
