//! A share of a batch on one thread: its buffers, allocated once, and the way through the layers and back.

#![expect(unsafe_code, reason = "what lies between two matrix products is done in their memory")]

use tch::{Device, Kind, Tensor};

use crate::tensor::raw_f32::RawF32;
use crate::train::fused_cpu::loss::Targets;
use crate::train::fused_cpu::plan::{FusedLayer, Plan};
use crate::train::state::timing::{Lap, Timing};

/// The weights of one replica, as the matrix products take them.
#[derive(Debug)]
pub(crate) struct Weights {
    layers: Vec<(Tensor, Tensor)>, // [outputs, inputs] and its transpose
    values: RawF32,                // all parameters of the replica
}

impl Weights {
    /// Views of a replica's row of the arena, `[parameters]`.
    pub(crate) fn of(plan: &Plan, row: &Tensor) -> Weights {
        let layers = plan.layers.iter().map(|layer| matrix(row, layer));
        Weights {
            layers: layers.map(|weight| (weight.shallow_clone(), weight.transpose(0, 1))).collect(),
            values: RawF32::of(row),
        }
    }
}

/// The weight `[outputs, inputs]` of a layer in a row of parameters, or of their gradient.
fn matrix(row: &Tensor, layer: &FusedLayer) -> Tensor {
    let (outputs, inputs) = (layer.outputs as i64, layer.inputs as i64);
    row.narrow(0, layer.weight as i64, outputs * inputs).view([outputs, inputs])
}

/// Buffers for so many rows, and their gradient. Nobody but the shard knows the tensors; of the gradient it tells the
/// address.
#[derive(Debug)]
pub(crate) struct Workspace {
    plan: Plan,
    inputs: Tensor,       // [rows, inputs]
    outputs: Vec<Tensor>, // of each layer, [rows, outputs]
    slopes: Vec<Tensor>,  // the loss's gradient at each layer's outputs, [rows, outputs]
    gradient: Tensor,     // [parameters]
    weights: Vec<Tensor>, // of each layer, [outputs, inputs], in the gradient
    views: Vec<Views>,    // for the numbers of rows seen so far: a batch's and the last one's
    pub(crate) phases: Timing,
}

/// The first rows of the buffers.
#[derive(Debug)]
struct Views {
    rows: usize,
    inputs: Tensor,
    outputs: Vec<Tensor>,
    slopes: Vec<Tensor>,
    transposed: Vec<Tensor>, // the slopes', [outputs, rows]
}

impl Workspace {
    /// Buffers for at most so many rows.
    pub(crate) fn new(plan: &Plan, most_rows: usize) -> Workspace {
        // written once, as slices of it are taken before it is filled
        let buffer = |columns: usize| Tensor::zeros([most_rows as i64, columns as i64], (Kind::Float, Device::Cpu));
        let gradient = Tensor::zeros([plan.parameters as i64], (Kind::Float, Device::Cpu));
        Workspace {
            inputs: buffer(plan.inputs()),
            outputs: plan.layers.iter().map(|layer| buffer(layer.outputs)).collect(),
            slopes: plan.layers.iter().map(|layer| buffer(layer.outputs)).collect(),
            weights: plan.layers.iter().map(|layer| matrix(&gradient, layer)).collect(),
            gradient,
            views: Vec::new(),
            phases: Timing::default(),
            plan: plan.clone(),
        }
    }

    /// The gradient that the way back leaves, `[parameters]`.
    pub(crate) fn gradient(&self) -> RawF32 {
        RawF32::of(&self.gradient)
    }

    /// The buffer of the features, to be filled with so many rows.
    pub(crate) fn inputs(&mut self, rows: usize) -> &mut [f32] {
        // SAFETY: as long as the slice lives the shard is borrowed, and nobody else knows the buffer.
        unsafe { RawF32::of(&self.inputs).part(0..rows * self.plan.inputs()).get_mut() }
    }

