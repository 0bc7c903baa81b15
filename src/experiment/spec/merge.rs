//! Merges the tables of two experiment files, key by key. Lists and plain values are replaced, and so is a choice:
//! `optimizer = { sgd = … }` replaces `{ adam = … }`, as in `--set`.

use serde_json::Value as Json;
use toml_edit::{InlineTable, Value};

use crate::experiment::spec::{Spec, aliases};

/// Keys of which a file uses one of two names, besides [`aliases::KEYS`].
const FORMER_NAMES: [(&str, &[&str]); 1] = [("reference", &["theirs"])];

/// The JSON Schema of experiment files, which says where a table is a choice.
pub struct Schema(Json);

impl Default for Schema {
    fn default() -> Schema {
        Schema(schemars::schema_for!(Spec).into())
    }
}

impl Schema {
    /// Returns the alternatives that a schema allows, without references.
    fn alternatives<'a>(&'a self, node: &'a Json) -> Vec<&'a Json> {
        if let Some(reference) = node.get("$ref").and_then(Json::as_str) {
            let target = self.0.pointer(reference.trim_start_matches('#'));
            return target.map_or_else(Vec::new, |target| self.alternatives(target));
        }
        match node.get("oneOf").or_else(|| node.get("anyOf")).and_then(Json::as_array) {
            Some(several) => several.iter().flat_map(|one| self.alternatives(one)).collect(),
            None => vec![node],
        }
    }

    /// Returns the schema of a key of a table.
    fn key<'a>(&'a self, node: &'a Json, key: &str) -> Option<&'a Json> {
        let named = |name: &str| {
            let mut alternatives = self.alternatives(node).into_iter();
            alternatives.find_map(|one| one.get("properties")?.get(name))
        };
        // of a table whose keys are free, such as the space of a sweep
        let of_any_key = || self.alternatives(node).into_iter().find_map(|one| one.get("additionalProperties"));
        named(key).or_else(|| other_names(key).find_map(named)).or_else(of_any_key)
    }

    /// Whether a table with this schema is a choice: a single key, which is a name, or a table in place of a
    /// list or a text, such as the values of a setting in a sweep.
    fn is_choice(&self, node: &Json) -> bool {
        let is_name = |one: &Json| {
            let properties = one.get("properties").and_then(Json::as_object);
            let required = one.get("required").and_then(Json::as_array);
            properties.is_some_and(|all| all.len() == 1) && required.is_some_and(|all| all.len() == 1)
        };
        let alternatives = self.alternatives(node);
        let has = |kind: &str| alternatives.iter().any(|one| one.get("type").is_some_and(|known| known == kind));
        alternatives.iter().any(|one| is_name(one)) || (has("array") && has("string"))
    }
}

/// Merges `top` into `base`: what `top` sets replaces what `base` sets.
pub fn merge(base: &mut InlineTable, top: &InlineTable, schema: &Schema) {
    merge_table(base, top, schema, Some(&schema.0));
}

fn merge_table(base: &mut InlineTable, top: &InlineTable, schema: &Schema, node: Option<&Json>) {
    for (key, value) in top.iter() {
        let inner = node.and_then(|node| schema.key(node, key));
        // the same setting by another of its names
        for other in other_names(key).filter(|other| !top.contains_key(other)) {
            if let Some(renamed) = base.remove(other) {
                base.insert(key, renamed);
            }
        }
        let is_choice = inner.is_some_and(|inner| schema.is_choice(inner));
        let is_merged = match (base.get_mut(key), value) {
            (Some(Value::InlineTable(base)), Value::InlineTable(top)) => !is_choice || is_same_choice(base, top),
            _ => false,
        };
        match (base.get_mut(key), value) {
            (Some(Value::InlineTable(base)), Value::InlineTable(top)) if is_merged => {
                merge_table(base, top, schema, inner);
            }
            _ => {
                base.insert(key, value.clone());
            }
        }
    }
    base.fmt();
}

