//! Converts an image file to pixels of the size and colors of the network input.

use std::path::Path;

use image::DynamicImage;

use crate::data::file_error::FileError;
use crate::data::image_file::{self, ImageFile};
use crate::data::images::resize::Pixels;
use crate::data::images::settings::{ColorMode, PixelFormat, Resize};
use crate::data::store::user_file;
use crate::io::bounded_file;

/// Maximum size of an image file in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Returns the bytes of an image file.
///
/// # Errors
/// When it does not exist, cannot be read or is too large; the message follows the file name.
pub fn bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    bounded_file::read(path, MAX_BYTES).map_err(|error| user_file::read_error(path, &error))
}

/// Converts the bytes of a PNG or JPEG file: `values` `[channels, height, width]`. Returns the width and height in the file.
///
/// # Errors
/// When the image is damaged or too large; the message follows the file name.
pub fn convert(bytes: &[u8], format: &PixelFormat, values: &mut [u8]) -> Result<(u32, u32), FileError> {
    let decoded = image_file::decode(bytes)?;
    let from = (decoded.width(), decoded.height());
    let (height, width) = (decoded.height() as usize, decoded.width() as usize);
    let pixels = match format.colors {
        ColorMode::Rgb => Pixels { channels: 3, height, width, values: decoded.into_rgb8().into_raw() },
        ColorMode::Grayscale => Pixels { channels: 1, height, width, values: grayscale(decoded) },
    };
    let part = (format.size.height, format.size.width);
    let whole = match format.resize {
        Resize::Stretch => part,
        Resize::Crop => covering((height, width), part),
    };
    let pixels = pixels.resized(whole, part);
    let plane = part.0 * part.1;
    for (channel, values) in values.chunks_exact_mut(plane).enumerate() {
        let of_channel = pixels.values[channel..].iter().step_by(pixels.channels);
        values.iter_mut().zip(of_channel).for_each(|(value, &pixel)| *value = pixel);
    }
    Ok(from)
}

/// Reads an image file for a trained network.
///
/// # Errors
/// As for [`convert`].
pub fn read(path: &Path, format: &PixelFormat, is_inverted: bool) -> Result<ImageFile, FileError> {
    let mut pixels = vec![0; format.values()];
    let from = convert(&bytes(path)?, format, &mut pixels)?;
    if is_inverted {
        pixels.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    }
    Ok(ImageFile { pixels, from, is_padded: false, is_inverted })
}

/// Returns gray levels by the weights of ITU-R 601, as Pillow, torchvision and Keras do.
fn grayscale(decoded: DynamicImage) -> Vec<u8> {
    if !decoded.color().has_color() {
        return decoded.into_luma8().into_raw();
    }
    let level = |pixel: &[u8]| {
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
        ((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8
    };
    decoded.into_rgb8().as_raw().chunks_exact(3).map(level).collect()
}

/// Returns the smallest height and width with the proportions of an image that cover the wanted ones.
fn covering((height, width): (usize, usize), (wanted_height, wanted_width): (usize, usize)) -> (usize, usize) {
    match wanted_height * width >= wanted_width * height {
        true => (wanted_height, width * wanted_height / height),
        false => (height * wanted_width / width, wanted_width),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;
    use crate::data::table::form::ImageSize;

    fn converted(height: usize, width: usize, colors: ColorMode, resize: Resize) -> Vec<u8> {
        // a red, half transparent image whose right half is blue
        let color = |x: u32| if x < 8 { Rgba([255, 0, 0, 128]) } else { Rgba([0, 0, 255, 255]) };
        let mut png = Cursor::new(Vec::new());
        RgbaImage::from_fn(16, 4, |x, _| color(x)).write_to(&mut png, ImageFormat::Png).unwrap();
        let format = PixelFormat { size: ImageSize { height, width }, colors, resize };
        let mut values = vec![0; format.values()];
        assert_eq!(convert(png.get_ref(), &format, &mut values).unwrap(), (16, 4));
        values
    }

    #[test]
    fn images_are_cropped_or_stretched_and_have_channels_first() {
        let gray = converted(1, 4, ColorMode::Grayscale, Resize::Stretch);
        assert_eq!(gray, [76, 70, 35, 29]); // as torchvision's antialiased `Resize`
        let red_and_blue = [255, 223, 32, 0, 0, 0, 0, 0, 0, 32, 223, 255];
        assert_eq!(converted(1, 4, ColorMode::Rgb, Resize::Stretch), red_and_blue);
        let center = converted(2, 4, ColorMode::Rgb, Resize::Crop);
        assert_eq!(center[..8], [255, 223, 32, 0, 255, 223, 32, 0]);
        let unchanged = converted(4, 4, ColorMode::Grayscale, Resize::Crop);
        assert_eq!(unchanged[..4], [76, 76, 29, 29]);
    }

    #[test]
    fn the_wanted_size_is_covered() {
        assert_eq!(covering((375, 500), (224, 224)), (224, 298));
        assert_eq!(covering((500, 375), (224, 224)), (298, 224));
        assert_eq!(covering((10, 10), (4, 8)), (8, 8));
        assert_eq!(covering((1, 1), (4, 4)), (4, 4));
    }
}
