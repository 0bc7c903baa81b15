//! Words of commands that messages show.

use std::path::Path;

/// Returns a word for a shell, in quotes if necessary.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.,+=/:@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Returns words for a shell, each in quotes if necessary.
pub fn quoted_words(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// Returns a path for a shell, in quotes if necessary.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}
