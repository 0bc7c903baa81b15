//! Reads a PNG or JPEG file as an image for a trained network.
//!
//! The image is converted to grayscale, resized with its proportions kept, and inverted if it is dark on light and the
//! network's training images are light on dark, or the other way round. [`ImageFile`] reports these changes, so that
//! the user notices a wrong guess.

use std::io::Cursor;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Luma};

use crate::data::file_error::FileError;
use crate::data::store::user_file;
use crate::data::table::form::ImageSize;
use crate::device::fault::contained;

/// Whether dark and light are swapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "help would show them beside the values")]
pub enum Invert {
    #[default]
    Auto, // if the background is dark and that of the training images light, or the other way round
    Yes,
    No,
}

/// Image of the requested size.
#[derive(Debug)]
pub struct ImageFile {
    /// Pixels row by row, from 0 (black) to 255 (white).
    pub pixels: Vec<u8>,
    /// Width and height in the file.
    pub from: (u32, u32),
    /// Whether padding was added at two sides, to keep the proportions.
    pub is_padded: bool,
    /// Whether dark and light were swapped.
    pub is_inverted: bool,
}

/// A decoder of an image.
type Decoder<'a> = Box<dyn ImageDecoder + 'a>;

/// Maximum width and height of an image file, in pixels.
const LONGEST_SIDE: u32 = 10_000;

/// Maximum memory of a decoded image, in MiB.
const MEMORY: u64 = 512;

/// Reads an image file and fits it to `size`.
///
/// # Errors
/// When the file cannot be read, is no PNG or JPEG file, or is too large.
pub fn read(path: &Path, size: ImageSize, invert: Invert, light_on_dark: bool) -> Result<ImageFile, FileError> {
    let (bytes, _) = user_file::read(path)?;
    let decoded = decode(&bytes)?;
    let grey = grey(decoded);
    let border = mean_of_border(&grey);
    let is_inverted = match invert {
        Invert::Auto => (border > 127.5) == light_on_dark,
        Invert::Yes => true,
        Invert::No => false,
    };
    let (mut fitted, is_padded) = fit(&grey, size, border);
    if is_inverted {
        imageops::invert(&mut fitted);
    }
    Ok(ImageFile { pixels: fitted.into_raw(), from: grey.dimensions(), is_padded, is_inverted })
}

/// Decodes a PNG or JPEG image and rotates it as its EXIF orientation says. The size in the header is checked before memory
/// is allocated.
///
/// # Errors
/// When the bytes are no PNG or JPEG image, are damaged, or declare a size that is too large; the message follows the file
/// name.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, FileError> {
    read_contained(bytes, |decoder, size, orientation| {
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| fault(error, Some(size)))?;
        picture.apply_orientation(orientation);
        Ok(picture)
    })
}

/// Returns the width and height of a PNG or JPEG image, and whether it has colors.
///
/// # Errors
/// As for [`decode`], except for damage after the header.
pub fn header(bytes: &[u8]) -> Result<(u32, u32, bool), FileError> {
    read_contained(bytes, |decoder, (width, height), orientation| {
        let turned =
            [Orientation::Rotate90, Orientation::Rotate270, Orientation::Rotate90FlipH, Orientation::Rotate270FlipH];
        let has_color = decoder.color_type().has_color();
        Ok(if turned.contains(&orientation) { (height, width, has_color) } else { (width, height, has_color) })
    })
}

/// Passes a decoder within the limits to `read`, with the size and orientation of the image.
fn read_contained<T>(
    bytes: &[u8],
    read: impl FnOnce(Decoder<'_>, (u32, u32), Orientation) -> Result<T, FileError>,
) -> Result<T, FileError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().expect("memory can be read");
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(FileError::new("is not a PNG or JPEG image"));
    }
    // The JPEG decoder (zune-jpeg 0.5) panics on some damaged files.
    let contained = contained(|| {
        let mut limits = Limits::default();
        limits.max_alloc = Some(MEMORY << 20);
        reader.limits(limits.clone()); // the sides are checked below, when the size is known
        let mut decoder = reader.into_decoder().map_err(|error| fault(error, None))?;
        let size = decoder.dimensions();
        limits.max_image_width = Some(LONGEST_SIDE);
        limits.max_image_height = Some(LONGEST_SIDE);
        let mut upright = || {
            decoder.set_limits(limits.clone())?;
            limits.reserve(decoder.total_bytes())?;
            decoder.orientation()
        };
        let orientation = upright().map_err(|error| fault(error, Some(size)))?;
        read(Box::new(decoder), size, orientation)
    });
    contained.unwrap_or_else(|_| {
        Err(FileError::new("cannot be decoded as an image").hint("replace the file: it is damaged"))
    })
}

