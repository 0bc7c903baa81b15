//! Settings of trials by their keys, and which of them differ.

use indexmap::IndexMap;
use serde_json::Value;

use crate::compare::group::Group;
use crate::history::History;

/// What is said about an experiment, and changes nothing of what is trained.
const WORDS: [&str; 9] = ["name", "title", "question", "source", "lesson", "quick", "theirs", "expect", "variants"];

/// Where the user's own data files lie. Files with the same checksum are the same data, wherever they lie.
const PATHS: [(&str, &str); 5] =
    [("csv", "path"), ("idx", "images"), ("idx", "labels"), ("idx", "test_images"), ("idx", "test_labels")];

/// What a trial's settings are, but for its seed: two trials of the same identity differ by luck alone.
pub fn identity(history: &History) -> String {
    let mut config = history.config.clone();
    if let Value::Object(config) = &mut config {
        config.retain(|key, _| key != "seeds" && !WORDS.contains(&key.as_str()));
        for (data, key) in PATHS {
            let settings = config.get_mut("data").and_then(|all| all.get_mut(data)).and_then(Value::as_object_mut);
            settings.map(|settings| settings.shift_remove(key));
        }
    }
    format!("{} {} {} {config}", history.experiment, history.variant, history.data.sha256)
}

/// The settings of a history by their keys, as they are written in an experiment file and on the command line
/// (`train.optimizer.adam.lr`); what is not set is left out. A list of plain values is one setting.
pub fn flat(config: &Value) -> IndexMap<String, String> {
    let mut settings = IndexMap::new();
    if let Value::Object(fields) = config {
        for (key, value) in fields.iter().filter(|(key, _)| !WORDS.contains(&key.as_str())) {
            add(key.clone(), value, &mut settings);
        }
    }
    settings
}

fn add(key: String, value: &Value, settings: &mut IndexMap<String, String>) {
    match value {
        Value::Null => {}
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
            settings.insert(key, folded(&items.iter().map(layer).collect::<Vec<_>>()).join(", "));
        }
        Value::Array(items) if items.iter().any(|item| item.is_object()) => {
            for (place, item) in items.iter().enumerate() {
                add(format!("{key}.{place}"), item, settings);
            }
        }
        value => {
            settings.insert(key, shown(value));
        }
    }
}

/// Layers that come again and again are told once: `(32, relu) × 8`.
fn folded(layers: &[String]) -> Vec<String> {
    let mut folded = Vec::new();
    let mut rest = layers;
    while !rest.is_empty() {
        let repeats = |period: usize| rest.chunks_exact(period).take_while(|chunk| *chunk == &rest[..period]).count();
        let periods = (1..=rest.len() / 3).map(|period| (period, repeats(period))).filter(|(_, times)| *times >= 3);
        let most = periods.max_by_key(|(period, times)| (period * times, usize::MAX - period));
        folded.push(match most {
            Some((1, times)) => format!("{} × {times}", rest[0]),
            Some((period, times)) => format!("({}) × {times}", rest[..period].join(", ")),
            None => rest[0].clone(),
        });
        rest = &rest[most.map_or(1, |(period, times)| period * times)..];
    }
    folded
}

/// A layer as shortly as can be: `64` for a linear one of so many units, `dropout 0.2`, `relu`; what is left to its
/// default is left out.
fn layer(layer: &Value) -> String {
    let Some((kind, settings)) = layer.as_object().and_then(|layer| layer.iter().next()) else { return shown(layer) };
    let of_default = |value: &Value| value.is_null() || *value == Value::Bool(true);
    let settings: Vec<String> = match settings {
        Value::Object(settings) => settings
            .iter()
            .filter(|(_, value)| !of_default(value))
            .enumerate()
            .map(|(place, (key, value))| if place == 0 { shown(value) } else { format!("{key} {}", shown(value)) })
            .collect(),
        value => vec![shown(value)],
    };
    match kind.as_str() {
        "linear" if !settings.is_empty() => settings.join(" "),
        kind => format!("{kind} {}", settings.join(" ")).trim_end().to_owned(),
    }
}

