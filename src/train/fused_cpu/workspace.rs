//! Buffers of one thread for its part of a batch, allocated once, and the forward and backward pass through the layers.

#![expect(unsafe_code, reason = "what lies between two matrix products is done in their memory")]

use tch::{Device, Kind, Tensor};

use crate::network::arena::Arena;
use crate::tensor::raw_values::{RawF32, RawValues};
use crate::train::fused_cpu::dropout::{Dropout, MaskGenerator, Part};
use crate::train::fused_cpu::loss::{FusedLoss, Targets};
use crate::train::fused_cpu::normalization::{Gradients, Member, Normalization, Parameters, RunningAverages};
use crate::train::fused_cpu::plan::{FusedLayer, Plan};
use crate::train::state::timing::{Stopwatch, Timing};

/// Weights of one replica, in the form that the matrix products take.
#[derive(Debug)]
pub(crate) struct Weights {
    layers: Vec<(Tensor, Tensor)>,         // weight [outputs, inputs] and its transpose
    pub(crate) values: RawF32,             // all parameters of the replica
    running: Vec<Option<RunningAverages>>, // of the batch normalization after each layer
}

impl Weights {
    /// Returns views of a replica's parameters and buffers.
    pub(crate) fn new(plan: &Plan, arena: &Arena, replica: i64) -> Weights {
        let row = &arena.values().get(replica);
        let layers = plan.layers.iter().map(|layer| matrix(row, layer));
        let running = |layer: &FusedLayer| {
            let first = layer.normalization.as_ref()?.buffers?;
            let [mean, variance] = [first, first + 1].map(|buffer| arena.buffers()[buffer].values.get(replica));
            Some(RunningAverages { mean, variance })
        };
        Weights {
            layers: layers.map(|weight| (weight.shallow_clone(), weight.transpose(0, 1))).collect(),
            values: RawF32::from_tensor(row),
            running: plan.layers.iter().map(running).collect(),
        }
    }

    /// Returns the parameters of a layer beside its weight.
    fn beside(&self, layer: &FusedLayer) -> Parameters<'_> {
        // SAFETY: `self` keeps the memory alive, and no thread updates parameters while another computes with them: the
        // members of a group wait for each other before and after (`train_replica`).
        let values = |offset: usize| unsafe { self.values.part(offset..offset + layer.outputs).get() };
        let affine = layer.normalization.as_ref().and_then(|placed| placed.affine);
        Parameters {
            affine: affine.map(|(weight, bias)| (values(weight), values(bias))),
            linear_bias: layer.bias.map_or(&[], values),
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
    inputs: Tensor,                             // [rows, inputs]
    outputs: Vec<Tensor>,                       // of each layer, [rows, outputs]
    activation_inputs: Vec<Option<Tensor>>,     // of each layer, if its activation needs them, [rows, outputs]
    normalizations: Vec<Option<Normalization>>, // after each layer
    statistics: Tensor,                         // of batch normalization, f64, [statistics of the plan]
    dropouts: Vec<Option<Dropout>>,             // after each layer
    output_gradients: Vec<Tensor>,              // gradient of the loss at each layer's outputs, [rows, outputs]
    gradient: Tensor,                           // [parameters]
    weights: Vec<Tensor>,                       // of each layer, [outputs, inputs], views of the gradient
    views: Vec<Views>,                          // one for each number of rows: that of a batch and of the last batch
    pub(crate) timing: Timing,
}

/// Views of the first rows of the buffers.
#[derive(Debug)]
struct Views {
    rows: usize,
    inputs: Tensor,
    outputs: Vec<Tensor>,
    activation_inputs: Vec<Option<Tensor>>,
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
            activation_inputs: plan
                .layers
                .iter()
                .map(|layer| layer.activation.needs_input().then(|| buffer(layer.outputs)))
                .collect(),
            normalizations: plan.layers.iter().map(|layer| Normalization::new(layer, max_rows)).collect(),
            statistics: Tensor::zeros([plan.statistics() as i64], (Kind::Double, Device::Cpu)),
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

    /// Returns the batch statistics of this thread's rows.
    pub(crate) fn statistics(&self) -> RawValues<f64> {
        RawValues::from_tensor(&self.statistics)
    }

    /// Returns the buffer of the features, to be filled with `rows` rows.
    pub(crate) fn inputs(&mut self, rows: usize) -> &mut [f32] {
        // SAFETY: the workspace is borrowed while the slice lives, and its buffer is private.
        unsafe { RawF32::from_tensor(&self.inputs).part(0..rows * self.plan.inputs()).get_mut() }
    }

    /// Draws the dropout masks of a batch, in the order of the layers.
    pub(crate) fn draw_masks(&mut self, part: Part, generator: &mut MaskGenerator) {
        for (layer, dropout) in self.plan.layers.iter().zip(&mut self.dropouts) {
            dropout.iter_mut().for_each(|dropout| dropout.draw(layer, part, generator));
        }
    }

    /// Returns the outputs of rows in evaluation mode, `[rows, outputs]`: of `features` `[rows, inputs]`, or of those in the
    /// buffer.
    pub(crate) fn forward(&mut self, features: Option<&Tensor>, rows: usize, weights: &Weights) -> &[f32] {
        let _ = self.forward_t(features, rows, weights, None); // only members of a group can fail
        self.outputs(rows)
    }

