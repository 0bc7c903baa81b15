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

impl LayerSize {
    /// Returns the number of output values for one row, of the layer and of all layers in it.
    pub fn all_outputs(&self) -> usize {
        self.layers.iter().map(LayerSize::all_outputs).fold(self.output.elements(), usize::saturating_add)
    }

    /// Returns the largest number of output values for one row, of the layer or of a layer in it.
    pub fn largest_output(&self) -> usize {
        self.layers.iter().map(LayerSize::largest_output).fold(self.output.elements(), usize::max)
    }
}