    /// What the network makes of rows: those given, `[rows, inputs]`, or those in the buffer; `[rows, outputs]`.
    pub(crate) fn forward(&mut self, given: Option<&Tensor>, rows: usize, weights: &Weights) -> &[f32] {
        let views = self.views(rows);
        let plan = &self.plan;
        let views = &self.views[views];
        let mut inputs = given.unwrap_or(&views.inputs);
        for ((layer, (_, transposed)), outputs) in plan.layers.iter().zip(&weights.layers).zip(&views.outputs) {
            let _ = inputs.mm_out(outputs, transposed);
            // SAFETY: `weights` keeps the memory alive, and nobody steps while a thread computes with the parameters: the
            // members of a team wait for each other before and after (`train_replica`).
            let bias =
                layer.bias.map_or(&[][..], |bias| unsafe { weights.values.part(bias..bias + layer.outputs).get() });
            // SAFETY: a buffer of this shard's, which is borrowed, and no part of the parameters; the slice ends here.
            let values = unsafe { RawF32::of(outputs).get_mut() };
            layer.activation.apply(values, bias, layer.outputs);
            layer.activation.finish(outputs);
            inputs = outputs;
        }
        self.outputs(rows)
    }

    /// What the last pass left, `[rows, outputs]`.
    fn outputs(&self, rows: usize) -> &[f32] {
        let buffer = self.outputs.last().unwrap_or(&self.inputs);
        // SAFETY: as long as the slice lives the shard is borrowed, and nobody else knows the buffer.
        unsafe { RawF32::of(buffer).part(0..rows * self.plan.outputs()).get() }
    }

    /// Forward, loss, and back: leaves the gradient of the mean loss over a batch of `batch` rows, of which these are a
    /// part, and returns the sum of the rows' losses, and the outputs. While others may read the gradient it is not called.
    pub(crate) fn forward_backward(
        &mut self,
        given: Option<&Tensor>,
        targets: Targets,
        rows: usize,
        batch: usize,
        weights: &Weights,
    ) -> (f64, &[f32]) {
        let mut lap = Lap::new();
        self.forward(given, rows, weights);
        lap.adds_to(&mut self.phases.forward);
        let views = self.views(rows);
        let (plan, views) = (&self.plan, &self.views[views]);
        let last = plan.layers.len() - 1;
        // SAFETY: two buffers of this shard's, which is borrowed.
        let loss = unsafe { plan.loss.with_gradient(&views.outputs[last], targets, &views.slopes[last], batch) };
        for (number, layer) in plan.layers.iter().enumerate().rev() {
            // SAFETY: a buffer of this shard's, which is borrowed; libtorch writes to it only on the way forward.
            let outputs = unsafe { RawF32::of(&views.outputs[number]).get() };
            // SAFETY: another of its buffers; the slice ends with `back`, before libtorch writes to the buffer before it.
            let slopes = unsafe { RawF32::of(&views.slopes[number]).get_mut() };
            let gradient = self.gradient();
            // SAFETY: the gradient is a tensor of its own, and other members of the team read it only between the two
            // barriers of a step (`train_replica`), which this is not.
            let sums =
                layer.bias.map_or(&mut [][..], |bias| unsafe { gradient.part(bias..bias + layer.outputs).get_mut() });
            layer.activation.back(outputs, slopes, sums, layer.outputs);
            let inputs = match number {
                0 => given.unwrap_or(&views.inputs),
                _ => &views.outputs[number - 1],
            };
            let _ = views.transposed[number].mm_out(&self.weights[number], inputs);
            if number > 0 {
                let _ = views.slopes[number].mm_out(&views.slopes[number - 1], &weights.layers[number].0);
            }
        }
        lap.adds_to(&mut self.phases.backward);
        (loss, self.outputs(rows))
    }

    /// The number of the views of so many rows, which are made when they are first asked for.
    fn views(&mut self, rows: usize) -> usize {
        if let Some(known) = self.views.iter().position(|views| views.rows == rows) {
            return known;
        }
        let first = |buffer: &Tensor| buffer.narrow(0, 0, rows as i64);
        let slopes: Vec<Tensor> = self.slopes.iter().map(first).collect();
        self.views.push(Views {
            rows,
            inputs: first(&self.inputs),
            outputs: self.outputs.iter().map(first).collect(),
            transposed: slopes.iter().map(|slopes| slopes.transpose(0, 1)).collect(),
            slopes,
        });
        self.views.len() - 1
    }
}
