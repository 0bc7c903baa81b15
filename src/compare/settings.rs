//! Settings of trials by key, as short texts.

use indexmap::IndexMap;
use serde_json::Value;

use crate::history::History;

/// Keys that describe an experiment and do not change the training.
pub const DESCRIPTIVE_KEYS: [&str; 10] =
    ["name", "title", "question", "source", "lesson", "quick", "reference", "theirs", "expect", "variants"];

/// Paths of the user's data files. Files with the same checksum are the same data, wherever they are.
pub(super) const PATHS: [(&str, &str); 11] = [
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
pub(super) const CHOICES: [&str; 7] = [
    "data",
    "network.init",
    "resample",
    "train.loss",
    "train.optimizer",
    "train.schedule",
    "train.schedule.warm_up.then",
];

/// Key of the layers of a network.
pub(super) const LAYERS: &str = "network.layers";

/// Key of the path of a module written in PyTorch. Files with the same checksum are the same module, wherever they are.
const MODULE: &str = "torchscript";

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
    use serde_json::json;

    use super::*;
    use crate::history::trial_for_tests;

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
    fn identity_leaves_out_the_seed_and_words() {
        let of = |title: &str, lr: f64, seed: i64| {
            let config = json!({ "title": title, "seeds": [seed], "train": { "lr": lr } });
            identity(&History { config, ..trial_for_tests("base", seed, 1.0) })
        };
        assert_eq!(of("a", 0.1, 0), of("b", 0.1, 7));
        assert_ne!(of("a", 0.1, 0), of("a", 0.2, 0));
    }
}
