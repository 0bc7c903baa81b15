//! Settings of trials by key, and which of them differ between groups.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use serde_json::Value;

use crate::compare::group::Group;
use crate::history::History;

/// Keys that describe an experiment and do not change the training.
pub const DESCRIPTIVE_KEYS: [&str; 10] =
    ["name", "title", "question", "source", "lesson", "quick", "reference", "theirs", "expect", "variants"];

/// Paths of the user's data files. Files with the same checksum are the same data, wherever they are.
const PATHS: [(&str, &str); 11] = [
    ("csv", "path"),
    ("idx", "images"),
    ("idx", "labels"),
    ("idx", "test_images"),
    ("idx", "test_labels"),
    ("arrays", "path"),
    ("images", "path"),
    ("images", "validation"),
    ("images", "test"),
    ("images", "root"),
    ("text", "path"),
];

/// Keys of choices: a table with a single key, the name of the chosen optimizer, loss, …, with its settings below it.
const CHOICES: [&str; 7] = [
    "data",
    "network.init",
    "resample",
    "train.loss",
    "train.optimizer",
    "train.schedule",
    "train.schedule.warm_up.then",
];

/// Key of the layers of a network.
const LAYERS: &str = "network.layers";

/// Key of a module that is the whole network.
const WHOLE_MODULE: &str = "network.torchscript";

/// Key of the path of a module written in PyTorch. Files with the same checksum are the same module, wherever they are.
const MODULE: &str = "torchscript";

/// The part of a key that is in place of the chosen name if groups have different ones: `train.optimizer.*.lr`.
const ANY: &str = "*";

/// Returns the settings of a trial without its seed: two trials with the same identity differ only by chance.
pub fn identity(history: &History) -> String {
    let mut config = history.config.clone();
    if let Value::Object(config) = &mut config {
        config.retain(|key, _| key != "seeds" && !DESCRIPTIVE_KEYS.contains(&key.as_str()));
        for (data, key) in PATHS {
            let settings = config.get_mut("data").and_then(|all| all.get_mut(data)).and_then(Value::as_object_mut);
            settings.map(|settings| settings.shift_remove(key));
        }
    }
    // files of one seed each differ by chance
    let modules = history.modules.iter().filter(|module| !module.path.contains("{seed}"));
    let modules: Vec<&str> = modules.map(|module| module.sha256.as_str()).collect();
    format!("{} {} {} {modules:?} {config}", history.experiment, history.variant, history.data.sha256)
}

/// Returns the settings by key, as written in an experiment file and on the command line (`train.optimizer.adam.lr`),
/// without unset ones and those of the model that is not trained. A list of plain values is one setting, and so is the name of
/// a choice (`train.optimizer`).
pub fn flatten(config: &Value) -> IndexMap<String, String> {
    let unused: &[&str] = match config["model"].as_str() {
        Some("tree") => &["network", "train"],
        Some("network") => &["tree"],
        _ => &[],
    };
    let mut settings = IndexMap::new();
    if let Value::Object(fields) = config {
        let is_shown = |key: &str| !DESCRIPTIVE_KEYS.contains(&key) && !unused.contains(&key);
        for (key, value) in fields.iter().filter(|(key, _)| is_shown(key)) {
            add(key.clone(), value, &mut settings);
        }
    }
    settings
}

/// Returns the settings in the value of a key.
pub fn flatten_value(key: &str, value: &Value) -> IndexMap<String, String> {
    let mut settings = IndexMap::new();
    add(key.to_owned(), value, &mut settings);
    settings
}

/// Returns the key of the choice that a setting belongs to: `train.optimizer` for `train.optimizer.adam.lr`.
pub fn choice_of(key: &str) -> Option<&'static str> {
    CHOICES.into_iter().rev().find(|choice| key.strip_prefix(choice).is_some_and(|rest| rest.starts_with('.')))
}

fn add(key: String, value: &Value, settings: &mut IndexMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) if fields.len() == 1 && CHOICES.contains(&key.as_str()) => {
            for (chosen, value) in fields {
                settings.insert(key.clone(), chosen.clone());
                if let Some(path) = value.as_str().filter(|_| chosen == MODULE) {
                    settings.insert(format!("{key}.{chosen}"), path.to_owned());
                }
                for (name, value) in value.as_object().into_iter().flatten() {
                    add(format!("{key}.{chosen}.{name}"), value, settings);
                }
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            let before = settings.len();
            for (name, value) in fields {
                add(format!("{key}.{name}"), value, settings);
            }
            if settings.len() == before {
                settings.insert(key, "set".to_owned()); // all that it holds is left to its default
            }
        }
        Value::Array(items) if key == "network.layers" => {
            settings.insert(key, collapse_repeats(&items.iter().map(format_layer).collect::<Vec<_>>()).join(", "));
        }
        Value::Array(items) if items.iter().any(|item| item.is_object()) => {
            for (place, item) in items.iter().enumerate() {
                add(format!("{key}.{place}"), item, settings);
            }
        }
        value => {
            settings.insert(key, format_value(value));
        }
    }
}

