//! Batch and layer normalization of the fused CPU backend, between a linear layer and its activation.
//!
//! Batch normalization needs the mean and the variance of all rows of a batch. Each member of a group computes those of its
//! own rows; after a barrier, every member combines the values of all members in the same order, so all get the same bits.
//! A member writes its values of a pass once per step, and the others read them between the barrier and the end of the
//! step.

#![expect(unsafe_code, reason = "members of a group read each other's statistics")]

mod columns;
mod rows;

use std::ops::Range;

use tch::Tensor;

use crate::network::layer::fusion::FusedNormalization;
use crate::tensor::raw_values::{RawF32, RawValues};
use crate::train::fused_cpu::dropout::Part;
use crate::train::fused_cpu::group::ThreadGroup;
use crate::train::fused_cpu::plan::{FusedLayer, PlacedNormalization};

/// Running averages of one replica, `[units]` each, views of the stack's buffers.
#[derive(Debug)]
pub(crate) struct RunningAverages {
    pub(crate) mean: Tensor,
    pub(crate) variance: Tensor,
}

/// A member of a group, and the statistics of all threads.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) group: &'a ThreadGroup,
    pub(crate) number: usize,
    /// Batch statistics of each thread.
    pub(crate) statistics: &'a [RawValues<f64>],
}

impl Member<'_> {
    /// Returns the statistics of a member in `range`.
    fn of(&self, member: usize, range: Range<usize>) -> RawValues<f64> {
        self.statistics[self.group.first + member].part(range)
    }
}

/// Buffers of the normalization after one linear layer.
#[derive(Debug)]
pub(crate) struct Normalization {
    placed: PlacedNormalization,
    units: usize,
    normalized: Vec<f32>, // before weight and bias, [rows, units]
    factors: Vec<f32>,    // 1 / √(variance + eps): of each unit for a batch, else of each row
    means: Vec<f32>,      // of the batch, [units]
    ones: Vec<f32>,       // in place of a weight that is not learned, [units]
    zeros: Vec<f32>,      // in place of a bias, [units]
}

/// Gradients that the backward pass of a normalization leaves, `[units]` each: of weight and bias, empty if they are not
/// learned, and of the bias of the linear layer, empty if it has none.
pub(crate) struct Gradients<'a> {
    pub(crate) weight: &'a mut [f32],
    pub(crate) bias: &'a mut [f32],
    pub(crate) linear_bias: &'a mut [f32],
}

/// Weight and bias of the normalization, `[units]` each, if they are learned, and the bias of the linear layer before it,
/// `[units]` or empty.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a> {
    pub(crate) affine: Option<(&'a [f32], &'a [f32])>,
    pub(crate) linear_bias: &'a [f32],
}

impl Parameters<'_> {
    /// Returns the linear layer's bias of a unit; 0 if it has none.
    fn linear_bias(&self, unit: usize) -> f64 {
        self.linear_bias.get(unit).map_or(0.0, |bias| f64::from(*bias))
    }
}

impl Normalization {
    /// Allocates the buffers for at most `max_rows` rows; `None` if the layer has no normalization.
    pub(crate) fn new(layer: &FusedLayer, max_rows: usize) -> Option<Normalization> {
        let placed = layer.normalization.clone()?;
        let units = layer.outputs;
        Some(Normalization {
            placed,
            units,
            normalized: vec![0.0; max_rows * units],
            factors: vec![0.0; units.max(max_rows)],
            means: vec![0.0; units],
            ones: vec![1.0; units],
            zeros: vec![0.0; units],
        })
    }

    /// Returns the offsets of weight and bias, if they are learned.
    pub(crate) fn affine(&self) -> Option<(usize, usize)> {
        self.placed.affine
    }

    /// Normalizes a part of a batch in training, in place, and updates the running averages. Returns `None` if another
    /// thread has panicked.
    ///
    /// # Shapes
    /// `values`, the product of the linear layer without its bias, is `[rows, units]`.
    pub(crate) fn train(
        &mut self,
        values: &mut [f32],
        parameters: Parameters,
        part: Part,
        member: Member,
        running: Option<&RunningAverages>,
    ) -> Option<()> {
        match self.placed.settings {
            FusedNormalization::Batch { eps, momentum } => {
                let (mean, squares) = self.batch_statistics(values, part.batch, member)?;
                let count = part.batch as f64;
                if let Some(running) = running.filter(|_| member.number == 0 && part.batch > 1) {
                    let unbiased = squares.iter().map(|squares| squares / (count - 1.0));
                    let shifted = (0..self.units).map(|unit| mean[unit] + parameters.linear_bias(unit));
                    average(&running.mean, shifted, momentum);
                    average(&running.variance, unbiased, momentum);
                }
                for (unit, factor) in self.factors[..self.units].iter_mut().enumerate() {
                    *factor = (1.0 / (squares[unit] / count + eps).sqrt()) as f32;
                    self.means[unit] = mean[unit] as f32;
                }
                let (weight, bias) = parameters.affine.unwrap_or((&self.ones, &self.zeros));
                columns::normalize(
                    values,
                    &mut self.normalized,
                    &self.means,
                    &self.factors[..self.units],
                    weight,
                    bias,
                );
            }
            FusedNormalization::Layer { eps } => self.normalize_rows(values, parameters, eps),
        }
        Some(())
    }

