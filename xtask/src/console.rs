//! Output: only this file prints, and only to stderr.
//!
//! `cargo xtask run list --json | jq` must see the stdout of `runner` and nothing else, even if libtorch is set up first.

#![expect(clippy::print_stderr, reason = "this is where xtask prints")]

use std::process::ExitCode;
use std::time::Duration;

/// Prints a line about the progress.
pub fn note(line: &str) {
    eprintln!("xtask: {line}");
}

/// Prints a line of another program unchanged.
pub fn relay(line: &str) {
    eprintln!("{line}");
}

/// Prints an error, with its hint on a line of its own.
pub fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// Prints that a check failed and returns exit code 1.
pub fn failed(check: &str, hint: &str) -> ExitCode {
    eprintln!("error: check failed: {check}\nhint: {hint}");
    ExitCode::from(1)
}

/// Formats a duration: `3.2 s`, `14 min 3 s`.
pub fn duration(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
