//! Plan of a training by the fused CPU backend: the layers with the offsets of their parameters, and the loss and the
//! penalty of each replica.

use std::ops::Range;

use tch::Device;

use crate::network::layer::Layer;
use crate::network::layer::fusion::{FusedActivation, FusedNormalization, Fusion};
use crate::network::layer::window::Window;
use crate::network::stack::Stack;
use crate::observe::observer::Observer;
use crate::train::TrainSpec;
use crate::train::fused_cpu::convolution::{FusedConvolution, Sliding};
use crate::train::fused_cpu::loss::FusedLoss;
use crate::train::regularize::clip::Clip;
use crate::train::regularize::penalty::Penalty;
use crate::train::task::Task;

/// Maximum memory of the images of a batch. Larger ones are left to autograd, which fails with an error if memory runs out.
const MOST_BYTES: usize = 1 << 30;

/// Networks of linear layers, normalization, activations and dropout, also after convolutions, and their losses.
#[derive(Clone, Debug)]
pub(in crate::train) struct Plan {
    /// The convolutions in order, before all linear layers.
    pub(crate) convolutions: Vec<FusedConvolution>,
    /// The linear layers in order.
    pub(crate) layers: Vec<FusedLayer>,
    /// Loss of each replica.
    pub(crate) losses: Vec<FusedLoss>,
    /// Penalty of each replica.
    penalties: Vec<Penalty>,
    /// Clipping of each replica's gradient.
    pub(crate) clips: Vec<Option<Clip>>,
    /// Number of parameters of one replica.
    pub(crate) parameters: usize,
}

/// A linear layer, and the normalization, the activation and the dropout after it. `weight` and `bias` are offsets in a
/// replica's row of the arena.
#[derive(Clone, Debug)]
pub(crate) struct FusedLayer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weight: usize,
    pub(crate) bias: Option<usize>,
    pub(crate) normalization: Option<PlacedNormalization>,
    pub(crate) activation: FusedActivation,
    /// Probability of the dropout after it in each replica; empty without dropout.
    pub(crate) dropout: Vec<f64>,
}

/// A normalization after a linear layer, with the positions of its values.
#[derive(Clone, Debug)]
pub(crate) struct PlacedNormalization {
    pub(crate) settings: FusedNormalization,
    /// Offsets of weight and bias in a replica's row of the arena, if they are learned.
    pub(crate) affine: Option<(usize, usize)>,
    /// Index of the running mean among the stack's buffers; the running variance and the number of batches follow.
    pub(crate) buffers: Option<usize>,
    /// Offset of the batch statistics of this layer among those of all layers: 4 values per unit.
    pub(crate) statistics: usize,
}

impl FusedLayer {
    /// Returns the number of its batch statistics: a mean, a variance and two sums of gradients per unit.
    fn statistics(&self) -> usize {
        let is_batch = |placed: &PlacedNormalization| matches!(placed.settings, FusedNormalization::Batch { .. });
        if self.normalization.as_ref().is_some_and(is_batch) { 4 * self.outputs } else { 0 }
    }

    /// Whether values are dropped after it in a replica.
    pub(crate) fn drops(&self, replica: usize) -> bool {
        self.dropout.get(replica).is_some_and(|&p| p > 0.0)
    }
}

impl Plan {
    /// Returns the plan for a stack and its training; `None` if autograd is needed.
    pub(in crate::train) fn from_task(stack: &Stack, task: &Task) -> Option<Plan> {
        let settings = task.settings;
        if !is_fusable(settings, task.layers, task.device) || task.training.weights.is_some() {
            return None;
        }
        let losses = task.replicas.iter().map(|settings| FusedLoss::from_loss(&settings.loss));
        let row = task.training.features.sample();
        let (convolutions, layers) = fused_layers(stack, &row)?;
        let batch = settings.batch.size(task.training.len());
        if !is_chain(&convolutions, &layers, &row) || !are_small(&convolutions, batch) {
            return None;
        }
        let parameters = stack.arena().values().size()[1] as usize;
        Some(Plan {
            convolutions,
            layers,
            losses: losses.collect::<Option<_>>()?,
            penalties: task.replicas.iter().map(|settings| settings.penalty.unwrap_or_default()).collect(),
            clips: task.replicas.iter().map(|settings| settings.clip).collect(),
            parameters,
        })
    }

    /// Returns a plan without layers.
    #[cfg(test)]
    pub(crate) fn empty() -> Plan {
        Plan {
            convolutions: Vec::new(),
            layers: Vec::new(),
            losses: Vec::new(),
            penalties: Vec::new(),
            clips: Vec::new(),
            parameters: 0,
        }
    }

