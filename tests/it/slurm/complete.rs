//! Sweeps whose jobs are not disturbed, cancelled, or refused.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::cluster::Cluster;
use super::sweep_jobs::{Jobs, LONG};
use crate::support::{TestDir, assert_says};
use crate::sweep::sweep_run::{dir_with_epochs, names, run, wait_for, with_short_beats};

/// Programs of Slurm in front of the real ones that write a line for each call: program, process that calls it, minute.
fn counted_programs(dir: &TestDir) -> String {
    let path = std::env::var("PATH").unwrap();
    for program in ["sbatch", "squeue", "scontrol", "scancel", "sacct", "sinfo"] {
        let real = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
        let Some(real) = real else { continue };
        let line = format!("echo {program} $PPID $(($(date +%s) / 60)) >> {}", dir.path("calls").display());
        dir.write(&format!("bin/{program}"), format!("#!/bin/sh\n{line}\nexec {} \"$@\"\n", real.display()));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path(&format!("bin/{program}")), executable).unwrap();
    }
    format!("{}:{path}", dir.path("bin").display())
}

/// Number of calls by program and process, in a minute.
fn calls(dir: &TestDir) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for line in std::fs::read_to_string(dir.path("calls")).unwrap_or_default().lines() {
        *counted.entry(line.to_owned()).or_insert(0) += 1;
    }
    counted
}

#[test]
fn a_submitted_sweep_ends_with_the_results_of_one_without_slurm_and_asks_seldom() {
    let Some(cluster) = Cluster::start(&["nodes=3"]) else { return };
    let dir = dir_with_epochs(60);
    let path = counted_programs(&dir);
    let jobs = Jobs::submit_in(&cluster, dir, &["--workers", "6", "--", "--gres=gpu:1", "--time=10"], Some(&path));
    let mut status = cluster.with(with_short_beats(jobs.dir.command(&["sweep", "status", "idea.toml"])));
    let status = status.env("PATH", &path).stdout(Stdio::piped()).spawn().unwrap();
    let asks = format!("squeue {} ", status.id());
    let shown = status.wait_with_output().unwrap();
    assert!(shown.status.success());
    let asked: usize =
        calls(&jobs.dir).iter().filter(|(call, _)| call.starts_with(&asks)).map(|(_, count)| count).sum();
    assert_eq!(asked, 1, "`status` asks once");
    // tasks in the same state share a line
    assert_says(&String::from_utf8(shown.stdout).unwrap(), &["  jobs ", &format!("{}_0", jobs.job())]);
    jobs.finish(&cluster, 60);
    for (call, count) in calls(&jobs.dir) {
        assert!(!call.starts_with("sacct"), "{call}");
        assert!(!call.starts_with("squeue") || count == 1, "{count} calls in a minute: {call}");
    }
    for task in 0..6 {
        let log = jobs.log(&format!("{}_{task}", jobs.job()));
        assert!(log.trim_end().ends_with("all stacks have ended"), "{log}");
    }
}

#[test]
fn a_stopped_sweep_stays_cancelled_and_can_be_submitted_again() {
    let Some(cluster) = Cluster::start(&["nodes=1"]) else { return };
    let mut jobs = Jobs::submit(&cluster, LONG, &["--workers", "2"]);
    jobs.wait_for_checkpoints(2);
    let (code, _, stderr) = run(cluster.with(with_short_beats(jobs.dir.command(&["sweep", "stop", "idea.toml"]))));
    assert_eq!(code, Some(0), "{stderr}");
    wait_for(|| cluster.queue().is_empty());
    let ended = names(&jobs.sweep.join("ended")).len();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(cluster.queue().is_empty(), "no job returns: {:?}", cluster.queue());
    assert!(ended < 4);

    jobs.submit_again(&cluster, &["--workers", "1"]);
    wait_for(|| names(&jobs.sweep.join("claims")).iter().any(|claim| claim.ends_with(".2")));
    cluster.slurm("scancel", &["--user=root"]);
    cluster.wait_until_empty();
    jobs.submit_again(&cluster, &["--workers", "1"]);
    jobs.finish(&cluster, LONG);
}

#[test]
fn more_workers_than_an_array_can_have_are_refused() {
    let Some(cluster) = Cluster::start(&["nodes=1", "MaxArraySize=4"]) else { return };
    let dir = dir_with_epochs(2);
    let submit = |workers: &str| {
        let arguments = [&["sweep", "submit", "idea.toml", "--workers", workers], &crate::sweep::sweep_run::SPACE[..]];
        run(cluster.with(with_short_beats(dir.command(&arguments.concat()))))
    };
    let (code, _, stderr) = submit("5");
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["error: ", "Invalid job array specification"]);
    assert!(!dir.path("sweeps").exists(), "nothing is written");
    assert_eq!(submit("4").0, Some(0));
    cluster.wait_until_empty();
}
