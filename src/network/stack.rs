//! A stack of networks of the same shape, trained in step: `nn.Sequential` with a leading replica axis.
//!
//! A lone run is a stack of one. Inputs are `[replicas, batch, …]`; replicas never mix, because every layer treats the
//! leading axis as PyTorch treats the batch of `bmm`.

use tch::nn::ModuleT;
use tch::{Device, Tensor};

use crate::network::arena::Arena;
use crate::network::init::Init;
use crate::network::layer::{Layer, Module};
use crate::shape::{Shape, ShapeFault};

/// One layer of a plan whose shapes have been followed through.
#[derive(Clone, Debug)]
pub struct PlannedLayer {
    /// The layer as written.
    pub layer: Layer,
    /// A row before it.
    pub input: Shape,
    /// A row behind it.
    pub output: Shape,
    /// How many parameters one replica of it has.
    pub parameters: usize,
}

/// The layers of a network with every shape known: what can be built without a surprise.
#[derive(Clone, Debug)]
pub struct Architecture {
    layers: Vec<PlannedLayer>,
    init: Init,
}

impl Architecture {
    /// Follows a row of shape `input` through the layers.
    ///
    /// # Errors
    /// The number of the first layer that cannot take what it is given, and both shapes.
    pub fn follow(layers: &[Layer], init: Init, input: &Shape) -> Result<Self, (usize, ShapeFault)> {
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

    /// The layers in order.
    pub fn layers(&self) -> &[PlannedLayer] {
        &self.layers
    }

    /// The shape of a row of the output.
    pub fn output(&self) -> &Shape {
        &self.layers.last().expect("a checked network has a layer").output
    }

    /// How many parameters one replica has.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// Draws one replica for each seed, and builds the stack on the device.
    pub fn build(&self, seeds: &[i64], device: Device) -> Stack {
        let by_layer: Vec<_> =
            self.layers.iter().map(|planned| planned.layer.parameters(&planned.input, self.init)).collect();
        let named: Vec<_> = by_layer
            .iter()
            .enumerate()
            .flat_map(|(number, parameters)| {
                parameters.iter().map(move |p| (format!("{number}.{}", p.name), p.clone()))
            })
            .collect();
        let arena = Arena::draw(&named, seeds, device);
        let mut slot = 0;
        let layers = self
            .layers
            .iter()
            .zip(&by_layer)
            .map(|(planned, parameters)| {
                let leaves = (slot..slot + parameters.len()).map(|s| arena.leaf(s).shallow_clone()).collect();
                slot += parameters.len();
                planned.layer.build(leaves)
            })
            .collect();
        Stack { arena, layers, replicas: seeds.len() }
    }
}

/// Networks of the same shape, side by side.
#[derive(Debug)]
pub struct Stack {
    arena: Arena,
    layers: Vec<Module>,
    replicas: usize,
}

impl Stack {
    /// How many networks there are.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// Their parameters.
    pub fn arena(&self) -> &Arena {
        &self.arena
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
