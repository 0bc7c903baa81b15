//! Size of a layer, as `runner show` prints it.

use serde::Serialize;

use crate::tensor::shape::Shape;

/// Size of a layer and of the layers in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerSize {
    /// Its name in the `state_dict`, relative to the layer that it is in.
    pub name: String,
    /// Type of the layer: `linear`, `relu`, …
    pub kind: &'static str,
    /// Shape of the output for one row.
    #[serde(rename = "output_shape")]
    pub output: Shape,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Number of multiplications, each with an addition, for one row; `None` if it is not known.
    pub multiply_adds: Option<u64>,
    /// The layers in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerSize>,
}
