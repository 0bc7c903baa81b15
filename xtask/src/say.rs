//! The only file that prints: data to stdout, talk to stderr, plain lines without colour.
//!
//! Talk goes to stderr because `cargo xtask run list --json | jq` must see runner's stdout and
//! nothing else, also the first time, when libtorch is fetched on the way.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where xtask prints")]

use std::time::Duration;

/// What the user asked for, on stdout.
pub fn data(text: &str) {
    println!("{text}");
}

/// A line about what is going on.
pub fn note(line: &str) {
    eprintln!("xtask: {line}");
}

/// A line of another program, passed on as it is.
pub fn relay(line: &str) {
    eprintln!("{line}");
}

/// The one message of a failure, its hint on a line of its own.
pub fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

/// `14 min 3 s`, `3.2 s`.
pub fn time(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_what_suits_them() {
        assert_eq!(time(Duration::from_millis(3240)), "3.2 s");
        assert_eq!(time(Duration::from_secs(843)), "14 min 3 s");
    }
}
