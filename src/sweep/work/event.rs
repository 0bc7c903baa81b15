//! Events of a worker: lines of its log `workers/<name>.jsonl`, which the command line shows, too.

use std::fs::File;
use std::io::Write;

use serde::Serialize;

use crate::sweep::dir::SweepDir;
use crate::sweep::dir::ended::Failure;
use crate::sweep::work::identity::now;

/// An event of a worker.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// It has started.
    Started {
        /// Device of its tensors.
        device: &'a str,
        /// Maximum number of its CPU threads.
        threads: usize,
    },
    /// It has taken the lease on a stack.
    Claimed {
        /// Name of the stack.
        stack: &'a str,
        /// Generation of the lease.
        generation: u32,
    },
    /// A warning about a stack.
    Note {
        /// Name of the stack.
        stack: &'a str,
        /// The warning.
        text: &'a str,
    },
    /// It has published a round of further configurations.
    Chosen {
        /// Number of the configurations.
        configurations: usize,
    },
    /// It has published further seeds of configurations that were trained to the end.
    FurtherSeeds {
        /// Number of the configurations.
        configurations: usize,
    },
    /// A stack has ended.
    Ended {
        /// Name of the stack.
        stack: &'a str,
        /// Number of its trials that are done.
        trials: usize,
        /// Duration of this generation in seconds.
        seconds: f64,
        /// Why it failed; `None` if all of its trials are done.
        failure: Option<&'a Failure>,
    },
    /// It has left a stack with a checkpoint.
    Released {
        /// Name of the stack.
        stack: &'a str,
    },
    /// Another worker has taken over its stack.
    LeaseLost {
        /// Name of the stack.
        stack: &'a str,
    },
    /// An error of the file system, after which it tries again.
    Retrying {
        /// The error.
        error: &'a str,
    },
    /// It has left the sweep.
    Left {
        /// Why.
        reason: &'a str,
    },
}

/// Receives the events of a worker.
pub trait Events {
    /// Shows an event.
    fn event(&mut self, event: &Event);
}

/// Writes the events of a worker to its log, and passes them on.
pub struct LoggedEvents<'a> {
    log: Option<File>,
    shown: &'a mut dyn Events,
}

impl<'a> LoggedEvents<'a> {
    /// Opens the log of a worker. It only informs people, so a worker without one works, too.
    pub fn open(dir: &SweepDir, worker: &str, shown: &'a mut dyn Events) -> Self {
        let path = dir.file("workers").join(format!("{worker}.jsonl"));
        LoggedEvents { log: File::options().append(true).create(true).open(path).ok(), shown }
    }
}

impl Events for LoggedEvents<'_> {
    fn event(&mut self, event: &Event) {
        #[derive(Serialize)]
        struct Line<'a> {
            time: String,
            #[serde(flatten)]
            event: &'a Event<'a>,
        }
        if let (Some(log), Ok(line)) = (&mut self.log, serde_json::to_string(&Line { time: now(), event })) {
            let _ = log.write_all(format!("{line}\n").as_bytes());
        }
        self.shown.event(event);
    }
}