    /// Computes the outputs of rows; in training, `training` says which rows of the batch they are. Returns `None` if another
    /// thread has panicked.
    fn forward_t(
        &mut self,
        features: Option<&Tensor>,
        rows: usize,
        weights: &Weights,
        training: Option<(Part, Member)>,
    ) -> Option<()> {
        let views = self.views(rows);
        let Workspace { plan, views: all_views, normalizations, dropouts, .. } = self;
        let views = &all_views[views];
        let mut inputs = features.unwrap_or(&views.inputs);
        for (number, layer) in plan.layers.iter().enumerate() {
            let (outputs, (_, transposed)) = (&views.outputs[number], &weights.layers[number]);
            let activation_inputs = views.activation_inputs[number].as_ref().unwrap_or(outputs);
            let _ = inputs.mm_out(activation_inputs, transposed);
            let parameters = weights.beside(layer);
            // SAFETY: a buffer of this workspace, which is borrowed, and not a part of the parameters; the slice ends
            // before libtorch writes to it.
            let values = unsafe { RawF32::from_tensor(activation_inputs).get_mut() };
            let running = weights.running[number].as_ref();
            let bias = match (&mut normalizations[number], training) {
                (None, _) => parameters.linear_bias,
                (Some(normalization), Some((part, member))) => {
                    normalization.train(values, parameters, part, member, running)?;
                    &[]
                }
                (Some(normalization), None) => {
                    normalization.evaluate(values, parameters, running);
                    &[]
                }
            };
            layer.activation.apply(values, bias, layer.outputs);
            layer.activation.finish(activation_inputs, outputs);
            inputs = outputs;
            let part = training.map(|(part, _)| part).filter(|part| layer.drops(part.replica));
            let dropout = dropouts[number].as_ref().zip(views.dropped[number].as_ref());
            if let Some((part, (dropout, dropped))) = part.zip(dropout) {
                // SAFETY: a buffer of this workspace, which is borrowed; libtorch has written it.
                let values = unsafe { RawF32::from_tensor(outputs).get() };
                // SAFETY: another of its buffers.
                let kept = unsafe { RawF32::from_tensor(dropped).get_mut() };
                dropout.apply(layer, part, values, kept);
                inputs = dropped;
            }
        }
        Some(())
    }

    /// Returns the outputs of the last forward pass, `[rows, outputs]`.
    fn outputs(&self, rows: usize) -> &[f32] {
        let buffer = self.outputs.last().unwrap_or(&self.inputs);
        // SAFETY: the workspace is borrowed while the slice lives, and its buffer is private.
        unsafe { RawF32::from_tensor(buffer).part(0..rows * self.plan.outputs()).get() }
    }

    /// Computes forward pass, loss and backward pass of a part of a batch, with the masks that were drawn for it.
    /// Leaves its part of the gradient of the batch's mean `loss`, and returns the sum of the rows' losses and the
    /// outputs; `None` if another thread has panicked. Must not be called while other threads may read the gradient.
    pub(crate) fn forward_backward(
        &mut self,
        features: Option<&Tensor>,
        targets: Targets,
        part: Part,
        loss: FusedLoss,
        weights: &Weights,
        member: Member,
    ) -> Option<(f64, &[f32])> {
        let mut stopwatch = Stopwatch::new();
        let Part { rows, batch, .. } = part;
        self.forward_t(features, rows, weights, Some((part, member)))?;
        stopwatch.add_lap_to(&mut self.timing.forward);
        let views = self.views(rows);
        let (plan, views) = (&self.plan, &self.views[views]);
        let last = plan.layers.len() - 1;
        // SAFETY: two buffers of this workspace, which is borrowed.
        let loss =
            unsafe { loss.loss_and_gradient(&views.outputs[last], targets, &views.output_gradients[last], batch) };
        for (number, layer) in plan.layers.iter().enumerate().rev() {
            if let Some(inputs) = &views.activation_inputs[number] {
                layer.activation.backward_from_input(inputs, &views.output_gradients[number]);
            }
            // SAFETY: a buffer of this workspace, which is borrowed; libtorch writes to it only in the forward pass.
            let outputs = unsafe { RawF32::from_tensor(&views.outputs[number]).get() };
            // SAFETY: another of its buffers; the slice ends with `backward`, before libtorch writes to the previous
            // one.
            let output_gradients = unsafe { RawF32::from_tensor(&views.output_gradients[number]).get_mut() };
            let gradient = self.gradient();
            let sums = |offset: Option<usize>| {
                // SAFETY: the gradient is a separate tensor, and other members of the group read it only between the last two
                // barriers of a step (`train_replica`), not now; each slice is another part of it.
                offset.map_or(&mut [][..], |start| unsafe { gradient.part(start..start + layer.outputs).get_mut() })
            };
            match &self.normalizations[number] {
                None => layer.activation.backward(outputs, output_gradients, sums(layer.bias), layer.outputs),
                Some(normalization) => {
                    layer.activation.backward(outputs, output_gradients, &mut [], layer.outputs);
                    let (weight, bias) = normalization.affine().unzip();
                    let gradients = Gradients { weight: sums(weight), bias: sums(bias), linear_bias: sums(layer.bias) };
                    normalization.backward(output_gradients, weights.beside(layer), gradients, part, member)?;
                }
            }
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
        Some((loss, self.outputs(rows)))
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
            activation_inputs: self.activation_inputs.iter().map(|inputs| inputs.as_ref().map(first)).collect(),
            dropped: self.dropouts.iter().map(|dropout| Some(first(&dropout.as_ref()?.values))).collect(),
            transposed: output_gradients.iter().map(|output_gradients| output_gradients.transpose(0, 1)).collect(),
            output_gradients,
        });
        self.views.len() - 1
    }
}
