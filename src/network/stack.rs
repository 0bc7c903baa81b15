//! A stack of networks with the same shapes, trained in step: `nn.Sequential` with a leading replica axis.
//!
//! A single trial is a stack of one. Inputs are `[replicas, batch, …]`. Replicas never mix, because every layer treats
//! the leading axis as `torch.bmm` treats its batch dimension.

use std::borrow::Cow;

use tch::nn::ModuleT;
use tch::{Device, Kind, Tensor};

use crate::device::compute_mode::autocast;
use crate::network::arena::{Arena, LayerTensors, Leaf, NamedShape};
use crate::network::init::{Init, count_elements};
use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_size::LayerSize;
use crate::network::layer::{Layer, Module};
use crate::tensor::seed;
use crate::tensor::shape::{Shape, ShapeError};

/// Number of rows in one forward pass of an evaluation: over all replicas, and at least of each.
pub const ROWS_AT_ONCE: [usize; 2] = [16_384, 256];

/// Maximum memory of one forward pass of an evaluation in bytes, if the memory of a row is known.
const BYTES_AT_ONCE: u64 = 256 << 20;

/// Maximum number of values in an output row of a layer.
const LARGEST_ROW: usize = 1 << 31;

/// Returns the number of rows of each of `replicas` replicas that are evaluated at once; `row` is the memory of a row in
/// bytes, if it is known.
pub fn rows_at_once(replicas: usize, row: Option<u64>) -> usize {
    let [all, least] = ROWS_AT_ONCE;
    let rows = (all / replicas).max(least);
    let fitting = row.map(|row| usize::try_from(BYTES_AT_ONCE / row.max(1)).unwrap_or(usize::MAX).max(1));
    fitting.map_or(rows, |fitting| rows.min(fitting))
}

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
    /// Whether names in the `state_dict` begin with the layer's index, as in `nn.Sequential`.
    has_indices: bool,
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
            if output.elements() > LARGEST_ROW {
                let message = format!("returns rows of {output} values, but at most {LARGEST_ROW} values are allowed");
                return Err((number, ShapeError::with_problem(&shape, message, "make the layer smaller")));
            }
            let parameters = count_elements(&layer.parameters(&shape, init));
            planned.push(PlannedLayer { layer: layer.clone(), input: shape, output: output.clone(), parameters });
            shape = output;
        }
        Ok(Architecture { layers: planned, init, has_indices: true })
    }

    /// Returns the same architecture with the names of its only layer in the `state_dict`, without the layer's index.
    pub fn without_indices(self) -> Architecture {
        Architecture { has_indices: false, ..self }
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
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.parameters))
    }

    /// Returns the sizes of the layers in order, and of the layers in them.
    pub fn sizes(&self) -> Vec<LayerSize> {
        let size = |(number, PlannedLayer { layer, input, .. }): (usize, &PlannedLayer)| {
            layer.spec().size(number.to_string(), layer.kind(), input)
        };
        self.layers.iter().enumerate().map(size).collect()
    }

    /// Returns the largest memory of an evaluated row that a layer states; `None` if none does.
    pub fn evaluation_bytes(&self) -> Option<u64> {
        let stated = self.layers.iter().filter_map(|planned| planned.layer.spec().row_memory(&planned.input));
        stated.map(|memory| memory.evaluation).max()
    }

    /// Returns the `state_dict` names of the parameters, each with its number of values for one replica.
    pub fn parameter_sizes(&self) -> Vec<(String, usize)> {
        let size = |named: NamedShape| (named.name, named.shape.iter().product::<i64>() as usize);
        self.parameter_shapes().into_iter().map(size).collect()
    }

    /// Returns the `state_dict` names of the parameters and buffers, each with its shape for one replica.
    pub fn state_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let buffers = self.named(|planned| planned.layer.buffers(&planned.input), |buffer| (buffer.name, buffer.shape));
        let parameters = self.parameter_shapes();
        let shared = self.shared_names().into_iter().filter_map(|(name, first)| {
            let of = parameters.iter().find(|known| known.name == first)?;
            Some(NamedShape { name, ..of.clone() })
        });
        let shared: Vec<NamedShape> = shared.collect();
        let size = |shape: Vec<i64>| shape.into_iter().map(|length| length as usize).collect();
        let all = parameters.into_iter().chain(shared).chain(buffers);
        all.map(|named| (named.name, size(named.shape))).collect()
    }

    /// Returns the `state_dict` names of the parameters, each with its shape for one replica.
    fn parameter_shapes(&self) -> Vec<NamedShape> {
        self.named(
            |planned| planned.layer.parameters(&planned.input, self.init),
            |parameter| (parameter.name, parameter.shape),
        )
    }

    /// Returns the shapes of the tensors of all layers in order, with their names in the `state_dict`: `0.weight`.
    fn named<T>(
        &self,
        tensors: impl Fn(&PlannedLayer) -> Vec<T>,
        name_and_shape: impl Fn(T) -> (Cow<'static, str>, Vec<i64>),
    ) -> Vec<NamedShape> {
        let mut named = Vec::new();
        for (number, planned) in self.layers.iter().enumerate() {
            for (name, shape) in tensors(planned).into_iter().map(&name_and_shape) {
                let name = if self.has_indices { format!("{number}.{name}") } else { name.into_owned() };
                named.push(NamedShape { name, shape, layer: number });
            }
        }
        named
    }

    /// Returns the further `state_dict` names of parameters that several parts of a layer share, each with the first name.
    fn shared_names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        for (number, planned) in self.layers.iter().enumerate() {
            let Layer::TorchScript(module) = &planned.layer else { continue };
            let full = |name: String| if self.has_indices { format!("{number}.{name}") } else { name };
            let shared = module.checked(&planned.input).shared.into_iter();
            names.extend(shared.map(|(name, first)| (full(name), full(first))));
        }
        names
    }

    /// Draws one replica for each seed and builds the stack on the device.
    ///
    /// # Errors
    /// When the file of a TorchScript module can no longer be used.
    pub fn build(&self, seeds: &[i64], device: Device) -> anyhow::Result<Stack> {
        Self::build_each(&vec![self; seeds.len()], seeds, device)
    }

    /// Like [`Architecture::build`], with an architecture for each replica. They may differ only in the settings that
    /// replicas have separately; see [`Layer::shared`].
    ///
    /// # Errors
    /// As for [`Architecture::build`].
    pub fn build_each(replicas: &[&Architecture], seeds: &[i64], device: Device) -> anyhow::Result<Stack> {
        let first = replicas[0];
        let drawn = replicas.iter().zip(seeds).map(|(replica, &seed)| replica.draw(seed));
        let drawn: Vec<LayerTensors> = drawn.collect::<anyhow::Result<_>>()?;
        let buffers =
            first.named(|planned| planned.layer.buffers(&planned.input), |buffer| (buffer.name, buffer.shape));
        let buffers = buffers.into_iter().map(|buffer| buffer.name).collect();
        let mut arena = Arena::new(first.parameter_shapes(), buffers, &drawn, device);
        arena.set_shared_names(first.shared_names());
        let (mut slot, mut buffer) = (0, 0);
        let mut layers = Vec::with_capacity(first.layers.len());
        let mut fusions = Vec::with_capacity(first.layers.len());
        for (number, PlannedLayer { layer, input, .. }) in first.layers.iter().enumerate() {
            let (slots, kept) = (layer.parameters(input, first.init).len(), layer.buffers(input).len());
            let parameters: Vec<Tensor> = (slot..slot + slots).map(|slot| arena.view(slot)).collect();
            let buffers = arena.buffers()[buffer..buffer + kept].iter().map(|buffer| buffer.values.shallow_clone());
            let buffers: Vec<Tensor> = buffers.collect();
            (slot, buffer) = (slot + slots, buffer + kept);
            fusions.push(replicas.iter().map(|replica| replica.layers[number].layer.spec().fusion()).collect());
            layers.push(match layer {
                Layer::TorchScript(module) => {
                    let (module, leaves) = module.build(seeds, &parameters, &buffers, device)?;
                    leaves.into_iter().for_each(|leaf| arena.add_leaf(leaf));
                    module
                }
                _ => {
                    let parameters: Vec<Tensor> =
                        parameters.into_iter().map(|parameter| parameter.set_requires_grad(true)).collect();
                    parameters.iter().for_each(|leaf| arena.add_leaf(Leaf::Stacked(leaf.shallow_clone())));
                    let settings: Vec<&Layer> = replicas.iter().map(|replica| &replica.layers[number].layer).collect();
                    Layer::build_each(&settings, input, LayerTensors { parameters, buffers })
                }
            });
        }
        Ok(Stack { arena, layers, fusions, replicas: seeds.len(), evaluation_bytes: first.evaluation_bytes() })
    }

    /// Draws the parameters and buffers of one replica on the CPU, in PyTorch's order.
    fn draw(&self, seed: i64) -> anyhow::Result<LayerTensors> {
        seed::before_building(seed);
        let mut drawn = LayerTensors::default();
        for PlannedLayer { layer, input, .. } in &self.layers {
            let LayerTensors { parameters, buffers } = match layer {
                Layer::TorchScript(module) => module.draw(input, seed)?,
                layer => layer.draw(input, self.init),
            };
            drawn.parameters.extend(parameters);
            drawn.buffers.extend(buffers);
        }
        Ok(drawn)
    }
}

