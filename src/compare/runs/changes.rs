//! What a run changed in its experiment, on the command line or in the file: `lr=0.1 seeds=0..4`.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use indexmap::{IndexMap, IndexSet};

use crate::compare::settings::{choice_of, flatten, flatten_value, format_seeds};
use crate::experiment::spec::overrides;
use crate::history::History;
use crate::history::provenance::{Origin, is_within};

/// A changed setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The complete key: `train.optimizer.adam.lr`.
    pub key: String,
    /// The new value, as short as possible: `0..4` for seeds, no quotes.
    pub value: String,
}

/// Value of a setting that was removed.
const UNSET: &str = "none";

/// Returns the changes that a run recorded, as `--set` and `--unset` take them. Of several changes of one key, the last
/// counts. A table is its settings. Other values are as they were written: `1e-5`.
pub fn parse(overrides: &[String]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for text in overrides {
        let (key, settings) = match overrides::parse(text) {
            Ok((key, value)) if value.is_null() => (key, IndexMap::from([(key.to_owned(), UNSET.to_owned())])),
            Ok((key, value)) if value.is_object() || value.is_array() => (key, flatten_value(key, &value)),
            Ok((key, _)) => {
                let written = text.split_once('=').map_or("", |(_, value)| value.trim());
                (key, IndexMap::from([(key.to_owned(), written.to_owned())]))
            }
            Err(_) => (text.as_str(), IndexMap::from([(text.clone(), String::new())])),
        };
        changes.retain(|other| !is_within(&other.key, key));
        changes.extend(settings.into_iter().map(|(key, value)| Change { value: shorten(&key, &value), key }));
    }
    changes
}

/// Returns the settings of a run's experiment file that differ from those of another run's file. Settings of the command
/// line and of variants are left out, and so are those with different defaults.
pub fn of_file(history: &History, reference: &History) -> Vec<Change> {
    let (Some(asked), Some(other_asked)) = (&history.asked, &reference.asked) else { return Vec::new() };
    let (settings, others) = (flatten(&history.config), flatten(&reference.config));
    let has_other_choice = |key: &str| choice_of(key).is_some_and(|choice| settings.get(choice) != others.get(choice));
    // another model has other settings
    let has_other_model = settings.get("model") != others.get("model");
    let is_of_model = |key: &str| ["network", "train", "tree"].contains(&key.split('.').next().unwrap_or(key));
    let keys = settings.keys().chain(others.keys()).filter(|key| !has_other_model || !is_of_model(key));
    let keys: IndexSet<&String> = keys.collect();
    let changed = keys.into_iter().filter_map(|key| {
        let origins = [asked.origin(key), other_asked.origin(key)];
        let is_of_file = origins.contains(&Origin::File) && origins.iter().all(|origin| *origin >= Origin::File);
        let value = match (settings.get(key), others.get(key)) {
            (Some(value), other) if Some(value) != other && is_of_file => shorten(key, value),
            (None, Some(_)) if is_of_file && !has_other_choice(key) => UNSET.to_owned(),
            _ => return None,
        };
        Some(Change { key: key.clone(), value })
    });
    changed.collect()
}

/// Returns the value of a setting without quotes; a list of consecutive seeds as a range.
pub fn shorten(key: &str, value: &str) -> String {
    let items = value.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let seeds = items.filter(|_| key == "seeds").map(|items| items.split(',').map(|seed| seed.trim().parse::<i64>()));
    if let Some(Ok(seeds)) = seeds.map(Iterator::collect::<Result<Vec<i64>, _>>) {
        return format_seeds(&seeds).replace(", ", ",");
    }
    let text = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    let value = text('"').or(text('\'')).unwrap_or(value);
    let is_path = matches!(key.rsplit('.').next(), Some("torchscript" | "path" | "root" | "from"));
    if is_path { shorten_path(value) } else { value.to_owned() }
}

/// Returns an absolute path with its last directory and its name only: `…/data/train.csv`.
fn shorten_path(path: &str) -> String {
    let path_of = Path::new(path);
    let mut parts = path_of.components().rev().filter_map(|part| part.as_os_str().to_str());
    match (path_of.is_absolute(), parts.next(), parts.next()) {
        (true, Some(name), Some(directory)) if path_of.components().count() > 3 => format!("…/{directory}/{name}"),
        _ => path.to_owned(),
    }
}

/// Short labels of keys: the last parts of each key that no other key ends in.
#[derive(Clone, Debug, Default)]
pub struct ShortKeys(HashMap<String, String>);

impl ShortKeys {
    /// Chooses the labels for these keys.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> ShortKeys {
        let keys: BTreeSet<&str> = keys.into_iter().collect();
        let mut endings: HashMap<&str, usize> = HashMap::new();
        keys.iter().flat_map(|key| endings_of(key)).for_each(|ending| *endings.entry(ending).or_default() += 1);
        // the place in a list says nothing without the list: `layers.1`
        let is_place = |ending: &str| ending.bytes().all(|byte| byte.is_ascii_digit());
        let is_clear = |ending: &&str| endings[ending] == 1 && !is_place(ending);
        let short = |key: &str| endings_of(key).find(is_clear).unwrap_or(key).to_owned();
        ShortKeys(keys.iter().map(|key| ((*key).to_owned(), short(key))).collect())
    }

    /// Chooses the labels of changes in lists. Settings of different optimizers, losses, … share a label: `lr`.
    pub fn for_lists<'a>(keys: impl IntoIterator<Item = &'a str>) -> ShortKeys {
        let without_choice: HashMap<&str, String> = keys.into_iter().map(|key| (key, without_choice(key))).collect();
        let short = ShortKeys::new(without_choice.values().map(String::as_str));
        ShortKeys(
            without_choice.iter().map(|(key, shared)| ((*key).to_owned(), short.label(shared).to_owned())).collect(),
        )
    }

    /// Returns the label of a key.
    pub fn label<'a>(&'a self, key: &'a str) -> &'a str {
        self.0.get(key).map_or(key, String::as_str)
    }

    /// Returns changes as text: `lr=0.1 seeds=0..4 layers=64,relu,10`.
    pub fn describe(&self, changes: &[Change]) -> String {
        self.each(changes).join(" ")
    }

    /// Returns each change as text.
    pub fn each(&self, changes: &[Change]) -> Vec<String> {
        let one = |change: &Change| format!("{}={}", self.label(&change.key), change.value.replace(", ", ","));
        changes.iter().map(one).collect()
    }
}