/// Returns the reason why an image cannot be decoded. `size` is its size, if known.
fn fault(error: ImageError, size: Option<(u32, u32)>) -> FileError {
    let ImageError::Limits(_) = error else {
        let reason = error.to_string(); // of some decoders, several lines
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        return FileError::new(format!("cannot be read as an image: {reason}"));
    };
    let size = size.map(|(width, height)| format!(" of {width}×{height} pixels")).unwrap_or_default();
    FileError::new(format!("is an image{size}, which is too large"))
        .hint(format!("reduce it to at most {LONGEST_SIDE}×{LONGEST_SIDE} pixels and {MEMORY} MiB"))
}

/// Converts to grayscale; transparent pixels become white.
fn grey(picture: DynamicImage) -> GrayImage {
    if !picture.color().has_alpha() {
        return picture.into_luma8();
    }
    let with_alpha = picture.into_luma_alpha8();
    GrayImage::from_fn(with_alpha.width(), with_alpha.height(), |x, y| {
        let [grey, alpha] = with_alpha.get_pixel(x, y).0.map(u32::from);
        Luma([((grey * alpha + 255 * (255 - alpha) + 127) / 255) as u8])
    })
}

/// Fits an image into `size`: centered, as large as possible, padded with the gray level `border`. Returns it with
/// whether it was padded.
fn fit(grey: &GrayImage, size: ImageSize, border: f64) -> (GrayImage, bool) {
    let (width, height) = (size.width as u32, size.height as u32);
    let (from_width, from_height) = grey.dimensions();
    let factor = (f64::from(width) / f64::from(from_width)).min(f64::from(height) / f64::from(from_height));
    let scaled = |length: u32, limit: u32| ((f64::from(length) * factor).round() as u32).clamp(1, limit);
    let (inner_width, inner_height) = (scaled(from_width, width), scaled(from_height, height));
    let inner = match factor {
        1.0 => grey.clone(),
        ..1.0 => imageops::thumbnail(grey, inner_width, inner_height), // each pixel is the mean of the pixels it covers
        _ => imageops::resize(grey, inner_width, inner_height, FilterType::Triangle),
    };
    let mut fitted = GrayImage::from_pixel(width, height, Luma([border.round() as u8]));
    let (left, top) = ((width - inner_width) / 2, (height - inner_height) / 2);
    imageops::replace(&mut fitted, &inner, i64::from(left), i64::from(top));
    (fitted, (inner_width, inner_height) != (width, height))
}

