//! Stores all trainable parameters of a stack in one tensor, `[replicas, parameters]`.
//!
//! Layers hold views of it: leaf tensors that share its storage. The optimizer, weight decay, the snapshot of the best
//! weights and the checkpoint are then a few operations on one tensor instead of dozens on many.
//!
//! Buffers, such as batch normalization's running averages, are stored separately, each as its own tensor. There are
//! few of them, and no optimizer updates them.

use tch::{Device, Kind, Tensor};

use crate::network::init::Parameter;
use crate::tensor::seed;

/// Parameters and buffers of a stack of networks with the same shapes.
#[derive(Debug)]
pub struct Arena {
    values: Tensor, // [replicas, parameters]
    slots: Vec<Slot>,
    leaves: Vec<Tensor>, // one per slot, [replicas, …shape]
    buffers: Vec<NamedBuffer>,
}

/// Position of one parameter in a row of the arena.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The name in the `state_dict`: `0.weight`.
    pub name: String,
    /// The shape for one replica.
    pub shape: Vec<i64>,
    offset: i64,
    elements: i64,
}

/// A buffer as in PyTorch: a tensor of a layer's state that is not trained by gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// The name in the `state_dict`, without the layer's index: `running_mean`.
    pub name: &'static str,
    /// The shape for one replica.
    pub shape: Vec<i64>,
    /// The data type.
    pub kind: Kind,
    /// The initial value of all elements.
    pub start: i64,
}

impl Buffer {
    /// Returns the initial buffers of all replicas, `[replicas, …shape]`.
    pub fn of_each_replica(&self, replicas: i64, device: Device) -> Tensor {
        let mut shape = vec![replicas];
        shape.extend(&self.shape);
        Tensor::full(&shape[..], self.start, (self.kind, device))
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

/// A copy of the parameters and buffers of all replicas.
#[derive(Debug)]
pub struct Snapshot {
    values: Tensor,       // [replicas, parameters]
    buffers: Vec<Tensor>, // [replicas, …shape] each
    names: Vec<String>,   // of the buffers
}

impl Snapshot {
    /// Returns the tensors with their names after `prefix`: `values`, `buffers.1.running_mean`.
    pub fn named(&self, prefix: &str) -> Vec<(String, Tensor)> {
        let values = (format!("{prefix}values"), self.values.shallow_clone());
        let buffers = self.names.iter().zip(&self.buffers);
        let buffers = buffers.map(|(name, buffer)| (format!("{prefix}buffers.{name}"), buffer.shallow_clone()));
        std::iter::once(values).chain(buffers).collect()
    }

    /// Replaces the copy of one replica with its current parameters and buffers.
    pub fn copy_replica(&mut self, replica: usize, arena: &Arena) {
        let now = arena.buffers.iter().map(|buffer| &buffer.values);
        copy_row(replica, &self.values, &arena.values);
        self.buffers.iter().zip(now).for_each(|(then, now)| copy_row(replica, then, now));
    }
}

/// Copies one row of a tensor into another, both `[replicas, …]`.
fn copy_row(replica: usize, to: &Tensor, from: &Tensor) {
    let _no_grad = tch::no_grad_guard();
    to.get(replica as i64).copy_(&from.get(replica as i64));
}

impl Arena {
    /// Draws the parameters of each replica on the CPU, in PyTorch's order, and moves them to the device.
    ///
    /// `parameters` holds the parameters of each replica in drawing order, with the same names and shapes for all
    /// replicas. Names of parameters and `buffers` are those of the `state_dict` (`0.weight`).
    pub fn draw(
        parameters: &[Vec<(String, Parameter)>],
        buffers: &[(String, Buffer)],
        seeds: &[i64],
        device: Device,
    ) -> Self {
        let mut offset = 0;
        let slots: Vec<Slot> = parameters[0]
            .iter()
            .map(|(name, parameter)| {
                let slot =
                    Slot { name: name.clone(), shape: parameter.shape.clone(), offset, elements: parameter.elements() };
                offset += slot.elements;
                slot
            })
            .collect();
        let rows: Vec<Tensor> = seeds
            .iter()
            .zip(parameters)
            .map(|(&seed, parameters)| {
                seed::before_building(seed);
                let drawn: Vec<Tensor> =
                    parameters.iter().map(|(_, parameter)| parameter.draw().flatten(0, -1)).collect();
                if drawn.is_empty() { Tensor::empty([0], (Kind::Float, Device::Cpu)) } else { Tensor::cat(&drawn, 0) }
            })
            .collect();
        let values = Tensor::stack(&rows, 0).to_device(device); // [replicas, parameters]
        let leaves = slots.iter().map(|slot| slot.view(&values).detach().set_requires_grad(true)).collect();
        let buffers = buffers.iter().map(|(name, buffer)| NamedBuffer {
            name: name.clone(),
            values: buffer.of_each_replica(seeds.len() as i64, device),
        });
        Arena { values, slots, leaves, buffers: buffers.collect() }
    }

    /// Returns all parameters, `[replicas, parameters]`. In-place changes (under `no_grad`) change the layers.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Returns the view `[replicas, …shape]` that the layer of this slot uses.
    pub fn leaf(&self, slot: usize) -> &Tensor {
        &self.leaves[slot]
    }

    /// Returns the parameters in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Returns the buffers in order. In-place changes change the layers.
    pub fn buffers(&self) -> &[NamedBuffer] {
        &self.buffers
    }

    /// Returns the gradient of `loss` (a scalar) with respect to all parameters, `[replicas, parameters]`.
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        let gradients = Tensor::run_backward(&[loss], &self.leaves, false, false);
        let flat: Vec<Tensor> = gradients.iter().map(|gradient| gradient.flatten(1, -1)).collect();
        Tensor::cat(&flat, 1)
    }

    /// Returns a copy of all current parameters and buffers.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            values: self.values.copy(),
            buffers: self.buffers.iter().map(|buffer| buffer.values.copy()).collect(),
            names: self.buffers.iter().map(|buffer| buffer.name.clone()).collect(),
        }
    }

    /// Restores one replica's parameters and buffers from a snapshot.
    pub fn restore(&self, replica: usize, snapshot: &Snapshot) {
        copy_row(replica, &self.values, &snapshot.values);
        let now = self.buffers.iter().map(|buffer| &buffer.values);
        now.zip(&snapshot.buffers).for_each(|(now, then)| copy_row(replica, now, then));
    }
}

