//! The log file of a run: progress lines and messages, each with its UTC time.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use anyhow::Context;
use console::strip_ansi_codes;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::hint::Hint;

static LOG: OnceLock<Mutex<File>> = OnceLock::new();

/// Appends all further messages of this process to a file, which is created if it does not exist.
///
/// # Errors
/// If the file cannot be opened.
pub fn open(path: &Path) -> anyhow::Result<()> {
    if LOG.get().is_some() {
        return Ok(()); // the command trains several runs
    }
    let file = File::options().append(true).create(true).open(path);
    let file = file.with_context(|| format!("failed to open the log file `{}`", path.display()));
    let file = file.map_err(|error| error.context(Hint("choose another file with `--log-file`".to_owned())))?;
    let _ = LOG.set(Mutex::new(file));
    Ok(())
}

/// Appends text, each line with the time; nothing without a log file. A line that cannot be written is lost.
pub fn append(text: &str) {
    let Some(log) = LOG.get() else { return };
    let lines = stamped(text, OffsetDateTime::now_utc());
    let mut file = log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _ = file.write_all(lines.as_bytes());
}

/// Returns the lines that are not empty, without colors, each after the time.
fn stamped(text: &str, now: OffsetDateTime) -> String {
    let time = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
    let text = strip_ansi_codes(text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("{time} {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_the_time_and_no_colors() {
        assert_eq!(
            stamped("\u{1b}[1midea\u{1b}[0m: a title\n\nepoch 1/2\n", OffsetDateTime::UNIX_EPOCH),
            "1970-01-01T00:00:00Z idea: a title\n1970-01-01T00:00:00Z epoch 1/2\n"
        );
    }
}
