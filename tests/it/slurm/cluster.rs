//! A Slurm of one test: `tests/slurm/cluster.sh`, which ends with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::sweep::sweep_run::{run, wait_for};

/// A controller and nodes with two GPUs each, which are only names.
pub struct Cluster {
    script: Child,
    actions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    configuration: PathBuf,
    /// When jobs were first seen that wait after they were requeued.
    requeued: RefCell<HashMap<String, Instant>>,
}

/// Time after which a requeued job can start: the processes of its first start have ended by then.
const ENDED_BY_THEN: Duration = Duration::from_secs(4);

impl Cluster {
    /// Starts a cluster with settings such as `nodes=3` and `KillWait=30`; `None` if Slurm is not installed.
    #[track_caller]
    pub fn start(settings: &[&str]) -> Option<Cluster> {
        if let Some(missing) = missing() {
            let mut stderr = std::io::stderr();
            writeln!(stderr, "skipped: {missing}").unwrap();
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/cluster.sh");
        let mut command = Command::new(script);
        command.args(settings).stdin(Stdio::piped()).stdout(Stdio::piped());
        // in a process group of its own, so that it can end the cluster if the group of the test is killed
        let mut script = command.process_group(0).spawn().unwrap();
        let (actions, mut answers) = (script.stdin.take(), BufReader::new(script.stdout.take().unwrap()));
        let mut configuration = String::new();
        answers.read_line(&mut configuration).unwrap();
        assert!(configuration.ends_with("slurm.conf\n"), "the cluster has not started");
        let configuration = PathBuf::from(configuration.trim_end());
        Some(Cluster { script, actions, answers, configuration, requeued: RefCell::default() })
    }

    /// Kills, crashes or starts a daemon: `kill ctld`, `crash n1`, `start n1`.
    #[track_caller]
    pub fn daemon(&mut self, action: &str) {
        writeln!(self.actions.as_mut().unwrap(), "{action}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "ok\n", "{action}");
    }

    /// Lets a command use this cluster.
    pub fn with(&self, mut command: Command) -> Command {
        command.env("SLURM_CONF", &self.configuration);
        command
    }

    /// Runs a command of Slurm, which must succeed, and returns its stdout without the line end.
    #[track_caller]
    pub fn slurm(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = self.with(Command::new(program));
        command.args(arguments);
        let (code, stdout, stderr) = run(command);
        assert_eq!(code, Some(0), "{program} {arguments:?}: {stderr}");
        stdout.trim_end().to_owned()
    }

    /// Runs a command of Slurm about jobs, which may have started or ended in the meantime.
    #[track_caller]
    fn slurm_unless_late(&self, program: &str, arguments: &[&str]) {
        let mut command = self.with(Command::new(program));
        command.args(arguments);
        let (code, _, stderr) = run(command);
        let is_late =
            ["Invalid job id", "already completing", "no longer pending"].iter().any(|words| stderr.contains(words));
        assert!(code == Some(0) || is_late, "{program} {arguments:?}: {stderr}");
    }

    /// Jobs in the queue, sorted, the tasks of arrays one by one, each with its state: `12_0 RUNNING`.
    #[track_caller]
    pub fn queue(&self) -> Vec<String> {
        let listed = self.slurm("squeue", &["--noheader", "--array", "--format=%i %T"]);
        let mut jobs: Vec<String> = listed.lines().map(str::to_owned).collect();
        // jobs of equal priority are listed in any order
        jobs.sort();
        jobs
    }

    /// Submits a job to the partition whose jobs preempt others, on all CPUs of a node, waits until it runs and cancels it. Returns the
    /// time until it ran.
    #[track_caller]
    pub fn preempt(&self, node: &str) -> Duration {
        let submitted = Instant::now();
        let node = format!("--nodelist={node}");
        let options =
            ["--parsable", "--partition=high", "--exclusive", &node, "--output=/dev/null", "--wrap=sleep 600"];
        let job = self.slurm("sbatch", &options);
        wait_for(|| self.queue().contains(&format!("{job} RUNNING")));
        let waited = submitted.elapsed();
        self.slurm("scancel", &[&job]);
        waited
    }

    /// Sends a signal to the running tasks of an array.
    #[track_caller]
    pub fn signal(&self, signal: &str, array: &str) {
        let queue = self.queue();
        let is_running = |(name, state): &(&str, &str)| {
            name.starts_with(&format!("{array}_")) && !["PENDING", "COMPLETING"].contains(state)
        };
        let tasks = queue.iter().filter_map(|job| job.split_once(' ')).filter(is_running).map(|(name, _)| name);
        let signal = format!("--signal={signal}");
        self.slurm_unless_late("scancel", &["--batch", &signal].into_iter().chain(tasks).collect::<Vec<_>>());
    }

    /// Waits until the controller, which saves its state every few seconds, has saved that of all jobs.
    #[track_caller]
    pub fn wait_until_saved(&self) {
        let now = SystemTime::now();
        let job = self.slurm("sbatch", &["--parsable", "--hold", "--output=/dev/null", "--wrap=true"]);
        self.slurm("scancel", &[&job]); // it saves changes only
        let state = self.configuration.with_file_name("state").join("job_state");
        wait_for(|| state.metadata().and_then(|file| file.modified()).is_ok_and(|time| time > now));
    }

    /// Kills the controller and starts it again, with `meanwhile` in between.
    #[track_caller]
    pub fn without_controller(&mut self, meanwhile: impl FnOnce()) {
        self.daemon("kill ctld");
        meanwhile();
        self.daemon("start ctld");
        wait_for(|| run(self.with(Command::new("squeue"))).0 == Some(0));
    }

    /// Waits until no job is in the queue.
    #[track_caller]
    pub fn wait_until_empty(&self) {
        wait_for(|| self.queue().iter().all(|job| job.ends_with("COMPLETING")));
    }

    /// Lets requeued jobs start: Slurm waits two minutes otherwise.
    #[track_caller]
    pub fn start_requeued(&self) {
        for job in self.slurm("squeue", &["--noheader", "--array", "--states=PENDING", "--format=%i %r"]).lines() {
            let Some((job, "BeginTime")) = job.split_once(' ') else { continue };
            let mut requeued = self.requeued.borrow_mut();
            if requeued.entry(job.to_owned()).or_insert_with(Instant::now).elapsed() > ENDED_BY_THEN {
                requeued.remove(job);
                self.slurm_unless_late("scontrol", &["update", &format!("JobId={job}"), "StartTime=now"]);
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.actions.take());
        let _ = self.script.wait();
    }
}

/// What a cluster needs and this machine lacks.
fn missing() -> Option<String> {
    let is_on_path = |program: &&str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|folder| folder.join(program).is_file())
    };
    let programs = ["slurmctld", "slurmd", "sbatch", "munged"];
    if let Some(program) = programs.iter().find(|program| !is_on_path(program)) {
        return Some(format!("{program} not installed"));
    }
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0);
    (!is_root).then(|| "only root can start the daemons of Slurm".to_owned())
}
