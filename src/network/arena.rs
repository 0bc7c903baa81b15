//! All trainable parameters of a stack in one tensor, `[replicas, parameters]`.
//!
//! Layers hold views of it: leaf tensors that share its storage. The optimizer, weight decay, the snapshot of the best
//! weights and the checkpoint are then a few operations on one tensor instead of dozens on many.

use tch::{Device, Kind, Tensor};

use crate::network::init::Parameter;
use crate::seed;

/// The parameters of a stack of networks of the same shape.
#[derive(Debug)]
pub struct Arena {
    values: Tensor, // [replicas, parameters]
    slots: Vec<Slot>,
    leaves: Vec<Tensor>, // one for each slot, [replicas, …shape]
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

impl Arena {
    /// Draws the parameters of each replica in PyTorch's order, on the CPU, and moves them to the device.
    ///
    /// `parameters` are named as in `state_dict` (`0.weight`) and listed in the order of drawing.
    pub fn draw(parameters: &[(String, Parameter)], seeds: &[i64], device: Device) -> Self {
        let mut offset = 0;
        let slots: Vec<Slot> = parameters
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
            .map(|&seed| {
                seed::before_building(seed);
                let drawn: Vec<Tensor> =
                    parameters.iter().map(|(_, parameter)| parameter.draw().flatten(0, -1)).collect();
                if drawn.is_empty() { Tensor::empty([0], (Kind::Float, Device::Cpu)) } else { Tensor::cat(&drawn, 0) }
            })
            .collect();
        let values = Tensor::stack(&rows, 0).to_device(device); // [replicas, parameters]
        let leaves = slots.iter().map(|slot| slot.view(&values).detach().set_requires_grad(true)).collect();
        Arena { values, slots, leaves }
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

    /// The gradient of `loss` (a scalar) with respect to every parameter, `[replicas, parameters]`.
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        let gradients = Tensor::run_backward(&[loss], &self.leaves, false, false);
        let flat: Vec<Tensor> = gradients.iter().map(|gradient| gradient.flatten(1, -1)).collect();
        Tensor::cat(&flat, 1)
    }

    /// Copies one replica's values from a snapshot of the same layout, `[replicas, parameters]`.
    pub fn restore(&self, replica: usize, snapshot: &Tensor) {
        let _no_grad = tch::no_grad_guard();
        self.values.get(replica as i64).copy_(&snapshot.get(replica as i64));
    }
}

impl Slot {
    /// This parameter within a tensor of the arena's layout: `[replicas, parameters]` → `[replicas, …shape]`.
    pub fn view(&self, values: &Tensor) -> Tensor {
        let mut shape = vec![values.size()[0]];
        shape.extend(&self.shape);
        values.narrow(1, self.offset, self.elements).view(&shape[..])
    }
}
