//! Stores all trainable parameters of a stack in one tensor, `[replicas, parameters]`.
//!
//! Layers hold views of it: leaf tensors that share its storage. The optimizer, weight decay, the snapshot of the best
//! weights and the checkpoint are then a few operations on one tensor instead of dozens on many.
//!
//! Buffers, such as batch normalization's running averages, are stored separately, each as its own tensor. There are
//! few of them, and no optimizer updates them.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor};

use crate::device::fault::Fault;

/// Parameters and buffers of a stack of networks with the same shapes.
#[derive(Debug)]
pub struct Arena {
    now: Snapshot, // the tensors that the layers use
    slots: Vec<Slot>,
    leaves: Vec<Leaf>,            // one per slot
    shared: Vec<(String, usize)>, // further names of parameters, and their slots
}

/// The tensors of one parameter that a backward pass computes gradients for. They share the arena's memory.
#[derive(Debug)]
pub enum Leaf {
    /// One tensor for all replicas, `[replicas, …shape]`.
    Stacked(Tensor),
    /// One tensor for each replica, `[…shape]`.
    OfEachReplica(Vec<Tensor>),
}

/// Parameters and buffers of a layer or a network: initial ones of one replica, each `[…shape]`, on the CPU; or those of all
/// replicas, `[replicas, …shape]` each.
#[derive(Debug, Default)]
pub struct LayerTensors {
    /// The parameters, in the order of the `state_dict`.
    pub parameters: Vec<Tensor>,
    /// The buffers, in the order of the `state_dict`.
    pub buffers: Vec<Tensor>,
}

/// A parameter or buffer of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedShape {
    /// The name in the `state_dict`: `0.weight`.
    pub name: String,
    /// The shape for one replica.
    pub shape: Vec<i64>,
    /// Index of the layer.
    pub layer: usize,
}

/// Position of one parameter in a row of the arena.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The name in the `state_dict`: `0.weight`.
    pub name: String,
    /// The shape for one replica.
    pub shape: Vec<i64>,
    /// Index of the layer.
    pub layer: usize,
    offset: i64,
    elements: i64,
}

/// A buffer as in PyTorch: a tensor of a layer's state that is not trained by gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// The name in the `state_dict`, without the layer's index: `running_mean`.
    pub name: Cow<'static, str>,
    /// The shape for one replica.
    pub shape: Vec<i64>,
    /// The data type.
    pub kind: Kind,
    /// The initial value of all elements.
    pub start: i64,
}

impl Buffer {
    /// Returns the buffer with `prefix` and a dot before its name.
    pub fn under(self, prefix: &str) -> Buffer {
        Buffer { name: format!("{prefix}.{}", self.name).into(), ..self }
    }

    /// Returns the buffers of PyTorch's normalization layers with running averages.
    pub fn running_averages(channels: i64) -> Vec<Buffer> {
        let buffer = |name: &'static str, shape, kind, start| Buffer { name: name.into(), shape, kind, start };
        vec![
            buffer("running_mean", vec![channels], Kind::Float, 0),
            buffer("running_var", vec![channels], Kind::Float, 1),
            buffer("num_batches_tracked", Vec::new(), Kind::Int64, 0),
        ]
    }

    /// Returns the initial buffer of one replica, on the CPU.
    pub fn initial(&self) -> Tensor {
        Tensor::full(&self.shape[..], self.start, (self.kind, Device::Cpu))
    }
}

/// A buffer of all replicas of a stack.
#[derive(Debug)]
pub struct NamedBuffer {
    /// The name in the `state_dict`: `1.running_mean`.
    pub name: String,
    /// The tensor that the layer updates in place, `[replicas, …shape]`.
    pub values: Tensor,
}

/// The parameters and buffers of all replicas: those that the layers use, or a copy.
#[derive(Debug)]
pub struct Snapshot {
    values: Tensor, // [replicas, parameters]
    buffers: Vec<NamedBuffer>,
}

impl Snapshot {
    /// Returns the tensors with their names after `prefix`: `values`, `buffers.1.running_mean`.
    pub fn named(&self, prefix: &str) -> Vec<(String, Tensor)> {
        let values = (format!("{prefix}values"), self.values.shallow_clone());
        let named = |buffer: &NamedBuffer| (format!("{prefix}buffers.{}", buffer.name), buffer.values.shallow_clone());
        std::iter::once(values).chain(self.buffers.iter().map(named)).collect()
    }

    /// Replaces the copy of one replica with its current parameters and buffers.
    pub fn copy_replica(&mut self, replica: usize, arena: &Arena) {
        self.set_replica(replica, &arena.now, replica);
    }

