//! The text of an experiment file, and mistakes in it: each is told with the file, the line and what would be right.

use std::fmt;
use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::experiment::spec::Spec;

/// An experiment file as text, with the name to call it by in messages.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// The experiment's name: the file's, without `.toml`.
    pub name: String,
    /// Where the text comes from, for messages.
    pub origin: String,
    /// The text itself.
    pub text: String,
    /// The folder of the file, which paths in it are relative to; `None` of a shipped experiment.
    pub folder: Option<PathBuf>,
}

/// A mistake in an experiment file, on the command line's overrides of it, or in the name of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecError {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SpecError {}

impl SourceText {
    /// Reads the text.
    ///
    /// # Errors
    /// When it is not TOML, or holds an unknown name or a value of the wrong type; the line is shown.
    pub fn parse(&self) -> Result<Spec, SpecError> {
        toml_edit::de::from_str(&self.text).map_err(|error| {
            let message = in_plain_words(error.to_string().trim_end());
            SpecError {
                message: format!("failed to read `{}`\n{message}", self.origin),
                hint: hint_for(error.message()),
            }
        })
    }

    /// A fault of a setting, told with the line that the setting stands on.
    pub fn locate(&self, fault: Invalid) -> SpecError {
        let place = match self.line_of(&fault.key) {
            Some(line) => format!("{}, line {line}", self.origin),
            None => self.origin.clone(),
        };
        SpecError { message: format!("{fault} ({place})"), hint: fault.hint }
    }

    /// The line of a key such as `network.layers.2.linear`, or of the deepest part of it that the file writes.
    fn line_of(&self, key: &str) -> Option<usize> {
        let document = toml_edit::Document::parse(self.text.as_str()).ok()?;
        let mut item = document.as_item();
        let mut start = None;
        for part in key.split('.') {
            let inner = match part.parse::<usize>() {
                Ok(index) => item.get(index),
                Err(_) => item.get(part),
            };
            let Some(inner) = inner else { break };
            start = inner.span().map(|span| span.start).or(start);
            item = inner;
        }
        Some(1 + self.text[..start?].matches('\n').count())
    }
}

/// "Did you mean", from serde's own message: `unknown field `epoch`, expected one of `epochs`, `batch``. Where no name is
/// near there is nothing to add: the message lists them all.
pub fn hint_for(message: &str) -> Option<String> {
    let message = message.lines().find(|line| line.starts_with("unknown "))?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next()?;
    suggest::nearest(typed, quoted).map(|near| format!("did you mean `{near}`?"))
}

/// serde's message without the names of Rust's types and parts of speech.
fn in_plain_words(message: &str) -> String {
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
    // which family a name belongs to shows in the names that are known there
    let families = [("`linear`", "layer"), ("`mse`", "loss"), ("`adam`", "optimizer"), ("`mnist`", "data set")];
    let family = families.iter().find(|(known, _)| plain.contains(known)).map_or("name", |(_, family)| family);
    plain.replace("unknown variant", &format!("unknown {family}")).replace("unknown field", "unknown key")
}

/// Reads a value of a spec again after it was changed.
///
/// # Errors
/// serde's message, with the hint that it allows.
pub fn reread<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, SpecError> {
    serde_json::from_value(value).map_err(|error| {
        let message = error.to_string();
        SpecError { hint: hint_for(&message), message: in_plain_words(&message) }
    })
}
