//! Plot of sample images with their class or a prediction; wrong predictions have a frame and a cross.

use crate::data::table::form::ImageSize;
use crate::plot::Plot;
use crate::plot::draw::color::{GRID, INK, QUIET, VERMILION};
use crate::plot::draw::font::{Font, SMALL, Weight};
use crate::plot::draw::page::{MARGIN, Page, PageOptions};
use crate::plot::draw::shape::{Anchor, Rect, Stroke};
use crate::plot::format::raster;
use crate::plot::format::svg::Svg;

/// An image with its captions.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Pixel values row by row, from 0 (black) to 1 (white); of a color image, all red ones, then green, then blue.
    pub pixels: Vec<f64>,
    /// The class, or the prediction.
    pub caption: String,
    /// Second caption: the row, and the true class if the prediction is wrong.
    pub below: String,
    /// Whether the prediction is wrong.
    pub is_wrong: bool,
}

const GAP: f64 = 16.0;
const LEAST_IMAGE: f64 = 72.0;
const CAPTION: Font = Font { size: 11.0, weight: Weight::SemiBold };
const CAPTIONS: f64 = 34.0;
const WIDTH: f64 = 760.0;

/// Draws the images in rows.
pub fn draw(page: Page, tiles: &[Tile], image: ImageSize, options: &PageOptions) -> Plot {
    let width = options.width.unwrap_or(WIDTH);
    let inner = width - 2.0 * MARGIN;
    let widest = tiles.iter().map(|tile| CAPTION.room(&shown(tile)).max(SMALL.room(&tile.below))).fold(0.0, f64::max);
    let tile = widest.clamp(LEAST_IMAGE, 130.0_f64.min(inner));
    let columns = (((inner + GAP) / (tile + GAP)) as usize).clamp(1, tiles.len().max(1));
    // The captions determine the number of columns; the images fill the remaining width, up to a limit.
    let step = ((inner + GAP) / columns as f64).min(1.35 * (tile + GAP));
    // a multiple of the image's pixels, which avoids visible seams
    let times = |side: f64| {
        if side >= image.width as f64 { (side / image.width as f64).floor() * image.width as f64 } else { side }
    };
    let side = times((step - GAP).min(96.0));
    let rows = tiles.len().div_ceil(columns);
    let height = side * (image.height as f64 / image.width as f64).clamp(0.4, 1.6);
    let row = height + CAPTIONS + GAP;
    let draw = |svg: &mut Svg, room: Rect| {
        for (number, tile) in tiles.iter().enumerate() {
            let (column, line) = (number % columns, number / columns);
            let (x, y) = ((room.x + column as f64 * step).round(), (room.y + line as f64 * row).round());
            let at = Rect { x, y, width: side, height };
            draw_tile(svg, at, tile, image, step - GAP + 4.0);
        }
    };
    let height = rows as f64 * row - GAP;
    Plot { svg: page.draw(options, [width, height, height], draw), notes: Vec::new() }
}

fn shown(tile: &Tile) -> String {
    if tile.is_wrong { format!("✗ {}", tile.caption) } else { tile.caption.clone() }
}

fn draw_tile(svg: &mut Svg, at: Rect, tile: &Tile, image: ImageSize, room: f64) {
    raster::draw(svg, at, &tile.pixels, image);
    match tile.is_wrong {
        true => svg.outline(at.inset(-1.5, -1.5, -1.5, -1.5), Stroke::solid(VERMILION, 3.0)),
        false => svg.outline(at, Stroke::solid(GRID, 1.0)),
    }
    let color = if tile.is_wrong { VERMILION } else { INK };
    svg.text((at.x, at.bottom() + 15.0), Anchor::Start, CAPTION, color, &CAPTION.shorten(&shown(tile), room));
    svg.text((at.x, at.bottom() + 29.0), Anchor::Start, SMALL, QUIET, &SMALL.shorten(&tile.below, room));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::layout_checks::{outside, overlapping};

    #[test]
    fn captions_stay_with_their_images() {
        let image = ImageSize { height: 8, width: 8 };
        for (caption, count) in [("9 · 97 %", 24), ("a class with a very long name indeed · 97 %", 7), ("3", 1)] {
            let tile = |number: usize| Tile {
                pixels: vec![0.5; 64],
                caption: caption.to_owned(),
                below: format!("true 4 · row {number}"),
                is_wrong: number.is_multiple_of(3),
            };
            let tiles: Vec<Tile> = (0..count).map(tile).collect();
            for width in [None, Some(300.0), Some(1200.0)] {
                let drawn = draw(Page::default(), &tiles, image, &PageOptions { width, ..PageOptions::default() }).svg;
                assert_eq!(outside(&drawn), Vec::<String>::new(), "{count} at {width:?}");
                assert_eq!(overlapping(&drawn), Vec::<String>::new(), "{count} at {width:?}");
            }
        }
    }
}
