//! Names of experiments and variants, which become names of folders and files. Each name is valid on every system, and
//! no two names collide on a system that ignores case or Unicode normalization.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::config::check::{Invalid, require};

/// Maximum length of a name in bytes. File names are limited to 255 bytes; the longest one, of a trial's temporary
/// file, is `.NAME-seed-9223372036854775808-fold1000000.safetensors.4194304-10000.part`.
const LONGEST: usize = 180;

/// Device names on Windows, reserved also with an extension.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Checks a name that is used for files.
///
/// # Errors
/// When some system does not allow the name for a file.
pub fn check(key: &str, name: &str) -> Result<(), Invalid> {
    check_letters(key, name)?;
    let wanted = format!("must have at most {LONGEST} bytes");
    let length = require(name.len() <= LONGEST, key, &wanted, format!("{} bytes", name.len()));
    let wanted = "must not begin with a blank or a dot, or end with one";
    let ends = require(!name.starts_with(' ') && !name.ends_with([' ', '.']), key, wanted, format!("`{name}`"));
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let wanted = "must not be a device's name on Windows";
    let device = require(!DEVICES.contains(&stem.as_str()), key, wanted, format!("`{name}`"));
    length.and(ends).and(device).map_err(|fault| match key {
        "name" => fault.hint("set `name = \"…\"` in the file; without it the file's own name is taken"),
        _ => fault,
    })
}

/// Checks that a name cannot point into another folder; names in records and histories are checked, too.
///
/// # Errors
/// When it contains characters other than letters, digits, blanks, `_`, `-`, `+` and `.`, or starts with a dot.
pub fn check_letters(key: &str, name: &str) -> Result<(), Invalid> {
    let allowed = |c: char| c.is_alphanumeric() || "_-.+ ".contains(c);
    require(
        !name.is_empty() && name.chars().all(allowed) && !name.starts_with('.'),
        key,
        "must be made of letters, digits, blanks, `_`, `-`, `+` and `.`",
        format!("`{name}`"),
    )
}

/// Checks that the names stay distinct on systems that ignore case or Unicode normalization.
///
/// # Errors
/// When two of them collide.
pub fn check_distinct(key: &str, names: &[&str]) -> Result<(), Invalid> {
    let mut known: HashMap<String, &str> = HashMap::new();
    for name in names {
        if let Some(other) = known.get(&folded(name)) {
            let message = format!("`{other}` and `{name}` {}", difference(other, name));
            return Err(Invalid::new(key, message).hint("give one of them another name"));
        }
        known.insert(folded(name), name);
    }
    Ok(())
}

/// Returns whether two names refer to the same file on some system.
pub fn are_one_file(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// Returns the difference between two names that refer to the same file on some system.
pub fn difference(one: &str, other: &str) -> &'static str {
    match one.nfc().eq(other.nfc()) {
        true => "are the same name in two Unicode forms, and one file on macOS",
        false => "differ only in case, and macOS and Windows do not distinguish such file names",
    }
}

/// Returns the name with case and Unicode normalization removed.
fn folded(name: &str) -> String {
    // Upper case first: `ß` and `SS` are equal when case is ignored.
    name.nfd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_file_of_the_longest_name_fits() {
        let file = format!(".{}-seed{}-fold1000000.safetensors.4194304-10000.part", "n".repeat(LONGEST), i64::MIN);
        assert!(file.len() <= 255, "{}", file.len());
    }

    #[test]
    fn names_are_one_file_without_case_and_unicode_form() {
        for (one, other) in [("a", "A"), ("ß", "SS"), ("σ", "ς"), ("\u{e9}", "E\u{301}"), ("\u{212b}", "\u{e5}")] {
            assert!(are_one_file(one, other), "{one} {other}");
        }
        for (one, other) in [("a", "b"), ("a", "ä"), ("a1", "a-1"), ("x", "x2")] {
            assert!(!are_one_file(one, other), "{one} {other}");
        }
    }
}
