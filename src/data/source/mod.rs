//! Where rows come from: one file for each data set.

pub mod digits;
pub mod idx;
pub mod logic;
pub mod mnist;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Invalid;
use crate::data::cache::Cache;
use crate::data::fetch::Watch;
use crate::data::scale::Scale;
use crate::data::split::Split;
use crate::data::{Card, Loaded};

/// The `[data.NAME]` table of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataSpec {
    /// The four points of a logic gate.
    Logic(logic::Logic),
    /// 1,797 images of 8×8 digits.
    Digits(digits::Digits),
    /// 70,000 images of 28×28 digits.
    Mnist(mnist::Mnist),
}

impl DataSpec {
    /// The name in the file.
    pub fn name(&self) -> &'static str {
        match self {
            DataSpec::Logic(_) => "logic",
            DataSpec::Digits(_) => "digits",
            DataSpec::Mnist(_) => "mnist",
        }
    }

    /// The data set of this name with its settings at their defaults, for commands about the data alone.
    pub fn by_name(name: &str) -> Option<DataSpec> {
        match name {
            "logic" => Some(DataSpec::Logic(logic::Logic { gate: logic::Gate::Xor })),
            "digits" => Some(DataSpec::Digits(digits::Digits::default())),
            "mnist" => Some(DataSpec::Mnist(mnist::Mnist::default())),
            _ => None,
        }
    }

    /// What is known before loading.
    pub fn card(&self) -> Card {
        match self {
            DataSpec::Logic(_) => logic::card(),
            DataSpec::Digits(digits) => digits.card(),
            DataSpec::Mnist(mnist) => mnist.card(),
        }
    }

    /// How the rows are split; a data set without the setting is not split.
    pub fn split(&self) -> Split {
        match self {
            DataSpec::Logic(_) => None,
            DataSpec::Digits(digits) => digits.split.clone(),
            DataSpec::Mnist(mnist) => mnist.split.clone(),
        }
        .unwrap_or_default()
    }

    /// How the features are scaled.
    pub fn scale(&self) -> Scale {
        match self {
            DataSpec::Logic(_) => Scale::None,
            DataSpec::Digits(digits) => digits.scale,
            DataSpec::Mnist(mnist) => mnist.scale,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When one is out of its range; the key is relative to `data`.
    pub fn check(&self) -> Result<(), Invalid> {
        let card = self.card();
        self.split()
            .check(card.rows, card.test_rows, card.target)
            .map_err(|fault| fault.under(format!("{}.split", self.name())))
    }

    /// Loads the rows, fetching files that the cache lacks.
    ///
    /// # Errors
    /// When a file cannot be had, or is not what its checksum says.
    pub fn load(&self, cache: &Cache, watch: &mut dyn Watch) -> anyhow::Result<Loaded> {
        match self {
            DataSpec::Logic(logic) => Ok(logic.load()),
            DataSpec::Digits(digits) => digits.load(),
            DataSpec::Mnist(mnist) => mnist.load(cache, watch),
        }
    }
}
