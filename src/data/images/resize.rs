//! Bilinear resizing with antialiasing, to the same bytes as Pillow 13.0, which torchvision uses, from the same pixels.

use std::ops::Range;

/// Number of bits after the binary point of the weights.
const PRECISION: u32 = 32 - 8 - 2;

/// Source pixels of one target pixel with their weights.
struct Window {
    start: usize,
    weights: Vec<i32>,
}

/// An image: `height` rows of `width` pixels of `channels` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Number of bytes of a pixel: 3 or 1.
    pub channels: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of pixels in a row.
    pub width: usize,
    /// Values, row by row.
    pub values: Vec<u8>,
}

impl Pixels {
    /// Returns the center, `part` (height and width), of the image resized to the size `whole`, as torchvision's `Resize`
    /// and `CenterCrop`. `part` is not larger than `whole`.
    pub fn resized(self, whole: (usize, usize), part: (usize, usize)) -> Pixels {
        let center = |whole: usize, part: usize| {
            let start = half_of(whole - part);
            start..start + part
        };
        let (rows, columns) = (center(whole.0, part.0), center(whole.1, part.1));
        // the order decides the rounding; Pillow's rule
        let [rows_less, columns_less] =
            [(self.height, whole.0), (self.width, whole.1)].map(|(from, to)| from as i64 - to as i64);
        match rows_less > 0 && rows_less > 2 * columns_less {
            true => self.with_height(whole.0, rows).with_width(whole.1, columns),
            false => self.with_width(whole.1, columns).with_height(whole.0, rows),
        }
    }

    /// Resizes rows to `width` pixels, of which `part` are returned.
    fn with_width(self, width: usize, part: Range<usize>) -> Pixels {
        if self.width == width && part.len() == width {
            return self;
        }
        let windows = windows(self.width, width, part.clone());
        let mut values = Vec::with_capacity(self.height * part.len() * self.channels);
        for row in self.values.chunks_exact(self.width * self.channels) {
            match self.channels {
                3 => resize_row::<3>(row, &windows, &mut values),
                _ => resize_row::<1>(row, &windows, &mut values),
            }
        }
        Pixels { width: part.len(), values, ..self }
    }

    /// Resizes columns to `height` pixels, of which `part` are returned.
    fn with_height(self, height: usize, part: Range<usize>) -> Pixels {
        if self.height == height && part.len() == height {
            return self;
        }
        let stride = self.width * self.channels;
        let mut values = Vec::with_capacity(part.len() * stride);
        let mut sums = vec![0; stride];
        for Window { start, weights } in windows(self.height, height, part.clone()) {
            sums.fill(0);
            for (row, weight) in self.values[start * stride..].chunks_exact(stride).zip(&weights) {
                sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += i32::from(value) * weight);
            }
            values.extend(sums.iter().map(|&sum| rounded(sum)));
        }
        Pixels { height: part.len(), values, ..self }
    }
}

/// Appends the pixels of a row for each window.
fn resize_row<const CHANNELS: usize>(row: &[u8], windows: &[Window], values: &mut Vec<u8>) {
    let (pixels, _) = row.as_chunks::<CHANNELS>();
    for Window { start, weights } in windows {
        let mut sums = [0; CHANNELS];
        for (pixel, weight) in pixels[*start..].iter().zip(weights) {
            sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += i32::from(value) * weight);
        }
        values.extend(sums.map(rounded));
    }
}

/// Returns half of a length, rounded as Python's `round` does: a half to the even number.
fn half_of(length: usize) -> usize {
    let half = length / 2;
    if length % 2 == 1 && half % 2 == 1 { half + 1 } else { half }
}

fn rounded(sum: i32) -> u8 {
    (sum.saturating_add(1 << (PRECISION - 1)) >> PRECISION).clamp(0, 255) as u8
}

