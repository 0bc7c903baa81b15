//! Sizes of convolutions, and of the images that they read and write.

/// Stored channels are a multiple of this, filled up with zeros, so that they are whole vectors.
pub(super) const LANES: usize = 8;

/// Sliding window: height first, then width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sliding {
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 2],
}

impl Sliding {
    /// Returns the height and width of the output for an image of this height and width, which is large enough.
    fn places(&self, image: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|side| (image[side] + 2 * self.padding[side] - self.kernel[side]) / self.stride[side] + 1)
    }
}

/// A convolution with the activation and the max pooling after it. `weight` and `bias` are offsets in a replica's row of the
/// arena.
#[derive(Clone, Debug)]
pub(crate) struct FusedConvolution {
    /// Channels, height and width of an input.
    pub(crate) inputs: [usize; 3],
    /// Number of output channels.
    pub(crate) channels: usize,
    pub(crate) window: Sliding,
    pub(crate) weight: usize,
    pub(crate) bias: Option<usize>,
    /// Derivative of the activation for negative values: 0 for ReLU, 1 without activation.
    pub(crate) slope: f32,
    pub(crate) pool: Option<Sliding>,
}

impl FusedConvolution {
    /// Returns the height and width before pooling.
    pub(super) fn convolved(&self) -> [usize; 2] {
        self.window.places([self.inputs[1], self.inputs[2]])
    }

    /// Returns channels, height and width of an output.
    pub(crate) fn outputs(&self) -> [usize; 3] {
        let convolved = self.convolved();
        let [height, width] = self.pool.map_or(convolved, |pool| pool.places(convolved));
        [self.channels, height, width]
    }

    /// Returns the number of weights.
    pub(crate) fn weights(&self) -> usize {
        self.channels * self.inputs[0] * self.window.kernel.iter().product::<usize>()
    }

    /// Returns the number of multiplications per row of the forward pass.
    pub(crate) fn multiplications(&self) -> usize {
        self.convolved().iter().product::<usize>() * self.weights()
    }

    /// Returns about how many nanoseconds a row takes in training, in a batch of this size: here, and with autograd. libtorch's
    /// products are faster, but its pooling is slow, and here most gradients before a pooling are skipped. The numbers were
    /// measured with networks of 8 to 128 channels on one core of an AMD EPYC with AVX-512.
    pub(crate) fn nanoseconds(&self, batch: usize) -> [f64; 2] {
        let (multiplications, [height, width]) = (self.multiplications() as f64, self.convolved());
        let [rows, columns] = self.window.kernel;
        let with_gradient: usize = self.outputs().iter().product();
        let products = (2 * with_gradient * rows * filled_up(columns * self.inputs[0])) as f64;
        let pooled = if self.pool.is_some() { self.channels * height * width } else { 0 };
        let with_autograd = 0.033 * multiplications + 6.5 * pooled as f64 + 50_000.0 / batch as f64;
        [0.036 * multiplications + 0.067 * products, with_autograd]
    }

    /// Returns about how many bytes a row needs in training.
    pub(crate) fn bytes(&self) -> usize {
        let stored = |[channels, height, width]: [usize; 3], padding: [usize; 2]| {
            (height + 2 * padding[0]).saturating_mul(width + 2 * padding[1]).saturating_mul(filled_up(channels))
        };
        let [height, width] = self.convolved();
        let read = stored(self.inputs, self.window.padding);
        let values = read.saturating_add(stored([self.channels, height, width], [0, 0]));
        values.saturating_mul(2 * size_of::<f32>())
    }
}

/// Returns the number of stored channels.
pub(super) fn filled_up(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// An image in memory, `[height, width, channels]`, with a border of zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredImage {
    /// Channels, height and width, without the border.
    pub(super) size: [usize; 3],
    /// Number of stored channels.
    pub(super) channels: usize,
    /// Height and width of the border on each side.
    pub(super) border: [usize; 2],
}

impl StoredImage {
    /// Returns the number of values in a row of pixels.
    pub(super) fn row(&self) -> usize {
        (self.size[2] + 2 * self.border[1]) * self.channels
    }

    /// Returns the number of values; a vector can be read at the last one.
    pub(super) fn len(&self) -> usize {
        (self.size[1] + 2 * self.border[0]) * self.row() + LANES
    }

    /// Returns the place of the first pixel in row `y`.
    pub(super) fn start(&self, y: usize) -> usize {
        (y + self.border[0]) * self.row() + self.border[1] * self.channels
    }

