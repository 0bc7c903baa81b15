//! Convolutions before the first linear layer, each with its activation and its max pooling.
//!
//! An image goes through all of them while it is in the processor's cache. Images are stored as `[height, width, channels]`, so
//! that the channels of a pixel are vectors, and so that the values of a kernel's row lie one after the other. libtorch's
//! convolutions are faster for many channels, but for few of them most of its time is spent on pooling, on changing the order
//! of memory and on gradients that are 0.

mod backward;
mod forward;
mod geometry;
mod vectors;

use backward::Backward;
use forward::{Convolve, Pool};
pub(crate) use geometry::{FusedConvolution, Sliding};
use geometry::{Geometry, StoredImage};
use vectors::Vectors;

/// Convolutions with their buffers, for one thread.
#[derive(Debug)]
pub(crate) struct Convolutions {
    blocks: Vec<Block>,
    images: Vec<StoredImage>, // the features, and the output of each convolution
    rows: Vec<RowBuffers>,    // of each row of a batch, allocated at first use
    gradients: Vec<Vec<f32>>, // of each image of one row
    convolved: Vec<f32>,      // one row before pooling
    simd: Vectors,
}

/// A convolution with its weights and their gradient in the order in which they are used.
#[derive(Debug)]
struct Block {
    convolution: FusedConvolution,
    geometry: Geometry,
    places: Vec<[usize; 2]>, // of each weight of the replica, in `weights` and in `backward_weights`
    weights: Vec<f32>,       // [kernel rows, run, channels]
    bias: Vec<f32>,          // [channels]
    backward_weights: Vec<f32>, // [channels, kernel rows, stored run]
    weight_gradient: Vec<f32>, // as the backward weights
    bias_gradient: Vec<f32>, // [channels]
    listed: Vec<(usize, f32)>,
}

/// What the backward pass needs of a row.
#[derive(Debug)]
struct RowBuffers {
    images: Vec<Vec<f32>>,
    places: Vec<Vec<u32>>, // of the maxima of each pooling
}

impl Convolutions {
    /// Allocates the buffers that do not depend on the number of rows; `None` if there is no convolution.
    pub(crate) fn new(convolutions: &[FusedConvolution]) -> Option<Convolutions> {
        let (first, last) = (convolutions.first()?, convolutions.last()?);
        let stored = |convolution: &FusedConvolution, channels: usize| StoredImage {
            size: convolution.inputs,
            channels,
            border: convolution.window.padding,
        };
        let mut images = vec![stored(first, first.inputs[0])];
        images.extend(convolutions[1..].iter().map(|next| stored(next, geometry::filled_up(next.inputs[0]))));
        let size = last.outputs();
        images.push(StoredImage { size, channels: geometry::filled_up(size[0]), border: [0, 0] });
        let blocks: Vec<Block> = convolutions.iter().zip(&images).map(|(one, image)| Block::new(one, image)).collect();
        let convolved = blocks.iter().map(|block| block.geometry.places.len() * block.geometry.channels).max()?;
        Some(Convolutions {
            gradients: images.iter().map(|image| vec![0.0; image.len()]).collect(),
            convolved: vec![0.0; convolved],
            rows: Vec::new(),
            simd: Vectors::new(),
            blocks,
            images,
        })
    }

    /// Computes the outputs of rows, `[rows, outputs]`, from their features, `[rows, inputs]`; `parameters` are those of the
    /// replica. Only with `is_training` can a backward pass follow.
    pub(crate) fn forward(&mut self, features: &[f32], parameters: &[f32], outputs: &mut [f32], is_training: bool) {
        self.blocks.iter_mut().for_each(|block| block.read(parameters));
        let simd = self.simd;
        let (inputs, columns) = (self.columns(0), self.columns(self.blocks.len()));
        for (row, (features, outputs)) in
            features.chunks_exact(inputs).zip(outputs.chunks_exact_mut(columns)).enumerate()
        {
            let row = if is_training { row } else { 0 };
            if row == self.rows.len() {
                self.rows.push(RowBuffers::new(&self.images, &self.blocks));
            }
            let RowBuffers { images, places } = &mut self.rows[row];
            self.images[0].store(features, &mut images[0]);
            for (number, Block { convolution, geometry, weights, bias, .. }) in self.blocks.iter().enumerate() {
                let convolved = &mut self.convolved[..geometry.places.len() * geometry.channels];
                let (before, after) = images.split_at_mut(number + 1);
                let (image, slope) = (&before[number], convolution.slope);
                simd.dispatch(Convolve { geometry, image, weights, bias, slope, outputs: convolved });
                let (image, places) = (self.images[number + 1], &mut places[number]);
                simd.dispatch(Pool { geometry, values: convolved, image, outputs: &mut after[0], places });
            }
            self.images[self.blocks.len()].load(&images[self.blocks.len()], outputs);
        }
    }