/// Returns the source pixels of the target pixels `part` along a side that is resized.
fn windows(from: usize, to: usize, part: Range<usize>) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let window = |target: usize| {
        let center = (target as f64 + 0.5) * scale;
        let start = (center - stretch + 0.5).max(0.0) as usize;
        let end = ((center + stretch + 0.5) as usize).min(from);
        let distance = |source: usize| (source as f64 - center + 0.5) / stretch;
        let weights: Vec<f64> = (start..end).map(|source| (1.0 - distance(source).abs()).max(0.0)).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |weight: &f64| (0.5 + weight / sum * f64::from(1 << PRECISION)) as i32;
        Window { start, weights: weights.iter().map(fixed).collect() }
    };
    part.map(window).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::store::checksum::sha256;

    /// Bytes of a linear congruential generator.
    struct Noise(u32);

    impl Noise {
        fn next(&mut self) -> u8 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 24) as u8
        }

        fn image(&mut self, height: usize, width: usize) -> Pixels {
            Pixels { channels: 1, height, width, values: (0..height * width).map(|_| self.next()).collect() }
        }
    }

    /// Golden checksums of Pillow 13.0.0: `Image.fromarray(x).resize((width, height), Image.Resampling.BILINEAR)` of a photo
    /// in portrait format at size 224, and of 400 images of random sizes.
    #[test]
    fn images_of_any_size_have_pillows_bytes() {
        let mut noise = Noise(1);
        let portrait = noise.image(500, 375).resized((298, 224), (298, 224));
        let photo = "86e5b9a362b897d2ef96a763b64d866e5ddddd401a10e68ce02315e49227ffa1";
        assert_eq!(sha256(&portrait.values), photo);
        let mut all = Vec::new();
        for _ in 0..400 {
            let [height, width, to_height, to_width] = [(); 4].map(|()| 1 + usize::from(noise.next()) % 60);
            let whole = (to_height, to_width);
            all.extend(noise.image(height, width).resized(whole, whole).values);
        }
        assert_eq!(sha256(&all), "b569d7e72f719096a88f85cafba368f4869f6ccb7efce17f158b198c1eb39374");
    }

    fn gray(height: usize, width: usize) -> Pixels {
        let value = |index: usize| (index * index * 7 % 251) as u8;
        Pixels { channels: 1, height, width, values: (0..height * width).map(value).collect() }
    }

    /// Golden values of Pillow 13: `Image.fromarray(x).resize((width, height), Image.Resampling.BILINEAR)`.
    #[test]
    fn resized_images_have_pillows_bytes() {
        assert_eq!(gray(5, 7).resized((3, 4), (3, 4)).values, GOLDEN_SMALLER);
        assert_eq!(gray(3, 2).resized((4, 5), (4, 5)).values, GOLDEN_LARGER);
        let mixed = [30, 64, 102, 131, 35, 101, 128, 106, 42, 56, 72, 83];
        assert_eq!(gray(8, 3).resized((3, 4), (3, 4)).values, mixed);
    }

    const GOLDEN_SMALLER: [u8; 12] = [61, 75, 108, 89, 105, 77, 53, 69, 137, 107, 129, 105];
    const GOLDEN_LARGER: [u8; 20] = [0, 1, 4, 6, 7, 18, 20, 30, 40, 42, 60, 64, 83, 101, 105, 112, 118, 144, 169, 175];

    #[test]
    fn channels_are_resized_alone_and_the_center_is_cropped() {
        let one = gray(6, 9);
        let three = Pixels { channels: 3, values: one.values.iter().flat_map(|&v| [v, 255 - v, 7]).collect(), ..one };
        let (one, three) = (gray(6, 9).resized((4, 6), (3, 2)), three.resized((4, 6), (3, 2)));
        let channel = |number: usize| three.values.iter().skip(number).step_by(3).copied().collect::<Vec<_>>();
        assert_eq!(channel(0), one.values);
        assert!(channel(2).iter().all(|&value| value == 7));
        // of 3 spare rows 2 are above, and of 1 spare column none is at the left
        let center = gray(5, 3).resized((5, 3), (2, 2));
        assert_eq!(center.values, [6, 7, 9, 10].map(|index: usize| (index * index * 7 % 251) as u8));
    }
}
