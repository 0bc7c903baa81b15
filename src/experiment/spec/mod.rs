//! The experiment file: one TOML file whose tables are defined by the modules that use them.

pub mod aliases;
pub mod catalogue;
pub mod data_paths;
pub mod extends;
pub mod file_hints;
pub mod former_keys;
pub mod json_schema;
pub mod key_reference;
pub mod merge;
pub mod missing_keys;
pub mod origin;
pub mod overrides;
pub mod seeds;
pub mod setting_keys;
mod setting_path;
pub mod source_text;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml_edit::TableLike;

use crate::classical::decision_tree::TreeSpec;
use crate::config::shorthand::{any_or_none, named, named_or_none};
use crate::data::resample::Resample;
use crate::data::source::DataSpec;
use crate::experiment::plan::positive_class;
use crate::history::expectation::Expectation;
use crate::history::reference::Reference;
use crate::metrics::threshold::ThresholdRule;
use crate::network::NetworkSpec;
use crate::network::torchscript::TorchScript;
use crate::network::torchscript::module_file::ModuleCopy;
use crate::sweep::spec::SweepSpec;
use crate::train::TrainSpec;

/// The settings of an experiment file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name of the run directory. Default: the file name without `.toml`.
    #[serde(default)]
    pub name: Option<String>,
    /// Title, in a few words.
    pub title: String,
    /// The question that the experiment answers.
    #[serde(default)]
    pub question: Option<String>,
    /// Where the experiment comes from.
    #[serde(default)]
    pub source: Option<String>,
    /// The heading under which `runner list` shows the experiment.
    #[serde(default)]
    pub lesson: Option<String>,
    /// Whether the experiment takes only seconds and needs no download.
    #[serde(default)]
    pub quick: bool,
    /// Seeds: one trial per seed. A list, one number, or a text such as `"0..4"` (both included) or `"1,5,7"`.
    #[serde(default = "seed_zero", deserialize_with = "seeds::deserialize")]
    #[schemars(with = "seeds::Written")]
    pub seeds: Vec<i64>,
    /// Which model of the file is trained, if it has both a network and a tree.
    #[serde(default)]
    pub model: Option<ModelName>,
    /// Resampling of the training rows.
    #[serde(default, deserialize_with = "named_or_none")]
    pub resample: Option<Resample>,
    /// Whether all rows are resampled before the split. This is data leakage, to demonstrate its effect.
    #[serde(default)]
    pub resample_before_split: bool,
    /// The positive class of two: the class that precision, recall, F1, AP, ROC AUC, `threshold` and `pos_weight` are
    /// about. Default: a class with less than a third of the rows, else the second class.
    #[serde(default, deserialize_with = "positive_class::name_or_none")]
    #[schemars(with = "Option<positive_class::ClassName>")]
    pub positive: Option<String>,
    /// Minimum probability to predict the positive class in the test. Default: 0.5.
    #[serde(default, deserialize_with = "any_or_none")]
    pub threshold: Option<ThresholdRule>,
    /// The data set.
    #[serde(deserialize_with = "named")]
    pub data: DataSpec,
    /// The network.
    #[serde(default)]
    pub network: Option<NetworkSpec>,
    /// The training settings of the network.
    #[serde(default)]
    pub train: Option<TrainSpec>,
    /// The decision tree.
    #[serde(default)]
    pub tree: Option<TreeSpec>,
    /// Variants of the experiment with other settings, to be compared. The first one is the baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// The settings that `runner sweep` varies, and how. Other commands ignore it.
    #[serde(default, skip_serializing)]
    pub sweep: Option<SweepSpec>,
    /// Published values of the same experiment, shown next to the values of the run.
    #[serde(default, rename = "reference", alias = "theirs", skip_serializing_if = "Vec::is_empty")]
    pub theirs: Vec<Reference>,
    /// Conditions that the metrics must meet.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// A type of model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// The network.
    Network,
    /// The decision tree.
    Tree,
}