impl Slot {
    /// Returns the index of its first value in a replica's row.
    pub fn offset(&self) -> usize {
        self.offset as usize
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
    use crate::network::init::Init;

    fn arena() -> Arena {
        let parameters = vec![("0.weight".to_owned(), Init::Pytorch.weight("weight", vec![2, 3]))];
        let mean = Buffer { name: "running_mean", shape: vec![2], kind: Kind::Float, start: 0 };
        let batches = Buffer { name: "num_batches_tracked", shape: Vec::new(), kind: Kind::Int64, start: 0 };
        let buffers = [("1.running_mean".to_owned(), mean), ("1.num_batches_tracked".to_owned(), batches)];
        Arena::draw(&[parameters.clone(), parameters], &buffers, &[1, 2], Device::Cpu)
    }

    /// Adds 1 to all values of the arena.
    fn change(arena: &Arena) {
        let _no_grad = tch::no_grad_guard();
        for tensor in std::iter::once(&arena.values).chain(arena.buffers.iter().map(|buffer| &buffer.values)) {
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
        let leaf = arena.leaf(0).detach();
        let moved = Vec::<Vec<f32>>::try_from(leaf.flatten(1, -1) - &start).unwrap();
        assert!(
            moved[0].iter().all(|&by| by == 0.0) && moved[1].iter().all(|&by| (by - 1.0).abs() < 1e-6),
            "{moved:?}"
        );
        assert_eq!(Vec::<Vec<f32>>::try_from(&arena.buffers()[0].values).unwrap(), [[0.0, 0.0], [1.0, 1.0]]);
        assert_eq!(Vec::<i64>::try_from(&arena.buffers()[1].values).unwrap(), [0, 1]);
    }
}
