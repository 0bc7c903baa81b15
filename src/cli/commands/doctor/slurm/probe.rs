//! `doctor --slurm --probe`: submits a job that checks a compute node, and waits for its report.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::{node, ping};
use crate::cli::args::run_args::listen;
use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::commands::doctor::check::Check;
use crate::cli::text::shell_words::{quoted, quoted_path};
use crate::cli::text::terminal;
use crate::io::bounded_file;
use crate::io::signals::Signals;
use crate::slurm::{queue, sbatch};

/// Time between two questions to Slurm.
const ASK_AFTER: Duration = Duration::from_secs(60);

/// Time until files of a job that has ended must be seen.
const LATE_FILES: Duration = Duration::from_secs(30);

/// Longest time from the report of a node to the last file of its job.
const LAST_FILE: Duration = Duration::from_secs(10);

/// File with the exit code of the program, the last one that a job writes.
const EXIT_CODE: &str = "exit-code";

/// Pause until the node is there.
const PAUSE: Duration = Duration::from_millis(200);

/// Number of lines of a job's log that are shown.
const LOG_LINES: usize = 5;

/// Variables that a job gets in its script, because a cluster may pass on none.
const VARIABLES: [&str; 3] = ["LD_LIBRARY_PATH", "RUNNER_DATA_DIR", "XDG_CONFIG_HOME"];

/// Submits the job with further options of `sbatch`, waits for it, and returns what the node reports.
///
/// # Errors
/// If the directory of the sweeps is not writable, or if Slurm refuses the job.
pub fn probe(options: &[String]) -> anyhow::Result<Vec<Check>> {
    let sweeps = std::path::absolute(&*SweepsDir::default())?;
    let existing = sweeps.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let folder = tempfile::Builder::new().prefix(".runner-probe-").tempdir_in(existing);
    let folder = folder.with_context(|| format!("failed to create a directory in `{}`", existing.display()))?;
    node::leave_expected(folder.path())?;
    let signals = listen()?;
    end_with(&signals, folder.path(), None);
    let job = submit(folder.path(), options)?;
    end_with(&signals, folder.path(), Some(&job));
    terminal::say(&format!("submitted job {job}; waiting until it has run on a node (Ctrl-C cancels it)"));
    wait(folder.path(), &job)
}

/// Cancels the job and removes its files if a signal ends the command.
fn end_with(signals: &Signals, folder: &Path, job: Option<&str>) {
    let (folder, job) = (folder.to_path_buf(), job.map(str::to_owned));
    signals.set_exit_action(move || {
        if let Some(job) = &job {
            let _ = queue::cancel(std::slice::from_ref(job)); // it ends after a minute anyway
        }
        let _ = std::fs::remove_dir_all(&folder); // a leftover does no harm
    });
}

/// Submits the job and returns its number.
fn submit(folder: &Path, options: &[String]) -> anyhow::Result<String> {
    let engine = std::env::current_exe().context("failed to find the path of this program")?;
    let runner = engine.with_file_name(format!("runner{}", std::env::consts::EXE_SUFFIX));
    let value = |name: &&str| std::env::var(name).ok().map(|value| format!("export {name}={}\n", quoted(&value)));
    let variables: String = VARIABLES.iter().filter_map(value).collect();
    let exit_code = quoted_path(&folder.join(EXIT_CODE));
    let script = format!(
        "#!/bin/sh\n{variables}{} doctor --node-report {}\necho $? > {exit_code}.part && mv {exit_code}.part {exit_code}\n",
        quoted_path(&runner),
        quoted_path(folder)
    );
    let path = folder.join("job.sh");
    std::fs::write(&path, script).with_context(|| format!("failed to write `{}`", path.display()))?;
    let log = log_file(folder).display().to_string().replace('%', "%%");
    let mut words = vec![
        "--job-name=runner-doctor".to_owned(),
        "--time=1".to_owned(),
        "--no-requeue".to_owned(),
        format!("--output={log}"),
        format!("--chdir={}", folder.display()),
    ];
    words.extend(options.iter().cloned());
    words.push(path.display().to_string());
    sbatch::submit(&words)
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// Waits until the node has written its report or the job has ended.
fn wait(folder: &Path, job: &str) -> anyhow::Result<Vec<Check>> {
    let (mut answered, mut pause, mut asked, mut last_state) = (0.0, PAUSE, Instant::now(), String::new());
    let mut gone: Option<Instant> = None;
    loop {
        // before the report: a job that has ended may have written one
        let has_ended = folder.join(EXIT_CODE).exists() || gone.is_some_and(|since| since.elapsed() > LATE_FILES);
        if let Some(checks) = node::read_report(folder)? {
            wait_for_last_file(folder);
            return Ok(checks);
        }
        if has_ended {
            return Ok(vec![without_report(folder, job)]);
        }
        if ping::answer(folder, &mut answered).context("failed to answer the node")? {
            pause = ping::PAUSE;
        }
        if asked.elapsed() > ASK_AFTER && gone.is_none() {
            asked = Instant::now();
            match state(job) {
                Ok(Some(state)) if state != last_state => {
                    terminal::say(&format!("job {job}: {state}"));
                    last_state = state;
                }
                Ok(Some(_)) => {}
                Ok(None) => gone = Some(asked),
                Err(error) => terminal::warn(&format!("{error:#}")),
            }
        }
        std::thread::sleep(pause);
    }
}

/// Waits for the last file of the job, so that the directory can be removed.
fn wait_for_last_file(folder: &Path) {
    let started = Instant::now();
    while !folder.join(EXIT_CODE).exists() && started.elapsed() < LAST_FILE {
        std::thread::sleep(ping::PAUSE);
    }
}

/// Returns the state of the job in words; `None` if it has ended.
fn state(job: &str) -> anyhow::Result<Option<String>> {
    // a job that has ended stays in the list for some minutes
    const LEFT: [&str; 5] = ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED"];
    let queued = queue::list(&[job.to_owned()])?;
    let left = queued.iter().find(|job| LEFT.contains(&job.state.as_str()));
    Ok(left.map(|job| format!("{} {}", job.state.to_lowercase(), job.place)))
}

/// The check of a job that has ended without a report.
fn without_report(folder: &Path, job: &str) -> Check {
    let log = bounded_file::read(&log_file(folder), bounded_file::EXPERIMENT).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    match &lines[lines.len().saturating_sub(LOG_LINES)..] {
        [] => Check::failed(
            "node",
            format!("job {job} has ended and left no file in `{}`", folder.display()),
            "use a directory that the compute nodes see, too: change to it, or set `RUNNER_SWEEPS`",
        ),
        last => Check::failed(
            "node",
            format!("job {job} has ended without a report: {}", last.join("; ")),
            "install `runner` and libtorch in a directory that the compute nodes see, too, or name the options that the job \
             needs: `-- --partition=NAME`",
        ),
    }
}
