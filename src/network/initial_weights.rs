//! `[network] from`: trained weights that a network starts from, instead of random ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Trained weights that a network starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Written")]
#[schemars(with = "Written")]
pub struct InitialWeights {
    /// As written: a run, `RUN/VARIANT`, or a weights file.
    pub run: String,
    /// Indices of layers that keep their random initialization.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<usize>,
    /// The weights file, once it is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// SHA-256 of this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A run, or a table with more settings.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a run such as `\"digits_mlp\"`, or `{ run = \"…\", except = [4] }`")]
enum Written {
    /// A run (its best trial by the monitored metric), `RUN/VARIANT`, or the path of a `.safetensors` file.
    Run(String),
    /// The same, with layers that keep their random initialization.
    Table(Table),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Table {
    /// A run (its best trial by the monitored metric), `RUN/VARIANT`, or the path of a `.safetensors` file.
    run: String,
    /// Indices of layers that keep their random initialization, from 0.
    #[serde(default)]
    except: Vec<usize>,
    /// The weights file of the run; it is filled in when training starts.
    #[serde(default)]
    file: Option<String>,
    /// SHA-256 that the weights file must have; it is filled in when training starts.
    #[serde(default)]
    sha256: Option<String>,
}

impl From<Written> for InitialWeights {
    fn from(written: Written) -> Self {
        match written {
            Written::Run(run) => InitialWeights { run, except: Vec::new(), file: None, sha256: None },
            Written::Table(Table { run, except, file, sha256 }) => InitialWeights { run, except, file, sha256 },
        }
    }
}

impl InitialWeights {
    /// Returns whether a parameter or buffer, such as `4.weight`, keeps its random initialization.
    pub fn excepts(&self, name: &str) -> bool {
        let layer = name.split('.').next().and_then(|layer| layer.parse().ok());
        layer.is_some_and(|layer: usize| self.except.contains(&layer))
    }
}