/// Returns a key without the name of the choice that it belongs to: `train.optimizer.lr` for `train.optimizer.adam.lr`.
fn without_choice(key: &str) -> String {
    let parts = choice_of(key).and_then(|choice| Some((choice, key[choice.len() + 1..].split_once('.')?)));
    parts.map_or_else(|| key.to_owned(), |(choice, (_, rest))| format!("{choice}.{rest}"))
}

/// Returns the ends of a key, the shortest first: `lr`, `adam.lr`, `optimizer.adam.lr`, …
fn endings_of(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('.').map(|(dot, _)| &key[dot + 1..]).chain([key])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::provenance::Provenance;
    use crate::history::trial_for_tests;
    use serde_json::json;

    #[test]
    fn changes_are_short_and_their_keys_as_long_as_is_unique() {
        let overrides = ["train.optimizer.adam.lr=0.1", "seeds=[0, 1, 2, 3]", "train.loss=\"mse\"", "seeds=[3, 5]"];
        let changes = parse(&overrides.map(str::to_owned));
        let keys = || changes.iter().map(|change| change.key.as_str());
        assert_eq!(ShortKeys::new(keys()).describe(&changes), "lr=0.1 loss=mse seeds=3,5");
        let longer = ShortKeys::new(keys().chain(["train.optimizer.sgd.lr"]));
        assert_eq!(longer.describe(&changes), "adam.lr=0.1 loss=mse seeds=3,5");
        let shared = ShortKeys::for_lists(keys().chain(["train.optimizer.sgd.lr"]));
        assert_eq!(shared.describe(&changes), "lr=0.1 loss=mse seeds=3,5");
        assert_eq!(parse(&["seeds=[0, 1, 2, 3]".to_owned()])[0].value, "0..3");
        let places = ShortKeys::for_lists(["network.layers.1", "network.layers.3.dropout.p"]);
        assert_eq!(
            ["network.layers.1", "network.layers.3.dropout.p"].map(|key| places.label(key).to_owned()),
            ["layers.1", "p"]
        );
    }

    #[test]
    fn a_table_is_its_settings_and_layers_are_short() {
        let described = |overrides: &[&str]| {
            let changes = parse(&overrides.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
            let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
            ShortKeys::new(keys).describe(&changes)
        };
        assert_eq!(
            described(&["train.optimizer.adam.lr=0.1", "train.optimizer={ sgd = { lr = 0.2 } }"]),
            "optimizer=sgd lr=0.2"
        );
        assert_eq!(
            described(&[r#"network.layers=[{ linear = 64 }, "relu", { linear = { units = 10 } }]"#]),
            "layers=64,relu,10"
        );
        assert_eq!(described(&["unset train.clip"]), "clip=none");
        assert_eq!(described(&["network.torchscript=\"/home/me/nets/a.pt\""]), "torchscript=…/nets/a.pt");
        assert_eq!(described(&["data.csv.path=nets/more/a.csv"]), "path=nets/more/a.csv");
    }

    #[test]
    fn an_edited_file_has_the_settings_that_differ_from_the_other_file() {
        let of = |config: serde_json::Value, file: &[&str], command: &[&str]| {
            let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
            let asked =
                Provenance { set_by_file: keys(file), set_by_command_line: keys(command), ..Provenance::default() };
            History { config, asked: Some(asked), ..trial_for_tests("base", 0, 1.0) }
        };
        let train = |epochs: usize, optimizer: serde_json::Value, rest: serde_json::Value| json!({ "train": { "epochs": epochs, "optimizer": optimizer, "batch": 8, "clip": rest } });
        let sgd = |lr: f64| json!({ "sgd": { "lr": lr, "momentum": 0.0 } });
        let reference = of(
            train(5, sgd(0.1), json!({ "norm": 1.0 })),
            &["train.optimizer.sgd.lr", "train.clip.norm"],
            &["train.epochs"],
        );
        let adam = json!({ "adam": { "lr": 0.001, "betas": [0.9, 0.99] } });
        let edited = of(train(9, adam, json!(null)), &["train.epochs", "train.optimizer.adam.lr"], &[]);
        let described = |history: &History| {
            let found = of_file(history, &reference).into_iter();
            found.map(|change| format!("{}={}", change.key, change.value)).collect::<Vec<_>>()
        };
        assert_eq!(
            described(&edited),
            ["train.optimizer=adam", "train.optimizer.adam.lr=0.001", "train.clip.norm=none"],
            "epochs are unknown in the other file"
        );
        assert!(described(&reference).is_empty());
    }
}
