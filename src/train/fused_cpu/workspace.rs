//! Buffers of one thread for its part of a batch, allocated once, and the forward and backward pass through the layers.

#![expect(unsafe_code, reason = "what lies between two matrix products is done in their memory")]

use tch::{Device, Kind, Tensor};

use crate::network::arena::Arena;
use crate::tensor::matrix_product::Matrix;
use crate::tensor::raw_values::{RawF32, RawValues};
use crate::train::fused_cpu::convolution::Convolutions;
use crate::train::fused_cpu::dropout::{Dropout, MaskGenerator, Part};
use crate::train::fused_cpu::loss::{FusedLoss, Targets};
use crate::train::fused_cpu::normalization::{Gradients, Member, Normalization, Parameters, RunningAverages};
use crate::train::fused_cpu::plan::{FusedLayer, Plan};
use crate::train::fused_cpu::view::View;
use crate::train::state::timing::{Stopwatch, Timing};

/// Number of outputs from which the weight of a layer is too large to be copied in each step.
const WIDE: usize = 256;

/// Weights of one replica, in the form that the matrix products take.
#[derive(Debug)]
pub(crate) struct Weights {
    layers: Vec<Matrix>,                   // weights [outputs, inputs]
    pub(crate) values: RawF32,             // all parameters of the replica
    running: Vec<Option<RunningAverages>>, // of the batch normalization after each layer
}

