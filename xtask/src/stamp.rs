//! `.libtorch/READY`: the word that a set-up came to its end, and which.
//!
//! It is written last, beside its place and then renamed into it, and taken away before anything it
//! vouches for is touched. So whoever finds it finds a whole libtorch, however the last set-up ended.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use crate::libtorch::{self, VERSION, Variant};

const NAME: &str = "READY";

/// The variant that is ready in `home`, if one is: stamped, of our version, and its files still there.
pub fn ready(home: &Path) -> Option<Variant> {
    let stamped = parse(&fs::read_to_string(home.join(NAME)).ok()?)?;
    let found = libtorch::inspect(home).ok()?;
    found.serves(stamped).then_some(stamped)
}

pub fn write(home: &Path, variant: Variant) -> Result<()> {
    let unfinished = home.join("READY.new");
    fs::write(&unfinished, format!("libtorch {VERSION} {variant}\n"))
        .and_then(|()| fs::rename(&unfinished, home.join(NAME)))
        .with_context(|| format!("failed to write `{}`", home.join(NAME).display()))
}

pub fn remove(home: &Path) -> Result<()> {
    match fs::remove_file(home.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", home.join(NAME).display()))
        }
        _ => Ok(()),
    }
}

fn parse(text: &str) -> Option<Variant> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["libtorch", VERSION, "cpu"] => Some(Variant::Cpu),
        ["libtorch", VERSION, "cuda"] => Some(Variant::Cuda),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let home = tempfile::tempdir().unwrap();
        for variant in [Variant::Cpu, Variant::Cuda] {
            write(home.path(), variant).unwrap();
            let text = fs::read_to_string(home.path().join(NAME)).unwrap();
            assert_eq!(parse(&text), Some(variant));
        }
        remove(home.path()).unwrap();
        remove(home.path()).unwrap();
        assert!(!home.path().join(NAME).exists());
    }

    #[test]
    fn the_stamp_of_another_version_counts_for_nothing() {
        assert_eq!(parse("libtorch 2.10.0 cpu\n"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_stamp_without_files_counts_for_nothing() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), Variant::Cpu).unwrap();
        assert_eq!(ready(home.path()), None);
    }
}