/// A variant of an experiment: some settings have other values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Name of the variant, used in file names.
    pub name: String,
    /// The settings of the variant, by their paths as in `--set`: `{ "network.init" = "he_normal" }`.
    #[serde(default)]
    pub set: IndexMap<String, serde_json::Value>,
}

fn seed_zero() -> Vec<i64> {
    vec![0]
}

/// Returns the TorchScript modules of these tables, each with its key.
pub fn modules_mut<'a>(
    network: Option<&'a mut NetworkSpec>,
    train: Option<&'a mut TrainSpec>,
    tree: Option<&'a mut TreeSpec>,
) -> Vec<(String, &'a mut TorchScript)> {
    let network = network.into_iter().flat_map(NetworkSpec::modules_mut).map(|module| ("network", module));
    let train = train.into_iter().flat_map(TrainSpec::modules_mut).map(|module| ("train", module));
    let tree = tree.into_iter().flat_map(TreeSpec::modules_mut).map(|module| ("tree", module));
    let all = network.chain(train).chain(tree);
    all.map(|(table, (key, module))| (format!("{table}.{key}"), module)).collect()
}

impl Spec {
    /// Sets the copies of a stored run that networks written in PyTorch are read from.
    pub fn set_module_copies(&mut self, copies: &[ModuleCopy]) {
        for (_, module) in self.modules_mut() {
            module.copies = copies.to_vec();
        }
    }

    /// Returns the TorchScript modules of network, loss and metrics, each with its key.
    pub fn modules_mut(&mut self) -> Vec<(String, &mut TorchScript)> {
        modules_mut(self.network.as_mut(), self.train.as_mut(), self.tree.as_mut())
    }

    /// Returns the experiment as TOML, with all defaults.
    pub fn to_toml(&self) -> String {
        let mut document = toml_edit::ser::to_document(self).expect("an experiment has TOML types only");
        let root = document.as_table_mut();
        for key in ["data", "network", "train", "tree"] {
            expand(root, key);
        }
        expand_chosen(root, "data");
        if let Some(train) = root.get_mut("train").and_then(|item| item.as_table_mut()) {
            expand(train, "optimizer");
            expand_chosen(train, "optimizer");
        }
        if let Some(layers) = root.get_mut("network").and_then(|n| n.get_mut("layers")?.as_array_mut()) {
            layers.iter_mut().for_each(|layer| layer.decor_mut().set_prefix("\n    "));
            layers.set_trailing("\n");
            layers.set_trailing_comma(true);
        }
        for key in ["variants", "reference", "expect"] {
            if let Some(item) = root.get_mut(key) {
                let tables = std::mem::take(item).into_array_of_tables();
                *item = tables.map_or_else(|other| other, toml_edit::Item::ArrayOfTables);
            }
        }
        use_scientific_notation(root);
        document.to_string()
    }
}

/// Writes numbers below 0.001 in scientific notation: `1e-8`.
fn use_scientific_notation(table: &mut dyn TableLike) {
    for (_, item) in table.iter_mut() {
        if let Some(tiny) = item.as_float().filter(|number| *number != 0.0 && number.abs() < 1e-3) {
            let written: toml_edit::Value = format!("{tiny:e}").parse().expect("a float is a TOML value");
            *item = toml_edit::Item::Value(written);
        } else if let Some(inner) = item.as_table_like_mut() {
            use_scientific_notation(inner);
        }
    }
}

/// Converts the inline table `key = { … }` to a table `[key]`.
fn expand(table: &mut toml_edit::Table, key: &str) {
    if let Some(item) = table.get_mut(key) {
        *item = std::mem::take(item).into_table().map_or_else(|other| other, toml_edit::Item::Table);
    }
}

/// Converts the settings of a choice, such as the data set, to a table `[key.name]` without a table `[key]`.
fn expand_chosen(table: &mut toml_edit::Table, key: &str) {
    if let Some(choice) = table.get_mut(key).and_then(|item| item.as_table_mut()) {
        choice.set_implicit(true);
        let name = choice.iter().next().map(|(name, _)| name.to_owned());
        name.into_iter().for_each(|name| expand(choice, &name));
    }
}
