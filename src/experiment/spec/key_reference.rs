//! Reference page of all keys of an experiment file, with types and defaults, from the JSON Schema of [`Spec`].

use std::fmt::Write;

use serde_json::Value;

use crate::experiment::spec::Spec;
use crate::experiment::spec::file_hints::toml;

const HEAD: &str = "\
# All keys of an experiment file

Every key with its type and default, generated from the program. [Experiment file](experiment-file.md) explains them in groups, with the
names of PyTorch and Keras that are accepted too; `runner show NAME` prints an experiment with all defaults, and `runner new NAME` writes
a commented one. A choice such as an optimizer is written as its name, `\"adam\"`, or with settings, `{ adam = { lr = 0.01 } }`.
";

/// Returns the page in Markdown.
///
/// # Panics
/// If the schema cannot be represented in JSON, which is a bug.
pub fn page() -> String {
    let schema = serde_json::to_value(schemars::schema_for!(Spec)).expect("a schema is JSON");
    let mut reference = Reference { definitions: &schema["$defs"], places: Vec::new() };
    let mut page = HEAD.to_owned();
    page += "\n## Top level\n";
    reference.add_section(&mut page, &schema, "");
    let mut written = 0;
    while let Some((definition, path)) = reference.places.get(written).cloned() {
        written += 1;
        let definition = &reference.definitions[&definition];
        let _ = write!(page, "\n## {path}\n\n{}\n", text(definition));
        reference.add_section(&mut page, definition, &path);
    }
    page
}

/// The sections of the page.
struct Reference<'a> {
    definitions: &'a Value,
    /// Definitions that have a section, with their paths, in the order of the page.
    places: Vec<(String, String)>,
}

impl Reference<'_> {
    /// Adds the keys of a table, or the names of a choice.
    fn add_section(&mut self, page: &mut String, schema: &Value, path: &str) {
        let at = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        if let Some(properties) = schema["properties"].as_object() {
            *page += "\n| key | type | default | meaning |\n|---|---|---|---|\n";
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            for (key, property) in properties {
                let default = match property.get("default") {
                    _ if required.iter().any(|name| name == key) => "required".to_owned(),
                    None | Some(Value::Null) => "–".to_owned(),
                    Some(default) => format!("`{}`", toml(default)),
                };
                let (kind, meaning) = (self.kind(property, &at(key)), self.meaning(property));
                let _ = writeln!(page, "| `{key}` | {kind} | {default} | {meaning} |");
            }
        } else if let Some(choices) = choices(schema) {
            *page += "\n| name | settings | meaning |\n|---|---|---|\n";
            for choice in choices {
                let named = choice["properties"].as_object().and_then(|properties| properties.iter().next());
                let (name, kind) = match named {
                    Some((name, settings)) => (format!("`{name}`"), self.kind(settings, &at(name))),
                    None => (self.kind(choice, path), "–".to_owned()),
                };
                let _ = writeln!(page, "| {name} | {kind} | {} |", text(choice));
            }
        }
    }

    /// Returns the type of a value; tables and choices get a section, to which it links.
    fn kind(&mut self, schema: &Value, path: &str) -> String {
        if let Some(name) = schema["$ref"].as_str().and_then(|link| link.strip_prefix("#/$defs/")) {
            let definition = &self.definitions[name];
            if !has_section(definition) {
                return self.kind(definition, path);
            }
            let known = self.places.iter().find(|(other, _)| other == name).map(|(_, path)| path.clone());
            let place = known.unwrap_or_else(|| {
                self.places.push((name.to_owned(), path.to_owned()));
                path.to_owned()
            });
            return format!("[{place}](#{})", place.replace('.', ""));
        }
        if let Some(constant) = schema.get("const") {
            return format!("`{}`", toml(constant));
        }
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().map(|value| format!("`{}`", toml(value))).collect::<Vec<_>>().join(", ");
        }
        if let Some(choices) = choices(schema) {
            let choices = choices.iter().filter(|choice| choice["type"] != "null");
            return choices.map(|choice| self.kind(choice, path)).collect::<Vec<_>>().join(" or ");
        }
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
            one => one.as_str(),
        };
        match types {
            Some("array") => match schema.get("items") {
                Some(items) => format!("list of {}", self.kind(items, path)),
                None => "list".to_owned(),
            },
            Some("integer") => "whole number".to_owned(),
            Some("string") => "text".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("object") => "table".to_owned(),
            Some(other) => other.to_owned(),
            None => "any".to_owned(),
        }
    }

    /// Returns the description of a key, with those of the words that it can be.
    fn meaning(&self, property: &Value) -> String {
        let words = |schema: &Value| -> Vec<String> {
            let described = |choice: &Value| {
                let word = choice.get("const").filter(|_| choice.get("description").is_some())?;
                Some(format!("`{}`: {}", toml(word), text(choice)))
            };
            choices(schema).into_iter().flatten().filter_map(described).collect()
        };
        let links = std::iter::once(property).chain(choices(property).into_iter().flatten());
        let linked = links.filter_map(|schema| schema["$ref"].as_str()?.strip_prefix("#/$defs/"));
        let linked = linked.map(|name| &self.definitions[name]).filter(|definition| !has_section(definition));
        let meanings = std::iter::once(text(property)).chain(linked.flat_map(words));
        meanings.collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}

/// Whether a definition has its own section: a table, or a choice with settings.
fn has_section(definition: &Value) -> bool {
    let is_table = |schema: &Value| schema["properties"].as_object().is_some_and(|properties| !properties.is_empty());
    is_table(definition) || choices(definition).is_some_and(|choices| choices.iter().any(is_table))
}

fn choices(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())
}

/// Returns the description in one line of a table.
fn text(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_types_defaults_and_meanings_and_links_lead_to_sections() {
        let page = page();
        for line in [
            "| `epochs` | whole number | required | Number of epochs. |",
            "| `optimizer` | [train.optimizer](#trainoptimizer) | required | Optimizer. |",
            "\n## train.optimizer.adam\n",
            "| `separator` | text | `\",\"` |",
            "| `na_values` | list of text | – |",
        ] {
            assert!(page.contains(line), "no `{line}` in:\n{page}");
        }
        let links = page.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap());
        let headings: Vec<String> =
            page.lines().filter_map(|line| line.strip_prefix("## ")).map(|path| path.replace('.', "")).collect();
        links.for_each(|link| assert!(headings.iter().any(|heading| heading == link), "{link}"));
    }
}
