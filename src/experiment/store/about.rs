//! `about.json` in a run directory: the run's name, tags and note. It is no setting: no hash contains it, and a run is
//! resumed and reproduced without it.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::config::hint::Hint;
use crate::history::readable_json;
use crate::io::{atomic_write, bounded_file};

/// File name in the run directory.
pub const FILE: &str = "about.json";

/// Maximum length of a name or a tag, in characters.
const LONGEST_NAME: usize = 64;

/// Maximum length of a note, in bytes.
const LONGEST_NOTE: usize = 64 << 10;

/// What a user writes about a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Name of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tags, without repetition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether lists hide the run.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

impl About {
    /// Reads the file in a run directory; empty if there is none.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub fn read(folder: &Path) -> anyhow::Result<About> {
        let path = folder.join(FILE);
        let text = match bounded_file::read(&path, bounded_file::EXPERIMENT) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(About::default()),
            Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", path.display())),
        };
        serde_json::from_slice(&text)
            .with_context(|| format!("failed to read `{}`", path.display()))
            .context(Hint("delete the file: it holds only the run's name, tags and note".to_owned()))
    }

    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        *self == About::default()
    }

    /// Returns the text of the file.
    ///
    /// # Errors
    /// When it cannot be serialized.
    pub fn to_json(&self) -> anyhow::Result<String> {
        readable_json::readable(self).context("failed to serialize the name, tags and note")
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        atomic_write::write_whole(&folder.join(FILE), self.to_json()?.as_bytes())
    }

    /// Takes over the name and the note of `other`, if it has them, and adds its tags.
    pub fn merge(&mut self, other: &About) {
        self.name = other.name.clone().or(self.name.take());
        self.note = other.note.clone().or(self.note.take());
        other.tags.iter().for_each(|tag| self.add_tag(tag));
    }

    /// Adds a tag, unless the run has it.
    pub fn add_tag(&mut self, tag: &str) {
        if !self.tags.iter().any(|other| other == tag) {
            self.tags.push(tag.to_owned());
        }
    }
}

/// Returns a valid name of a run. Commands take names in place of ids and in `NAME/VARIANT`.
///
/// # Errors
/// When it is empty, too long, looks like an id, or has characters of paths or patterns.
pub fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(format!("`{name}` looks like the id of a run: use a character other than 0–9 and a–f"));
    }
    check_word("a name", name).map_err(|error| error.to_string())?;
    Ok(name.to_owned())
}

/// Returns a valid tag.
///
/// # Errors
/// When it is empty, too long, begins with a sign, or has a comma or a character of paths or patterns.
pub fn parse_tag(text: &str) -> Result<String, String> {
    let tag = text.trim();
    check_word("a tag", tag).map_err(|error| error.to_string())?;
    if tag.contains(',') {
        return Err(format!("a tag must not contain a comma, found `{tag}`"));
    }
    Ok(tag.to_owned())
}

/// Returns a valid note.
///
/// # Errors
/// When it is too long.
pub fn parse_note(text: &str) -> Result<String, String> {
    let note = text.trim();
    match note.len() <= LONGEST_NOTE {
        true => Ok(note.to_owned()),
        false => Err(format!("a note must have at most {LONGEST_NOTE} bytes, found {}", note.len())),
    }
}

fn check_word(what: &str, word: &str) -> anyhow::Result<()> {
    let length = word.chars().count();
    let is_allowed = |c: char| !c.is_control() && !"/\\*?[]".contains(c);
    ensure!((1..=LONGEST_NAME).contains(&length), "{what} must have 1 to {LONGEST_NAME} characters, found {length}");
    ensure!(!word.starts_with(['-', '+', '.']), "{what} must not begin with `-`, `+` or `.`, found `{word}`");
    ensure!(word.chars().all(is_allowed), r"{what} must not contain `/`, `\`, `*`, `?`, `[` or `]`, found `{word}`");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_ids_or_paths_are_refused() {
        assert_eq!(parse_name(" lr sweep "), Ok("lr sweep".to_owned()));
        assert!(parse_name("cafe").unwrap_err().contains("looks like the id of a run"));
        for name in ["", "a/b", "run*", "-x", ".hidden", &"x".repeat(65)] {
            assert!(parse_name(name).is_err(), "{name}");
        }
        assert!(parse_tag("a,b").is_err());
        assert_eq!(parse_tag("cafe"), Ok("cafe".to_owned()));
    }

    #[test]
    fn a_run_without_the_file_has_no_name_and_the_file_keeps_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        assert!(About::read(folder.path()).unwrap().is_empty());
        let mut about = About { name: Some("first".to_owned()), ..About::default() };
        about.merge(&About { tags: vec!["a".to_owned(), "a".to_owned()], ..About::default() });
        about.write(folder.path()).unwrap();
        assert_eq!(About::read(folder.path()).unwrap(), about);
        assert_eq!((about.name.as_deref(), &about.tags[..]), (Some("first"), &["a".to_owned()][..]));
    }
}
