//! The text of an experiment file. Errors in it name the file, the line and the correction.

use std::fmt;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::experiment::spec::{Spec, former_keys};

/// The text of an experiment file, with its name and origin for messages.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// Name of the experiment: the file name without `.toml`.
    pub name: String,
    /// Path of the file, for messages.
    pub origin: String,
    /// The text of the file.
    pub text: String,
    /// Directory of the file, to which paths in it are relative. `None` for a shipped experiment.
    pub folder: Option<PathBuf>,
}

/// An error in an experiment file, in an override or in the name of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecError {
    /// What is wrong.
    pub message: String,
    /// The correction.
    pub hint: Option<String>,
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
    /// If it is not valid TOML, or has an unknown key or a value of the wrong type. The message shows the line.
    pub fn parse(&self) -> Result<Spec, SpecError> {
        toml_edit::de::from_str(&self.text).map_err(|error| {
            let message = translate(error.to_string().trim_end());
            SpecError {
                message: format!("failed to read `{}`\n{message}", self.origin),
                hint: hint_for(error.message()),
            }
        })
    }

    /// Adds the file and the line of the setting to an error.
    pub fn locate(&self, fault: Invalid) -> SpecError {
        let place = match self.line_of(&fault.key) {
            Some(line) => format!("{}, line {line}", self.origin),
            None => self.origin.clone(),
        };
        SpecError { message: format!("{fault} ({place})"), hint: fault.hint }
    }

    /// Returns the line of a key such as `network.layers.2.linear`, or of the deepest part of it that the file has. The
    /// file may use the former name of the key.
    fn line_of(&self, key: &str) -> Option<usize> {
        let document = toml_edit::Document::parse(self.text.as_str()).ok()?;
        let deepest = |key: &str| {
            let (mut item, mut depth, mut start) = (document.as_item(), 0, None);
            for part in key.split('.') {
                let inner = match part.parse::<usize>() {
                    Ok(index) => item.get(index),
                    Err(_) => item.get(part),
                };
                let Some(inner) = inner else { break };
                start = inner.span().map(|span| span.start).or(start);
                (item, depth) = (inner, depth + 1);
            }
            (depth, start)
        };
        let former = former_keys::former_path(key).map_or((0, None), |key| deepest(&key));
        let current = deepest(key);
        let (_, start) = if former.0 > current.0 { former } else { current };
        Some(1 + self.text[..start?].matches('\n').count())
    }
}

/// Returns the hint "did you mean" for serde's message `unknown field `epoch`, expected one of `epochs`, `batch``, or
/// `None` if no known name is similar.
pub fn hint_for(message: &str) -> Option<String> {
    if message.contains("invalid boolean") {
        return Some("write `true` or `false` in lower case, and put text in quotes".to_owned());
    }
    let message = message.lines().find(|line| line.starts_with("unknown "))?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next()?;
    suggest::nearest(typed, quoted).map(|near| format!("did you mean `{near}`?"))
}

/// Replaces Rust types and serde's terms in an error message by the terms of TOML and of this program.
fn translate(message: &str) -> String {
    let words = [
        ("expected usize", "expected a whole number"),
        ("expected u32", "expected a whole number of at least 0"),
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected an array of length", "expected a list of"),
        ("invalid type: map", "invalid type: table"),
        ("invalid type: sequence", "invalid type: list"),
    ];
    let mut plain = words.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to));
    if let Some(start) = plain.find("expected struct ") {
        let end = plain[start + 16..].find(|c: char| !c.is_alphanumeric()).map_or(plain.len(), |end| start + 16 + end);
        plain.replace_range(start..end, "expected a table of settings");
    }
    // the known names show what kind of name is expected
    let families = [
        ("`linear`", "layer"),
        ("`acc`", "metric"),
        ("`mse`", "loss"),
        ("`adam`", "optimizer"),
        ("`mnist`", "data set"),
    ];
    let family = families.iter().find(|(known, _)| plain.contains(known)).map_or("name", |(_, family)| family);
    let plain = plain.replace("unknown variant", &format!("unknown {family}")).replace("unknown field", "unknown key");
    match plain.rsplit_once('\n') {
        Some((place, last)) => former_keys::duplicate(last).map_or(plain.clone(), |both| format!("{place}\n{both}")),
        None => former_keys::duplicate(&plain).unwrap_or(plain),
    }
}

/// Parses a changed experiment, or a part of it, from JSON.
///
/// # Errors
/// If a key is unknown or a value is invalid.
pub fn reparse<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, SpecError> {
    serde_json::from_value(value).map_err(|error| {
        let message = error.to_string();
        SpecError { hint: hint_for(&message), message: translate(&message) }
    })
}