    /// Returns the number of features.
    pub(crate) fn inputs(&self) -> usize {
        let first = self.layers.first().map_or(0, |layer| layer.inputs);
        self.convolutions.first().map_or(first, |first| first.inputs.iter().product())
    }

    /// Returns the number of outputs of the convolutions; 0 without convolutions.
    pub(crate) fn flattened(&self) -> usize {
        self.convolutions.last().map_or(0, |last| last.outputs().iter().product())
    }

    /// Returns the number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Adds the gradient of a replica's penalty on its weights to a part of the gradient.
    ///
    /// # Shapes
    /// `gradient` and `values` are the part's; `part` is its place among the replica's parameters.
    pub(crate) fn add_penalty(&self, replica: usize, part: &Range<usize>, gradient: &mut [f32], values: &[f32]) {
        let penalty = self.penalties[replica];
        if penalty == Penalty::default() {
            return;
        }
        let of_convolutions = self.convolutions.iter().map(|one| one.weight..one.weight + one.weights());
        let of_layers = self.layers.iter().map(|layer| layer.weight..layer.weight + layer.inputs * layer.outputs);
        for weights in of_convolutions.chain(of_layers) {
            let weights = weights.start.max(part.start)..weights.end.min(part.end);
            if !weights.is_empty() {
                let weights = weights.start - part.start..weights.end - part.start;
                penalty.add_to_slice(&mut gradient[weights.clone()], &values[weights]);
            }
        }
    }

    /// Returns the number of batch statistics of all layers.
    pub(crate) fn statistics(&self) -> usize {
        self.layers.iter().map(FusedLayer::statistics).sum()
    }

    /// Whether there is a layer of dropout.
    pub(crate) fn has_dropout(&self) -> bool {
        self.layers.iter().any(|layer| !layer.dropout.is_empty())
    }

    /// Returns the number of floating-point operations per row in the convolutions and matrix products of the forward and
    /// backward pass.
    pub(crate) fn operations(&self) -> usize {
        let of_convolutions = self.convolutions.iter().map(FusedConvolution::multiplications);
        6 * of_convolutions.chain(self.layers.iter().map(|layer| layer.inputs * layer.outputs)).sum::<usize>()
    }
}

/// Returns whether the fused CPU backend supports these settings and layers. Row weights, which it does not support,
/// are checked separately.
pub fn is_fusable(settings: &TrainSpec, layers: &[Layer], device: Device) -> bool {
    let fusions: Vec<Option<Fusion>> = layers.iter().map(|layer| layer.spec().fusion()).collect();
    let before = |place: usize| place.checked_sub(1).and_then(|before| fusions[before]);
    let is_convolution =
        |place: Option<usize>| matches!(place.and_then(|place| fusions[place]), Some(Fusion::Convolution(_)));
    let fits = |place: usize| match fusions[place] {
        Some(Fusion::Flatten | Fusion::Linear) => true,
        Some(Fusion::Convolution(_)) => !fusions[..place].contains(&Some(Fusion::Linear)),
        Some(Fusion::MaxPool(_)) => match before(place) {
            Some(Fusion::Activation(_)) => is_convolution(place.checked_sub(2)),
            before => matches!(before, Some(Fusion::Convolution(_))),
        },
        Some(Fusion::Normalization(_)) => before(place) == Some(Fusion::Linear),
        Some(Fusion::Activation(activation)) => match before(place) {
            Some(Fusion::Convolution(_)) => matches!(activation, FusedActivation::LeakyRelu { .. }),
            // the order of ReLU and a maximum changes neither outputs nor gradients
            Some(Fusion::MaxPool(_)) => {
                activation == FusedActivation::LeakyRelu { slope: 0.0 } && is_convolution(place.checked_sub(2))
            }
            before => matches!(before, Some(Fusion::Linear | Fusion::Normalization(_))),
        },
        Some(Fusion::Dropout(_)) => {
            let before = before(place);
            let follows = matches!(before, Some(Fusion::Linear | Fusion::Normalization(_) | Fusion::Activation(_)));
            follows && fusions[place..].contains(&Some(Fusion::Linear))
        }
        None => false,
    };
    device == Device::Cpu
        && settings.augment.is_none()
        && !settings.observe.contains(&Observer::GradientNorm)
        && FusedLoss::from_loss(&settings.loss).is_some()
        && (0..layers.len()).all(fits)
}

/// Returns whether these convolutions are faster here than with autograd, and fit into memory.
fn are_small(convolutions: &[FusedConvolution], batch: usize) -> bool {
    let bytes = convolutions.iter().map(FusedConvolution::bytes).fold(0, usize::saturating_add);
    let sum = |backend: usize| convolutions.iter().map(|one| one.nanoseconds(batch)[backend]).sum::<f64>();
    bytes.saturating_mul(batch) <= MOST_BYTES && sum(0) <= sum(1)
}

