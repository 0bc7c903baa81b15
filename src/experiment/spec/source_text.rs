//! The text of an experiment file. Errors in it name the file, the line and the correction.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml_edit::Item;

use crate::config::check::Invalid;
use crate::config::class_names::known_name;
use crate::config::no_lists::NoLists;
use crate::experiment::spec::file_hints::{self, Place};
use crate::experiment::spec::{Spec, aliases, former_keys, missing_keys};
use crate::network::torchscript::module_file::ModuleCopy;

/// Maximum number of mistakes that one error shows.
const MOST_MISTAKES: usize = 9;

/// The text of an experiment file, with its name and origin for messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceText {
    /// Name of the experiment: the file name without `.toml`.
    pub name: String,
    /// Path of the file, for messages.
    pub origin: String,
    /// The text of the file.
    pub text: String,
    /// Directory of the file, to which paths in it are relative. `None` for a shipped experiment without files. Records of older
    /// versions lack it.
    #[serde(default, rename = "directory", alias = "folder", skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The files that the text was merged from, the extending one first; empty if it extends none.
    #[serde(skip)]
    pub layers: Vec<Layer>,
    /// Copies of the files of networks written in PyTorch, if it is the text of a stored run.
    #[serde(skip)]
    pub modules: Vec<ModuleCopy>,
}

/// One of the files that a text was merged from.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Path of the file, for messages.
    pub origin: String,
    /// The text of the file.
    pub text: String,
}

/// An error in an experiment file, in an override or in the name of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecError {
    /// What is wrong.
    pub message: String,
    /// The correction.
    pub hint: Option<String>,
}

impl SpecError {
    /// Returns an error with the correction.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> SpecError {
        SpecError { message: message.into(), hint: Some(hint.into()) }
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SpecError {}

impl SourceText {
    /// Parses the text.
    ///
    /// # Errors
    /// If it is not valid TOML, has an unknown key or a value of the wrong type, or lacks required keys. The message shows
    /// the line, and all keys that are missing.
    pub fn parse(&self) -> Result<Spec, SpecError> {
        read(&self.text).map_err(|error| {
            if let Some(fault) = self.table_named_model() {
                return fault;
            }
            let is_missing = error.message().contains("missing field");
            if let Some(missing) = is_missing.then(|| missing_keys::find(&self.text, self.layers.is_empty())).flatten()
            {
                let hint = "`runner new NAME` writes a whole file with comments; for a table of your own, `--csv FILE`";
                return SpecError::new(format!("failed to read `{}`: {}", self.origin, missing.trim_end()), hint);
            }
            if let Some(several) = self.several_mistakes(&error) {
                return several;
            }
            let (origin, shown) = match error.span().and_then(|span| self.place_in_layer(span.start)) {
                Some((layer, line)) => (&layer.origin, show_line(&layer.text, line, error.message())),
                None if self.layers.is_empty() => {
                    let start = error.span().map_or(0, |span| span.start);
                    let deeper = unknown_key(error.message()).and_then(|key| span_of_key(&self.text, key, start));
                    let deeper = deeper.filter(|span| span.start != start);
                    (&self.origin, deeper.map_or_else(|| error.to_string(), |at| show(&self.text, at, error.message())))
                }
                None => (&self.origin, error.message().to_owned()),
            };
            let (message, hint) = self.explain(&self.text, &error, shown.trim_end());
            SpecError { message: format!("failed to read `{origin}`\n{message}"), hint }
        })
    }

    /// Returns the message and the hint for an error of a text; `shown` is its message, perhaps with its line.
    fn explain(&self, text: &str, error: &toml_edit::de::Error, shown: &str) -> (String, Option<String>) {
        let start = error.span().map(|span| span.start);
        let rest = start.and_then(|start| text.get(start..)).unwrap_or_default();
        let key = start.and_then(|start| key_in(text, start)).unwrap_or_default();
        let place = Place { key: &key, rest, text };
        let shown = match file_hints::reworded(error.message(), place) {
            Some(reworded) => shown.replacen(error.message(), &reworded, 1),
            None => shown.to_owned(),
        };
        let is_no_list = error.message().contains("expected a sequence");
        let variant = is_no_list.then(|| self.table_of_variants()).flatten();
        let hint = variant.or_else(|| file_hints::hint(error.message(), place));
        (file_hints::shorten(&file_hints::translate(&shown), hint.is_some()), hint)
    }

