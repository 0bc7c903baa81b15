//! Finds where each setting was set: in the experiment file, in the variant or on the command line.
//!
//! The written settings are compared with the resolved settings. A shorthand (`{ linear = 64 }`) sets the one setting with
//! this value. An alias (`learning_rate`) sets the setting with the same value that has no key of the file. A name
//! (`optimizer = "adam"`) sets the choice, but none of its settings.

use serde_json::{Map, Value};

use crate::experiment::spec::former_keys::current_path;
use crate::experiment::spec::{Spec, Variant, aliases, overrides, setting_keys};
use crate::history::provenance::{Provenance, is_within};

/// Returns the keys of the settings in an experiment file: `text` is the file and `written` its parsed form.
pub fn keys_of_file(text: &str, written: &Spec) -> Vec<String> {
    let written = tree(written);
    let of_file = toml_edit::de::from_str::<Value>(text).unwrap_or_default();
    let mut keys = Vec::new();
    for (key, value) in of_file.as_object().into_iter().flatten() {
        if let (true, Some(read)) = (setting_keys::is_varied(key), written.get(key)) {
            add(key.clone(), value, read, &mut keys);
        }
    }
    keys
}

/// Returns where the settings of one variant were set. `of_file` are the keys of the experiment file, and `resolved` has
/// the settings after the variant and the overrides of the command line.
pub fn provenance(of_file: &[String], variant: Option<&Variant>, changes: &[String], resolved: &Spec) -> Provenance {
    let resolved = tree(resolved);
    let mut found = Provenance { set_by_file: of_file.to_vec(), overrides: changes.to_vec(), ..Provenance::default() };
    for (path, value) in variant.iter().flat_map(|variant| &variant.set) {
        let path = &*overrides::canonical(&resolved, &current_path(path));
        found.set_by_file.retain(|key| !is_within(key, path));
        found.set_by_variant.retain(|key| !is_within(key, path));
        add_at(path, value, &resolved, &mut found.set_by_variant);
    }
    for (path, value) in changes.iter().filter_map(|change| overrides::parse(change).ok()) {
        let path = &*overrides::canonical(&resolved, &current_path(path));
        for keys in [&mut found.set_by_file, &mut found.set_by_variant, &mut found.set_by_command_line] {
            keys.retain(|key| !is_within(key, path));
        }
        add_at(path, &value, &resolved, &mut found.set_by_command_line);
    }
    found
}

fn tree(spec: &Spec) -> Value {
    serde_json::to_value(spec).expect("an experiment has JSON types only")
}

/// Adds the keys that are set if a setting is replaced by this value.
fn add_at(path: &str, value: &Value, resolved: &Value, keys: &mut Vec<String>) {
    let place = path.split('.').try_fold(resolved, |place, part| match place {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        place => place.get(part),
    });
    match place {
        Some(place) => add(path.to_owned(), value, place, keys),
        None => keys.push(path.to_owned()),
    }
}

/// Adds the keys that a written value sets in its resolved form.
fn add(key: String, written: &Value, resolved: &Value, keys: &mut Vec<String>) {
    match (written, resolved) {
        (Value::Object(written), Value::Object(resolved)) => add_fields(&key, written, resolved, keys),
        (Value::Array(written), Value::Array(resolved))
            if written.len() == resolved.len() && resolved.iter().any(Value::is_object) =>
        {
            for (place, (written, resolved)) in written.iter().zip(resolved).enumerate() {
                add(format!("{key}.{place}"), written, resolved, keys);
            }
        }
        // a shorthand: the choice with this name, or the one setting with this value
        (plain, Value::Object(resolved)) if !plain.is_object() => {
            let is_named = |name: &str| {
                plain.as_str().is_some_and(|text| text == name || aliases::current(text).any(|known| known == name))
            };
            let found = resolved.iter().find(|(name, value)| is_named(name) || is_same(plain, value));
            keys.push(found.map_or_else(|| key.clone(), |(name, _)| format!("{key}.{name}")));
        }
        _ => keys.push(key),
    }
}