    /// Copies the values of replica `of` of another stack of networks with the same shapes into those of one replica.
    fn set_replica(&self, replica: usize, other: &Snapshot, of: usize) {
        let _no_grad = tch::no_grad_guard();
        let copy = |to: &Tensor, from: &Tensor| to.get(replica as i64).copy_(&from.get(of as i64));
        copy(&self.values, &other.values);
        let buffers = self.buffers.iter().zip(&other.buffers);
        buffers.for_each(|(own, other)| copy(&own.values, &other.values));
    }
}

impl Arena {
    /// Stores the initial parameters and buffers of each replica on the device. The layers add the leaves.
    ///
    /// Names of `parameters` and `buffers` are those of the `state_dict` (`0.weight`), with the shape for one replica.
    pub fn new(parameters: Vec<NamedShape>, buffers: Vec<String>, replicas: &[LayerTensors], device: Device) -> Self {
        let mut offset = 0;
        let slots = parameters.into_iter().map(|NamedShape { name, shape, layer }| {
            let elements = shape.iter().product();
            offset += elements;
            Slot { name, shape, layer, offset: offset - elements, elements }
        });
        let slots = slots.collect();
        let rows = replicas.iter().map(|replica| {
            let flat: Vec<Tensor> = replica.parameters.iter().map(|parameter| parameter.flatten(0, -1)).collect();
            if flat.is_empty() { Tensor::empty([0], (Kind::Float, Device::Cpu)) } else { Tensor::cat(&flat, 0) }
        });
        let values = Tensor::stack(&rows.collect::<Vec<_>>(), 0).to_device(device); // [replicas, parameters]
        let buffers = buffers.into_iter().enumerate().map(|(number, name)| {
            let of_replicas: Vec<&Tensor> = replicas.iter().map(|replica| &replica.buffers[number]).collect();
            NamedBuffer { name, values: Tensor::stack(&of_replicas, 0).to_device(device) }
        });
        let now = Snapshot { values, buffers: buffers.collect() };
        Arena { now, slots, leaves: Vec::new(), shared: Vec::new() }
    }

    /// Returns the view of a parameter that a layer may compute with, `[replicas, …shape]`. It has no gradient.
    pub(super) fn view(&self, slot: usize) -> Tensor {
        self.slots[slot].view(&self.now.values).detach()
    }

    /// Returns the tensor that gradients of a slot are computed for: `[replicas, …shape]`, or that of the first replica if
    /// each has one.
    pub fn leaf(&self, slot: usize) -> &Tensor {
        &self.leaves[slot].tensors()[0]
    }

    /// Adds the leaf of the next slot.
    pub(super) fn add_leaf(&mut self, leaf: Leaf) {
        self.leaves.push(leaf);
    }

    /// Returns all parameters, `[replicas, parameters]`. In-place changes (under `no_grad`) change the layers.
    pub fn values(&self) -> &Tensor {
        &self.now.values
    }

    /// Returns the parameters in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns the parameters of one replica with their names, as views, shared ones under each of their names.
    pub fn named_parameters(&self, replica: usize) -> Vec<(String, Tensor)> {
        let view = |slot: &Slot| slot.view(&self.now.values).get(replica as i64);
        let slots = self.slots.iter().map(|slot| (slot.name.clone(), view(slot)));
        slots.chain(self.shared.iter().map(|(name, slot)| (name.clone(), view(&self.slots[*slot])))).collect()
    }

    /// Sets the further names of parameters, each with the first name.
    pub(super) fn set_shared_names(&mut self, names: Vec<(String, String)>) {
        let slot = |first: &str| self.slots.iter().position(|slot| slot.name == first);
        self.shared = names.into_iter().filter_map(|(name, first)| Some((name, slot(&first)?))).collect();
    }

    /// Returns the buffers in order. In-place changes change the layers.
    pub fn buffers(&self) -> &[NamedBuffer] {
        &self.now.buffers
    }

    /// Returns the gradient of `loss` (a scalar) with respect to all parameters, `[replicas, parameters]`. A parameter
    /// without a gradient is a [`Fault`].
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        let leaves: Vec<&Tensor> = self.leaves.iter().flat_map(Leaf::tensors).collect();
        let mut gradients = Tensor::run_backward(&[loss], &leaves, false, false).into_iter();
        let replicas = self.now.values.size()[0];
        let flat = self.slots.iter().zip(&self.leaves).map(|(slot, leaf)| {
            let gradient = leaf.next_gradient(&slot.name, &mut gradients);
            gradient.reshape([replicas, slot.elements])
        });
        Tensor::cat(&flat.collect::<Vec<_>>(), 1)
    }

    /// Returns a copy of all current parameters and buffers.
    pub fn snapshot(&self) -> Snapshot {
        let copy = |buffer: &NamedBuffer| NamedBuffer { name: buffer.name.clone(), values: buffer.values.copy() };
        Snapshot { values: self.now.values.copy(), buffers: self.now.buffers.iter().map(copy).collect() }
    }

    /// Replaces one replica's parameters and buffers by those of a replica of another stack of networks with the same shapes.
    pub fn copy_replica_from(&self, replica: usize, other: &Arena, of: usize) {
        self.now.set_replica(replica, &other.now, of);
    }

    /// Returns all parameters and buffers by name: `values`, `buffers.1.running_mean`.
    pub fn named_tensors(&self) -> Vec<(String, Tensor)> {
        self.now.named("")
    }

    /// Restores one replica's parameters and buffers from a snapshot.
    pub fn restore(&self, replica: usize, snapshot: &Snapshot) {
        self.now.set_replica(replica, snapshot, replica);
    }
}

