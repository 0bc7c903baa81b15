//! Precision of a network's computations.

use serde::{Deserialize, Deserializer, Serialize};

/// Precision of a network's computations. Weights, losses, metrics and optimizers are float32 with each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// All computations in float32
    #[default]
    Float32,
    /// TF32 in matrix products and convolutions on a GPU: faster, 10 bits of mantissa
    Tf32,
    /// bfloat16 in the layers, as with `torch.autocast`: 7 bits of mantissa, half the memory of activations
    Bf16,
}

impl Precision {
    /// Returns the name in options and histories.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Float32 => "float32",
            Precision::Tf32 => "tf32",
            Precision::Bf16 => "bf16",
        }
    }

    /// Returns the precision that a history names, or float32 if it names none.
    pub fn recorded(name: Option<&str>) -> Precision {
        let all = [Precision::Tf32, Precision::Bf16];
        all.into_iter().find(|precision| Some(precision.name()) == name).unwrap_or_default()
    }
}

/// Reads a precision, or whether TF32 was used, as in the run records of older versions.
///
/// # Errors
/// If it is anything else.
pub fn precision_or_tf32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Precision, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Recorded {
        Precision(Precision),
        Tf32(bool),
    }
    Ok(match Recorded::deserialize(deserializer)? {
        Recorded::Precision(precision) => precision,
        Recorded::Tf32(true) => Precision::Tf32,
        Recorded::Tf32(false) => Precision::Float32,
    })
}
