//! Layers of a block, one after the other, as `nn.Sequential`.

use tch::Tensor;
use tch::nn::ModuleT;

use crate::config::check::Invalid;
use crate::network::arena::{Buffer, LayerTensors};
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_size::LayerSize;
use crate::network::layer::structure::nested_layer::NestedLayer;
use crate::tensor::shape::{Shape, ShapeError};

/// Checks the settings of each layer. Keys are relative to `key`.
///
/// # Errors
/// When a setting is out of range, or a layer cannot be part of a block.
pub(super) fn check<L: NestedLayer>(layers: &[L], key: &str) -> Result<(), Invalid> {
    if layers.is_empty() {
        return Err(Invalid::new(key, "is empty: a block needs a layer"));
    }
    for (number, layer) in layers.iter().enumerate() {
        let spec = layer.spec();
        let under = |fault: Invalid| fault.under(format!("{key}.{number}.{}", layer.kind()));
        spec.check().map_err(under)?;
        if !layer.can_be_nested() {
            return Err(
                under(Invalid::new("", "cannot be part of a block")).hint("put it directly into `network.layers`")
            );
        }
    }
    Ok(())
}

/// Returns the shape of an output row.
///
/// # Errors
/// When a layer does not accept its input; the problem names it.
pub(super) fn output<L: NestedLayer>(layers: &[L], input: &Shape) -> Result<Shape, ShapeError> {
    inputs(layers, input).map(|mut shapes| shapes.pop().expect("the input is one of them"))
}

/// Returns the input of each layer, and the output of the last.
///
/// # Errors
/// As for [`output`].
fn inputs<L: NestedLayer>(layers: &[L], input: &Shape) -> Result<Vec<Shape>, ShapeError> {
    let mut shapes = vec![input.clone()];
    for (number, layer) in layers.iter().enumerate() {
        let last = &shapes[number];
        let next = layer.spec().output(last).map_err(|fault| fault.inside(number, layer.kind()))?;
        shapes.push(next);
    }
    Ok(shapes)
}

/// Returns each layer with its input; none if the shapes do not fit.
fn with_inputs<'a, L: NestedLayer>(layers: &'a [L], input: &Shape) -> impl Iterator<Item = (&'a L, Shape)> {
    layers.iter().zip(inputs(layers, input).unwrap_or_default())
}

/// Returns the parameters of all layers, with names such as `0.weight` after `prefix`.
pub(super) fn parameters<L: NestedLayer>(layers: &[L], prefix: &str, input: &Shape, init: Init) -> Vec<Parameter> {
    let layers = with_inputs(layers, input).enumerate();
    let named = layers.flat_map(|(number, (layer, input))| {
        let parameters = layer.spec().parameters(&input, init).into_iter();
        parameters.map(move |parameter| parameter.under(&format!("{prefix}{number}")))
    });
    named.collect()
}

/// Returns the buffers of all layers, with names such as `1.running_mean` after `prefix`.
pub(super) fn buffers<L: NestedLayer>(layers: &[L], prefix: &str, input: &Shape) -> Vec<Buffer> {
    let layers = with_inputs(layers, input).enumerate();
    let named = layers.flat_map(|(number, (layer, input))| {
        let buffers = layer.spec().buffers(&input).into_iter();
        buffers.map(move |buffer| buffer.under(&format!("{prefix}{number}")))
    });
    named.collect()
}

/// Returns the sizes of all layers, with names such as `0` after `prefix`.
pub(super) fn sizes<L: NestedLayer>(layers: &[L], prefix: &str, input: &Shape) -> Vec<LayerSize> {
    let layers = with_inputs(layers, input).enumerate();
    layers
        .map(|(number, (layer, input))| layer.spec().size(format!("{prefix}{number}"), layer.kind(), &input))
        .collect()
}

/// Returns the number of layers, with all repetitions.
pub(super) fn layer_count<L: NestedLayer>(layers: &[L]) -> usize {
    layers.iter().map(|layer| layer.spec().layer_count()).fold(0, usize::saturating_add)
}

/// Returns the layers with fixed values for the settings that replicas of a stack have separately.
pub(super) fn shared<L: NestedLayer>(layers: &[L]) -> Vec<L> {
    layers.iter().map(L::shared).collect()
}

/// Layers of a stack, one after the other: `[replicas, batch, …]` → `[replicas, batch, …output]`.
#[derive(Debug)]
pub(super) struct Chain(Vec<Box<dyn ModuleT>>);

impl Chain {
    /// Builds the layers with the settings of each replica. Takes their tensors, `[replicas, …shape]` each, in the order
    /// of [`parameters`] and [`buffers`].
    pub(super) fn build<L: NestedLayer>(
        replicas: &[&[L]],
        input: &Shape,
        parameters: &mut impl Iterator<Item = Tensor>,
        buffers: &mut impl Iterator<Item = Tensor>,
    ) -> Chain {
        let layers = with_inputs(replicas[0], input).enumerate().map(|(number, (layer, input))| {
            let spec = layer.spec();
            let parameters = parameters.take(spec.parameters(&input, Init::Pytorch).len()).collect();
            let buffers = buffers.take(spec.buffers(&input).len()).collect();
            let settings: Vec<&L> = replicas.iter().map(|layers| &layers[number]).collect();
            L::build_each(&settings, &input, LayerTensors { parameters, buffers })
        });
        Chain(layers.collect())
    }
}

impl ModuleT for Chain {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        self.0.iter().fold(xs.shallow_clone(), |xs, layer| layer.forward_t(&xs, train))
    }
}
