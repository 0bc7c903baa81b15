//! A worker process.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use anyhow::Context;

use crate::data::store::kept_table;
use crate::workers::message::{COMMAND, Order, Report};

/// What happens to a worker.
#[derive(Debug)]
pub(super) enum Event {
    /// It reports something.
    Report(Report),
    /// It has ended.
    Ended,
}

/// How a worker is started.
#[derive(Clone, Debug)]
pub struct WorkerSetup {
    /// Device of its tensors, for messages.
    pub device: String,
    /// The same device as the worker sees it.
    pub seen_as: String,
    /// Environment variables in addition to those of this process.
    pub environment: Vec<(String, String)>,
}

/// A worker process, in a process group of its own: Ctrl-C in a terminal reaches only the process that started it. It ends
/// when its orders end.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    orders: Option<ChildStdin>,
}

impl Process {
    /// Starts a worker. Its events are sent with its number and `start`, the number of processes that were started before.
    pub(super) fn start(
        setup: &WorkerSetup,
        first: &Order,
        number: usize,
        start: usize,
        events: Sender<(usize, usize, Event)>,
    ) -> anyhow::Result<Process> {
        let program: PathBuf = std::env::current_exe().context("failed to find the path of this program")?;
        let mut command = Command::new(&program);
        command.arg(COMMAND).envs(setup.environment.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        kept_table::LAST.release(); // the worker reads the table itself
        let mut child = command.spawn().with_context(|| format!("failed to start `{}`", program.display()))?;
        let orders = child.stdin.take();
        if let Some(reports) = child.stdout.take() {
            let read = move || {
                for line in BufReader::new(reports).lines().map_while(Result::ok) {
                    let Ok(report) = serde_json::from_str(&line) else { continue };
                    if events.send((number, start, Event::Report(report))).is_err() {
                        return;
                    }
                }
                let _ = events.send((number, start, Event::Ended)); // nobody waits at the end of the run
            };
            thread::Builder::new().name("reports".to_owned()).spawn(read).context("failed to start a thread")?;
        }
        let mut process = Process { child, orders };
        process.send(first);
        Ok(process)
    }

    /// Sends an order. One to a worker that has died is lost, and its end is reported.
    pub(super) fn send(&mut self, order: &Order) {
        let mut line = serde_json::to_vec(order).expect("an order has JSON types only");
        line.push(b'\n');
        if let Some(orders) = &mut self.orders {
            let _ = orders.write_all(&line).and_then(|()| orders.flush());
        }
    }

    /// Waits for the end of a process whose reports have ended, and returns why it ended.
    pub(super) fn wait(&mut self) -> String {
        drop(self.orders.take());
        let Ok(status) = self.child.wait() else { return "unknown".to_owned() };
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return format!("signal {signal}");
        }
        status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"))
    }
}
