//! Exit codes.
//!
//! The process ends in one of these places: `process::front` returns the code of `runner`, `process::engine` ends
//! `runner-engine` by `io::signals::exit_immediately`, a second signal ends both in `io::signals`, and the panic hook of
//! `text::terminal` ends them after a bug or if memory runs out.

use crate::cli::text::terminal;

/// Result of a command, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: success.
    Done,
    /// 1: under `--strict`, an expectation was missed or metrics differ from the history; or a run was not reproduced, or a
    /// sweep not verified.
    Missed,
    /// 2: invalid input or a failure.
    Failed,
    /// 128 plus the number of the signal that interrupted the command: 130 for Ctrl-C, 143 for SIGTERM.
    Interrupted(i32),
}

impl Exit {
    /// Returns the exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Missed => 1,
            Exit::Failed => 2,
            Exit::Interrupted(signal) => 128 + signal as u8,
        }
    }
}

/// Prints the error of a failed command and returns how the program ends. If output could not be written, it fails.
pub fn report_outcome(outcome: anyhow::Result<Exit>) -> Exit {
    let exit = outcome.unwrap_or_else(|error| {
        terminal::error(&error);
        Exit::Failed
    });
    match exit {
        Exit::Done | Exit::Missed if terminal::has_failed() => Exit::Failed,
        Exit::Done | Exit::Missed | Exit::Failed | Exit::Interrupted(_) => exit,
    }
}
