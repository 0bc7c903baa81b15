//! Runs the programs of Slurm.

use std::io::{ErrorKind, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Time after which a program is ended: the controller may not answer.
const LONGEST: Duration = Duration::from_secs(60);

/// Time between two looks at the program.
const LOOK: Duration = Duration::from_millis(10);

/// Why a program of Slurm has given no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// There is no such program in `PATH`.
    #[error("`{0}` is not in `PATH`")]
    Missing(String),
    /// It ended with an error, and these are its words.
    #[error("`{0}` failed: {1}")]
    Refused(String, String),
    /// It did not end in time, or could not be started.
    #[error("`{0}` gave no answer: {1}")]
    NoAnswer(String, String),
}

/// Runs a program, and returns what it prints to stdout. `prepare` changes the command before it is started.
///
/// # Errors
/// When it is missing, fails, or does not end in time.
pub fn run(name: &str, arguments: &[String], prepare: impl FnOnce(&mut Command)) -> Result<String, ProgramError> {
    run_within(name, arguments, prepare, LONGEST)
}

fn run_within(
    name: &str,
    arguments: &[String],
    prepare: impl FnOnce(&mut Command),
    longest: Duration,
) -> Result<String, ProgramError> {
    let no_answer = |reason: String| ProgramError::NoAnswer(name.to_owned(), reason);
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    prepare(&mut command);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => ProgramError::Missing(name.to_owned()),
        _ => no_answer(error.to_string()),
    })?;
    let (stdout, stderr) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < longest => thread::sleep(LOOK),
            Ok(None) => {
                let _ = child.kill().and_then(|()| child.wait()); // it has given no answer in any case
                return Err(no_answer(format!("it did not end within {} seconds", longest.as_secs())));
            }
            Err(error) => return Err(no_answer(error.to_string())),
        }
    };
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let (stdout, stderr) = (text(stdout), text(stderr));
    match status.success() {
        true => Ok(stdout),
        false => {
            let words = words_of(name, &stderr);
            let words = if words.is_empty() { status.to_string() } else { words };
            Err(ProgramError::Refused(name.to_owned(), words))
        }
    }
}

/// Starts to read a stream to its end.
fn read_all(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes)); // what has been read is enough
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Returns the lines that a program has printed to stderr, in a line and without its name.
fn words_of(name: &str, stderr: &str) -> String {
    let prefix = format!("{name}: ");
    let lines = stderr.lines().map(|line| {
        let line = line.trim();
        let line = line.strip_prefix(&prefix).unwrap_or(line);
        line.strip_prefix("error: ").unwrap_or(line)
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell_within(seconds: u64, script: &str) -> Result<String, ProgramError> {
        run_within("sh", &["-c".to_owned(), script.to_owned()], |_| {}, Duration::from_secs(seconds))
    }

    fn shell(script: &str) -> Result<String, ProgramError> {
        shell_within(60, script)
    }

    #[test]
    fn output_refusal_and_silence_differ() {
        assert_eq!(shell("echo 12; echo note >&2"), Ok("12\n".to_owned()));
        let refused = shell("echo 'sh: error: no such partition' >&2; echo 'sh: try again' >&2; exit 1").unwrap_err();
        assert_eq!(refused.to_string(), "`sh` failed: no such partition; try again");
        assert_eq!(shell("exit 3").unwrap_err().to_string(), "`sh` failed: exit status: 3");
        let silent = shell_within(1, "exec sleep 30").unwrap_err();
        assert!(matches!(silent, ProgramError::NoAnswer(..)), "{silent}");
        let missing = run("no-such-program-of-slurm", &[], |_| {}).unwrap_err();
        assert_eq!(missing, ProgramError::Missing("no-such-program-of-slurm".to_owned()));
    }
}