/// Networks with the same shapes, trained in step.
#[derive(Debug)]
pub struct Stack {
    arena: Arena,
    layers: Vec<Module>,
    fusions: Vec<Vec<Option<Fusion>>>, // of each layer and replica
    replicas: usize,
    evaluation_bytes: Option<u64>, // of a row, if a layer states it
}

impl Stack {
    /// Returns the number of networks.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// Returns the number of rows of each replica that are evaluated at once.
    pub fn rows_at_once(&self) -> usize {
        rows_at_once(self.replicas, self.evaluation_bytes)
    }

    /// Returns what the fused CPU backend computes for each layer, in each replica.
    pub fn fusions(&self) -> &[Vec<Option<Fusion>>] {
        &self.fusions
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
        autocast(self.arena.values().device(), || {
            for layer in &self.layers {
                let output = layer.forward_t(outputs.last().unwrap_or(xs), false);
                outputs.push(output);
            }
        });
        outputs.into_iter().map(|output| output.to_kind(Kind::Float)).collect()
    }
}

impl ModuleT for Stack {
    /// `[replicas, batch, …]` → `[replicas, batch, …output]`.
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        let mut layers = self.layers.iter();
        let Some(first) = layers.next() else { return xs.shallow_clone() };
        let outputs = autocast(self.arena.values().device(), || {
            layers.fold(first.forward_t(xs, train), |xs, layer| layer.forward_t(&xs, train))
        });
        outputs.to_kind(Kind::Float) // no copy if they are float32 already
    }
}
