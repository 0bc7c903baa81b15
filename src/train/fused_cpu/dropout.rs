//! Dropout of the fused CPU backend. The masks are libtorch's: each replica has those of its lone run with autograd.

use std::ops::Range;

use switches::Generator;
use tch::Tensor;

use crate::tensor::generators::with_replica;
use crate::tensor::mersenne_twister::MersenneTwister;
use crate::train::fused_cpu::plan::{FusedLayer, Plan};

/// Draws the masks of a replica: those that libtorch draws.
#[derive(Debug)]
pub(crate) enum MaskGenerator {
    MersenneTwister(MersenneTwister),
    Libtorch(Generator),
}

impl MaskGenerator {
    /// Returns a generator for each replica with the state of its own one; none without dropout.
    ///
    /// # Panics
    /// When memory runs out.
    pub(crate) fn of_replicas(plan: &Plan, replicas: usize) -> Vec<MaskGenerator> {
        let of_replica = |replica| {
            let own = with_replica(replica, || Generator::new(None)).expect("the CPU has a default generator");
            MersenneTwister::of(&own).map_or(MaskGenerator::Libtorch(own), MaskGenerator::MersenneTwister)
        };
        if plan.has_dropout() { (0..replicas).map(of_replica).collect() } else { Vec::new() }
    }

    /// Returns a copy with the same state.
    ///
    /// # Panics
    /// When memory runs out.
    pub(crate) fn copy(&self) -> MaskGenerator {
        match self {
            MaskGenerator::MersenneTwister(twister) => MaskGenerator::MersenneTwister(twister.clone()),
            MaskGenerator::Libtorch(generator) => {
                MaskGenerator::Libtorch(generator.copy().expect("there is memory for a generator"))
            }
        }
    }

    /// Draws a mask of which only the values in `part` are needed: each is 1 with probability `p`, else 0.
    fn draw(&mut self, mask: &mut [f32], part: Range<usize>, p: f64) {
        match self {
            MaskGenerator::MersenneTwister(twister) => {
                twister.skip(part.start);
                twister.bernoulli(&mut mask[part.clone()], p);
                twister.skip(mask.len() - part.end);
            }
            MaskGenerator::Libtorch(generator) => assert!(generator.bernoulli(mask, p), "libtorch draws masks"),
        }
    }
}

/// The rows of a batch that a thread computes, of one replica.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) replica: usize,
    /// The first row's place in the batch.
    pub(crate) first: usize,
    pub(crate) rows: usize,
    /// Number of rows of the batch.
    pub(crate) batch: usize,
}

/// Mask of the dropout after one linear layer, and the values that it lets through.
#[derive(Debug)]
pub(crate) struct Dropout {
    mask: Vec<f32>,            // of a batch, [batch, outputs]: 1 or 0 in the rows of this thread
    pub(crate) values: Tensor, // [rows, outputs]
}

impl Dropout {
    /// Allocates the buffers of a layer; `None` if it has no dropout. `values` is `[rows, outputs]`.
    pub(crate) fn new(layer: &FusedLayer, values: impl FnOnce() -> Tensor) -> Option<Dropout> {
        let values = (!layer.dropout.is_empty()).then(values)?;
        Some(Dropout { mask: vec![0.0; values.numel()], values })
    }

    /// Draws the mask of a batch.
    ///
    /// # Panics
    /// When libtorch cannot draw it.
    pub(crate) fn draw(&mut self, layer: &FusedLayer, part: Part, generator: &mut MaskGenerator) {
        if layer.drops(part.replica) {
            let mask = &mut self.mask[..part.batch * layer.outputs];
            generator.draw(mask, values_of(layer, part), 1.0 - layer.dropout[part.replica]);
        }
    }

    /// Multiplies values by the mask of a replica's rows and by 1 / (1 − p), as PyTorch does: `[rows, outputs]` → the same shape.
    pub(crate) fn apply(&self, layer: &FusedLayer, part: Part, values: &[f32], dropped: &mut [f32]) {
        let (mask, scale) = self.factors(layer, part);
        vectorized!({
            let values = values.iter().zip(mask);
            dropped.iter_mut().zip(values).for_each(|(dropped, (value, mask))| *dropped = value * (mask * scale));
        });
    }

    /// Like [`Dropout::apply`], in place.
    pub(crate) fn apply_in_place(&self, layer: &FusedLayer, part: Part, values: &mut [f32]) {
        let (mask, scale) = self.factors(layer, part);
        vectorized!({ values.iter_mut().zip(mask).for_each(|(value, mask)| *value *= mask * scale) });
    }

    /// Returns the mask of a replica's rows, and 1 / (1 − p).
    fn factors(&self, layer: &FusedLayer, part: Part) -> (&[f32], f32) {
        (&self.mask[values_of(layer, part)], 1.0 / (1.0 - layer.dropout[part.replica]) as f32)
    }
}

/// Returns the places of the values of a thread's rows in a batch, `[batch, outputs]`.
fn values_of(layer: &FusedLayer, part: Part) -> Range<usize> {
    part.first * layer.outputs..(part.first + part.rows) * layer.outputs
}
