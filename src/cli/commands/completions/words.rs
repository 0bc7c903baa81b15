//! The command line that is being completed.

use std::path::PathBuf;

use crate::cli::args::user_defaults;

/// Words of the command line that a shell completes; they follow `--` in the arguments of this process.
pub(super) struct Words(Vec<String>);

impl Words {
    /// Reads the words from the arguments of this process.
    pub(super) fn of_this_process() -> Words {
        let arguments = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        Words(arguments.skip_while(|word| word != "--").skip(2).collect()) // without the name of the program
    }

    /// Returns the value of an option: `--out DIR` or `--out=DIR`.
    fn value(&self, option: &str) -> Option<&str> {
        self.0.iter().enumerate().find_map(|(place, word)| match word.strip_prefix(option)? {
            "" => self.0.get(place + 1).map(String::as_str),
            rest => rest.strip_prefix('='),
        })
    }

    /// Returns the directory of the runs.
    pub(super) fn out(&self) -> PathBuf {
        self.value("--out").map_or_else(|| user_defaults::out().into(), PathBuf::from)
    }

    /// Returns the words that may name an experiment or a run: those after the command that are no options.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().skip(1).map(String::as_str).filter(|word| !word.is_empty() && !word.starts_with('-'))
    }
}
