//! All trainable parameters of a stack in one tensor, `[replicas, parameters]`.
//!
//! Layers hold views of it: leaf tensors that share its storage. The optimizer, weight decay, the snapshot of the best
//! weights and the checkpoint are then a few operations on one tensor instead of dozens on many.
//!
//! Beside them stand the buffers: what layers keep without training it, such as batch normalization's running
//! averages. There are few of them and no optimizer walks over them, so each is a tensor of its own.

use tch::{Device, Kind, Tensor};

use crate::network::init::Parameter;
use crate::tensor::seed;

/// The parameters of a stack of networks of the same shape.
#[derive(Debug)]
pub struct Arena {
    values: Tensor, // [replicas, parameters]
    slots: Vec<Slot>,
    leaves: Vec<Tensor>, // one for each slot, [replicas, …shape]
    buffers: Vec<NamedBuffer>,
}

/// Where one parameter lies in a row of the arena.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The name in `state_dict`: `0.weight`.
    pub name: String,
    /// The shape for one replica.
    pub shape: Vec<i64>,
    offset: i64,
    elements: i64,
}

/// A tensor that a layer keeps beside its parameters: part of what it has learned, but not trained by gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// The name in `state_dict`, without the layer's number: `running_mean`.
    pub name: &'static str,
    /// The shape for one replica.
    pub shape: Vec<i64>,
    /// Its type.
    pub kind: Kind,
    /// The number that it is filled with at first.
    pub start: i64,
}

impl Buffer {
    /// One for each replica, `[replicas, …shape]`.
    pub fn of_each_replica(&self, replicas: i64, device: Device) -> Tensor {
        let mut shape = vec![replicas];
        shape.extend(&self.shape);
        Tensor::full(&shape[..], self.start, (self.kind, device))
    }
}

/// A buffer of a whole stack.
#[derive(Debug)]
pub struct NamedBuffer {
    /// The name in `state_dict`: `1.running_mean`.
    pub name: String,
    /// The tensor that the layer changes in place, `[replicas, …shape]`.
    pub values: Tensor,
}

/// The parameters and buffers of each replica as they once were.
#[derive(Debug)]
pub struct Snapshot {
    values: Tensor,       // [replicas, parameters]
    buffers: Vec<Tensor>, // [replicas, …shape] each
    names: Vec<String>,   // of the buffers
}

impl Snapshot {
    /// Its tensors by their names, behind this prefix: `values`, `buffers.1.running_mean`.
    pub fn named(&self, prefix: &str) -> Vec<(String, Tensor)> {
        let values = (format!("{prefix}values"), self.values.shallow_clone());
        let buffers = self.names.iter().zip(&self.buffers);
        let buffers = buffers.map(|(name, buffer)| (format!("{prefix}buffers.{name}"), buffer.shallow_clone()));
        std::iter::once(values).chain(buffers).collect()
    }

    /// Takes one replica's parameters and buffers anew.
    pub fn copy_replica(&mut self, replica: usize, arena: &Arena) {
        let now = arena.buffers.iter().map(|buffer| &buffer.values);
        copy_row(replica, &self.values, &arena.values);
        self.buffers.iter().zip(now).for_each(|(then, now)| copy_row(replica, then, now));
    }
}

/// Overwrites one row of a tensor with that of another, `[replicas, …]` both.
fn copy_row(replica: usize, to: &Tensor, from: &Tensor) {
    let _no_grad = tch::no_grad_guard();
    to.get(replica as i64).copy_(&from.get(replica as i64));
}

impl Arena {
    /// Draws the parameters of each replica in PyTorch's order, on the CPU, and moves them to the device.
    ///
    /// `parameters` has those of each replica, alike in names and shapes, in the order of drawing; they and `buffers`
    /// are named as in `state_dict` (`0.weight`).
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

    /// All values, `[replicas, parameters]`. Changing them in place, without gradients, changes the layers.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// The view `[replicas, …shape]` that the layer of this slot computes with.
    pub fn leaf(&self, slot: usize) -> &Tensor {
        &self.leaves[slot]
    }

    /// The parameters in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// What the layers keep beside their parameters, in order. A change in place changes the layers.
    pub fn buffers(&self) -> &[NamedBuffer] {
        &self.buffers
    }

    /// The gradient of `loss` (a scalar) with respect to every parameter, `[replicas, parameters]`.
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        let gradients = Tensor::run_backward(&[loss], &self.leaves, false, false);
        let flat: Vec<Tensor> = gradients.iter().map(|gradient| gradient.flatten(1, -1)).collect();
        Tensor::cat(&flat, 1)
    }

    /// All parameters and buffers as they are now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            values: self.values.copy(),
            buffers: self.buffers.iter().map(|buffer| buffer.values.copy()).collect(),
            names: self.buffers.iter().map(|buffer| buffer.name.clone()).collect(),
        }
    }

    /// Puts one replica's parameters and buffers back as they were.
    pub fn restore(&self, replica: usize, snapshot: &Snapshot) {
        copy_row(replica, &self.values, &snapshot.values);
        let now = self.buffers.iter().map(|buffer| &buffer.values);
        now.zip(&snapshot.buffers).for_each(|(now, then)| copy_row(replica, now, then));
    }
}

impl Slot {
    /// Where it begins in a replica's row.
    pub fn offset(&self) -> usize {
        self.offset as usize
    }

    /// This parameter within a tensor of the arena's layout: `[replicas, parameters]` → `[replicas, …shape]`.
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

    /// Adds 1 to all that the arena holds.
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
