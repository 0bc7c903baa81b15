//! Forward pass of one image through a convolution, its activation and its pooling.

#![expect(unsafe_code, reason = "the innermost loop is without bounds checks")]

use pulp::{Simd, WithSimd};

use super::geometry::{Geometry, StoredImage};

/// Convolution and activation of one image. Each vector has several output channels of one pixel.
pub(super) struct Convolve<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) image: &'a [f32],
    /// `[kernel rows, run, channels]`.
    pub(super) weights: &'a [f32],
    /// `[channels]`.
    pub(super) bias: &'a [f32],
    pub(super) slope: f32,
    /// `[places, channels]`.
    pub(super) outputs: &'a mut [f32],
}

impl WithSimd for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let vectors = self.geometry.channels / S::F32_LANES;
        let mut first = 0;
        while first + 2 <= vectors {
            self.channels::<S, 6, 2>(simd, first);
            first += 2;
        }
        if first < vectors {
            self.channels::<S, 8, 1>(simd, first);
        }
    }
}

impl Convolve<'_> {
    /// Computes `V` vectors of channels of all pixels, `P` pixels at a time.
    #[inline(always)]
    fn channels<S: Simd, const P: usize, const V: usize>(&mut self, simd: S, first: usize) {
        let pixels = self.geometry.places.len();
        if pixels < P {
            (0..pixels).for_each(|pixel| self.tile::<S, 1, V>(simd, pixel, first));
            return;
        }
        let mut pixel = 0;
        while pixel + P <= pixels {
            self.tile::<S, P, V>(simd, pixel, first);
            pixel += P;
        }
        if pixel < pixels {
            self.tile::<S, P, V>(simd, pixels - P, first); // some of them again
        }
    }

    /// Computes `V` vectors of channels of `P` pixels, in registers.
    #[inline(always)]
    fn tile<S: Simd, const P: usize, const V: usize>(&mut self, simd: S, pixel: usize, first: usize) {
        let Geometry { row, rows, run, channels, .. } = *self.geometry;
        let places = &self.geometry.places[pixel..pixel + P];
        let vectors = channels / S::F32_LANES;
        let (weights, _) = S::as_simd_f32s(self.weights);
        let (bias, _) = S::as_simd_f32s(self.bias);
        let bias = &bias[first..first + V];
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        for sums in &mut sums {
            sums.copy_from_slice(bias);
        }
        assert!(weights.len() == rows * run * vectors && first + V <= vectors, "the weights of all channels");
        for y in 0..rows {
            let mut values: [&[f32]; P] = [&[]; P];
            for (values, place) in values.iter_mut().zip(places) {
                *values = &self.image[place + y * row..][..run];
            }
            for k in 0..run {
                let mut products = [simd.splat_f32s(0.0); V];
                for (v, weight) in products.iter_mut().enumerate() {
                    // SAFETY: y < rows, k < run and first + v < vectors; the number of weights was checked above.
                    *weight = unsafe { *weights.get_unchecked((y * run + k) * vectors + first + v) };
                }
                for (sums, values) in sums.iter_mut().zip(&values) {
                    // SAFETY: k < run, the length of each slice.
                    let value = simd.splat_f32s(unsafe { *values.get_unchecked(k) });
                    for (sum, weight) in sums.iter_mut().zip(&products) {
                        *sum = simd.mul_add_e_f32s(value, *weight, *sum);
                    }
                }
            }
        }
        let zero = simd.splat_f32s(0.0);
        let slope = simd.splat_f32s(self.slope);
        let (outputs, _) = S::as_mut_simd_f32s(self.outputs);
        for (number, sums) in sums.iter().enumerate() {
            let outputs = &mut outputs[(pixel + number) * vectors + first..][..V];
            for (output, sum) in outputs.iter_mut().zip(sums) {
                let negative = if self.slope == 0.0 { zero } else { simd.mul_f32s(slope, *sum) };
                *output = simd.select_f32s(simd.less_than_f32s(*sum, zero), negative, *sum);
            }
        }
    }
}

/// Max pooling of one image, or a copy of it without pooling.
pub(super) struct Pool<'a> {
    pub(super) geometry: &'a Geometry,
    /// `[places, channels]`.
    pub(super) values: &'a [f32],
    pub(super) image: StoredImage,
    pub(super) outputs: &'a mut [f32],
    /// Place of each maximum, `[pools, channels]`: the first one, as in PyTorch.
    pub(super) places: &'a mut [u32],
}

impl WithSimd for Pool<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Pool { geometry, values, image, outputs, places } = self;
        let [_, height, width] = image.size;
        if geometry.pools.is_empty() {
            let row = width * geometry.channels;
            for (y, values) in values.chunks_exact(row).enumerate().take(height) {
                outputs[image.start(y)..][..row].copy_from_slice(values);
            }
            return;
        }
        let vectors = geometry.channels / S::F32_LANES;
        let (values, _) = S::as_simd_f32s(values);
        let (places, _) = S::as_mut_simd_u32s(places);
        let rows = geometry.pools.chunks_exact(width).zip(places.chunks_exact_mut(width * vectors));
        for (y, (pools, places)) in rows.enumerate() {
            let outputs = &mut outputs[image.start(y)..][..width * geometry.channels];
            let (outputs, _) = S::as_mut_simd_f32s(outputs);
            for (x, &[top, bottom, left, right]) in pools.iter().enumerate() {
                for v in 0..vectors {
                    let first = top * geometry.width + left;
                    let mut largest = values[first * vectors + v];
                    let mut place = simd.splat_u32s(first as u32);
                    for y in top..bottom {
                        for x in left..right {
                            let number = y * geometry.width + x;
                            let value = values[number * vectors + v];
                            let is_number = simd.equal_f32s(value, value); // NaN is the maximum, as in PyTorch
                            let is_larger =
                                simd.or_m32s(simd.greater_than_f32s(value, largest), simd.not_m32s(is_number));
                            largest = simd.select_f32s(is_larger, value, largest);
                            place = simd.select_u32s(is_larger, simd.splat_u32s(number as u32), place);
                        }
                    }
                    outputs[x * vectors + v] = largest;
                    places[x * vectors + v] = place;
                }
            }
        }
    }
}
