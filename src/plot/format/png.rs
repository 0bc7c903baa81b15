//! PNG output: the SVG rendered at twice its size.

use anyhow::{Context, anyhow};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::Tree;

/// PNG pixels per SVG pixel.
const SCALE: f32 = 2.0;

/// PNG pixels per meter; an inch has 96 SVG pixels.
const PIXELS_PER_METER: u32 = 7559;

/// Marks a PNG made by runner.
const SOFTWARE: &[u8] = b"Software\0runner";

/// Renders a parsed SVG as PNG.
///
/// # Errors
/// When it is too large.
pub fn render(tree: &Tree) -> anyhow::Result<Vec<u8>> {
    let size = tree.size();
    let [width, height] = [size.width(), size.height()].map(|side| (side * SCALE).round() as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| anyhow!("a PNG of {width}×{height} is too large"))?;
    resvg::render(tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    let plain = pixels.encode_png().context("failed to encode the plot as PNG")?;
    Ok(with_metadata(&plain))
}

/// Returns whether the bytes are a PNG made by runner.
pub fn is_made_by_runner(bytes: &[u8]) -> bool {
    bytes.get(HEADER..HEADER + 12 + 9 + 4 + 4 + SOFTWARE.len()).is_some_and(|chunks| chunks.ends_with(SOFTWARE))
}

/// Length of the PNG signature and the first chunk, IHDR.
const HEADER: usize = 8 + 12 + 13;

/// Returns the PNG with its physical size and the mark of runner.
fn with_metadata(png: &[u8]) -> Vec<u8> {
    let mut resolution = [PIXELS_PER_METER.to_be_bytes(); 2].concat();
    resolution.push(1); // the unit is the meter
    let (header, rest) = png.split_at(HEADER);
    [header, &chunk(*b"pHYs", &resolution), &chunk(*b"tEXt", SOFTWARE), rest].concat()
}

/// Returns a PNG chunk: length, name, data and checksum.
fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(&name);
    checksum.update(data);
    let length = u32::try_from(data.len()).expect("chunks are short");
    [&length.to_be_bytes()[..], &name, data, &checksum.sum().to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::draw::color::{BLUE, INK};
    use crate::plot::draw::font::TITLE;
    use crate::plot::draw::shape::{Anchor, Rect};
    use crate::plot::format::parse::parse;
    use crate::plot::format::svg::Svg;

    #[test]
    fn a_png_is_twice_as_large_has_its_colors_and_letters_and_says_who_made_it() {
        let mut svg = Svg::new(60.0, 40.0, "a plot", "a box and a letter");
        svg.rect(Rect { x: 0.0, y: 0.0, width: 20.0, height: 40.0 }, BLUE);
        svg.text((30.0, 30.0), Anchor::Start, TITLE, INK, "M");
        let text = svg.finish();
        let png = render(&parse(&text).unwrap().tree).unwrap();
        assert!(is_made_by_runner(&png) && png == render(&parse(&text).unwrap().tree).unwrap());
        let image = image::load_from_memory(&png).unwrap().to_rgb8();
        assert_eq!(image.dimensions(), (120, 80));
        assert_eq!(image.get_pixel(10, 10).0, [BLUE.0, BLUE.1, BLUE.2]);
        let dark = image.enumerate_pixels().filter(|(x, _, pixel)| *x > 50 && pixel.0[0] < 100).count();
        assert!(dark > 50, "the letter is drawn");
        assert!(!is_made_by_runner(b"\x89PNG"));
    }
}
