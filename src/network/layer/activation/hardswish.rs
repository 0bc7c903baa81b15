//! Hard swish.

use tch::Tensor;
use tch::nn::Module;

use crate::network::layer::layer_spec::LayerSpec;

/// Hard swish: `x · min(max(x + 3, 0), 6) / 6` (Howard et al. 2019); written `"hardswish"`.
#[derive(Debug)]
pub struct Hardswish;

impl LayerSpec for Hardswish {
    fn kind(&self) -> &'static str {
        "hardswish"
    }
}

impl Module for Hardswish {
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.hardswish()
    }
}