    /// Computes the gradients of all weights and biases from that of the outputs, `[rows, outputs]`, of the last forward
    /// pass, and writes them to the `gradient` of the replica's parameters.
    pub(crate) fn backward(&mut self, output_gradient: &[f32], gradient: &mut [f32]) {
        let (simd, last) = (self.simd, self.blocks.len());
        for block in &mut self.blocks {
            block.weight_gradient.fill(0.0);
            block.bias_gradient.fill(0.0);
        }
        for (row, output_gradient) in self.rows.iter().zip(output_gradient.chunks_exact(self.columns(last))) {
            self.images[last].store(output_gradient, &mut self.gradients[last]);
            for (number, block) in self.blocks.iter_mut().enumerate().rev() {
                let (before, after) = self.gradients.split_at_mut(number + 1);
                let input_gradient = if number > 0 { &mut before[number][..] } else { &mut [] };
                input_gradient.fill(0.0);
                simd.dispatch(Backward {
                    geometry: &block.geometry,
                    slope: block.convolution.slope,
                    input: &row.images[number],
                    image: self.images[number + 1],
                    outputs: &row.images[number + 1],
                    gradient: &after[0],
                    places: &row.places[number],
                    weights: &block.backward_weights,
                    weight_gradient: &mut block.weight_gradient,
                    bias_gradient: &mut block.bias_gradient,
                    input_gradient,
                    listed: &mut block.listed,
                });
            }
        }
        self.blocks.iter().for_each(|block| block.write(gradient));
    }

    /// Returns the number of values of the features, or of the outputs of a convolution.
    fn columns(&self, image: usize) -> usize {
        self.images[image].size.iter().product()
    }
}

impl Block {
    /// Allocates the buffers of a convolution that reads `image`.
    fn new(convolution: &FusedConvolution, image: &StoredImage) -> Block {
        let geometry = Geometry::new(convolution, image);
        let backward = vec![0.0; convolution.channels * geometry.rows * geometry.stored_run()];
        let [channels, height, width] = convolution.outputs();
        Block {
            weights: vec![0.0; geometry.rows * geometry.run * geometry.channels],
            bias: vec![0.0; geometry.channels],
            weight_gradient: backward.clone(),
            backward_weights: backward,
            bias_gradient: vec![0.0; channels],
            listed: vec![(0, 0.0); height * width],
            places: geometry.weights(convolution, image),
            convolution: convolution.clone(),
            geometry,
        }
    }

    /// Copies the weights and the bias from the parameters of a replica.
    fn read(&mut self, parameters: &[f32]) {
        let FusedConvolution { weight, bias, channels, .. } = self.convolution;
        for (value, &[forward, backward]) in parameters[weight..].iter().zip(&self.places) {
            self.weights[forward] = *value;
            self.backward_weights[backward] = *value;
        }
        if let Some(bias) = bias {
            self.bias[..channels].copy_from_slice(&parameters[bias..bias + channels]);
        }
    }

    /// Copies the gradients of the weights and the bias to those of a replica's parameters.
    fn write(&self, gradient: &mut [f32]) {
        let FusedConvolution { weight, bias, channels, .. } = self.convolution;
        for (gradient, &[_, backward]) in gradient[weight..].iter_mut().zip(&self.places) {
            *gradient = self.weight_gradient[backward];
        }
        if let Some(bias) = bias {
            gradient[bias..bias + channels].copy_from_slice(&self.bias_gradient);
        }
    }
}

impl RowBuffers {
    fn new(images: &[StoredImage], blocks: &[Block]) -> RowBuffers {
        RowBuffers {
            images: images.iter().map(|image| vec![0.0; image.len()]).collect(),
            places: blocks.iter().map(|block| vec![0; block.geometry.pools.len() * block.geometry.channels]).collect(),
        }
    }
}
