//! Dropout (Srivastava et al. 2014), dropout of whole channels (Tompson et al. 2015), as PyTorch's `Dropout2d`, and dropout for
//! networks with `selu` (Klambauer et al. 2017), as its `AlphaDropout`; with libtorch's masks. Each replica has those of its
//! lone run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::nn::ModuleT;
use tch::{Device, Tensor};

use crate::config::check::{Invalid, below_one};
use crate::config::shorthand::FromNumber;
use crate::network::layer::fusion::Fusion;
use crate::network::layer::layer_spec::LayerSpec;
use crate::network::layer::window::channels_and_lengths;
use crate::tensor::generators::{for_each_replica, map_each_replica};
use crate::tensor::shape::{Shape, ShapeError};

/// Zeroes each value with probability `p` in training; written `{ dropout = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Probability that a value or a channel is dropped, at least 0 and less than 1.
    #[serde(default = "half", alias = "rate")]
    pub p: f64,
}

fn half() -> f64 {
    0.5
}

impl FromNumber for Dropout {
    fn from_number(p: f64) -> Result<Self, String> {
        Ok(Dropout { p })
    }
}

impl LayerSpec for Dropout {
    fn check(&self) -> Result<(), Invalid> {
        below_one("p", self.p)
    }

    fn fusion(&self) -> Option<Fusion> {
        Some(Fusion::Dropout(self.p))
    }
}

/// Dropout layer of a stack: `[replicas, batch, …]` → the same shape.
#[derive(Debug)]
pub struct StackedDropout {
    p: Vec<f64>, // of each replica, or one for all
}

impl StackedDropout {
    /// Builds the layer with the settings of each replica, or one for all.
    pub fn new<'a>(settings: impl IntoIterator<Item = &'a Dropout>) -> Self {
        StackedDropout { p: settings.into_iter().map(|dropout| dropout.p).collect() }
    }

    fn p(&self, replica: usize) -> f64 {
        self.p[replica % self.p.len()]
    }
}

impl ModuleT for StackedDropout {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        match xs.device() {
            _ if !train || self.p.iter().all(|&p| p == 0.0) => xs.shallow_clone(),
            _ if xs.size()[0] == 1 => xs.dropout(self.p(0), true),
            Device::Cpu => xs * self.masks(xs),
            // a GPU draws and applies the mask in one kernel, which gives other masks than `bernoulli_`
            _ => map_each_replica(xs, |replica, xs| xs.dropout(self.p(replica), true)),
        }
    }
}

impl StackedDropout {
    /// Returns the factors that `dropout` draws on the CPU for each replica, in the shape of `xs`.
    fn masks(&self, xs: &Tensor) -> Tensor {
        let masks = xs.empty_like();
        for_each_replica(&masks, |replica, mut mask| {
            let kept = 1.0 - self.p(replica);
            let _ = if kept == 1.0 { mask.fill_(1.0) } else { mask.bernoulli_float_(kept).g_div_scalar_(kept) };
        });
        masks
    }
}

/// Zeroes each channel of an image with probability `p` in training, and scales the others by `1 / (1 − p)`; written `{
/// dropout2d = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Dropout2d(pub Dropout);

/// Sets each value to SELU's lower limit with probability `p` in training, and scales and shifts all values so that mean and
/// variance are preserved; written `{ alpha_dropout = 0.2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AlphaDropout(pub Dropout);

impl FromNumber for Dropout2d {
    fn from_number(p: f64) -> Result<Self, String> {
        Dropout::from_number(p).map(Dropout2d)
    }
}

impl FromNumber for AlphaDropout {
    fn from_number(p: f64) -> Result<Self, String> {
        Dropout::from_number(p).map(AlphaDropout)
    }
}

impl LayerSpec for Dropout2d {
    fn check(&self) -> Result<(), Invalid> {
        self.0.check()
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        channels_and_lengths::<2>(input).map(|_| input.clone())
    }
}

impl LayerSpec for AlphaDropout {
    fn check(&self) -> Result<(), Invalid> {
        self.0.check()
    }
}

/// One of these layers of a stack: `[replicas, batch, …]` → the same shape.
#[derive(Debug)]
pub struct StackedDropoutVariant {
    p: Vec<f64>, // of each replica
    operation: fn(&Tensor, f64, bool) -> Tensor,
}

impl StackedDropoutVariant {
    /// Builds the layer with libtorch's operation and the settings of each replica.
    pub fn new<'a>(
        operation: fn(&Tensor, f64, bool) -> Tensor,
        replicas: impl IntoIterator<Item = &'a Dropout>,
    ) -> Self {
        StackedDropoutVariant { p: replicas.into_iter().map(|dropout| dropout.p).collect(), operation }
    }
}

impl ModuleT for StackedDropoutVariant {
    fn forward_t(&self, xs: &Tensor, train: bool) -> Tensor {
        match train {
            true => map_each_replica(xs, |replica, xs| (self.operation)(xs, self.p[replica], true)),
            false => xs.shallow_clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::generators::{install_until_drop, with_replica};
    use tch::Kind;

    #[test]
    fn each_replica_has_the_mask_and_the_gradient_of_its_lone_run() {
        let _generators = install_until_drop(3, Device::Cpu);
        let layer = StackedDropout::new(&[Dropout { p: 0.3 }, Dropout { p: 0.0 }, Dropout { p: 0.6 }]);
        let flat = Tensor::arange(3 * 4 * 24, (Kind::Float, Device::Cpu)).sin();
        let layouts = [
            flat.view([3, 4, 24]),
            flat.view([4, 3, 2, 3, 4]).transpose(0, 1), // as after a convolution
            flat.view([3, 6, 16]).transpose(1, 2),
        ];
        for xs in layouts {
            let xs = xs.detach().set_requires_grad(true);
            (0..3).for_each(|replica| with_replica(replica, || tch::manual_seed(7 + replica as i64)));
            let ys = layer.forward_t(&xs, true);
            let weights = xs.detach().cos();
            let gradient = Tensor::run_backward(&[(&ys * &weights).sum(None)], &[&xs], false, false).remove(0);
            for replica in 0..3 {
                let of = |values: &Tensor| values.get(replica).unsqueeze(0);
                let lone_xs = of(&xs).detach().set_requires_grad(true);
                let lone = with_replica(replica as usize, || {
                    tch::manual_seed(7 + replica);
                    lone_xs.dropout(layer.p(replica as usize), true)
                });
                let sum = (&lone * of(&weights)).sum(None);
                let lone_gradient = Tensor::run_backward(&[sum], &[&lone_xs], false, false).remove(0);
                assert_eq!((of(&ys), of(&gradient)), (lone, lone_gradient), "replica {replica}, {:?}", xs.size());
            }
            assert_eq!(layer.forward_t(&xs, false), xs);
        }
    }
}