/// Returns whether each linear layer takes all values of a row. It can also act on each step of a sequence.
fn is_chain(convolutions: &[FusedConvolution], layers: &[FusedLayer], row: &[i64]) -> bool {
    let mut values = row.iter().product::<i64>() as usize;
    if let Some(last) = convolutions.last() {
        values = last.outputs().iter().product();
    }
    layers.iter().all(|layer| std::mem::replace(&mut values, layer.outputs) == layer.inputs)
}

/// Returns the window of a convolution or a pooling.
fn sliding(window: Window<2>) -> Sliding {
    let sizes = |sides: [i64; 2]| sides.map(|side| side as usize);
    Sliding { kernel: sizes(window.kernel), stride: sizes(window.stride), padding: sizes(window.padding) }
}

/// Returns the convolutions and the linear layers for rows of this shape, each with what is computed after it; `None` if the
/// network needs autograd.
fn fused_layers(stack: &Stack, row: &[i64]) -> Option<(Vec<FusedConvolution>, Vec<FusedLayer>)> {
    let mut slots = stack.arena().slots().iter().peekable();
    let mut convolutions: Vec<FusedConvolution> = Vec::new();
    let mut fused: Vec<FusedLayer> = Vec::new();
    for (number, fusions) in stack.fusions().iter().enumerate() {
        match *fusions.first()?.as_ref()? {
            Fusion::Flatten => {} // rows are contiguous in memory
            Fusion::Convolution(window) => {
                let weight = slots.next()?;
                let bias = slots.next_if(|slot| slot.name == format!("{number}.bias"));
                let inputs = match (convolutions.last(), row) {
                    (Some(before), _) => before.outputs(),
                    (None, &[channels, height, width]) => [channels, height, width].map(|size| size as usize),
                    (None, _) => return None,
                };
                convolutions.push(FusedConvolution {
                    inputs,
                    channels: *weight.shape.first()? as usize,
                    window: sliding(window),
                    weight: weight.offset(),
                    bias: bias.map(|slot| slot.offset()),
                    slope: 1.0,
                    pool: None,
                });
            }
            Fusion::MaxPool(window) => convolutions.last_mut()?.pool = Some(sliding(window)),
            Fusion::Linear => {
                let weight = slots.next()?;
                let [outputs, inputs] = weight.shape[..] else { return None };
                let bias = slots.next_if(|slot| slot.name == format!("{number}.bias"));
                fused.push(FusedLayer {
                    inputs: inputs as usize,
                    outputs: outputs as usize,
                    weight: weight.offset(),
                    bias: bias.map(|slot| slot.offset()),
                    normalization: None,
                    activation: FusedActivation::Identity,
                    dropout: Vec::new(),
                });
            }
            Fusion::Normalization(settings) => {
                let statistics = fused.iter().map(FusedLayer::statistics).sum();
                let last = fused.last_mut().filter(|last| last.normalization.is_none())?;
                let mut offset = |name| {
                    let slot = slots.next_if(|slot| slot.name == format!("{number}.{name}"));
                    slot.map(|slot| slot.offset())
                };
                let (weight, bias) = (offset("weight"), offset("bias"));
                let buffers = stack.arena().buffers();
                let buffers = match settings {
                    FusedNormalization::Layer { .. } => None,
                    FusedNormalization::Batch { .. } => {
                        let first = format!("{number}.running_mean");
                        let first = buffers.iter().position(|buffer| buffer.name == first)?;
                        // a sequence of one step has one channel, not one per unit
                        Some(first).filter(|first| buffers[*first].values.size()[1] == last.outputs as i64)?;
                        Some(first)
                    }
                };
                last.normalization =
                    Some(PlacedNormalization { settings, affine: weight.zip(bias), buffers, statistics });
            }
            Fusion::Dropout(_) => {
                let last = fused.last_mut().filter(|last| last.dropout.is_empty())?;
                let probability = |fusion: &Option<Fusion>| match fusion {
                    Some(Fusion::Dropout(p)) => Some(*p),
                    _ => None,
                };
                last.dropout = fusions.iter().map(probability).collect::<Option<_>>()?;
            }
            Fusion::Activation(FusedActivation::LeakyRelu { slope }) if fused.is_empty() => {
                convolutions.last_mut()?.slope = slope;
            }
            Fusion::Activation(activation) => {
                let last = fused.last_mut().filter(|last| last.activation == FusedActivation::Identity)?;
                last.activation = activation;
            }
        }
    }
    (!fused.is_empty() && slots.next().is_none()).then_some((convolutions, fused))
}
