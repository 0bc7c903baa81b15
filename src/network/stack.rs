//! A stack of networks with the same shapes, trained in step: `nn.Sequential` with a leading replica axis.
//!
//! A single trial is a stack of one. Inputs are `[replicas, batch, …]`. Replicas never mix, because every layer treats
//! the leading axis as `torch.bmm` treats its batch dimension.

use tch::nn::ModuleT;
use tch::{Device, Tensor};

use crate::network::arena::Arena;
use crate::network::init::{Init, Parameter};
use crate::network::layer::{Layer, Module};
use crate::tensor::shape::{Shape, ShapeError};

/// One layer with its inferred shapes.
#[derive(Clone, Debug)]
pub struct PlannedLayer {
    /// The layer's settings.
    pub layer: Layer,
    /// Shape of an input row.
    pub input: Shape,
    /// Shape of an output row.
    pub output: Shape,
    /// Number of parameters of one replica.
    pub parameters: usize,
}

/// The layers of a network with all shapes inferred and checked.
#[derive(Clone, Debug)]
pub struct Architecture {
    layers: Vec<PlannedLayer>,
    init: Init,
}

impl Architecture {
    /// Infers the shapes of all layers for rows of shape `input`.
    ///
    /// # Errors
    /// The index of the first layer that does not accept its input, and the shape mismatch.
    pub fn follow(layers: &[Layer], init: Init, input: &Shape) -> Result<Self, (usize, ShapeError)> {
        let mut shape = input.clone();
        let mut planned = Vec::with_capacity(layers.len());
        for (number, layer) in layers.iter().enumerate() {
            let output = layer.output(&shape).map_err(|fault| (number, fault))?;
            let parameters = layer.parameters(&shape, init).iter().map(|p| p.elements() as usize).sum();
            planned.push(PlannedLayer { layer: layer.clone(), input: shape, output: output.clone(), parameters });
            shape = output;
        }
        Ok(Architecture { layers: planned, init })
    }

    /// Returns the layers in order.
    pub fn layers(&self) -> &[PlannedLayer] {
        &self.layers
    }

    /// Returns the shape of an output row.
    pub fn output(&self) -> &Shape {
        &self.layers.last().expect("a checked network has a layer").output
    }

    /// Returns the number of parameters of one replica.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// Returns the `state_dict` names of the parameters, each with its number of values for one replica.
    pub fn parameter_sizes(&self) -> Vec<(String, usize)> {
        let parameters: Vec<_> = self.layers.iter().map(|l| l.layer.parameters(&l.input, self.init)).collect();
        let named = named(&parameters, |parameter| parameter.name);
        named.into_iter().map(|(name, parameter)| (name, parameter.elements() as usize)).collect()
    }

    /// Returns the `state_dict` names of the parameters and buffers, each with its shape for one replica.
    pub fn state_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let buffers: Vec<_> = self.layers.iter().map(|l| l.layer.buffers(&l.input)).collect();
        let parameters = named(&self.parts(), |p| p.name).into_iter().map(|(name, parameter)| (name, parameter.shape));
        let buffers = named(&buffers, |b| b.name).into_iter().map(|(name, buffer)| (name, buffer.shape));
        let size = |shape: Vec<i64>| shape.into_iter().map(|length| length as usize).collect();
        parameters.chain(buffers).map(|(name, shape)| (name, size(shape))).collect()
    }

    /// Draws one replica for each seed and builds the stack on the device.
    pub fn build(&self, seeds: &[i64], device: Device) -> Stack {
        Self::build_each(&vec![self; seeds.len()], seeds, device)
    }

    /// Like [`Architecture::build`], with an architecture for each replica. They may differ only in the settings that
    /// replicas have separately; see [`Layer::shared`].
    pub fn build_each(replicas: &[&Architecture], seeds: &[i64], device: Device) -> Stack {
        let first = replicas[0];
        let drawn: Vec<_> = replicas.iter().map(|replica| named(&replica.parts(), |p| p.name)).collect();
        let (parameters, buffers) = (first.parts(), first.layers.iter().map(|l| l.layer.buffers(&l.input)));
        let buffers: Vec<_> = buffers.collect();
        let arena = Arena::draw(&drawn, &named(&buffers, |b| b.name), seeds, device);
        let (mut leaves, mut kept) = (0.., arena.buffers().iter());
        let layers = parameters.iter().zip(&buffers).enumerate().map(|(number, (parameters, buffers))| {
            let leaves = leaves.by_ref().take(parameters.len()).map(|slot| arena.leaf(slot).shallow_clone());
            let kept = kept.by_ref().take(buffers.len()).map(|buffer| buffer.values.shallow_clone());
            let settings: Vec<&Layer> = replicas.iter().map(|replica| &replica.layers[number].layer).collect();
            Layer::build_each(&settings, leaves.collect(), kept.collect())
        });
        let layers = layers.collect();
        Stack { arena, layers, replicas: seeds.len() }
    }

    /// Returns the parameters of each layer.
    fn parts(&self) -> Vec<Vec<Parameter>> {
        self.layers.iter().map(|l| l.layer.parameters(&l.input, self.init)).collect()
    }
}

/// Returns the items of all layers in order, each with its layer's index in the name: `0.weight`.
fn named<P: Clone>(by_layer: &[Vec<P>], name: impl Fn(&P) -> &'static str) -> Vec<(String, P)> {
    let layers = by_layer.iter().enumerate();
    let name = &name;
    layers
        .flat_map(|(number, parts)| parts.iter().map(move |part| (format!("{number}.{}", name(part)), part.clone())))
        .collect()
}

/// Networks with the same shapes, trained in step.
#[derive(Debug)]
pub struct Stack {
    arena: Arena,
    layers: Vec<Module>,
    replicas: usize,
}

impl Stack {
    /// Returns the number of networks.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// Returns the parameters and buffers of all networks.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }
}

impl Stack {
    /// Returns the outputs of every layer in evaluation mode: `[replicas, batch, …]` → for each layer, `[replicas,
    /// batch, …output]`.
    pub fn forward_each(&self, xs: &Tensor) -> Vec<Tensor> {
        let mut outputs: Vec<Tensor> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let output = layer.forward_t(outputs.last().unwrap_or(xs), false);
            outputs.push(output);
        }
        outputs
    }
}

impl ModuleT for Stack {
    /// `[replicas, batch, …]` → `[replicas, batch, …output]`.
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let mut layers = self.layers.iter();
        match layers.next() {
            Some(first) => layers.fold(first.forward_t(xs, train), |xs, layer| layer.forward_t(&xs, train)),
            None => xs.shallow_clone(),
        }
    }
}
