//! Buffers of one thread for its part of a batch, allocated once, and the forward and backward pass through the layers.

#![expect(unsafe_code, reason = "what lies between two matrix products is done in their memory")]

use switches::Generator;
use tch::{Device, Kind, Tensor};

use crate::tensor::raw_values::RawF32;
use crate::train::fused_cpu::dropout::{Dropout, Part};
use crate::train::fused_cpu::loss::{FusedLoss, Targets};
use crate::train::fused_cpu::plan::{FusedLayer, Plan};
use crate::train::state::timing::{Stopwatch, Timing};

/// Weights of one replica, in the form that the matrix products take.
#[derive(Debug)]
pub(crate) struct Weights {
    layers: Vec<(Tensor, Tensor)>, // weight [outputs, inputs] and its transpose
    pub(crate) values: RawF32,     // all parameters of the replica
}

impl Weights {
    /// Returns views of a replica's row of the arena, `[parameters]`.
    pub(crate) fn new(plan: &Plan, row: &Tensor) -> Weights {
        let layers = plan.layers.iter().map(|layer| matrix(row, layer));
        Weights {
            layers: layers.map(|weight| (weight.shallow_clone(), weight.transpose(0, 1))).collect(),
            values: RawF32::from_tensor(row),
        }
    }
}

/// Returns the weight `[outputs, inputs]` of a layer in a row of parameters, or of their gradient.
fn matrix(row: &Tensor, layer: &FusedLayer) -> Tensor {
    let (outputs, inputs) = (layer.outputs as i64, layer.inputs as i64);
    row.narrow(0, layer.weight as i64, outputs * inputs).view([outputs, inputs])
}

/// Buffers for a number of rows, and their gradient. The tensors are private to the workspace; the address of the
/// gradient is shared.
#[derive(Debug)]
pub(crate) struct Workspace {
    plan: Plan,
    inputs: Tensor,                 // [rows, inputs]
    outputs: Vec<Tensor>,           // of each layer, [rows, outputs]
    dropouts: Vec<Option<Dropout>>, // after each layer
    output_gradients: Vec<Tensor>,  // gradient of the loss at each layer's outputs, [rows, outputs]
    gradient: Tensor,               // [parameters]
    weights: Vec<Tensor>,           // of each layer, [outputs, inputs], views of the gradient
    views: Vec<Views>,              // one for each number of rows: that of a batch and of the last batch
    pub(crate) timing: Timing,
}

/// Views of the first rows of the buffers.
#[derive(Debug)]
struct Views {
    rows: usize,
    inputs: Tensor,
    outputs: Vec<Tensor>,
    dropped: Vec<Option<Tensor>>, // outputs after the dropout of each layer
    output_gradients: Vec<Tensor>,
    transposed: Vec<Tensor>, // transposed slopes, [outputs, rows]
}

impl Workspace {
    /// Allocates buffers for at most `max_rows` rows.
    pub(crate) fn new(plan: &Plan, max_rows: usize) -> Workspace {
        // Initialized, because slices are taken before the buffer is filled.
        let buffer = |columns: usize| Tensor::zeros([max_rows as i64, columns as i64], (Kind::Float, Device::Cpu));
        let gradient = Tensor::zeros([plan.parameters as i64], (Kind::Float, Device::Cpu));
        Workspace {
            inputs: buffer(plan.inputs()),
            outputs: plan.layers.iter().map(|layer| buffer(layer.outputs)).collect(),
            dropouts: plan.layers.iter().map(|layer| Dropout::new(layer, || buffer(layer.outputs))).collect(),
            output_gradients: plan.layers.iter().map(|layer| buffer(layer.outputs)).collect(),
            weights: plan.layers.iter().map(|layer| matrix(&gradient, layer)).collect(),
            gradient,
            views: Vec::new(),
            timing: Timing::default(),
            plan: plan.clone(),
        }
    }

    /// Returns the gradient that the backward pass leaves, `[parameters]`.
    pub(crate) fn gradient(&self) -> RawF32 {
        RawF32::from_tensor(&self.gradient)
    }

    /// Returns the buffer of the features, to be filled with `rows` rows.
    pub(crate) fn inputs(&mut self, rows: usize) -> &mut [f32] {
        // SAFETY: the workspace is borrowed while the slice lives, and its buffer is private.
        unsafe { RawF32::from_tensor(&self.inputs).part(0..rows * self.plan.inputs()).get_mut() }
    }

    /// Draws the dropout masks of a batch, in the order of the layers.
    pub(crate) fn draw_masks(&mut self, part: Part, generator: &mut Generator) {
        for (layer, dropout) in self.plan.layers.iter().zip(&mut self.dropouts) {
            dropout.iter_mut().for_each(|dropout| dropout.draw(layer, part, generator));
        }
    }

    /// Returns the outputs of rows in evaluation mode, `[rows, outputs]`: of `features` `[rows, inputs]`, or of those in the
    /// buffer.
    pub(crate) fn forward(&mut self, features: Option<&Tensor>, rows: usize, weights: &Weights) -> &[f32] {
        self.forward_t(features, rows, weights, None)
    }

