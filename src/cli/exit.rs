//! Exit codes.

use crate::cli::text::terminal;

/// How a command ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Done,
    /// 1: under `--strict` an expectation was missed, or figures differ from the history; a run was not reproduced.
    Missed,
    /// 2: bad input, or a failure.
    Failed,
    /// 128 and the signal's number: stopped from outside; Ctrl-C makes it 130, SIGTERM 143.
    Interrupted(i32),
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Missed => 1,
            Exit::Failed => 2,
            Exit::Interrupted(signal) => 128 + signal as u8,
        }
    }
}

/// Tells how the program ended.
pub fn ended(outcome: anyhow::Result<Exit>) -> Exit {
    let exit = outcome.unwrap_or_else(|error| {
        terminal::error(&error);
        Exit::Failed
    });
    match exit {
        Exit::Done | Exit::Missed if terminal::has_failed() => Exit::Failed,
        Exit::Done | Exit::Missed | Exit::Failed | Exit::Interrupted(_) => exit,
    }
}