    /// Copies an image `[channels, height, width]` into the memory of this one.
    pub(super) fn store(&self, image: &[f32], to: &mut [f32]) {
        let [channels, height, width] = self.size;
        for (number, plane) in image.chunks_exact(height * width).enumerate().take(channels) {
            for (y, row) in plane.chunks_exact(width).enumerate() {
                let to = &mut to[self.start(y)..][..width * self.channels];
                if self.channels == 1 {
                    to.copy_from_slice(row);
                } else {
                    to.chunks_exact_mut(self.channels).zip(row).for_each(|(pixel, value)| pixel[number] = *value);
                }
            }
        }
    }

    /// Copies an image from the memory of this one: `[channels, height, width]`.
    pub(super) fn load(&self, from: &[f32], image: &mut [f32]) {
        let [channels, height, width] = self.size;
        for (number, plane) in image.chunks_exact_mut(height * width).enumerate().take(channels) {
            for (y, row) in plane.chunks_exact_mut(width).enumerate() {
                let from = &from[self.start(y)..][..width * self.channels];
                row.iter_mut().zip(from.chunks_exact(self.channels)).for_each(|(value, pixel)| *value = pixel[number]);
            }
        }
    }
}

/// Where the windows of a convolution and of its pooling are.
#[derive(Debug)]
pub(super) struct Geometry {
    /// Place in the input image of the first value of each window of the convolution.
    pub(super) places: Vec<usize>,
    /// Number of values in a row of pixels of the input image.
    pub(super) row: usize,
    /// Number of rows of a kernel.
    pub(super) rows: usize,
    /// Number of values in a row of a kernel, which lie one after the other in the input image.
    pub(super) run: usize,
    /// Windows of the pooling in the image before it: the first row, the row after the last, and the same for columns. Empty
    /// without pooling.
    pub(super) pools: Vec<[usize; 4]>,
    /// Width before pooling.
    pub(super) width: usize,
    /// Number of stored output channels.
    pub(super) channels: usize,
}

impl Geometry {
    /// Returns the geometry of a convolution that reads `image`, whose border is the padding.
    pub(super) fn new(convolution: &FusedConvolution, image: &StoredImage) -> Geometry {
        let FusedConvolution { window: Sliding { kernel, stride, .. }, channels, .. } = *convolution;
        let [height, width] = convolution.convolved();
        let places = (0..height)
            .flat_map(|y| (0..width).map(move |x| y * stride[0] * image.row() + x * stride[1] * image.channels));
        let pools = convolution.pool.map_or_else(Vec::new, |pool| {
            let [_, rows, columns] = convolution.outputs();
            let range = |place: usize, side: usize, length: usize| {
                let start = place * pool.stride[side];
                let end = (start + pool.kernel[side]).saturating_sub(pool.padding[side]).min(length);
                [start.saturating_sub(pool.padding[side]), end]
            };
            let window = |y: usize, x: usize| {
                let ([top, bottom], [left, right]) = (range(y, 0, height), range(x, 1, width));
                [top, bottom, left, right]
            };
            (0..rows).flat_map(|y| (0..columns).map(move |x| window(y, x))).collect()
        });
        Geometry {
            places: places.collect(),
            row: image.row(),
            rows: kernel[0],
            run: kernel[1] * image.channels,
            pools,
            width,
            channels: filled_up(channels),
        }
    }

    /// Returns where each weight `[channels, input channels, height, width]` is in those of the forward pass, `[kernel rows,
    /// run, channels]`, and of the backward pass, `[channels, kernel rows, stored run]`.
    pub(super) fn weights(&self, convolution: &FusedConvolution, image: &StoredImage) -> Vec<[usize; 2]> {
        let [rows, columns] = convolution.window.kernel;
        let mut places = Vec::with_capacity(convolution.weights());
        for output in 0..convolution.channels {
            for input in 0..convolution.inputs[0] {
                for y in 0..rows {
                    for x in 0..columns {
                        let in_run = x * image.channels + input;
                        let forward = (y * self.run + in_run) * self.channels + output;
                        places.push([forward, (output * rows + y) * self.stored_run() + in_run]);
                    }
                }
            }
        }
        places
    }

    /// Returns the number of values of a kernel's row in the backward pass, whole vectors.
    pub(super) fn stored_run(&self) -> usize {
        filled_up(self.run)
    }
}
