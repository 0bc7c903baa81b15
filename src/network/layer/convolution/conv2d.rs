//! 2-D convolution, with separate kernels for each replica.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use tch::nn::Module;

use crate::config::check::{Invalid, at_least_one};
use crate::config::shorthand::named_or_none;
use crate::network::init::{Init, Parameter};
use crate::network::layer::layer_spec::{LayerSpec, Stacking};
use crate::network::layer::replica_channels::{merge_replicas, split_replicas};
use crate::network::layer::window::{Pair, Window};
use crate::tensor::shape::{Shape, ShapeError};

/// Cross-correlation as in PyTorch's `Conv2d`; written `{ conv2d = { channels = 16, kernel = 3, padding = 1 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Number of output channels (PyTorch: `out_channels`; Keras: `filters`).
    #[serde(alias = "out_channels", alias = "filters")]
    pub channels: usize,
    /// Height and width of the kernels (PyTorch: `kernel_size`).
    #[serde(alias = "kernel_size")]
    pub kernel: Pair,
    /// Step of the kernel along height and width.
    #[serde(default = "one", alias = "strides")]
    pub stride: Pair,
    /// Number of zeros added on each side of the image.
    #[serde(default = "none")]
    pub padding: Pair,
    /// Whether to add a bias.
    #[serde(default = "yes")]
    pub bias: bool,
    /// Number of input channels. It is inferred; if it is set, it must match the previous layer.
    #[serde(default)]
    pub in_channels: Option<usize>,
    /// Initialization scheme of the kernels; the default is that of the network.
    #[serde(default, deserialize_with = "named_or_none")]
    pub init: Option<Init>,
}

fn one() -> Pair {
    Pair::Both(1)
}

fn none() -> Pair {
    Pair::Both(0)
}

fn yes() -> bool {
    true
}

impl Conv2d {
    fn window(&self) -> Window {
        Window { kernel: self.kernel.sides(), stride: self.stride.sides(), padding: self.padding.sides() }
    }
}

impl LayerSpec for Conv2d {
    fn kind(&self) -> &'static str {
        "conv2d"
    }

    fn check(&self) -> Result<(), Invalid> {
        at_least_one("channels", self.channels)?;
        self.kernel.at_least_one("kernel")?;
        self.stride.at_least_one("stride")?;
        self.init.map_or(Ok(()), |init| init.check().map_err(|fault| fault.under("init")))
    }

    fn output(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let ([channels, height, width], places) = self.window().over(input)?;
        match self.in_channels {
            Some(wanted) if wanted as i64 != channels => Err(ShapeError {
                wanted: Shape::from([wanted as i64, height, width]).to_string(),
                found: input.clone(),
                hint: Some("remove `in_channels`: it is found automatically"),
                problem: None,
            }),
            _ => Ok(Shape::from([self.channels as i64, places[0], places[1]])),
        }
    }

    fn parameters(&self, input: &Shape, init: Init) -> Vec<Parameter> {
        let init = self.init.unwrap_or(init);
        let [height, width] = self.kernel.sides();
        let shape = vec![self.channels as i64, input.dimensions()[0], height, width];
        let mut parameters = vec![init.weight("weight", shape)];
        if self.bias {
            parameters.push(init.bias("bias", &parameters[0]));
        }
        parameters
    }

    fn reuses_weights(&self) -> bool {
        true
    }

    // On a CPU, a grouped convolution is no faster than one convolution after the other.
    fn stacking(&self) -> Stacking {
        Stacking::GpuOnly
    }
}

/// Convolution layer of a stack: `[replicas, batch, in, height, width]` → `[replicas, batch, out, height', width']`.
#[derive(Debug)]
pub struct StackedConv2d {
    weight: Tensor,       // [replicas, out, in, kernel height, kernel width]
    bias: Option<Tensor>, // [replicas, out]
    window: Window,
}

impl StackedConv2d {
    /// Builds the layer from the weight `[replicas, out, in, …]` and the optional bias `[replicas, out]`.
    pub fn new(settings: &Conv2d, mut parameters: Vec<Tensor>) -> Self {
        let bias = (parameters.len() > 1).then(|| parameters.remove(1));
        StackedConv2d { weight: parameters.remove(0), bias, window: settings.window() }
    }
}

impl Module for StackedConv2d {
    fn forward(&self, xs: &Tensor) -> Tensor {
        let replicas = self.weight.size()[0];
        let weight = self.weight.flatten(0, 1); // [replicas · out, in, …]
        let bias = self.bias.as_ref().map(|bias| bias.flatten(0, 1));
        let Window { stride, padding, .. } = self.window;
        split_replicas(&merge_replicas(xs).conv2d(&weight, bias, stride, padding, 1, replicas), replicas)
    }
}
