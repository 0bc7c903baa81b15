//! A worker process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context;

/// Number of kept lines of a worker's stderr.
const KEPT: usize = 8;

/// A worker process, in a process group of its own: Ctrl-C in a terminal reaches only the process that started it, which
/// passes it on once.
#[derive(Debug)]
pub(super) struct Process {
    /// Name of the worker.
    pub(super) name: String,
    child: Child,
    stderr: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts the worker `name` with these arguments and environment variables.
    pub(super) fn start(
        program: &Path,
        name: String,
        arguments: &[String],
        environment: &[(String, String)],
    ) -> anyhow::Result<Process> {
        let mut command = Command::new(program);
        command.args(arguments).args(["--name", &name, "--parent", &std::process::id().to_string()]);
        command.envs(environment.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().with_context(|| format!("failed to start `{}`", program.display()))?;
        let stderr = Arc::new(Mutex::new(Vec::new()));
        if let Some(stream) = child.stderr.take() {
            let lines = Arc::clone(&stderr);
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                    if lines.len() == KEPT {
                        lines.remove(0);
                    }
                    lines.push(line);
                }
            });
        }
        Ok(Process { name, child, stderr })
    }

    /// Returns how the process ended; `None` while it runs.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("failed to wait for a worker")
    }

    /// Process ID.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns why the process died: a signal, or the exit code and the last error that it printed.
    pub(super) fn cause(&self, status: ExitStatus) -> String {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return format!("signal {signal}");
        }
        let lines = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let error = lines.iter().rev().find_map(|line| line.strip_prefix("error: "));
        let code = status.code().map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
        error.map_or(code.clone(), |error| format!("{code}: {error}"))
    }

    /// Sends a signal to the process.
    pub(super) fn signal(&self, signal: i32) {
        crate::io::signals::send(self.id(), signal);
    }
}