/// A value as a person writes it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        value => value.to_string(),
    }
}

/// A setting, and what each group has it at; `None` where it does not have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// The value of each group.
    pub values: Vec<Option<String>>,
}

/// All settings of the groups, in the order in which they first come. Groups of another program have none, and make
/// none differ.
pub fn settings(groups: &[Group]) -> Vec<Setting> {
    let flat: Vec<Option<IndexMap<String, String>>> = groups.iter().map(of_group).collect();
    let mut all: IndexMap<&str, ()> = IndexMap::new();
    for settings in flat.iter().flatten() {
        all.extend(settings.keys().map(|key| (key.as_str(), ())));
    }
    let setting = |key: &str| Setting {
        key: key.to_owned(),
        values: flat.iter().map(|settings| settings.as_ref()?.get(key).cloned()).collect(),
    };
    all.keys().map(|key| setting(key)).collect()
}

/// Those that differ among the groups that have settings.
pub fn differing(groups: &[Group]) -> Vec<Setting> {
    let ours: Vec<bool> = groups.iter().map(|group| group.config().is_some()).collect();
    let differs = |setting: &Setting| {
        let known: Vec<&Option<String>> =
            setting.values.iter().zip(&ours).filter(|(_, ours)| **ours).map(|(value, _)| value).collect();
        let is_path = PATHS.iter().any(|(data, key)| setting.key == format!("data.{data}.{key}"));
        known.windows(2).any(|pair| pair[0] != pair[1]) && !(is_path && have_the_same_data(groups))
    };
    settings(groups).into_iter().filter(differs).collect()
}

/// Whether all trials of ours were trained on data with the same checksum.
fn have_the_same_data(groups: &[Group]) -> bool {
    let histories = groups.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history());
    let mut sums = histories.map(|history| &history.data.sha256);
    let first = sums.next();
    sums.all(|sum| Some(sum) == first)
}

/// The settings of a group; the seeds are those that its trials have.
fn of_group(group: &Group) -> Option<IndexMap<String, String>> {
    let mut settings = flat(group.config()?);
    if let Some(seeds) = settings.get_mut("seeds") {
        *seeds = seeds_in_words(&group.seeds());
    }
    Some(settings)
}

/// `0..4` for all of 0, 1, 2, 3, 4; `1, 5, 7` otherwise.
pub fn seeds_in_words(seeds: &[i64]) -> String {
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
            Trial::ours(history, PathBuf::new())
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
        let flat: Vec<String> = flat(&config).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            flat,
            [
                "seeds=[0, 1]",
                "network.layers=64, relu",
                "train.optimizer.adam.lr=0.001",
                "train.optimizer.adam.betas=[0.9, 0.999]",
                "train.observe=[]",
            ]
        );
    }

    #[test]
    fn layers_that_come_again_are_told_once() {
        let layers = |text: &str| folded(&text.split(' ').map(str::to_owned).collect::<Vec<_>>()).join(", ");
        assert_eq!(layers("64 relu 32 relu 10"), "64, relu, 32, relu, 10");
        assert_eq!(layers("32 relu 32 relu 32 relu 32 relu 10"), "(32, relu) × 4, 10");
        assert_eq!(layers("8 8 8 8 1"), "8 × 4, 1");
    }

    #[test]
    fn only_what_differs_is_told_and_seeds_are_those_that_were_run() {
        let of = |lr: f64| json!({ "title": lr, "seeds": [9], "train": { "batch": 8, "lr": lr } });
        let groups = [group("a", &[0, 1, 2], of(0.1)), group("b", &[0, 5], of(0.2))];
        let told: Vec<(String, Vec<Option<String>>)> =
            differing(&groups).into_iter().map(|setting| (setting.key, setting.values)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("seeds".to_owned(), vec![some("0..2"), some("0, 5")]),
                ("train.lr".to_owned(), vec![some("0.1"), some("0.2")])
            ]
        );
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
