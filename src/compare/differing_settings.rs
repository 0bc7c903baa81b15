//! Settings that differ between groups.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use crate::compare::group::Group;
use crate::compare::settings::{CHOICES, LAYERS, PATHS, flatten, format_seeds};

/// Key of a module that is the whole network.
const WHOLE_MODULE: &str = "network.torchscript";

/// The part of a key that is in place of the chosen name if groups have different ones: `train.optimizer.*.lr`.
const ANY: &str = "*";

/// A setting and its value in each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Key of the setting. Settings of different choices with the same name are one: `train.optimizer.*.lr`.
    pub key: String,
    /// Value in each group; `None` if unset.
    pub values: Vec<Option<String>>,
}

impl Setting {
    /// Returns whether it is a setting of a choice that differs between the groups, and the same wherever it is set: it
    /// differs only because other groups have another optimizer, loss, ….
    fn is_implied(&self) -> bool {
        self.key.split('.').any(|part| part == ANY) && are_equal(self.values.iter().flatten())
    }

    /// Returns whether it is a setting of a network or of a tree that is the same in all groups with this model.
    fn is_of_one_model(&self) -> bool {
        let is_of_model = ["network.", "train.", "tree."].iter().any(|table| self.key.starts_with(table));
        is_of_model && self.values.contains(&None) && are_equal(self.values.iter().flatten())
    }
}

/// Returns all settings of the groups in order of first occurrence. Foreign histories have no settings.
pub fn settings(groups: &[Group]) -> Vec<Setting> {
    let mut by_group: Vec<Option<IndexMap<String, String>>> = groups.iter().map(group_settings).collect();
    // a module in place of the layers of other groups is compared with them
    let has = |key: &str| by_group.iter().flatten().any(|settings| settings.contains_key(key));
    if has(LAYERS) && has(WHOLE_MODULE) {
        for settings in by_group.iter_mut().flatten().filter(|settings| !settings.contains_key(LAYERS)) {
            let module = settings.shift_remove(WHOLE_MODULE);
            settings.extend(module.map(|module| (LAYERS.to_owned(), module)));
        }
    }
    for choice in CHOICES {
        let chosen: BTreeSet<&String> = by_group.iter().flatten().filter_map(|settings| settings.get(choice)).collect();
        if chosen.len() > 1 {
            by_group.iter_mut().flatten().for_each(|settings| generalize(choice, settings));
        }
    }
    let all: IndexSet<&String> = by_group.iter().flatten().flat_map(|settings| settings.keys()).collect();
    let setting = |key: &String| Setting {
        key: key.clone(),
        values: by_group.iter().map(|settings| settings.as_ref()?.get(key).cloned()).collect(),
    };
    all.into_iter().map(setting).collect()
}

/// Renames the settings of a choice: `train.optimizer.*.lr` for `train.optimizer.adam.lr`.
fn generalize(choice: &str, settings: &mut IndexMap<String, String>) {
    let Some(chosen) = settings.get(choice) else { return };
    let start = format!("{choice}.{chosen}.");
    let renamed = |key: String| key.strip_prefix(&start).map(|rest| format!("{choice}.{ANY}.{rest}")).unwrap_or(key);
    *settings = std::mem::take(settings).into_iter().map(|(key, value)| (renamed(key), value)).collect();
}

/// Returns the key of a setting in a group: `train.optimizer.adam.lr` for `train.optimizer.*.lr`.
pub fn key_in(group: &Group, key: &str) -> String {
    let with_choice = key
        .split_once(&format!(".{ANY}."))
        .and_then(|(choice, rest)| Some(format!("{choice}.{}.{rest}", group_settings(group)?.get(choice)?)));
    with_choice.unwrap_or_else(|| key.to_owned())
}

/// Returns the settings that differ among the groups that have settings.
pub fn differing(groups: &[Group]) -> Vec<Setting> {
    let ours: Vec<bool> = groups.iter().map(|group| group.config().is_some()).collect();
    let differs = |setting: &Setting| {
        let known: Vec<&Option<String>> =
            setting.values.iter().zip(&ours).filter(|(_, ours)| **ours).map(|(value, _)| value).collect();
        let is_path = PATHS.iter().any(|(data, key)| setting.key == format!("data.{data}.{key}"));
        let is_same_file = is_path && have_the_same_data(groups) || have_the_same_module(groups, &setting.key);
        known.windows(2).any(|pair| pair[0] != pair[1]) && !is_same_file
    };
    settings(groups).into_iter().filter(differs).collect()
}

/// Returns the settings that differ, without those that only one of the chosen models, optimizers, losses, … has.
pub fn main_differences(groups: &[Group]) -> Vec<Setting> {
    let mut differing = differing(groups);
    let has_models = differing.iter().any(|setting| setting.key == "model");
    differing.retain(|setting| !(setting.is_implied() || has_models && setting.is_of_one_model()));
    differing
}

/// Returns whether all trials of `runner` were trained on data with the same checksum.
fn have_the_same_data(groups: &[Group]) -> bool {
    let histories = groups.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history());
    are_equal(histories.map(|history| &history.data.sha256))
}

