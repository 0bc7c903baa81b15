//! A run in a process of its own, which is killed at a point.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cli::commands::selftest::left::run_in;
use crate::experiment::run::checkpointing;

/// When a child is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// It is not.
    Never,
    /// So long after its start.
    After(Duration),
    /// In the writing of a checkpoint, after so many that pass, so long after the file was begun.
    InWrite { passes: u32, delay: Duration },
}

/// How a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this exit code.
    Exited(Option<i32>),
    /// It was killed; within the writing of a checkpoint, when it has left half of one.
    Killed { in_write: bool },
}

/// What a child has said on standard error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said(Arc<Mutex<Vec<String>>>);

impl Said {
    /// The last lines, for a message.
    pub(crate) fn last_lines(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// The last epoch that was shown: `epoch 12/30 …`.
    pub(crate) fn last_epoch(&self) -> Option<usize> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().rev().find_map(|line| line.strip_prefix("epoch ")?.trim_start().split('/').next()?.parse().ok())
    }
}

/// A child that runs.
pub(crate) struct Child {
    process: process::Child,
    said: Said,
    reader: JoinHandle<()>,
}

impl Child {
    /// Starts this program with these arguments.
    pub(crate) fn start(arguments: &[String]) -> anyhow::Result<Child> {
        let program = std::env::current_exe().context("failed to find this program")?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start this program")?;
        let (said, stream) = (Said::default(), process.stderr.take().context("the child has no standard error")?);
        let lines = Arc::clone(&said.0);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Child { process, said, reader })
    }

    /// Waits until it ends, or the moment has come to kill it; `out` is where it puts its run.
    pub(crate) fn watch(mut self, moment: Moment, out: &Path) -> anyhow::Result<(End, Said)> {
        let part = format!(".{}.{}.part", checkpointing::FILE, self.process.id());
        let is_writing = || run_in(out).is_some_and(|folder| folder.join(&part).exists());
        let begun = Instant::now();
        let (mut passed, mut was_writing) = (0, false);
        let end = loop {
            if let Some(status) = self.process.try_wait().context("failed to wait for a child")? {
                break End::Exited(status.code());
            }
            let is_time = match moment {
                Moment::Never => {
                    thread::sleep(Duration::from_millis(5));
                    false
                }
                Moment::After(time) => {
                    thread::sleep(Duration::from_micros(300).min(time.saturating_sub(begun.elapsed())));
                    begun.elapsed() >= time
                }
                Moment::InWrite { passes, delay } => {
                    let writes = is_writing(); // without a pause: a write takes little longer than a look
                    passed += u32::from(was_writing && !writes);
                    was_writing = writes;
                    if writes && passed >= passes {
                        let seen = Instant::now();
                        while seen.elapsed() < delay && is_writing() {}
                    }
                    writes && passed >= passes
                }
            };
            if is_time {
                self.process.kill().context("failed to kill a child")?;
                let status = self.process.wait().context("failed to wait for a child")?;
                break match status.code() {
                    Some(code) => End::Exited(Some(code)), // it was quicker
                    None => End::Killed { in_write: is_writing() },
                };
            }
        };
        let _ = self.reader.join(); // what it has said is kept, whatever becomes of its stream
        Ok((end, self.said))
    }
}