    /// Returns all unknown names and values of the wrong type in the order of their lines; `None` if one, or of merged files.
    fn several_mistakes(&self, first: &toml_edit::de::Error) -> Option<SpecError> {
        if !self.layers.is_empty() {
            return None;
        }
        let is_of_setting = |error: &toml_edit::de::Error| {
            ["unknown ", "invalid type"].iter().any(|start| error.message().starts_with(start))
        };
        let mut text = self.text.clone();
        let (mut mistakes, mut settings): (Vec<(usize, String)>, Vec<String>) = Default::default();
        let mut lists: Vec<String> = Vec::new();
        let mut error = Some(first.clone()).filter(is_of_setting)?;
        while mistakes.len() < MOST_MISTAKES {
            let start = error.span()?.start;
            let (message, hint) = self.explain(&text, &error, error.message());
            let hint = hint.map(|hint| format!("\n    hint: {hint}")).unwrap_or_default();
            let message = file_hints::with_new_list(message, &mut lists);
            let line = 1 + text.get(..start)?.matches('\n').count();
            let key = key_in(&text, start)?;
            // a second mistake in the same layer or setting often follows from the first one
            let parts = if key.starts_with("network.layers.") { 3 } else { 2 };
            let setting = key.split('.').take(parts).collect::<Vec<_>>().join(".");
            if !settings.contains(&setting) {
                mistakes.push((line, format!("  line {line}: {message}{hint}")));
                settings.push(setting);
            }
            text = match file_hints::without_mistake(&text, &key) {
                Some(rest) if rest != text => rest,
                _ => break,
            };
            match read(&text) {
                // a table without its only setting
                Err(next) if next.message().contains("expected enum") => break,
                Err(next) if is_of_setting(&next) => error = next,
                _ => break,
            }
        }
        mistakes.sort_by_key(|(line, _)| *line);
        let lines: Vec<String> = mistakes.into_iter().map(|(_, text)| text).collect();
        (lines.len() > 1).then(|| SpecError {
            message: format!("failed to read `{}`: {} mistakes\n{}", self.origin, lines.len(), lines.join("\n")),
            hint: None,
        })
    }

    /// Returns an error if the file has a table `[model]`, as in Keras: `model` is the name of one of two models.
    fn table_named_model(&self) -> Option<SpecError> {
        let document = toml_edit::Document::parse(self.text.as_str()).ok()?;
        document.get("model")?.as_table_like()?;
        let fault = Invalid::new("model", "is not a table of runner; the layers belong in `[network]`");
        Some(self.locate(fault.hint("did you mean `[network]`?")))
    }

    /// Returns the hint on `[variants.NAME]`; `None` if the file has no such table.
    fn table_of_variants(&self) -> Option<String> {
        let document = toml_edit::Document::parse(self.text.as_str()).ok()?;
        let (name, _) = document.get("variants")?.as_table_like()?.iter().next()?;
        Some(format!("write `[[variants]]` with `name = \"{name}\"`"))
    }

    /// Returns the whole number that the text has at a key outside of tables; `None` if it has another value there.
    pub fn number_at(&self, key: &str) -> Option<i64> {
        toml_edit::Document::parse(self.text.as_str()).ok()?.get(key)?.as_integer()
    }

    /// Adds the file and the line of the setting to an error.
    pub fn locate(&self, fault: Invalid) -> SpecError {
        let (key, place) = self.key_and_place(&fault.key);
        SpecError { message: Invalid { key, ..fault.clone() }.at(&place), hint: fault.hint }
    }

    /// Returns a key as the file names it, and the place of the setting for messages: `idea.toml, line 3`.
    pub fn key_and_place(&self, key: &str) -> (String, String) {
        let (key, origin, line) = self.place_of(key);
        (key, line.map_or(origin.to_owned(), |line| format!("{origin}, line {line}")))
    }

    /// Returns a key such as `network.layers.2.linear` as the file names it, and the file and the line of the key or of the
    /// deepest part of it that the text has. Of several files, the first one that sets it has replaced what the others
    /// set.
    fn place_of(&self, key: &str) -> (String, &str, Option<usize>) {
        let depth = deepest(&self.text, key).0;
        let mut found: (usize, String, &str, Option<usize>) = (0, key.to_owned(), &self.origin, None);
        let own = [(&self.origin, &self.text)];
        let layers = self.layers.iter().map(|layer| (&layer.origin, &layer.text));
        for (origin, text) in layers.chain(own.into_iter().filter(|_| self.layers.is_empty())) {
            let (in_layer, written, line) = deepest(text, key);
            if in_layer.min(depth) > found.0 {
                found = (in_layer.min(depth), written, origin, line);
            }
        }
        (found.1, found.2, found.3)
    }