impl Leaf {
    /// Returns its tensors.
    fn tensors(&self) -> &[Tensor] {
        match self {
            Leaf::Stacked(tensor) => std::slice::from_ref(tensor),
            Leaf::OfEachReplica(tensors) => tensors,
        }
    }

    /// Takes the gradients of its tensors and returns them as one, `[replicas, …shape]`. `name` is that of the parameter.
    fn next_gradient(&self, name: &str, gradients: &mut impl Iterator<Item = Tensor>) -> Tensor {
        let mut gradients = gradients.take(self.tensors().len()).inspect(|gradient| {
            if !gradient.defined() {
                let message = format!(
                    "its parameter `{name}` gets no gradient from a batch, because `forward` does not use it for these \
                     rows: use it in every batch, for example by adding `0 * parameter.sum()` to the output"
                );
                Fault::Module(message).throw();
            }
        });
        match self {
            Leaf::Stacked(_) => gradients.next().expect("each leaf has a gradient"),
            Leaf::OfEachReplica(_) => Tensor::stack(&gradients.collect::<Vec<_>>(), 0),
        }
    }
}

impl Slot {
    /// Returns the index of its first value in a replica's row.
    pub fn offset(&self) -> usize {
        self.offset as usize
    }

    /// Returns whether it is a weight, by its name: `weight`, `weight_ih_l0`, `in_proj_weight`.
    pub fn is_weight(&self) -> bool {
        let name = self.name.rsplit('.').next().unwrap_or_default();
        name == "weight" || name.starts_with("weight_") || name.ends_with("_weight")
    }

    /// Returns this parameter as a view of a tensor with the arena's layout: `[replicas, parameters]` → `[replicas,
    /// …shape]`.
    pub fn view(&self, values: &Tensor) -> Tensor {
        let mut shape = vec![values.size()[0]];
        shape.extend(&self.shape);
        values.narrow(1, self.offset, self.elements).view(&shape[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena() -> Arena {
        let replica = |_| LayerTensors {
            parameters: vec![Tensor::rand([2, 3], (Kind::Float, Device::Cpu))],
            buffers: vec![Tensor::zeros([2], (Kind::Float, Device::Cpu)), Tensor::from(0_i64)],
        };
        let buffers = ["1.running_mean", "1.num_batches_tracked"].map(str::to_owned).to_vec();
        let weight = NamedShape { name: "0.weight".to_owned(), shape: vec![2, 3], layer: 0 };
        Arena::new(vec![weight], buffers, &[0, 1].map(replica), Device::Cpu)
    }

    /// Adds 1 to all values of the arena.
    fn change(arena: &Arena) {
        let _no_grad = tch::no_grad_guard();
        for tensor in std::iter::once(&arena.now.values).chain(arena.now.buffers.iter().map(|buffer| &buffer.values)) {
            let _ = tensor.shallow_clone().g_add_scalar_(1);
        }
    }

    #[test]
    fn a_snapshot_gives_back_parameters_and_buffers_of_the_replica_that_was_asked_for() {
        let arena = arena();
        let start = arena.values().copy();
        let mut snapshot = arena.snapshot();
        change(&arena);
        snapshot.copy_replica(1, &arena);
        change(&arena);
        arena.restore(0, &snapshot);
        arena.restore(1, &snapshot);
        let moved = Vec::<Vec<f32>>::try_from(arena.view(0).flatten(1, -1) - &start).unwrap();
        assert!(
            moved[0].iter().all(|&by| by == 0.0) && moved[1].iter().all(|&by| (by - 1.0).abs() < 1e-6),
            "{moved:?}"
        );
        assert_eq!(Vec::<Vec<f32>>::try_from(&arena.buffers()[0].values).unwrap(), [[0.0, 0.0], [1.0, 1.0]]);
        assert_eq!(Vec::<i64>::try_from(&arena.buffers()[1].values).unwrap(), [0, 1]);
    }
}
