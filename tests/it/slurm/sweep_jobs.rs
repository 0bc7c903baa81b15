//! A sweep whose workers are jobs, and the same sweep without Slurm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::cluster::Cluster;
use crate::support::TestDir;
use crate::sweep::sweep_run::{
    SPACE, assert_same_results, dir_with_epochs, names, run, sweep, trained, wait_for, with_short_beats,
};

/// Epochs of a sweep that trains for some seconds, so that its jobs can be interrupted.
pub const LONG: usize = 1200;

/// Longest time until a sweep has ended.
const LONGEST: Duration = Duration::from_secs(900);

/// A sweep whose workers are jobs.
pub struct Jobs {
    pub dir: TestDir,
    /// Directory of the sweep.
    pub sweep: PathBuf,
    /// Numbers of the jobs.
    pub jobs: Vec<String>,
}

impl Jobs {
    /// Submits workers of a sweep of this many epochs. `more` are options of `submit`, and after `--` of `sbatch`.
    #[track_caller]
    pub fn submit(cluster: &Cluster, epochs: usize, more: &[&str]) -> Jobs {
        Jobs::submit_in(cluster, dir_with_epochs(epochs), more, None)
    }

    /// Submits workers from this directory, with another `PATH`.
    #[track_caller]
    pub fn submit_in(cluster: &Cluster, dir: TestDir, more: &[&str], path: Option<&str>) -> Jobs {
        Jobs::submit_space(cluster, dir, &SPACE, more, path)
    }

    /// Submits workers of a sweep over another space.
    #[track_caller]
    pub fn submit_space(cluster: &Cluster, dir: TestDir, space: &[&str], more: &[&str], path: Option<&str>) -> Jobs {
        let arguments =
            [&["sweep", "submit", "idea.toml", "--device", "cpu", "--json", "--checkpoint", "1"], space, more].concat();
        let mut command = cluster.with(with_short_beats(dir.command(&arguments)));
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let (sweep, jobs) = submitted(command);
        Jobs { jobs, sweep, dir }
    }

    /// Submits further workers, and forgets the former jobs.
    #[track_caller]
    pub fn submit_again(&mut self, cluster: &Cluster, more: &[&str]) {
        let sweep = self.sweep.display().to_string();
        let arguments = [&["sweep", "submit", &sweep, "--json", "--checkpoint", "1"], more].concat();
        self.jobs = submitted(cluster.with(with_short_beats(self.dir.command(&arguments)))).1;
    }

    /// Number of the only job.
    #[track_caller]
    pub fn job(&self) -> &str {
        assert_eq!(self.jobs.len(), 1, "{:?}", self.jobs);
        &self.jobs[0]
    }

    /// Waits until this many stacks that have not ended have a checkpoint.
    #[track_caller]
    pub fn wait_for_checkpoints(&self, count: usize) {
        wait_for(|| self.open_checkpoints() >= count);
    }

    fn open_checkpoints(&self) -> usize {
        let ended = names(&self.sweep.join("ended"));
        self.checkpoints().keys().filter(|stack| !ended.contains(&format!("{stack}.json"))).count()
    }

    /// Times of all checkpoints, by stack.
    pub fn checkpoints(&self) -> BTreeMap<String, SystemTime> {
        let time_of = |stack: String| {
            let checkpoint = self.sweep.join("stacks").join(&stack).join("checkpoint.safetensors");
            Some((stack, checkpoint.metadata().and_then(|file| file.modified()).ok()?))
        };
        names(&self.sweep.join("stacks")).into_iter().filter_map(time_of).collect()
    }

    /// Leases that their holders have left with a checkpoint.
    pub fn released(&self) -> Vec<String> {
        let beats = self.sweep.join("beats");
        let is_released =
            |lease: &String| std::fs::read_to_string(beats.join(lease)).is_ok_and(|beat| beat == "released\n");
        names(&beats).into_iter().filter(is_released).collect()
    }

    /// How often Slurm has put the tasks into the queue again, in their order: `0 1` is the first task, once.
    pub fn restarts(&self, cluster: &Cluster) -> Vec<String> {
        let jobs = format!("--jobs={}", self.job());
        let listed = cluster.slurm("squeue", &["--noheader", "--array", &jobs, "--Format=ArrayTaskID:9,RestartCnt:9"]);
        let mut lines: Vec<String> =
            listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        lines.sort();
        lines
    }

    /// Lets requeued jobs start until all stacks have ended and no job is left, then compares the results with those of a sweep without
    /// Slurm.
    #[track_caller]
    pub fn finish(&self, cluster: &Cluster, epochs: usize) {
        self.wait_for_end(cluster, 4);
        self.compare(epochs);
    }

    /// Lets requeued jobs start until this number of stacks have ended and no job is left.
    #[track_caller]
    pub fn wait_for_end(&self, cluster: &Cluster, stacks: usize) {
        let is_over =
            || names(&self.sweep.join("ended")).iter().filter(|name| !name.contains("failed")).count() == stacks;
        let started = Instant::now();
        while !is_over() {
            assert!(started.elapsed() < LONGEST, "the sweep has not ended: {:?}", cluster.queue());
            cluster.start_requeued();
            std::thread::sleep(Duration::from_millis(200));
        }
        cluster.wait_until_empty();
    }

    /// Compares the results with those of a sweep without Slurm.
    #[track_caller]
    pub fn compare(&self, epochs: usize) {
        let other = dir_with_epochs(epochs);
        assert_same_results(&self.sweep, &trained(&other, &["--workers", "2"]));
        let (code, _, stderr) = sweep(&self.dir, &["verify", &self.sweep.display().to_string()]);
        assert_eq!(code, Some(0), "{stderr}");
    }

    /// All that a job has printed.
    pub fn log(&self, job: &str) -> String {
        log_of(&self.sweep, job)
    }
}

/// Runs `sweep submit --json`, and returns the directory of the sweep and the numbers of the jobs.
#[track_caller]
fn submitted(command: Command) -> (PathBuf, Vec<String>) {
    let (code, stdout, stderr) = run(command);
    assert_eq!(code, Some(0), "{stderr}");
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    let jobs = printed["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned());
    (PathBuf::from(printed["sweep"].as_str().unwrap()), jobs.collect())
}

/// All that a job of a sweep or a run has printed.
pub fn log_of(directory: &Path, job: &str) -> String {
    std::fs::read_to_string(directory.join("slurm").join(format!("{job}.log"))).unwrap_or_default()
}