impl Weights {
    /// Returns views of a replica's parameters and buffers.
    pub(crate) fn new(plan: &Plan, arena: &Arena, replica: i64) -> Weights {
        let values = RawF32::from_tensor(&arena.values().get(replica));
        let running = |layer: &FusedLayer| {
            let first = layer.normalization.as_ref()?.buffers?;
            let [mean, variance] = [first, first + 1].map(|buffer| arena.buffers()[buffer].values.get(replica));
            Some(RunningAverages { mean, variance })
        };
        Weights {
            layers: plan.layers.iter().map(|layer| weight(values, layer)).collect(),
            values,
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

/// Returns features `[rows, inputs]` as a matrix.
fn features(features: &Tensor, rows: usize) -> Matrix {
    Matrix::new(RawF32::from_tensor(features), rows, features.size()[1] as usize)
}

/// Returns the weight `[outputs, inputs]` of a layer in the parameters of a replica, or in their gradient.
fn weight(parameters: RawF32, layer: &FusedLayer) -> Matrix {
    let (outputs, inputs) = (layer.outputs, layer.inputs);
    Matrix::new(parameters.part(layer.weight..layer.weight + outputs * inputs), outputs, inputs)
}

/// Buffers for a number of rows, and their gradient. The tensors are private to the workspace; the address of the
/// gradient is shared.
#[derive(Debug)]
pub(crate) struct Workspace {
    plan: Plan,
    inputs: Tensor,                             // [rows, inputs]
    convolutions: Option<Convolutions>,         // before the first layer
    flattened: [Tensor; 2],                     // their outputs, and the gradient there, [rows, outputs]
    outputs: Vec<Tensor>,                       // of each layer, [rows, outputs]
    activation_inputs: Vec<Option<Tensor>>,     // of each layer, if its activation needs them, [rows, outputs]
    normalizations: Vec<Option<Normalization>>, // after each layer
    statistics: Tensor,                         // of batch normalization, f64, [statistics of the plan]
    dropouts: Vec<Option<Dropout>>,             // after each layer
    output_gradients: Vec<Tensor>,              // gradient of the loss at each layer's outputs, [rows, outputs]
    gradient: Tensor,                           // [parameters]
    weights: Vec<Matrix>,                       // of each layer, [outputs, inputs], in the gradient
    scratch: Vec<f32>,                          // for the outputs of the layer with most
    views: Vec<Views>,                          // one for each number of rows: that of a batch and of the last batch
    pub(crate) timing: Timing,
}

/// Views of the first rows of the buffers.
#[derive(Debug)]
struct Views {
    rows: usize,
    inputs: Matrix,
    flattened: [Matrix; 2],
    outputs: Vec<View>,
    activation_inputs: Vec<Option<View>>,
    dropped: Vec<Option<Matrix>>, // outputs after the dropout of each layer
    output_gradients: Vec<View>,
}

impl Workspace {
    /// Allocates buffers for at most `max_rows` rows.
    pub(crate) fn new(plan: &Plan, max_rows: usize) -> Workspace {
        // Initialized, because slices are taken before the buffer is filled.
        let buffer = |columns: usize| Tensor::zeros([max_rows as i64, columns as i64], (Kind::Float, Device::Cpu));
        let gradient = Tensor::zeros([plan.parameters as i64], (Kind::Float, Device::Cpu));
        Workspace {
            inputs: buffer(plan.inputs()),
            convolutions: Convolutions::new(&plan.convolutions),
            flattened: [(); 2].map(|()| buffer(plan.flattened())),
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
            weights: plan.layers.iter().map(|layer| weight(RawF32::from_tensor(&gradient), layer)).collect(),
            scratch: vec![0.0; max_rows * plan.layers.iter().map(|layer| layer.outputs).max().unwrap_or_default()],
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
        let Workspace { plan, views: all_views, normalizations, dropouts, scratch, convolutions, .. } = self;
        let views = &all_views[views];
        let mut inputs = features.map_or(views.inputs, |features| self::features(features, rows));
        if let Some(convolutions) = convolutions {
            // SAFETY: a buffer of this workspace, which is borrowed, or features, to which nothing writes.
            let features = unsafe { inputs.values().get() };
            // SAFETY: parameters, to which no thread writes now (see `Weights::beside`).
            let parameters = unsafe { weights.values.get() };
            inputs = views.flattened[0];
            // SAFETY: another buffer of this workspace.
            let outputs = unsafe { inputs.values().get_mut() };
            convolutions.forward(features, parameters, outputs, training.is_some());
        }
        for (number, layer) in plan.layers.iter().enumerate() {
            let (outputs, weight) = (&views.outputs[number], weights.layers[number].t());
            let activation_inputs = views.activation_inputs[number].as_ref().unwrap_or(outputs);
            let is_wide = layer.outputs >= WIDE && layer.outputs > rows;
            let scratch = is_wide.then_some(&mut scratch[..]);
            // SAFETY: buffers of this workspace, which is borrowed, features, to which nothing writes, and parameters, to which no
            // thread writes now (see `Weights::beside`).
            unsafe { activation_inputs.matrix.set_to_product_through(inputs, weight, scratch) };
            let parameters = weights.beside(layer);
            // SAFETY: a buffer of this workspace, which is borrowed, and not a part of the parameters; the slice ends
            // before anything else writes to it.
            let values = unsafe { activation_inputs.values().get_mut() };
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
            layer.activation.finish(&activation_inputs.tensor, &outputs.tensor);
            inputs = outputs.matrix;
            let part = training.map(|(part, _)| part).filter(|part| layer.drops(part.replica));
            let dropout = dropouts[number].as_ref().zip(views.dropped[number].as_ref());
            if let Some((part, (dropout, dropped))) = part.zip(dropout) {
                // SAFETY: a buffer of this workspace, which is borrowed.
                let values = unsafe { outputs.values().get() };
                // SAFETY: another of its buffers.
                let kept = unsafe { dropped.values().get_mut() };
                dropout.apply(layer, part, values, kept);
                inputs = *dropped;
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
        let loss = unsafe {
            loss.loss_and_gradient(&views.outputs[last].tensor, targets, &views.output_gradients[last].tensor, batch)
        };
        for (number, layer) in plan.layers.iter().enumerate().rev() {
            if let Some(inputs) = &views.activation_inputs[number] {
                layer.activation.backward_from_input(&inputs.tensor, &views.output_gradients[number].tensor);
            }
            let gradients = views.output_gradients[number].matrix;
            // SAFETY: a buffer of this workspace, which is borrowed; it changes only in the forward pass.
            let outputs = unsafe { views.outputs[number].values().get() };
            // SAFETY: another of its buffers; the slice ends with `backward`, before the products.
            let output_gradients = unsafe { gradients.values().get_mut() };
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
                (0, _) if self.convolutions.is_some() => views.flattened[0],
                (0, _) => features.map_or(views.inputs, |features| self::features(features, rows)),
                (_, Some((_, dropped))) => *dropped,
                (_, None) => views.outputs[number - 1].matrix,
            };
            // SAFETY: as in the forward pass; the gradient is as in `sums`.
            unsafe { self.weights[number].set_to_product(gradients.t(), inputs) };
            let input_gradient = match number.checked_sub(1) {
                Some(before) => views.output_gradients[before].matrix,
                None if self.convolutions.is_some() => views.flattened[1],
                None => continue,
            };
            // SAFETY: as in the forward pass.
            unsafe { input_gradient.set_to_product(gradients, weights.layers[number]) };
            if let Some((dropout, _)) = dropout {
                // SAFETY: a buffer of this workspace, which is borrowed.
                let gradients = unsafe { input_gradient.values().get_mut() };
                dropout.apply_in_place(&plan.layers[number - 1], part, gradients);
            }
        }
        if let Some(convolutions) = &mut self.convolutions {
            // SAFETY: a buffer of this workspace, which is borrowed.
            let output_gradient = unsafe { views.flattened[1].values().get() };
            // SAFETY: the gradient is as in `sums`, and no slice of it is in use.
            let gradient = unsafe { RawF32::from_tensor(&self.gradient).get_mut() };
            convolutions.backward(output_gradient, gradient);
        }
        stopwatch.add_lap_to(&mut self.timing.backward);
        Some((loss, self.outputs(rows)))
    }

    /// Returns the index of the views for `rows` rows, which are created at first use.
    fn views(&mut self, rows: usize) -> usize {
        if let Some(known) = self.views.iter().position(|views| views.rows == rows) {
            return known;
        }
        let first = |buffer: &Tensor| View::new(buffer, rows);
        self.views.push(Views {
            rows,
            inputs: first(&self.inputs).matrix,
            flattened: self.flattened.each_ref().map(|buffer| first(buffer).matrix),
            outputs: self.outputs.iter().map(first).collect(),
            activation_inputs: self.activation_inputs.iter().map(|inputs| inputs.as_ref().map(first)).collect(),
            dropped: self.dropouts.iter().map(|dropout| Some(first(&dropout.as_ref()?.values).matrix)).collect(),
            output_gradients: self.output_gradients.iter().map(first).collect(),
        });
        self.views.len() - 1
    }
}
