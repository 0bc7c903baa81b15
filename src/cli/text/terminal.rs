//! The only file that prints. Results go to stdout; progress, warnings and errors go to stderr. Colors only in a terminal.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Style, style};
use serde::Serialize;

use crate::cli::text::log_file;
use crate::cli::text::wrap::wrap_message;
use crate::config::hint::Hint;
use crate::device::fault::{Fault, is_handled};
use crate::experiment::spec::source_text::SpecError;
use crate::history::readable_json::readable;

/// Whether writing to stdout has failed, other than by a closed pipe.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a result: text to stdout, with a line end.
///
/// If the reader has closed the pipe, as `head` does, the command continues: stderr and the exit code are the same as without a
/// pipe. Any other failure is printed as an error ([`has_failed`]).
pub fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.trim_end_matches('\n').as_bytes()).and_then(|()| stdout.write_all(b"\n"));
    let failed = written.and_then(|()| stdout.flush()).err().filter(|error| error.kind() != ErrorKind::BrokenPipe);
    if let Some(error) = failed
        && !FAILED.swap(true, Ordering::Relaxed)
    {
        self::error(&anyhow::Error::new(error).context("failed to write to stdout"));
    }
}

/// Prints a result like [`out`], and returns whether somebody reads it: the pipe is not closed.
pub fn try_out(text: &str) -> bool {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n"));
    written.and_then(|()| stdout.flush()).is_ok()
}

/// Returns whether a result could not be printed, which makes the command fail.
pub fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Prints binary data, such as an image.
///
/// # Errors
/// If writing to stdout fails, except by a closed pipe.
pub fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("failed to write to stdout"))
        }
        _ => Ok(()),
    }
}

/// Flushes stdout and stderr.
pub fn flush() {
    let _ = io::stdout().flush();
    let _ = io::stderr().flush();
}

/// Prints a value as JSON to stdout.
pub fn json<T: Serialize>(value: &T) {
    out(&readable(value).expect("what is printed is made of JSON's types"));
}

/// Prints a line to stderr, and to the log file if there is one. A terminal's lines are broken between words. A closed
/// stderr is no error.
pub fn say(text: &str) {
    log_file::append(text);
    let shown = if stderr_is_terminal() { wrap_message(text, stderr_width()) } else { text.to_owned() };
    let _ = writeln!(std::io::stderr(), "{shown}");
}

/// Erases the line above the cursor in the terminal on stderr.
pub fn erase_line_above() {
    let _ = console::Term::stderr().clear_last_lines(1);
}

/// Prints a question to stderr, without a line break.
pub fn ask(question: &str) {
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
}

/// Prints an error: what failed, why, and the hint on a separate line.
pub fn error(error: &anyhow::Error) {
    let spec_hint = error.downcast_ref::<SpecError>().and_then(|error| error.hint.as_deref());
    let hint = error.downcast_ref::<Hint>().map(|hint| hint.0.as_str());
    let mut lines = error.chain().map(ToString::to_string).filter(|line| Some(line.as_str()) != hint);
    let red = style("error:").red().bold().for_stderr();
    say(&format!("{red} {}", lines.next().unwrap_or_default()));
    lines.for_each(|line| say(&format!("  because {line}")));
    for hint in [hint, spec_hint].into_iter().flatten() {
        say(&format!("{} {hint}", style("hint:").cyan().bold().for_stderr()));
    }
}

/// Prints a warning.
pub fn warn(text: &str) {
    say(&format!("{} {text}", style("warning:").yellow().bold().for_stderr()));
}

/// Returns whether stderr is a terminal.
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Returns whether stderr is a terminal that can redraw a line, which one with `TERM=dumb` cannot.
pub fn can_redraw() -> bool {
    stderr_is_terminal() && !console::is_dumb()
}

/// Returns whether stdout is a terminal that can show a screen, which one with `TERM=dumb` cannot.
pub fn stdout_is_screen() -> bool {
    stdout_is_terminal() && !console::is_dumb()
}

/// Returns whether stdout is a terminal.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Returns the width of the terminal on stdout; 80 if it is no terminal.
pub fn width() -> usize {
    width_of(stdout_is_terminal(), &console::Term::stdout())
}

/// Returns the width of the terminal on stderr; 80 if it is no terminal.
pub fn stderr_width() -> usize {
    width_of(stderr_is_terminal(), &console::Term::stderr())
}

fn width_of(is_terminal: bool, terminal: &console::Term) -> usize {
    // a terminal of unknown width reports 0
    let width = terminal.size_checked().map_or(0, |(_, columns)| usize::from(columns));
    if is_terminal && width > 0 { width } else { 80 }
}

/// Returns whether stdout is styled: in a terminal, unless colors are off.
pub fn is_styled() -> bool {
    console::colors_enabled()
}

/// Returns text for stderr, bold in a terminal.
pub fn bold_on_stderr(text: &str) -> String {
    style(text).bold().for_stderr().to_string()
}

/// Number of gray levels that stdout can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greys {
    /// None: stdout is no terminal, or colors are off.
    None,
    /// 24.
    Few,
    /// 256.
    Many,
}

/// Returns the number of gray levels that stdout can show.
pub fn greys() -> Greys {
    match (console::colors_enabled(), console::true_colors_enabled()) {
        (false, _) => Greys::None,
        (true, false) => Greys::Few,
        (true, true) => Greys::Many,
    }
}

/// Returns text for stdout, bold in a terminal.
pub fn bold(text: &str) -> String {
    styled(&Style::new().bold(), text)
}

/// Returns text for stdout, green in a terminal.
pub fn green(text: &str) -> String {
    styled(&Style::new().green(), text)
}

/// Returns text for stdout, red in a terminal.
pub fn red(text: &str) -> String {
    styled(&Style::new().red(), text)
}

/// Returns text for stdout, faint in a terminal.
pub fn dim(text: &str) -> String {
    styled(&Style::new().dim(), text)
}

fn styled(style: &Style, text: &str) -> String {
    style.apply_to(text).to_string()
}

/// Prints a panic as one line instead of a backtrace, unless `RUNNER_BACKTRACE` is set.
pub fn install_panic_hook() {
    if std::env::var_os("RUNNER_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let fault = panic.payload().downcast_ref::<Fault>().map(ToString::to_string);
        let message = fault.as_deref().or(panic.payload_as_str()).unwrap_or("no reason given");
        if is_handled(panic.payload()) {
            return;
        }
        // libtorch's trace is quoted, with escaped line ends
        let first = message.split(['\n', '\r']).next().unwrap_or_default().split("\\n").next().unwrap_or_default();
        let no_memory = ["can't allocate memory", "out of memory", "not enough memory"];
        if no_memory.iter().any(|words| message.to_lowercase().contains(words)) {
            say("error: there is not enough memory for this run");
            say("hint: fewer seeds at once, a smaller batch or a smaller network need less");
        } else if message.contains("failed to spawn thread") {
            say(&format!("error: the machine is out of memory, or allows no more threads: {first}"));
            say("hint: close other programs, or raise the limits (`ulimit -v`, `ulimit -u`)");
        } else {
            say(&format!("error: a fault in runner itself, or in libtorch: {first}"));
            say("hint: run it again with RUNNER_BACKTRACE=1 for the whole trace, and report it");
        }
        std::process::exit(2);
    }));
}