/// Whether both tables choose the same, `rmsprop` or `rms_prop`. The key of `base` becomes that of `top`.
fn is_same_choice(base: &mut InlineTable, top: &InlineTable) -> bool {
    let only = |table: &InlineTable| (table.len() == 1).then(|| table.iter().next().map(|(key, _)| key.to_owned()))?;
    let (Some(ours), Some(theirs)) = (only(base), only(top)) else { return false };
    let is_same = ours.replace('_', "") == theirs.replace('_', "");
    if let (true, Some(settings)) = (is_same && ours != theirs, base.get(&ours).cloned()) {
        base.clear();
        base.insert(theirs, settings);
    }
    is_same
}

/// Returns the other names of a key.
fn other_names(key: &str) -> impl Iterator<Item = &'static str> {
    let groups = aliases::KEYS.iter().chain(&FORMER_NAMES);
    let names = groups.map(|(name, others)| std::iter::once(*name).chain(others.iter().copied()));
    let groups = names.filter(|names| names.clone().any(|name| name == key));
    groups.flatten().filter(|name| *name != key).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    fn merged(base: &str, top: &str) -> String {
        let table = |text: &str| text.parse::<DocumentMut>().unwrap().into_table().into_inline_table();
        let mut base = table(base);
        merge(&mut base, &table(top), &Schema::default());
        base.to_string().trim().to_owned()
    }

    #[test]
    fn tables_are_merged_and_lists_and_values_replaced() {
        let base = "seeds = [0, 1]\n[train]\nepochs = 5\nmetrics = [\"acc\"]\nearly_stopping = { patience = 3 }\n";
        let top = "seeds = [7]\n[train]\nepochs = 9\nearly_stopping = { restore_best = true }\n";
        let wanted = "{ seeds = [7], train = { epochs = 9, metrics = [\"acc\"], early_stopping = { patience = 3, restore_best = true } } }";
        assert_eq!(merged(base, top), wanted);
    }

    #[test]
    fn a_choice_replaces_another_one_and_is_merged_with_the_same() {
        let base = "[data.mnist]\nsplit = { test = 0.5 }\n[train]\noptimizer = { adam = { lr = 0.1, eps = 1e-6 } }\nclip = { norm = 1 }\n";
        let other = "[data.csv]\npath = \"a.csv\"\n[train]\noptimizer = { sgd = { lr = 1 } }\nclip = { value = 2 }\n";
        let wanted = "{ data = { csv = { path = \"a.csv\" } }, train = { optimizer = { sgd = { lr = 1 } }, clip = { value = 2 } } }";
        assert_eq!(merged(base, other), wanted);
        let same = merged(base, "[train.optimizer.adam]\nlr = 0.2\n");
        assert!(same.contains("{ adam = { lr = 0.2, eps = 1e-6 } }"), "{same}");
        let name = merged(base, "[train]\noptimizer = \"adam\"\n");
        assert!(name.contains("optimizer = \"adam\""), "{name}");
        let alias = merged("train.optimizer = { rms_prop = { lr = 1 } }", "train.optimizer.rmsprop.alpha = 0.5");
        assert_eq!(alias, "{ train = { optimizer = { rmsprop = { lr = 1, alpha = 0.5 } } } }");
    }

    #[test]
    fn the_values_of_a_setting_in_a_sweep_are_replaced() {
        let base = "[sweep]\ntrials = 8\n[sweep.space]\na = { int = [1, 9], log = true }\nb = [1, 2]\n";
        let top = "[sweep.space]\na = { float = [1, 9] }\nc = [3]\n";
        let wanted = "{ sweep = { trials = 8, space = { a = { float = [1, 9] }, b = [1, 2], c = [3] } } }";
        assert_eq!(merged(base, top), wanted);
    }

    #[test]
    fn other_names_of_a_key_are_the_same_setting() {
        let base = "[train]\nbatch = 8\noptimizer = { adam = { learning_rate = 0.1, eps = 1e-6 } }\n";
        let top = "[train]\nbatch_size = 16\noptimizer.adam.lr = 0.2\n";
        let wanted = "{ train = { optimizer = { adam = { eps = 1e-6, lr = 0.2 } }, batch_size = 16 } }";
        assert_eq!(merged(base, top), wanted);
    }
}