/// Collapses repeated layers: `(32, relu) × 8`.
fn collapse_repeats(layers: &[String]) -> Vec<String> {
    let mut collapsed = Vec::new();
    let mut rest = layers;
    while !rest.is_empty() {
        let repeats = |period: usize| rest.chunks_exact(period).take_while(|chunk| *chunk == &rest[..period]).count();
        let periods = (1..=rest.len() / 3).map(|period| (period, repeats(period))).filter(|(_, times)| *times >= 3);
        let most = periods.max_by_key(|(period, times)| (period * times, usize::MAX - period));
        collapsed.push(match most {
            Some((1, times)) => format!("{} × {times}", rest[0]),
            Some((period, times)) => format!("({}) × {times}", rest[..period].join(", ")),
            None => rest[0].clone(),
        });
        rest = &rest[most.map_or(1, |(period, times)| period * times)..];
    }
    collapsed
}

/// Returns the short form of a layer: `64` for a linear layer with 64 units, `dropout 0.2`, `relu`; defaults are left
/// out.
fn format_layer(layer: &Value) -> String {
    let Some((kind, settings)) = layer.as_object().and_then(|layer| layer.iter().next()) else {
        return format_value(layer);
    };
    let of_default = |value: &Value| value.is_null() || *value == Value::Bool(true);
    // the size of the input follows from the layer before
    let is_input = |key: &str| matches!(key, "in_features" | "in_channels" | "input_size");
    let settings: Vec<String> = match settings {
        Value::Object(settings) => settings
            .iter()
            .filter(|(key, value)| !of_default(value) && !is_input(key))
            .enumerate()
            .map(|(place, (key, value))| match place == 0 || key == "layers" {
                true => format_value(value),
                false => format!("{key} {}", format_value(value)),
            })
            .collect(),
        value => vec![format_value(value)],
    };
    match kind.as_str() {
        "linear" if !settings.is_empty() => settings.join(" "),
        kind => format!("{kind} {}", settings.join(" ")).trim_end().to_owned(),
    }
}

/// Returns a value without JSON quotes; a layer in it, as in a residual block, in its short form.
fn format_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(format_value).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.len() == 1 => format_layer(value),
        value => value.to_string(),
    }
}

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

/// Formats seeds: `0..4` for 0, 1, 2, 3, 4; otherwise `1, 5, 7`.
pub fn format_seeds(seeds: &[i64]) -> String {
    match seeds {
        [first, .., last] if seeds.len() > 2 && last.checked_sub(*first) == Some(seeds.len() as i64 - 1) => {
            format!("{first}..{last}")
        }
        _ => seeds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compare::trial::Trial;
    use crate::history::trial_for_tests;
    use serde_json::json;

    fn group(label: &str, seeds: &[i64], config: Value) -> Group {
        let trial = |seed: &i64| {
            let history = History { config: config.clone(), ..trial_for_tests("base", *seed, 1.0) };
            Trial::from_history(history, PathBuf::new())
        };
        Group { label: label.to_owned(), trials: seeds.iter().map(trial).collect() }
    }

    #[test]
    fn keys_are_those_of_the_command_line() {
        let config = json!({
            "title": "words", "model": null, "seeds": [0, 1],
            "network": { "layers": [{ "linear": { "units": 64, "init": null } }, "relu"] },
            "train": { "optimizer": { "adam": { "lr": 0.001, "betas": [0.9, 0.999] } }, "observe": [] },
        });
        let settings: Vec<String> = flatten(&config).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            settings,
            [
                "seeds=[0, 1]",
                "network.layers=64, relu",
                "train.optimizer=adam",
                "train.optimizer.adam.lr=0.001",
                "train.optimizer.adam.betas=[0.9, 0.999]",
                "train.observe=[]",
            ]
        );
    }

    #[test]
    fn layers_in_layers_are_short_too() {
        let linear = json!({ "linear": { "units": 8, "in_features": null, "bias": true, "init": null } });
        let branches = json!([["flatten"], [{ "dropout": { "p": 0.3 } }]]);
        let residual = json!({ "residual": { "layers": [linear, "relu"] } });
        let layers = json!([
            { "repeat": { "times": 2, "layers": [linear, "relu", residual] } },
            { "residual": ["tanh", linear] },
            { "parallel": { "branches": branches, "join": "concat" } },
            { "reshape": [1, 8, 8] },
        ]);
        assert_eq!(
            flatten_value(LAYERS, &layers)[LAYERS],
            "repeat 2 [8, relu, residual [8, relu]], residual [tanh, 8], \
             parallel [[flatten], [dropout 0.3]] join concat, reshape [1, 8, 8]"
        );
    }

    #[test]
    fn layers_that_come_again_are_told_once() {
        let layers = |text: &str| collapse_repeats(&text.split(' ').map(str::to_owned).collect::<Vec<_>>()).join(", ");
        assert_eq!(layers("64 relu 32 relu 10"), "64, relu, 32, relu, 10");
        assert_eq!(layers("32 relu 32 relu 32 relu 32 relu 10"), "(32, relu) × 4, 10");
        assert_eq!(layers("8 8 8 8 1"), "8 × 4, 1");
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

    #[test]
    fn identity_leaves_out_the_seed_and_words() {
        let of = |title: &str, lr: f64, seed: i64| {
            let config = json!({ "title": title, "seeds": [seed], "train": { "lr": lr } });
            identity(&History { config, ..trial_for_tests("base", seed, 1.0) })
        };
        assert_eq!(of("a", 0.1, 0), of("b", 0.1, 7));
        assert_ne!(of("a", 0.1, 0), of("a", 0.2, 0));
    }
}
