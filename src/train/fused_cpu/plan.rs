//! What can be trained without autograd, laid out: the layers with the places of their parameters, and the loss.

use tch::Device;

use crate::network::layer::Layer;
use crate::network::stack::Stack;
use crate::observe::observer::Observer;
use crate::train::TrainSpec;
use crate::train::fused_cpu::activation::Activation;
use crate::train::fused_cpu::loss::FusedLoss;
use crate::train::task::Task;

/// A network of linear layers and activations, and its loss.
#[derive(Clone, Debug)]
pub(in crate::train) struct Plan {
    /// In order.
    pub(crate) layers: Vec<FusedLayer>,
    pub(crate) loss: FusedLoss,
    /// How many parameters a replica has.
    pub(crate) parameters: usize,
}

/// A linear layer and the activation behind it; the places are those in a replica's row of the arena.
#[derive(Clone, Debug)]
pub(crate) struct FusedLayer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: usize,
    pub(crate) bias: Option<usize>,
    pub(crate) activation: Activation,
}

impl Plan {
    /// The plan of a stack and its training; `None` where autograd is needed.
    pub(in crate::train) fn of(stack: &Stack, task: &Task) -> Option<Plan> {
        let settings = task.settings;
        if !is_dense(settings, task.layers, task.device) || task.training.weights.is_some() {
            return None;
        }
        let loss = FusedLoss::of(&settings.loss)?;
        let layers = layers(stack, task.layers)?;
        let parameters = stack.arena().values().size()[1] as usize;
        Some(Plan { layers, loss, parameters })
    }

    /// A network without a layer.
    #[cfg(test)]
    pub(crate) fn of_nothing() -> Plan {
        Plan { layers: Vec::new(), loss: FusedLoss::Mse, parameters: 0 }
    }

    /// How many numbers a row of features has.
    pub(crate) fn inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// How many outputs the network has.
    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// The floating-point operations of the matrix products of a row, there and back.
    pub(crate) fn operations(&self) -> usize {
        self.layers.iter().map(|layer| 6 * layer.inputs * layer.outputs).sum()
    }
}

/// Whether such networks train without autograd, as far as their settings tell.
pub fn is_dense(settings: &TrainSpec, layers: &[Layer], device: Device) -> bool {
    let follows_linear = |(place, layer): (usize, &Layer)| match layer {
        Layer::Flatten | Layer::Linear(_) => true,
        other => Activation::of(other).is_some() && place > 0 && matches!(layers[place - 1], Layer::Linear(_)),
    };
    device == Device::Cpu
        && settings.penalty.is_none()
        && settings.clip.is_none()
        && settings.augment.is_none()
        && !settings.observe.contains(&Observer::GradientNorm)
        && FusedLoss::of(&settings.loss).is_some()
        && layers.iter().enumerate().all(follows_linear)
}

/// The layers, when they are linear ones each with an activation or none behind it.
fn layers(stack: &Stack, layers: &[Layer]) -> Option<Vec<FusedLayer>> {
    let mut slots = stack.arena().slots().iter().peekable();
    let mut dense: Vec<FusedLayer> = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        match layer {
            Layer::Flatten => {} // rows lie flat in memory as they are
            Layer::Linear(_) => {
                let weight = slots.next()?;
                let [outputs, inputs] = weight.shape[..] else { return None };
                let bias = slots.next_if(|slot| slot.name == format!("{number}.bias"));
                dense.push(FusedLayer {
                    inputs: inputs as usize,
                    outputs: outputs as usize,
                    weight: weight.offset(),
                    bias: bias.map(|slot| slot.offset()),
                    activation: Activation::Identity,
                });
            }
            other => {
                let last = dense.last_mut().filter(|last| last.activation == Activation::Identity)?;
                last.activation = Activation::of(other)?;
            }
        }
    }
    (!dense.is_empty() && slots.next().is_none()).then_some(dense)
}