    /// Returns the file and the line of what is at this byte of the merged text; `None` if the text was not merged.
    fn place_in_layer(&self, start: usize) -> Option<(&Layer, usize)> {
        let key = key_in(&self.text, start)?;
        let (_, origin, line) = self.place_of(&key);
        Some((self.layers.iter().find(|layer| layer.origin == origin)?, line?))
    }
}

/// Reads an experiment.
fn read(text: &str) -> Result<Spec, toml_edit::de::Error> {
    toml_edit::de::Deserializer::parse(text).and_then(|text| Spec::deserialize(NoLists(text)))
}

/// Returns the key of the innermost item at this byte of a text; `None` if the text is not TOML.
fn key_in(text: &str, start: usize) -> Option<String> {
    let document = toml_edit::Document::parse(text).ok()?;
    Some(key_at(document.as_item(), start))
}

/// Returns how many parts of a key such as `network.layers.2.linear` a text has, the key as the text names it, and the line
/// of the last part. The text may use the former name of the key, or aliases of its parts such as `step_size`.
fn deepest(text: &str, key: &str) -> (usize, String, Option<usize>) {
    let Ok(document) = toml_edit::Document::parse(text) else { return (0, key.to_owned(), None) };
    let deepest = |key: &str| {
        let (mut item, mut depth, mut start) = (document.as_item(), 0, None);
        let mut parts: Vec<&str> = key.split('.').collect();
        for part in &mut parts {
            let inner = match part.parse::<usize>() {
                Ok(index) => item.get(index),
                Err(_) => {
                    let alias = || aliases::of(part).iter().copied().find(|alias| item.get(*alias).is_some());
                    let names = [&[*part], aliases::of(part)].concat();
                    let class = || {
                        item.as_table_like()?.iter().map(|(key, _)| key).find(|key| known_name(key, &names).is_some())
                    };
                    *part = if item.get(*part).is_some() { *part } else { alias().or_else(class).unwrap_or(part) };
                    item.get(*part)
                }
            };
            let Some(inner) = inner else { break };
            start = inner.span().map(|span| span.start).or(start);
            (item, depth) = (inner, depth + 1);
        }
        (depth, start, parts.join("."))
    };
    let former = former_keys::former_path(key).map(|key| deepest(&key));
    let current = deepest(key);
    let (depth, start, key) = match former {
        Some(former) if former.0 > current.0 => former,
        _ => current,
    };
    (depth, key, start.map(|start| 1 + text[..start].matches('\n').count()))
}

/// Returns the key of the innermost item at this byte of a text; empty if there is none. Not every table knows its place,
/// so all items are searched.
fn key_at(item: &Item, start: usize) -> String {
    let is_at = |span: Option<Range<usize>>| span.is_some_and(|span| span.contains(&start));
    let within = |(key, inner, key_span): (String, &Item, Option<Range<usize>>)| {
        let deeper = key_at(inner, start);
        match deeper.is_empty() {
            true => (is_at(inner.span()) || is_at(key_span)).then_some(key),
            false => Some(format!("{key}.{deeper}")),
        }
    };
    file_hints::children(item).into_iter().find_map(within).unwrap_or_default()
}

/// Returns the key in an error about an unknown key.
fn unknown_key(message: &str) -> Option<&str> {
    message.strip_prefix("unknown field `")?.split('`').next()
}

/// Returns the place of the first key with this name from the byte `from` on; `None` if there is none.
fn span_of_key(text: &str, name: &str, from: usize) -> Option<Range<usize>> {
    fn first(item: &Item, name: &str, from: usize) -> Option<Range<usize>> {
        let found = file_hints::children(item).into_iter().flat_map(|(key, inner, span)| {
            let own = span.filter(|span| key == name && span.start >= from);
            own.into_iter().chain(first(inner, name, from))
        });
        found.min_by_key(|span| span.start)
    }
    first(toml_edit::Document::parse(text).ok()?.as_item(), name, from)
}

/// Returns an error with the line and the column of its place, as TOML's errors show it.
fn show(text: &str, at: Range<usize>, message: &str) -> String {
    let start = text[..at.start].rfind('\n').map_or(0, |end| end + 1);
    let line = 1 + text[..start].matches('\n').count();
    let column = 1 + text[start..at.start].chars().count();
    let shown = text[start..].lines().next().unwrap_or_default();
    let (margin, marks) = (" ".repeat(line.to_string().len()), "^".repeat(text[at].chars().count()));
    let indent = " ".repeat(column - 1);
    format!(
        "TOML parse error at line {line}, column {column}\n{margin} |\n{line} | {shown}\n{margin} | {indent}{marks}\n{message}"
    )
}

/// Returns an error with its line, as TOML's errors show it, and the column of an unknown key.
fn show_line(text: &str, line: usize, message: &str) -> String {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    if let Some(at) = unknown_key(message).and_then(|key| span_of_key(text, key, start)) {
        return show(text, at, message);
    }
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let margin = " ".repeat(line.to_string().len());
    format!("TOML parse error at line {line}\n{margin} |\n{line} | {shown}\n{margin} |\n{message}")
}

/// Parses an experiment from JSON. `changed` are the key and the new value of a setting that was changed; the others are
/// valid.
///
/// # Errors
/// If a key is unknown or a value is invalid.
pub fn reparse<T: DeserializeOwned>(
    value: serde_json::Value,
    changed: Option<(&str, &serde_json::Value)>,
) -> Result<T, SpecError> {
    T::deserialize(NoLists(value)).map_err(|error: serde_json::Error| {
        let message = error.to_string();
        let place = changed.and_then(|(key, value)| file_hints::place_in(&message, key, value));
        let (key, rest) = place.unwrap_or_default();
        let place = Place { key: &key, rest: &rest, text: "" };
        let hint = file_hints::hint(&message, place);
        let plain = file_hints::reworded(&message, place).unwrap_or_else(|| file_hints::translate(&message));
        SpecError { message: file_hints::shorten(&plain, hint.is_some()), hint }
    })
}