/// Returns whether all values are equal.
fn are_equal<'a>(mut values: impl Iterator<Item = &'a String>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

/// Returns whether `key` names a module in all groups, with the same checksum.
fn have_the_same_module(groups: &[Group], key: &str) -> bool {
    let of_group = |group: &Group| group.trials.first()?.history()?.module(key).map(str::to_owned);
    let sums: Vec<Option<String>> = groups.iter().map(of_group).collect();
    sums.iter().all(|sum| sum.is_some() && *sum == sums[0])
}

/// Returns the settings of a group, with the seeds that its trials have.
fn group_settings(group: &Group) -> Option<IndexMap<String, String>> {
    let mut settings = flatten(group.config()?);
    if let Some(seeds) = settings.get_mut("seeds") {
        *seeds = format_seeds(&group.seeds());
    }
    settings.extend(modules(group));
    Some(settings)
}

/// Returns the modules written in PyTorch of a group by key, as the name of the file with the beginning of its checksum.
fn modules(group: &Group) -> IndexMap<String, String> {
    const DIGITS: usize = 8;
    let mut modules: IndexMap<String, String> = IndexMap::new();
    let histories = group.trials.iter().filter_map(|trial| trial.history());
    for module in histories.flat_map(|history| &history.modules) {
        let sum = &module.sha256[..module.sha256.len().min(DIGITS)];
        let name = module.path.rsplit(['/', '\\']).next().unwrap_or_default();
        let shown = modules.entry(module.key.clone()).or_insert_with(|| name.to_owned());
        if !shown.contains(sum) {
            *shown += &format!(" {sum}");
        }
    }
    modules
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use super::*;
    use crate::compare::trial::Trial;
    use crate::history::{History, trial_for_tests};

    fn group(label: &str, seeds: &[i64], config: Value) -> Group {
        let trial = |seed: &i64| {
            let history = History { config: config.clone(), ..trial_for_tests("base", *seed, 1.0) };
            Trial::from_history(history, PathBuf::new())
        };
        Group { label: label.to_owned(), trials: seeds.iter().map(trial).collect() }
    }

    #[test]
    fn only_what_differs_is_told_and_seeds_are_those_that_were_run() {
        let of = |lr: f64| json!({ "title": lr, "seeds": [9], "train": { "batch": 8, "lr": lr } });
        let groups = [group("a", &[0, 1, 2], of(0.1)), group("b", &[0, 5], of(0.2))];
        let found: Vec<(String, Vec<Option<String>>)> =
            differing(&groups).into_iter().map(|setting| (setting.key, setting.values)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                ("seeds".to_owned(), vec![some("0..2"), some("0, 5")]),
                ("train.lr".to_owned(), vec![some("0.1"), some("0.2")])
            ]
        );
    }

    #[test]
    fn different_choices_are_one_setting_and_share_those_of_the_same_name() {
        let of = |loss: Value, optimizer: Value| json!({ "train": { "loss": loss, "optimizer": optimizer } });
        let weighted = |weight: Value| json!({ "bce_with_logits": { "pos_weight": weight } });
        let configs = [
            of(weighted(Value::Null), json!({ "sgd": { "lr": 0.1, "momentum": 0.0, "eps": 1e-8 } })),
            of(weighted(json!(3)), json!({ "sgd": { "lr": 0.1, "momentum": 0.9, "eps": 1e-8 } })),
            of(weighted(json!(3)), json!({ "adam": { "lr": 0.001, "betas": [0.9, 0.99], "eps": 1e-8 } })),
        ];
        let groups = configs.map(|config| group("a", &[0], config));
        let shown = |settings: Vec<Setting>| -> Vec<String> {
            let value = |value: &Option<String>| value.clone().unwrap_or("–".to_owned());
            let values = |setting: &Setting| setting.values.iter().map(value).collect::<Vec<_>>().join(" ");
            settings.iter().map(|setting| format!("{}: {}", setting.key, values(setting))).collect()
        };
        let main = [
            "train.loss.bce_with_logits.pos_weight: – 3 3",
            "train.optimizer.*.lr: 0.1 0.1 0.001",
            "train.optimizer.*.momentum: 0.0 0.9 –",
            "train.optimizer: sgd sgd adam",
        ];
        let mut found = shown(main_differences(&groups));
        found.sort();
        assert_eq!(found, main);
        let all = shown(differing(&groups));
        assert_eq!(all.len(), 5);
        assert!(all.contains(&"train.optimizer.*.betas: – – [0.9, 0.99]".to_owned()), "{all:?}");
        assert_eq!(key_in(&groups[2], "train.optimizer.*.lr"), "train.optimizer.adam.lr");
        // the same choice in all groups: settings that only one has differ
        let of_two = ["train.optimizer.sgd.momentum: 0.0 0.9", "train.loss.bce_with_logits.pos_weight: – 3"];
        assert_eq!(shown(main_differences(&groups[..2])), of_two);
    }
}