fn add_fields(key: &str, written: &Map<String, Value>, resolved: &Map<String, Value>, keys: &mut Vec<String>) {
    if written.is_empty() && key.contains('.') {
        keys.push(key.to_owned()); // a choice, such as `[data.digits]`, with the defaults of its settings
    }
    let unwritten = || resolved.iter().filter(|(name, _)| !written.contains_key(*name));
    for (name, value) in written {
        let by_name = resolved.get_key_value(name);
        let by_alias = || match written.len() == 1 && resolved.len() == 1 {
            true => resolved.iter().next(), // an alias of the choice: `dense`
            false => aliases::current(name)
                .find_map(|known| resolved.get_key_value(known))
                .or_else(|| unwritten().find(|(_, other)| is_same(value, other))),
        };
        match by_name.or_else(by_alias) {
            Some((name, place)) => add(format!("{key}.{name}"), value, place, keys),
            None => keys.push(format!("{key}.{name}")),
        }
    }
}

/// Returns whether both values are equal; 1 equals 1.0.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use crate::experiment::plan::study::Study;
    use crate::experiment::spec::source_text::SourceText;
    use crate::history::provenance::Origin;

    const TEXT: &str = r#"
title = "t"
seeds = [0]

[data.digits]
split = { test = 0.2, random_state = 42 }

[network]
layers = [{ dense = 32 }, "relu", { linear = { units = 10, bias = false } }]

[train]
epochs    = 5
batch     = 8
loss      = "cross_entropy"
optimizer = { sgd = { learning_rate = 0.5 } }
metrics   = ["acc"]

[[variants]]
name = "a"

[[variants]]
name = "b"
set  = { "train.optimizer" = { adam = { lr = 0.01 } }, "network.init" = "he_normal" }
"#;

    fn origins(variant: usize, changes: &[&str], keys: &[&str]) -> Vec<Origin> {
        let source = SourceText {
            name: "t".to_owned(),
            origin: "t.toml".to_owned(),
            text: TEXT.to_owned(),
            ..SourceText::default()
        };
        let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
        let study = Study::new(&source, &changes).unwrap();
        let provenance = study.plans[variant].asked.clone().unwrap();
        keys.iter().map(|key| provenance.origin(key)).collect()
    }

    #[test]
    fn shorthands_and_aliases_are_set_by_the_file() {
        let of_file = [
            "seeds",
            "data.digits.split.test",
            "data.digits.split.random_state",
            "network.layers.0.linear.units",
            "network.layers.1",
            "network.layers.2.linear.bias",
            "train.epochs",
            "train.optimizer.sgd.lr",
            "train.metrics",
        ];
        assert_eq!(origins(0, &[], &of_file), [Origin::File; 9]);
        let defaults = [
            "data.digits.split.stratify",
            "network.init",
            "network.layers.0.linear.bias",
            "train.shuffle",
            "train.optimizer.sgd.momentum",
            "train.loss.cross_entropy.label_smoothing",
        ];
        assert_eq!(origins(0, &[], &defaults), [Origin::Default; 6]);
    }

    #[test]
    fn a_choice_is_set_by_its_name_or_its_empty_table_and_an_alias_sets_its_own_key() {
        let text = "title = \"t\"\ndata = \"digits\"\n[network]\nlayers = [{ linear = 10 }]\n[train]\nepochs = 5\n\
                    batch_size = 32\nloss = \"cross_entropy\"\noptimizer = { adam = {} }\nearly_stopping = { patience = 32 }\n";
        let source = SourceText { name: "t".to_owned(), text: text.to_owned(), ..SourceText::default() };
        let study = Study::new(&source, &[]).unwrap();
        let asked = study.plans[0].asked.clone().unwrap();
        let origins = ["data.digits", "train.batch", "train.loss.cross_entropy", "train.optimizer.adam"];
        assert_eq!(origins.map(|key| asked.origin(key)), [Origin::File; 4], "{asked:?}");
        let defaults = ["data.digits.split", "train.optimizer.adam.lr", "train.early_stopping.min_delta"];
        assert_eq!(defaults.map(|key| asked.origin(key)), [Origin::Default; 3], "{asked:?}");
    }

    #[test]
    fn a_variant_or_the_command_line_replaces_what_the_file_set() {
        let keys = ["train.optimizer.adam.lr", "train.optimizer.adam.eps", "network.init", "train.epochs", "seeds"];
        let of_b = [Origin::Variant, Origin::Default, Origin::Variant, Origin::File, Origin::File];
        assert_eq!(origins(1, &[], &keys), of_b);
        let changes = ["train.optimizer={ adam = { eps = 1e-6 } }", "train.epochs=2", "seeds=[1, 2]"];
        let changed = [Origin::Default, Origin::CommandLine, Origin::Variant, Origin::CommandLine, Origin::CommandLine];
        assert_eq!(origins(1, &changes, &keys), changed);
    }
}
