//! Backward pass of one image through the pooling, the activation and the convolution.
//!
//! Only the largest value of a pooling window has a gradient, and ReLU lets few of them through. So the gradients that are not
//! 0 are listed for each channel, and each adds a kernel's worth of products to the gradients of weights and inputs.

use pulp::{Simd, WithSimd};

use super::geometry::{Geometry, StoredImage};

/// Backward pass of one image. Each vector has several values of a kernel's row.
pub(super) struct Backward<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) slope: f32,
    /// Input of the convolution.
    pub(super) input: &'a [f32],
    pub(super) image: StoredImage,
    /// Outputs of the pooling, an image.
    pub(super) outputs: &'a [f32],
    /// Gradient of the outputs, an image.
    pub(super) gradient: &'a [f32],
    /// Place of each maximum, `[pools, channels]`; not used without pooling.
    pub(super) places: &'a [u32],
    /// `[channels, kernel rows, stored run]`, with zeros after the run.
    pub(super) weights: &'a [f32],
    /// Added to, as the weights.
    pub(super) weight_gradient: &'a mut [f32],
    /// Added to, `[channels]`.
    pub(super) bias_gradient: &'a mut [f32],
    /// Gradient of the input, added to; empty if it is not needed.
    pub(super) input_gradient: &'a mut [f32],
    /// Memory for the gradients of one channel: the place of the window in the input, and the gradient.
    pub(super) listed: &'a mut [(usize, f32)],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let vectors = self.geometry.stored_run() / S::F32_LANES;
        for channel in 0..self.image.size[0] {
            let count = self.list(channel);
            for y in 0..self.geometry.rows {
                let mut first = 0;
                while first < vectors {
                    let place = ((channel * self.geometry.rows + y) * vectors + first) * S::F32_LANES;
                    let offset = y * self.geometry.row + first * S::F32_LANES;
                    first += match vectors - first {
                        1 => self.add::<S, 1>(simd, count, place, offset),
                        2 => self.add::<S, 2>(simd, count, place, offset),
                        _ => self.add::<S, 3>(simd, count, place, offset),
                    };
                }
            }
        }
    }
}

impl Backward<'_> {
    /// Lists the gradients of a channel before the activation, adds their sum to that of the bias, and returns their number.
    #[inline(always)]
    fn list(&mut self, channel: usize) -> usize {
        let [_, height, width] = self.image.size;
        let channels = self.geometry.channels;
        let (mut count, mut sum) = (0, 0.0);
        for y in 0..height {
            let row = self.image.start(y)..self.image.start(y) + width * channels;
            let pixels =
                self.gradient[row.clone()].chunks_exact(channels).zip(self.outputs[row].chunks_exact(channels));
            for (x, (gradient, output)) in pixels.enumerate() {
                let pixel = y * width + x;
                let is_pooled = !self.geometry.pools.is_empty();
                let place = if is_pooled { self.places[pixel * channels + channel] as usize } else { pixel };
                let below = if self.slope == 0.0 { 0.0 } else { self.slope * gradient[channel] };
                let gradient = if output[channel] > 0.0 { gradient[channel] } else { below };
                self.listed[count] = (self.geometry.places[place], gradient);
                count += usize::from(gradient != 0.0);
                sum += gradient;
            }
        }
        self.bias_gradient[channel] += sum;
        count
    }

    /// Adds the products of the listed gradients for `V` vectors of a kernel's row: `place` is that of the weights, `offset`
    /// that of the values after the start of a window. Returns the number of vectors.
    #[inline(always)]
    fn add<S: Simd, const V: usize>(&mut self, simd: S, count: usize, place: usize, offset: usize) -> usize {
        let length = V * S::F32_LANES;
        let mut sums = [simd.splat_f32s(0.0); V];
        let mut weights = sums;
        weights.copy_from_slice(S::as_simd_f32s(&self.weights[place..place + length]).0);
        let needs_input = !self.input_gradient.is_empty();
        for &(window, gradient) in &self.listed[..count] {
            let gradient = simd.splat_f32s(gradient);
            let (values, _) = S::as_simd_f32s(&self.input[window + offset..][..length]);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = simd.mul_add_e_f32s(gradient, *value, *sum);
            }
            if needs_input {
                let (slopes, _) = S::as_mut_simd_f32s(&mut self.input_gradient[window + offset..][..length]);
                for (slope, weight) in slopes.iter_mut().zip(&weights) {
                    *slope = simd.mul_add_e_f32s(gradient, *weight, *slope);
                }
            }
        }
        let (total, _) = S::as_mut_simd_f32s(&mut self.weight_gradient[place..place + length]);
        for (total, sum) in total.iter_mut().zip(&sums) {
            *total = simd.add_f32s(*total, *sum);
        }
        V
    }
}
