//! A worker process.

use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context;

use crate::data::store::kept_table;

/// Number of kept lines of a worker's stderr.
const KEPT: usize = 8;

/// Maximum number of kept bytes of a line.
const LONGEST: usize = 4096;

/// Reads a stream to its end, so that the writer is never blocked, and keeps its last lines. Bytes that are not UTF-8 are
/// replaced.
fn keep_last_lines(mut stream: impl BufRead, kept: &Mutex<Vec<String>>) {
    let mut line = Vec::new();
    let push = |line: &mut Vec<u8>| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(String::from_utf8_lossy(line).trim_end().to_owned());
        line.clear();
    };
    loop {
        let bytes = match stream.fill_buf() {
            Ok([]) => break,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        line.extend(&part[..part.len().min(LONGEST - line.len())]);
        let used = end.map_or(bytes.len(), |end| end + 1);
        stream.consume(used);
        if end.is_some() {
            push(&mut line);
        }
    }
    if !line.is_empty() {
        push(&mut line);
    }
}

/// Returns the last error among printed lines, with its causes.
fn last_error(lines: &[String]) -> Option<String> {
    let start = lines.iter().rposition(|line| line.starts_with("error: "))?;
    let causes = lines[start + 1..].iter().map_while(|line| line.trim_start().strip_prefix("because "));
    let parts: Vec<&str> = lines[start].strip_prefix("error: ").into_iter().chain(causes).collect();
    Some(parts.join(": "))
}

/// A worker process, in a process group of its own: Ctrl-C in a terminal reaches only the process that started it, which
/// passes it on once.
#[derive(Debug)]
pub(super) struct Process {
    /// Name of the worker.
    pub(super) name: String,
    child: Child,
    stderr: Arc<Mutex<Vec<String>>>,
    /// The thread that reads stderr.
    reader: Option<JoinHandle<()>>,
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
        kept_table::LAST.release(); // the worker reads the table itself
        let mut child = command.spawn().with_context(|| format!("failed to start `{}`", program.display()))?;
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let reader = child.stderr.take().map(|stream| {
            let lines = Arc::clone(&stderr);
            thread::spawn(move || keep_last_lines(BufReader::new(stream), &lines))
        });
        Ok(Process { name, child, stderr, reader })
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
        // its last lines may not be read yet; a process that it has started can hold the stream open
        let read = || self.reader.as_ref().is_none_or(JoinHandle::is_finished);
        (0..100).take_while(|_| !read()).for_each(|_| thread::sleep(Duration::from_millis(5)));
        let lines = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let code = status.code().map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
        last_error(&lines).map_or(code.clone(), |error| format!("{code}: {error}"))
    }

    /// Sends a signal to the process.
    pub(super) fn signal(&self, signal: i32) {
        crate::io::signals::send(self.id(), signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_causes() {
        let error = |lines: &[&str]| last_error(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        let lines =
            ["error: old", "note", "error: no data", "  because no file", "  because no disk", "hint: mount it"];
        assert_eq!(error(&lines).as_deref(), Some("no data: no file: no disk"));
        assert_eq!(error(&["note"]), None);
    }

    #[test]
    fn a_stream_is_read_to_its_end_whatever_it_has() {
        let last_lines = |bytes: &[u8]| {
            let kept = Mutex::default();
            keep_last_lines(BufReader::with_capacity(7, bytes), &kept);
            kept.into_inner().unwrap()
        };
        assert_eq!(last_lines(b"one\r\nerror: \xff\xfe\nlast"), ["one", "error: \u{fffd}\u{fffd}", "last"]);
        let many: Vec<u8> = (0..20).flat_map(|number| format!("{number}\n").into_bytes()).collect();
        assert_eq!(last_lines(&many), ["12", "13", "14", "15", "16", "17", "18", "19"]);
        let long = [vec![b'x'; 3 * LONGEST], b"\nend\n".to_vec()].concat();
        assert_eq!(last_lines(&long), ["x".repeat(LONGEST), "end".to_owned()]);
    }
}
