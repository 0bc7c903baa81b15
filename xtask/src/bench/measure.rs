//! One run of a program: how long it took, what the processors worked for it, how much memory it had at most.
//!
//! The system counts processor time and memory for each child that is waited for, and for that child's own children;
//! the largest of them is the memory that is told.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use crate::tool;

/// What one run took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of all processors, in the program and in the system on its behalf.
    pub cpu: f64,
    /// The most memory that it had at once, MB (2²⁰ bytes).
    pub peak_mb: f64,
    pub stdout: String,
}

/// Runs the command to its end; an error when it fails, with the last that it said.
pub fn run(command: &mut Command) -> Result<Run> {
    let shown = tool::shown(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("failed to run {shown}"))?;
    let errors = child.stderr.take().map(|mut stderr| {
        thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            text
        })
    });
    let mut stdout = Vec::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut stdout).with_context(|| format!("failed to read what {shown} prints"))?;
    }
    let ended = wait(&child).with_context(|| format!("failed to wait for {shown}"))?;
    let wall = start.elapsed().as_secs_f64();
    let errors = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if let Some(how) = ended.failure {
        bail!("{shown} failed ({how}): {}", last_words(&String::from_utf8_lossy(&errors)));
    }
    let stdout = String::from_utf8(stdout).map_err(|_| anyhow!("{shown} printed what is no text"))?;
    Ok(Run { wall, cpu: ended.cpu, peak_mb: ended.peak_mb, stdout })
}

/// How a child ended, and what the system counted for it.
struct Ended {
    failure: Option<String>,
    cpu: f64,
    peak_mb: f64,
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not pass on what the system counted")]
fn wait(child: &std::process::Child) -> Result<Ended> {
    use std::os::unix::process::ExitStatusExt;
    let pid = libc::pid_t::try_from(child.id()).context("its number is too large")?;
    let mut status = 0;
    // SAFETY: a struct of plain numbers, for which all zeros is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to locals that live through the call, and nobody else waits for this child.
        let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
        if waited == pid {
            break;
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error.into());
        }
    }
    let status = std::process::ExitStatus::from_raw(status);
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    // Kilobytes, but bytes on macOS.
    let unit = if cfg!(target_os = "macos") { 1.0 } else { 1024.0 };
    Ok(Ended {
        failure: (!status.success()).then(|| status.to_string()),
        cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        peak_mb: usage.ru_maxrss as f64 * unit / f64::from(1 << 20),
    })
}

#[cfg(not(unix))]
fn wait(_: &std::process::Child) -> Result<Ended> {
    bail!("this system does not count for a child what it took\nhint: run the benchmark on Linux or macOS")
}

/// The last line that names an error, else the last that says something; not longer than a message should be.
fn last_words(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint: "));
    let line = lines().rfind(|line| line.to_lowercase().contains("error")).or_else(|| lines().next_back());
    let line = line.unwrap_or("it does not say why").trim_start_matches("error: ");
    line.chars().take(240).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(line: &str) -> Result<Run> {
        run(Command::new("sh").args(["-c", line]))
    }

    #[test]
    fn a_run_tells_what_it_printed_and_took() {
        let run = shell("echo said; sleep 0.1").unwrap();
        assert_eq!(run.stdout, "said\n");
        assert!(run.wall >= 0.1 && run.cpu < run.wall && run.peak_mb > 0.1, "{run:?}");
    }

    #[test]
    fn memory_and_processor_time_of_a_grandchild_count() {
        let lone = shell("true").unwrap();
        let run = shell("head -c 80000000 /dev/zero | tail -c 80000000 | wc -c; true").unwrap();
        assert!(run.peak_mb > lone.peak_mb + 50.0, "{run:?}, {lone:?}");
    }

    #[test]
    fn a_failure_ends_with_its_last_words() {
        let error =
            shell("echo first >&2; echo 'error: because' >&2; echo 'try --help' >&2; exit 3").unwrap_err().to_string();
        assert!(error.ends_with("failed (exit status: 3): because"), "{error}");
        assert!(run(&mut Command::new("/no/such/program")).unwrap_err().to_string().contains("program"));
    }
}
