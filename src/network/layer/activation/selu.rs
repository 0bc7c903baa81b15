//! SELU.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::layer_spec::LayerSpec;

/// SELU: `scale · (max(0, x) + min(0, alpha · (eˣ − 1)))`, with the constants of Klambauer et al. 2017; written `"selu"`.
#[derive(Debug)]
pub struct Selu;

impl LayerSpec for Selu {
    fn kind(&self) -> &'static str {
        "selu"
    }
}

impl Module for Selu {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.selu()
    }
}
