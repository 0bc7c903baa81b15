//! Run in a child process that is killed at a given point.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cli::commands::selftest::run_files::newest_run;
use crate::experiment::run::checkpointing;

/// When a child is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KillPoint {
    /// It is not killed.
    Never,
    /// This long after its start.
    After(Duration),
    /// While it writes a checkpoint: after `passes` earlier ones, and `delay` after the file appeared.
    InWrite { passes: u32, delay: Duration },
}

/// End of a child process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChildEnd {
    /// It exited, with this exit code.
    Exited(Option<i32>),
    /// It was killed. `in_write`: it left an incomplete checkpoint.
    Killed { in_write: bool },
}

/// Returns the end of a process in words, by its exit code.
pub(crate) fn describe(code: Option<i32>) -> String {
    code.map_or("a signal".to_owned(), |code| format!("exit code {code}"))
}

/// Lines that a child printed to stderr.
#[derive(Clone, Debug, Default)]
pub(crate) struct StderrLines(Arc<Mutex<Vec<String>>>);

impl StderrLines {
    /// Returns the last lines, for an error message.
    pub(crate) fn last_lines(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// Returns the last epoch that was printed, from a line such as `epoch 12/30 …`.
    pub(crate) fn last_epoch(&self) -> Option<usize> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().find_map(|line| line.strip_prefix("epoch ")?.trim_start().split('/').next()?.parse().ok())
    }
}

/// A running child process.
pub(crate) struct Child {
    process: process::Child,
    output: StderrLines,
    reader: JoinHandle<()>,
}

impl Child {
    /// Starts this program with these arguments.
    pub(crate) fn start(arguments: &[String]) -> anyhow::Result<Child> {
        let program = std::env::current_exe().context("failed to find the path of this program")?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start this program")?;
        let (output, stream) =
            (StderrLines::default(), process.stderr.take().context("the child process has no stderr")?);
        let lines = Arc::clone(&output.0);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Child { process, output, reader })
    }

    /// Waits until the child ends, or kills it at the kill point. `out` is the directory of its runs.
    pub(crate) fn watch(mut self, kill_point: KillPoint, out: &Path) -> anyhow::Result<(ChildEnd, StderrLines)> {
        let part = format!(".{}.{}.part", checkpointing::FILE, self.process.id());
        let is_writing = || newest_run(out).is_some_and(|folder| folder.join(&part).exists());
        let started = Instant::now();
        let (mut passed, mut was_writing) = (0, false);
        let end = loop {
            if let Some(status) = self.process.try_wait().context("failed to wait for a child process")? {
                break ChildEnd::Exited(status.code());
            }
            let must_kill = match kill_point {
                KillPoint::Never => {
                    thread::sleep(Duration::from_millis(5));
                    false
                }
                KillPoint::After(time) => {
                    thread::sleep(Duration::from_micros(300).min(time.saturating_sub(started.elapsed())));
                    started.elapsed() >= time
                }
                KillPoint::InWrite { passes, delay } => {
                    let writing = is_writing(); // no sleep: writing takes little longer than this check
                    passed += u32::from(was_writing && !writing);
                    was_writing = writing;
                    if writing && passed >= passes {
                        let noticed = Instant::now();
                        while noticed.elapsed() < delay && is_writing() {}
                    }
                    writing && passed >= passes
                }
            };
            if must_kill {
                self.process.kill().context("failed to kill a child process")?;
                let status = self.process.wait().context("failed to wait for a child process")?;
                break match status.code() {
                    Some(code) => ChildEnd::Exited(Some(code)), // it exited before it was killed
                    None => ChildEnd::Killed { in_write: is_writing() },
                };
            }
        };
        let _ = self.reader.join(); // the lines read so far are kept even if the reader failed
        Ok((end, self.output))
    }
}
