//! A sweep whose workers are jobs, and the same sweep without Slurm.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cluster::Cluster;
use crate::support::TestDir;
use crate::sweep::sweep_run::{
    SPACE, assert_same_results, dir_with_epochs, names, run, sweep, trained, wait_for, with_short_beats,
};

/// Epochs of a sweep that trains for some seconds, so that its jobs can be interrupted.
pub const LONG: usize = 1200;

/// Longest time until a sweep has ended.
const LONGEST: Duration = Duration::from_secs(300);

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
        let arguments =
            [&["sweep", "submit", "idea.toml", "--device", "cpu", "--json", "--checkpoint", "1"], &SPACE[..], more]
                .concat();
        let mut command = cluster.with(with_short_beats(dir.command(&arguments)));
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let (code, stdout, stderr) = run(command);
        assert_eq!(code, Some(0), "{stderr}");
        let printed: Value = serde_json::from_str(&stdout).unwrap();
        let jobs = printed["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned());
        Jobs { jobs: jobs.collect(), sweep: PathBuf::from(printed["sweep"].as_str().unwrap()), dir }
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
        let stacks = names(&self.sweep.join("stacks"));
        let is_open = |stack: &&String| {
            let checkpoint = self.sweep.join("stacks").join(stack).join("checkpoint.safetensors");
            !ended.contains(&format!("{stack}.json")) && checkpoint.exists()
        };
        stacks.iter().filter(is_open).count()
    }

    /// Lets requeued jobs start until all stacks have ended and no job is left, then compares the results with those of a sweep without
    /// Slurm.
    #[track_caller]
    pub fn finish(&self, cluster: &Cluster, epochs: usize) {
        let is_over = || names(&self.sweep.join("ended")).iter().filter(|name| !name.contains("failed")).count() == 4;
        let started = Instant::now();
        while !is_over() {
            assert!(started.elapsed() < LONGEST, "the sweep has not ended: {:?}", cluster.queue());
            cluster.start_requeued();
            std::thread::sleep(Duration::from_millis(200));
        }
        cluster.wait_until_empty();
        self.compare(epochs);
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

/// All that a job of a sweep or a run has printed.
pub fn log_of(directory: &Path, job: &str) -> String {
    std::fs::read_to_string(directory.join("slurm").join(format!("{job}.log"))).unwrap_or_default()
}
