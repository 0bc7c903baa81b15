//! The `[sweep]` table of an experiment file.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::experiment::halving::rule::Halving;
use crate::experiment::spec::seeds::{self, Seeds};
use crate::sweep::expectation::SweepExpectation;
use crate::sweep::space::domain::Domain;
use crate::sweep::sweep_seeds::{self, SweepSeeds};

/// The settings that a sweep varies, and how.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SweepSpec {
    /// Metric path of training or validation rows that ranks the configurations. Default: the monitored metric in the best
    /// epoch, `best.val_loss`.
    pub metric: Option<String>,
    /// How configurations are chosen from the space.
    pub method: Option<Method>,
    /// Number of configurations that the methods `tpe` and `gp` choose at a time, from the results of all before. Default: 4
    /// with `gp`, 8 with `tpe`, 16 with `tpe` and halving.
    pub round: Option<usize>,
    /// Number of configurations. `grid` trains all, and at most this number.
    pub trials: Option<usize>,
    /// Seeds that each configuration is trained on. Default: `seeds` of the experiment. With `halving`, configurations that are
    /// trained to the end can have more seeds than the others: `{ first = 1, then = 3 }`.
    #[schemars(with = "Option<sweep_seeds::Written>")]
    pub seeds: Option<SweepSeeds>,
    /// Drops configurations early: at the end of some epochs, the rungs, only the best of each stack continue:
    /// `{ first = 3, keep = 0.33 }`.
    pub halving: Option<Halving>,
    /// Trains the best configurations again on fresh seeds when all are trained: `{ seeds = "100..109", at_most = 5 }`.
    pub confirm: Option<Confirm>,
    /// Seed of the search: configurations depend on it and on their number only.
    pub seed: Option<u32>,
    /// The values of each setting by its key as in `--set`: `"train.batch" = [32, 64]`.
    pub space: IndexMap<String, Domain>,
    /// Settings that are varied only in some configurations.
    pub when: Vec<When>,
    /// Lists of values that are taken together: the first of each, the second of each, and so on.
    pub zip: Vec<IndexMap<String, Vec<Value>>>,
    /// Conditions on the result of the sweep, checked when it has ended.
    pub expect: Vec<SweepExpectation>,
}

/// How the best configurations of a sweep are confirmed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// Fresh seeds. Default: the first ten from 100 on that the sweep has not trained on.
    #[serde(default, deserialize_with = "seeds::deserialize_some", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<seeds::Written>")]
    pub seeds: Option<Seeds>,
    /// Maximum number of configurations, best first. Default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<usize>,
}

/// Settings that are varied only in some configurations.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Other settings of the space with the value that they must have, or a list of such values:
    /// `{ "train.optimizer" = "sgd" }`.
    #[serde(rename = "if")]
    pub condition: IndexMap<String, Value>,
    /// The values of each setting.
    pub space: IndexMap<String, Domain>,
}

/// How configurations are chosen from the space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All combinations
    Grid,
    /// Independent random values
    Random,
    /// Evenly spread values: a scrambled Sobol sequence
    #[default]
    Sobol,
    /// Rounds that learn from the results of earlier ones: a tree-structured Parzen estimator
    Tpe,
    /// Small rounds that learn from the results of earlier ones, for few configurations: a Gaussian process
    Gp,
}

impl Method {
    /// Returns the name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Grid => "grid",
            Method::Random => "random",
            Method::Sobol => "sobol",
            Method::Tpe => "tpe",
            Method::Gp => "gp",
        }
    }

    /// Returns whether it chooses configurations in rounds, each from the results of all earlier ones.
    pub fn has_rounds(self) -> bool {
        matches!(self, Method::Tpe | Method::Gp)
    }
}