    /// Returns the outputs of rows; in training, `part` says which masks of the dropout are applied.
    fn forward_t(&mut self, features: Option<&Tensor>, rows: usize, weights: &Weights, part: Option<Part>) -> &[f32] {
        let views = self.views(rows);
        let plan = &self.plan;
        let views = &self.views[views];
        let mut inputs = features.unwrap_or(&views.inputs);
        for (number, layer) in plan.layers.iter().enumerate() {
            let (outputs, (_, transposed)) = (&views.outputs[number], &weights.layers[number]);
            let _ = inputs.mm_out(outputs, transposed);
            // SAFETY: `weights` keeps the memory alive, and no thread updates parameters while another computes with
            // them: the members of a group wait for each other before and after (`train_replica`).
            let bias =
                layer.bias.map_or(&[][..], |bias| unsafe { weights.values.part(bias..bias + layer.outputs).get() });
            // SAFETY: a buffer of this workspace, which is borrowed, and not a part of the parameters; the slice ends
            // here.
            let values = unsafe { RawF32::from_tensor(outputs).get_mut() };
            layer.activation.apply(values, bias, layer.outputs);
            layer.activation.finish(outputs);
            inputs = outputs;
            let dropout = self.dropouts[number].as_ref().zip(views.dropped[number].as_ref());
            if let Some((part, (dropout, dropped))) = part.filter(|part| layer.drops(part.replica)).zip(dropout) {
                // SAFETY: a buffer of this workspace, which is borrowed; libtorch has written it.
                let values = unsafe { RawF32::from_tensor(outputs).get() };
                // SAFETY: another of its buffers.
                let kept = unsafe { RawF32::from_tensor(dropped).get_mut() };
                dropout.apply(layer, part, values, kept);
                inputs = dropped;
            }
        }
        self.outputs(rows)
    }

    /// Returns the outputs of the last forward pass, `[rows, outputs]`.
    fn outputs(&self, rows: usize) -> &[f32] {
        let buffer = self.outputs.last().unwrap_or(&self.inputs);
        // SAFETY: the workspace is borrowed while the slice lives, and its buffer is private.
        unsafe { RawF32::from_tensor(buffer).part(0..rows * self.plan.outputs()).get() }
    }

    /// Computes forward pass, loss and backward pass of a part of a batch, with the masks that were drawn for it.
    /// Leaves its part of the gradient of the batch's mean `loss`, and returns the sum of the rows' losses and the
    /// outputs. Must not be called while other threads may read the gradient.
    pub(crate) fn forward_backward(
        &mut self,
        features: Option<&Tensor>,
        targets: Targets,
        part: Part,
        loss: FusedLoss,
        weights: &Weights,
    ) -> (f64, &[f32]) {
        let mut stopwatch = Stopwatch::new();
        let Part { rows, batch, .. } = part;
        self.forward_t(features, rows, weights, Some(part));
        stopwatch.add_lap_to(&mut self.timing.forward);
        let views = self.views(rows);
        let (plan, views) = (&self.plan, &self.views[views]);
        let last = plan.layers.len() - 1;
        // SAFETY: two buffers of this workspace, which is borrowed.
        let loss =
            unsafe { loss.loss_and_gradient(&views.outputs[last], targets, &views.output_gradients[last], batch) };
        for (number, layer) in plan.layers.iter().enumerate().rev() {
            // SAFETY: a buffer of this workspace, which is borrowed; libtorch writes to it only in the forward pass.
            let outputs = unsafe { RawF32::from_tensor(&views.outputs[number]).get() };
            // SAFETY: another of its buffers; the slice ends with `backward`, before libtorch writes to the previous
            // one.
            let output_gradients = unsafe { RawF32::from_tensor(&views.output_gradients[number]).get_mut() };
            let gradient = self.gradient();
            // SAFETY: the gradient is a separate tensor, and other members of the group read it only between the two
            // barriers of a step (`train_replica`), not now.
            let sums =
                layer.bias.map_or(&mut [][..], |bias| unsafe { gradient.part(bias..bias + layer.outputs).get_mut() });
            layer.activation.backward(outputs, output_gradients, sums, layer.outputs);
            let dropout = number.checked_sub(1).and_then(|before| {
                let dropout = self.dropouts[before].as_ref().filter(|_| plan.layers[before].drops(part.replica))?;
                Some((dropout, views.dropped[before].as_ref()?))
            });
            let inputs = match (number, dropout) {
                (0, _) => features.unwrap_or(&views.inputs),
                (_, Some((_, dropped))) => dropped,
                (_, None) => &views.outputs[number - 1],
            };
            let _ = views.transposed[number].mm_out(&self.weights[number], inputs);
            if number > 0 {
                let _ = views.output_gradients[number]
                    .mm_out(&views.output_gradients[number - 1], &weights.layers[number].0);
            }
            if let Some((dropout, _)) = dropout {
                // SAFETY: a buffer of this workspace, which is borrowed; libtorch has written it.
                let gradients = unsafe { RawF32::from_tensor(&views.output_gradients[number - 1]).get_mut() };
                dropout.apply_in_place(&plan.layers[number - 1], part, gradients);
            }
        }
        stopwatch.add_lap_to(&mut self.timing.backward);
        (loss, self.outputs(rows))
    }

    /// Returns the index of the views for `rows` rows, which are created at first use.
    fn views(&mut self, rows: usize) -> usize {
        if let Some(known) = self.views.iter().position(|views| views.rows == rows) {
            return known;
        }
        let first = |buffer: &Tensor| buffer.narrow(0, 0, rows as i64);
        let output_gradients: Vec<Tensor> = self.output_gradients.iter().map(first).collect();
        self.views.push(Views {
            rows,
            inputs: first(&self.inputs),
            outputs: self.outputs.iter().map(first).collect(),
            dropped: self.dropouts.iter().map(|dropout| Some(first(&dropout.as_ref()?.values))).collect(),
            transposed: output_gradients.iter().map(|output_gradients| output_gradients.transpose(0, 1)).collect(),
            output_gradients,
        });
        self.views.len() - 1
    }
}
