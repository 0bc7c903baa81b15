//! The only file that prints: data to stdout, talk to stderr, plain lines without colour.
//!
//! Talk goes to stderr because `cargo xtask run list --json | jq` must see runner's stdout and
//! nothing else, also the first time, when libtorch is fetched on the way.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where xtask prints")]

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