/// Returns the mean of the outermost pixels.
fn mean_of_border(grey: &GrayImage) -> f64 {
    let (width, height) = grey.dimensions();
    let is_border = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let border = grey.enumerate_pixels().filter(|(x, y, _)| is_border(*x, *y));
    let (sum, count) =
        border.fold((0.0, 0.0), |(sum, count), (_, _, pixel)| (sum + f64::from(pixel.0[0]), count + 1.0));
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{LumaA, Rgb, RgbImage};

    const SIZE: ImageSize = ImageSize { height: 4, width: 4 };

    fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        picture.into().save_with_format(file.path(), format).unwrap();
        file
    }

    /// A square of one gray level in the middle of another.
    fn square(background: u8, middle: u8, width: u32, height: u32) -> GrayImage {
        GrayImage::from_fn(width, height, |x, y| {
            let inside = x >= width / 4 && x < width - width / 4 && y >= height / 4 && y < height - height / 4;
            Luma([if inside { middle } else { background }])
        })
    }

    #[test]
    fn a_picture_of_the_right_size_and_kind_comes_as_it_is() {
        let drawn = square(0, 200, 4, 4);
        let read = read(file(drawn.clone(), ImageFormat::Png).path(), SIZE, Invert::Auto, true).unwrap();
        assert_eq!((read.pixels, read.is_inverted, read.is_padded), (drawn.into_raw(), false, false));
    }

    #[test]
    fn a_picture_that_was_enlarged_comes_back_as_it_was() {
        let drawn = GrayImage::from_fn(4, 4, |x, y| Luma([(x * 60 + y * 15) as u8]));
        let large = GrayImage::from_fn(28, 28, |x, y| *drawn.get_pixel(x / 7, y / 7));
        let read = read(file(large, ImageFormat::Png).path(), SIZE, Invert::No, true).unwrap();
        assert_eq!(read.pixels, drawn.into_raw());
    }

    #[test]
    fn dark_on_light_is_turned_over_where_the_networks_images_are_light_on_dark() {
        let drawn = file(square(255, 0, 40, 40), ImageFormat::Png);
        let read = |invert, light_on_dark| read(drawn.path(), SIZE, invert, light_on_dark).unwrap();
        let turned = read(Invert::Auto, true);
        assert!(turned.is_inverted && turned.pixels[0] < 10 && turned.pixels[5] > 200, "{turned:?}");
        assert!(!read(Invert::Auto, false).is_inverted);
        assert!(!read(Invert::No, true).is_inverted);
        assert!(read(Invert::Yes, false).is_inverted);
    }

    #[test]
    fn proportions_are_kept_and_the_room_beside_is_of_the_borders_grey() {
        let drawn = file(square(100, 250, 20, 40), ImageFormat::Png);
        let read = read(drawn.path(), SIZE, Invert::No, true).unwrap();
        assert_eq!((read.from, read.is_padded), ((20, 40), true));
        assert!(read.pixels.chunks(4).all(|row| row[0] == 100 && row[3] == 100), "{read:?}");
        assert!(read.pixels[5] > 150, "{read:?}");
    }

    #[test]
    fn transparent_parts_are_white_and_colors_become_grey() {
        let mut clear = image::GrayAlphaImage::from_pixel(4, 4, LumaA([0, 0]));
        clear.put_pixel(1, 1, LumaA([0, 255]));
        let read_png = read(file(clear, ImageFormat::Png).path(), SIZE, Invert::No, true).unwrap();
        assert_eq!((read_png.pixels[0], read_png.pixels[5]), (255, 0));
        let red = RgbImage::from_pixel(4, 4, Rgb([255, 0, 0]));
        let read_jpeg = read(file(red, ImageFormat::Jpeg).path(), SIZE, Invert::No, true).unwrap();
        assert!((45..65).contains(&read_jpeg.pixels[0]), "{}", read_jpeg.pixels[0]);
    }

    /// A PNG file without pixels, whose header declares this size. `kind` is its bit depth and color type.
    fn header(width: u32, height: u32, kind: [u8; 2]) -> tempfile::NamedTempFile {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
        for chunk in [[b"IHDR", &sizes[..], &kind, &[0, 0, 0]].concat(), b"IDAT".to_vec(), b"IEND".to_vec()] {
            let mut crc = flate2::Crc::new();
            crc.update(&chunk);
            bytes.extend((chunk.len() as u32 - 4).to_be_bytes());
            bytes.extend(&chunk);
            bytes.extend(crc.sum().to_be_bytes());
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn a_picture_that_claims_to_be_huge_is_refused_before_room_is_made_for_it() {
        let [grey, deep_color] = [[8, 0], [16, 6]];
        let fault =
            |width, height, kind| read(header(width, height, kind).path(), SIZE, Invert::Auto, true).unwrap_err();
        for (width, height, kind) in
            [(200_000, 200_000, grey), (1, 10_001, grey), (10_001, 1, grey), (9_000, 9_000, deep_color)]
        {
            let fault = fault(width, height, kind);
            assert_eq!(fault.message, format!("is an image of {width}×{height} pixels, which is too large"));
            assert!(fault.hint.unwrap().contains("10000×10000 pixels and 512 MiB"));
        }
        let widest = fault(i32::MAX as u32, 2, grey);
        assert!(widest.message.starts_with("is an image") && widest.message.ends_with("too large"), "{widest}");
        let within = fault(9_000, 9_000, grey);
        assert!(within.message.starts_with("cannot be read as an image: "), "{within}");
    }

    #[test]
    fn a_picture_that_its_decoder_panics_on_is_refused() {
        let damaged = include_bytes!("../../fuzz/corpus/picture/upsampled.jpg");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), damaged).unwrap();
        let fault = read(file.path(), SIZE, Invert::Auto, true).unwrap_err();
        assert_eq!(fault.message, "cannot be decoded as an image");
    }

    #[test]
    fn the_reason_of_a_decoder_is_one_line() {
        use image::error::{DecodingError, ImageFormatHint};
        let error = DecodingError::new(ImageFormatHint::Exact(ImageFormat::Png), "bad\n  chunk\n");
        let message = fault(ImageError::Decoding(error), None).message;
        assert!(message.ends_with("bad chunk") && !message.contains('\n'), "{message}");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), "a,b\n1,2\n").unwrap();
        assert_eq!(read(text.path(), SIZE, Invert::Auto, true).unwrap_err().message, "is not a PNG or JPEG image");
        let cut = file(square(0, 9, 40, 40), ImageFormat::Png);
        let bytes = std::fs::read(cut.path()).unwrap();
        std::fs::write(cut.path(), &bytes[..bytes.len() / 2]).unwrap();
        let fault = read(cut.path(), SIZE, Invert::Auto, true).unwrap_err();
        assert!(fault.message.starts_with("cannot be read as an image: "), "{fault}");
    }
}
