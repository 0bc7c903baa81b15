//! Who set which setting: the experiment's file, the variant, or the command line.
//!
//! What was written and what was resolved are walked side by side. A short form (`{ linear = 64 }`) stands for the one
//! setting in it that has this value, and an alias (`learning_rate`) for the one that has its value and was not written
//! by its own name. A name that chooses a part (`optimizer = "adam"`) sets the choice, and none of the part's settings.

use serde_json::{Map, Value};

use crate::experiment::spec::{Spec, Variant, overrides};
use crate::history::asked::{Asked, is_within};

/// The keys of the settings that an experiment's file states: `text` is the file, `written` what was read from it.
pub fn stated(text: &str, written: &Spec) -> Vec<String> {
    let written = tree(written);
    let of_file = toml_edit::de::from_str::<Value>(text).unwrap_or_default();
    let mut keys = Vec::new();
    for (key, value) in of_file.as_object().into_iter().flatten() {
        if let (true, Some(read)) = (overrides::is_varied(key), written.get(key)) {
            add(key.clone(), value, read, &mut keys);
        }
    }
    keys
}

/// Who set the settings of one variant of an experiment.
///
/// `stated` are the keys that its file states, and `resolved` is what is trained, with the variant and the command line's
/// changes.
pub fn asked(stated: &[String], variant: Option<&Variant>, changes: &[String], resolved: &Spec) -> Asked {
    let resolved = tree(resolved);
    let mut asked = Asked { stated: stated.to_vec(), changes: changes.to_vec(), ..Asked::default() };
    for (path, value) in variant.iter().flat_map(|variant| &variant.set) {
        asked.stated.retain(|key| !is_within(key, path));
        asked.varied.retain(|key| !is_within(key, path));
        add_at(path, value, &resolved, &mut asked.varied);
    }
    for (path, value) in changes.iter().filter_map(|change| overrides::parts(change).ok()) {
        for keys in [&mut asked.stated, &mut asked.varied, &mut asked.changed] {
            keys.retain(|key| !is_within(key, path));
        }
        add_at(path, &value, &resolved, &mut asked.changed);
    }
    asked
}

fn tree(spec: &Spec) -> Value {
    serde_json::to_value(spec).expect("a spec is made of JSON's types")
}

/// The keys that a value sets which is put in the place of a setting.
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

/// The keys that a written value sets in what it was resolved to.
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
        // a short form: the one setting of this value, in the part or in the one that it names
        (plain, Value::Object(resolved)) if !plain.is_object() => {
            let found = resolved.iter().find(|(_, value)| is_same(plain, value));
            keys.push(found.map_or_else(|| key.clone(), |(name, _)| format!("{key}.{name}")));
        }
        _ => keys.push(key),
    }
}

fn add_fields(key: &str, written: &Map<String, Value>, resolved: &Map<String, Value>, keys: &mut Vec<String>) {
    if written.is_empty() && !key.contains('.') {
        return;
    }
    let unwritten = || resolved.iter().filter(|(name, _)| !written.contains_key(*name));
    for (name, value) in written {
        let by_name = resolved.get_key_value(name);
        let by_alias = || match written.len() == 1 && resolved.len() == 1 {
            true => resolved.iter().next(), // a part by another name: `dense`
            false => unwritten().find(|(_, other)| is_same(value, other)),
        };
        match by_name.or_else(by_alias) {
            Some((name, place)) => add(format!("{key}.{name}"), value, place, keys),
            None => keys.push(format!("{key}.{name}")),
        }
    }
}

/// Whether both say the same; 1 and 1.0 do.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use crate::experiment::plan::study::Study;
    use crate::experiment::spec::source_text::SourceText;
    use crate::history::asked::Origin;

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
        let source =
            SourceText { name: "t".to_owned(), origin: "t.toml".to_owned(), text: TEXT.to_owned(), folder: None };
        let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
        let study = Study::new(&source, &changes).unwrap();
        let asked = study.plans[variant].asked.clone().unwrap();
        keys.iter().map(|key| asked.origin(key)).collect()
    }

    #[test]
    fn short_forms_and_aliases_are_what_the_file_states() {
        let stated = [
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
        assert_eq!(origins(0, &[], &stated), [Origin::File; 9]);
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
    fn what_a_variant_or_the_command_line_replaces_is_no_longer_the_files() {
        let keys = ["train.optimizer.adam.lr", "train.optimizer.adam.eps", "network.init", "train.epochs", "seeds"];
        let of_b = [Origin::Variant, Origin::Default, Origin::Variant, Origin::File, Origin::File];
        assert_eq!(origins(1, &[], &keys), of_b);
        let changes = ["train.optimizer={ adam = { eps = 1e-6 } }", "train.epochs=2", "seeds=[1, 2]"];
        let changed = [Origin::Default, Origin::CommandLine, Origin::Variant, Origin::CommandLine, Origin::CommandLine];
        assert_eq!(origins(1, &changes, &keys), changed);
    }
}
