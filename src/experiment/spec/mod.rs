//! An experiment as it is written: one TOML file, composed of what each family understands.

pub mod catalogue;
pub mod data_paths;
pub mod origin;
pub mod overrides;
pub mod source_text;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml_edit::TableLike;

use crate::classical::decision_tree::TreeSpec;
use crate::config::shorthand::{named, named_or_none};
use crate::data::resample::Resample;
use crate::data::source::DataSpec;
use crate::experiment::plan::positive_class;
use crate::history::expectation::Expectation;
use crate::history::theirs::Reference;
use crate::metrics::threshold::ThresholdBy;
use crate::network::NetworkSpec;
use crate::train::TrainSpec;

/// An experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The name that runs are filed under; the file's own, without `.toml`, unless stated.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is, in a few words.
    pub title: String,
    /// What it answers.
    #[serde(default)]
    pub question: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub source: Option<String>,
    /// The lesson that it belongs to: a heading that experiments are listed under.
    #[serde(default)]
    pub lesson: Option<String>,
    /// Whether it takes a few seconds at most, and needs no download.
    #[serde(default)]
    pub quick: bool,
    /// One replica is trained for each.
    #[serde(default = "seed_zero")]
    pub seeds: Vec<i64>,
    /// Which of the models in the file is fitted; not needed where there is one.
    #[serde(default)]
    pub model: Option<ModelName>,
    /// How the training rows are resampled.
    #[serde(default, deserialize_with = "named_or_none")]
    pub resample: Option<Resample>,
    /// Whether all rows are resampled, those included that the model is judged by: a leak, there to be shown.
    #[serde(default)]
    pub resample_before_split: bool,
    /// The positive class, of two: the one that precision, recall, F1, AP, ROC AUC, `threshold` and `pos_weight` are about.
    /// Left out, a class that is rarer than a third of the rows, else the second one.
    #[serde(default, deserialize_with = "positive_class::name_or_none")]
    #[schemars(with = "Option<positive_class::Written>")]
    pub positive: Option<String>,
    /// From which probability on the positive class is predicted in the test; half, where it is left out.
    #[serde(default)]
    pub threshold: Option<ThresholdBy>,
    /// The data set.
    #[serde(deserialize_with = "named")]
    pub data: DataSpec,
    /// The network.
    #[serde(default)]
    pub network: Option<NetworkSpec>,
    /// The training of the network.
    #[serde(default)]
    pub train: Option<TrainSpec>,
    /// The decision tree.
    #[serde(default)]
    pub tree: Option<TreeSpec>,
    /// The same experiment with settings changed, to be compared; the first one is the baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// What a walkthrough reports of the same experiment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub theirs: Vec<Reference>,
    /// What it is expected to show.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// A kind of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// The network.
    Network,
    /// The decision tree.
    Tree,
}

/// One of several settings that an experiment compares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name, which its files are named after.
    pub name: String,
    /// What is set in it, by paths as for `--set`: `{ "network.init" = "he_normal" }`.
    #[serde(default)]
    pub set: IndexMap<String, serde_json::Value>,
}

fn seed_zero() -> Vec<i64> {
    vec![0]
}

impl Spec {
    /// The file that says the same with every setting written out.
    pub fn to_toml(&self) -> String {
        let mut document = toml_edit::ser::to_document(self).expect("a spec is made of TOML's types");
        let root = document.as_table_mut();
        for key in ["data", "network", "train", "tree"] {
            expand(root, key);
        }
        if let Some(data) = root.get_mut("data").and_then(|item| item.as_table_mut()) {
            data.set_implicit(true);
            let name = data.iter().next().map(|(name, _)| name.to_owned());
            name.into_iter().for_each(|name| expand(data, &name));
        }
        if let Some(train) = root.get_mut("train").and_then(|item| item.as_table_mut()) {
            expand(train, "optimizer");
            if let Some(optimizer) = train.get_mut("optimizer").and_then(|item| item.as_table_mut()) {
                optimizer.set_implicit(true);
                let name = optimizer.iter().next().map(|(name, _)| name.to_owned());
                name.into_iter().for_each(|name| expand(optimizer, &name));
            }
        }
        if let Some(layers) = root.get_mut("network").and_then(|n| n.get_mut("layers")?.as_array_mut()) {
            layers.iter_mut().for_each(|layer| layer.decor_mut().set_prefix("\n    "));
            layers.set_trailing("\n");
            layers.set_trailing_comma(true);
        }
        for key in ["variants", "theirs", "expect"] {
            if let Some(item) = root.get_mut(key) {
                let taken = std::mem::take(item);
                *item = match taken.into_array_of_tables() {
                    Ok(tables) => toml_edit::Item::ArrayOfTables(tables),
                    Err(other) => other,
                };
            }
        }
        write_tiny_numbers_by_powers(root);
        document.to_string()
    }
}

/// `1e-8` in place of `0.00000001`.
fn write_tiny_numbers_by_powers(table: &mut dyn TableLike) {
    for (_, item) in table.iter_mut() {
        if let Some(tiny) = item.as_float().filter(|number| *number != 0.0 && number.abs() < 1e-3) {
            let written: toml_edit::Value = format!("{tiny:e}").parse().expect("a float is a TOML value");
            *item = toml_edit::Item::Value(written);
        } else if let Some(inner) = item.as_table_like_mut() {
            write_tiny_numbers_by_powers(inner);
        }
    }
}

/// Turns `key = { … }` into `[key]`.
fn expand(table: &mut toml_edit::Table, key: &str) {
    if let Some(item) = table.get_mut(key) {
        let taken = std::mem::take(item);
        *item = match taken.into_table() {
            Ok(table) => toml_edit::Item::Table(table),
            Err(other) => other,
        };
    }
}
