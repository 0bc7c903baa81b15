//! The one file that prints. Data go to standard output, talk to standard error; colour only where a person looks.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Style, style};
use serde::Serialize;

use crate::config::hint::Hint;
use crate::device::fault::{Fault, is_handled};
use crate::experiment::spec::source_text::SpecError;
use crate::history::json::readable;

/// Whether stdout has failed, and not only its reader.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints data: text to stdout, with a line end.
///
/// A reader that has closed the pipe, as `head` does, has read enough, and the command goes on: what follows on stderr and
/// the exit code are as without a pipe. So they are where stdout fails for another reason, which is an error
/// ([`has_failed`]).
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

/// Whether data could not be printed: the command has failed then, whatever else it did.
pub fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Prints data that are no text, such as a picture.
///
/// # Errors
/// When stdout cannot be written to; a reader that has closed the pipe has read enough.
pub fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("failed to write to stdout"))
        }
        _ => Ok(()),
    }
}

/// Sends off what was printed, before the program ends.
pub fn flush() {
    let _ = io::stdout().flush();
    let _ = io::stderr().flush();
}

/// Prints data as JSON to standard output.
pub fn json<T: Serialize>(value: &T) {
    out(&readable(value).expect("what is printed is made of JSON's types"));
}

/// Talks: a line to standard error. Where nobody listens any more, the work goes on.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Tells an error: what failed, why, and the hint on a line of its own.
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

/// Warns: what was done all the same may not be what was meant.
pub fn warn(text: &str) {
    say(&format!("{} {text}", style("warning:").yellow().bold().for_stderr()));
}

/// Whether a person watches standard error.
pub fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// The width of the terminal that standard output goes to; 80 where there is none.
pub fn width() -> usize {
    width_of(std::io::stdout().is_terminal(), &console::Term::stdout())
}

/// The width of the terminal that standard error goes to; 80 where there is none.
pub fn talk_width() -> usize {
    width_of(is_watched(), &console::Term::stderr())
}

fn width_of(is_terminal: bool, terminal: &console::Term) -> usize {
    // a terminal that does not know its own width says 0
    let width = terminal.size_checked().map_or(0, |(_, columns)| usize::from(columns));
    if is_terminal && width > 0 { width } else { 80 }
}

/// Whether what goes to standard output is styled: on a terminal, unless colour is switched off.
pub fn is_styled() -> bool {
    console::colors_enabled()
}

/// Bold in talk, on a terminal.
pub fn bold_in_talk(text: &str) -> String {
    style(text).bold().for_stderr().to_string()
}

/// How many greys standard output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greys {
    /// None: it is no terminal, or colors are off.
    None,
    /// 24.
    Few,
    /// 256.
    Many,
}

/// How many greys standard output can show.
pub fn greys() -> Greys {
    match (console::colors_enabled(), console::true_colors_enabled()) {
        (false, _) => Greys::None,
        (true, false) => Greys::Few,
        (true, true) => Greys::Many,
    }
}

/// Bold, on a terminal.
pub fn bold(text: &str) -> String {
    styled(&Style::new().bold(), text)
}

/// Green, on a terminal.
pub fn green(text: &str) -> String {
    styled(&Style::new().green(), text)
}

/// Red, on a terminal.
pub fn red(text: &str) -> String {
    styled(&Style::new().red(), text)
}

/// Faint, on a terminal.
pub fn dim(text: &str) -> String {
    styled(&Style::new().dim(), text)
}

fn styled(style: &Style, text: &str) -> String {
    style.apply_to(text).to_string()
}

/// Tells a fault of the program itself in a line, in place of a trace; with `RUNNER_BACKTRACE` set, all is shown.
pub fn shorten_panics() {
    if std::env::var_os("RUNNER_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let fault = panic.payload().downcast_ref::<Fault>().map(ToString::to_string);
        let message = fault.as_deref().or(panic.payload_as_str()).unwrap_or("no reason given");
        if is_handled(panic.payload()) {
            return;
        }
        // libtorch's trace comes quoted, with its line ends written out
        let first = message.split(['\n', '\r']).next().unwrap_or_default().split("\\n").next().unwrap_or_default();
        let no_memory = ["can't allocate memory", "out of memory", "not enough memory"];
        if no_memory.iter().any(|words| message.to_lowercase().contains(words)) {
            say("error: there is not enough memory for this run");
            say("hint: fewer seeds at once, a smaller batch or a smaller network need less");
            std::process::exit(2);
        }
        say(&format!("error: a fault in runner itself, or in libtorch: {first}"));
        say("hint: run it again with RUNNER_BACKTRACE=1 for the whole trace, and report it");
        std::process::exit(2);
    }));
}