    /// Normalizes rows in evaluation mode, in place: `[rows, units]`, the product of the linear layer without its bias.
    pub(crate) fn evaluate(&mut self, values: &mut [f32], parameters: Parameters, running: Option<&RunningAverages>) {
        match self.placed.settings {
            FusedNormalization::Batch { eps, .. } => {
                let running = running.expect("batch normalization has running averages");
                // SAFETY: the weights keep the buffers alive, and nothing writes to them during an evaluation.
                let mean = unsafe { RawF32::from_tensor(&running.mean).get() };
                // SAFETY: as above.
                let variance = unsafe { RawF32::from_tensor(&running.variance).get() };
                let (weight, bias) = parameters.affine.unwrap_or((&self.ones, &self.zeros));
                for unit in 0..self.units {
                    let factor = f64::from(weight[unit]) / (f64::from(variance[unit]) + eps).sqrt();
                    let shift = parameters.linear_bias(unit) - f64::from(mean[unit]);
                    self.factors[unit] = factor as f32;
                    self.means[unit] = (f64::from(bias[unit]) + shift * factor) as f32;
                }
                columns::scale(values, &self.factors[..self.units], &self.means);
            }
            FusedNormalization::Layer { eps } => self.normalize_rows(values, parameters, eps),
        }
    }

    /// Turns the gradient of the outputs of a part of a batch into that of the values before the normalization, in place:
    /// `[rows, units]`. Returns `None` if another thread has panicked.
    pub(crate) fn backward(
        &self,
        gradient: &mut [f32],
        parameters: Parameters,
        gradients: Gradients,
        part: Part,
        member: Member,
    ) -> Option<()> {
        let Gradients { weight: of_weight, bias: of_bias, linear_bias } = gradients;
        let (weight, _) = parameters.affine.unwrap_or((&self.ones, &self.zeros));
        let normalized = &self.normalized[..gradient.len()];
        match self.placed.settings {
            FusedNormalization::Batch { .. } => {
                let start = self.placed.statistics + 2 * self.units;
                let range = start..start + 2 * self.units;
                // SAFETY: see the start of this file.
                let own = unsafe { member.of(member.number, range.clone()).get_mut() };
                let (sums, products) = own.split_at_mut(self.units);
                columns::sum_gradients(gradient, normalized, sums, products);
                let write =
                    |to: &mut [f32], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
                write(of_bias, sums);
                write(of_weight, products);
                if !member.group.barrier.wait() {
                    return None;
                }
                let mut total = vec![0.0; 2 * self.units];
                for other in 0..member.group.members {
                    // SAFETY: see the start of this file.
                    let other = unsafe { member.of(other, range.clone()).get() };
                    total.iter_mut().zip(other).for_each(|(total, other)| *total += other);
                }
                let means: Vec<f32> = total.iter().map(|total| (total / part.batch as f64) as f32).collect();
                let scales: Vec<f32> =
                    weight.iter().zip(&self.factors).map(|(weight, factor)| weight * factor).collect();
                let (mean, product) = means.split_at(self.units);
                columns::gradient(gradient, normalized, &scales, mean, product);
            }
            FusedNormalization::Layer { .. } => {
                of_weight.fill(0.0);
                of_bias.fill(0.0);
                rows::gradient(gradient, normalized, &self.factors, weight, of_weight, of_bias);
            }
        }
        columns::sum(gradient, self.units, linear_bias);
        Some(())
    }

    /// Returns the mean of each unit over all rows of a batch, and its sum of squared deviations, `[units]` each.
    fn batch_statistics(&self, values: &[f32], batch: usize, member: Member) -> Option<(Vec<f64>, Vec<f64>)> {
        let range = self.placed.statistics..self.placed.statistics + 2 * self.units;
        // SAFETY: see the start of this file.
        let own = unsafe { member.of(member.number, range.clone()).get_mut() };
        let (means, squares) = own.split_at_mut(self.units);
        columns::means_and_squares(values, means, squares);
        if !member.group.barrier.wait() {
            return None;
        }
        let (mut mean, mut square, mut rows) = (vec![0.0; self.units], vec![0.0; self.units], 0.0);
        for other in 0..member.group.members {
            let added = member.group.part(other, batch, 1).len() as f64;
            if added == 0.0 {
                continue;
            }
            // SAFETY: see the start of this file.
            let (means, squares) = unsafe { member.of(other, range.clone()).get() }.split_at(self.units);
            let total = rows + added;
            for unit in 0..self.units {
                let difference = means[unit] - mean[unit]; // Chan, Golub and LeVeque 1979
                mean[unit] += difference * added / total;
                square[unit] += squares[unit] + difference * difference * rows * added / total;
            }
            rows = total;
        }
        Some((mean, square))
    }

    /// Normalizes each row by its own mean and variance, in place.
    fn normalize_rows(&mut self, values: &mut [f32], parameters: Parameters, eps: f64) {
        let (weight, bias) = parameters.affine.unwrap_or((&self.ones, &self.zeros));
        let linear_bias = if parameters.linear_bias.is_empty() { &self.zeros } else { parameters.linear_bias };
        rows::normalize(values, &mut self.normalized, &mut self.factors, [linear_bias, weight, bias], eps);
    }
}

/// Moves running averages towards new values, by the share `momentum`.
fn average(running: &Tensor, values: impl Iterator<Item = f64>, momentum: f64) {
    // SAFETY: the weights keep the buffer alive; only the first member of a group writes to it in an epoch, and nothing
    // reads it until all threads have ended.
    let running = unsafe { RawF32::from_tensor(running).get_mut() };
    for (running, value) in running.iter_mut().zip(values) {
        *running = ((1.0 - momentum) * f64::from(*running) + momentum * value) as f32;
    }
}
