//! Sweeps whose jobs are preempted, get signals, or reach their time limit.

use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::sweep_jobs::{Jobs, LONG};
use crate::support::assert_says;
use crate::sweep::sweep_run::{dir_with_epochs, names, wait_for};

/// Submits a job to the partition whose jobs preempt others, on all CPUs of a node, waits until it runs and cancels it.
#[track_caller]
fn preempt(cluster: &Cluster) -> Duration {
    let submitted = Instant::now();
    let job = cluster
        .slurm("sbatch", &["--parsable", "--partition=high", "--exclusive", "--output=/dev/null", "--wrap=sleep 600"]);
    wait_for(|| cluster.queue().contains(&format!("{job} RUNNING")));
    let waited = submitted.elapsed();
    cluster.slurm("scancel", &[&job]);
    waited
}

/// Leases that their holders have left with a checkpoint.
fn released(jobs: &Jobs, generation: u32) -> usize {
    let beats = jobs.sweep.join("beats");
    let of_generation = names(&beats).into_iter().filter(|name| name.ends_with(&format!(".{generation}")));
    of_generation.filter(|name| std::fs::read_to_string(beats.join(name)).unwrap() == "released\n").count()
}

/// How often Slurm has put the jobs into the queue again, in the order of the tasks.
fn restarts(cluster: &Cluster, jobs: &Jobs) -> Vec<String> {
    let listed = cluster.slurm(
        "squeue",
        &["--noheader", "--array", &format!("--jobs={}", jobs.job()), "--Format=ArrayTaskID:9,RestartCnt:9"],
    );
    let mut lines: Vec<String> =
        listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines
}

#[test]
fn preempted_workers_leave_checkpoints_and_continue() {
    let Some(cluster) = Cluster::start(&["nodes=1", "KillWait=30"]) else { return };
    let jobs = Jobs::submit(&cluster, LONG, &["--workers", "2"]);
    jobs.wait_for_checkpoints(2);
    preempt(&cluster);
    assert_eq!(released(&jobs, 1), 2, "both workers have left");
    assert_eq!(restarts(&cluster, &jobs), ["0 1", "1 1"]);
    jobs.finish(&cluster, LONG);
}

#[test]
fn a_preemption_with_a_user_signal_leaves_at_once() {
    let settings = ["nodes=1", "SlurmctldParameters=preempt_send_user_signal", "low.GraceTime=100"];
    let Some(cluster) = Cluster::start(&settings) else { return };
    let jobs = Jobs::submit(&cluster, LONG, &["--workers", "2"]);
    jobs.wait_for_checkpoints(2);
    let waited = preempt(&cluster);
    assert!(waited < Duration::from_secs(90), "before the grace time is over");
    assert_eq!(released(&jobs, 1), 2, "both workers have left");
    for task in 0..2 {
        let log = format!("{}_{task}", jobs.job());
        wait_for(|| jobs.log(&log).contains("the time of the job is over"));
    }
    jobs.finish(&cluster, LONG);
}

#[test]
fn a_signal_to_the_last_task_requeues_it_alone() {
    let Some(cluster) = Cluster::start(&["nodes=1"]) else { return };
    let jobs = Jobs::submit(&cluster, LONG, &["--workers", "3"]);
    jobs.wait_for_checkpoints(3);
    let last = format!("{}_2", jobs.job());
    cluster.slurm("scancel", &["--batch", "--signal=USR2", &last]);
    wait_for(|| restarts(&cluster, &jobs).last().is_some_and(|task| task == "2 1"));
    assert_eq!(restarts(&cluster, &jobs), ["0 0", "1 0", "2 1"]);
    assert_eq!(released(&jobs, 1), 1);
    let line = format!("the time of the job is over: it is in the queue again as {last}");
    wait_for(|| jobs.log(&last).contains(&line));
    jobs.finish(&cluster, LONG);
}

#[test]
fn without_scontrol_a_chain_of_jobs_finishes_the_work() {
    let Some(cluster) = Cluster::start(&["nodes=1"]) else { return };
    let dir = dir_with_epochs(LONG);
    let path = std::env::var("PATH").unwrap();
    std::fs::create_dir(dir.path("bin")).unwrap();
    for program in ["sbatch", "squeue", "scancel"] {
        let real = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file()).unwrap();
        std::os::unix::fs::symlink(real, dir.path(&format!("bin/{program}"))).unwrap();
    }
    let without = dir.path("bin").display().to_string();
    let jobs = Jobs::submit_in(&cluster, dir, &["--workers", "1", "--chain", "1"], Some(&without));
    assert_eq!(jobs.jobs.len(), 2, "a job and the one that follows it");
    jobs.wait_for_checkpoints(1);
    cluster.slurm("scancel", &["--batch", "--signal=USR2", &jobs.jobs[0]]);
    wait_for(|| released(&jobs, 1) == 1);
    wait_for(|| cluster.queue() == [format!("{} RUNNING", jobs.jobs[1])]);
    assert_says(&jobs.log(&jobs.jobs[0]), &["the time of the job is over: the next job of the chain continues"]);
    jobs.finish(&cluster, LONG);
}

#[test]
fn a_worker_leaves_before_its_time_limit_and_continues() {
    let Some(cluster) = Cluster::start(&["nodes=1"]) else { return };
    let jobs = Jobs::submit(&cluster, LONG, &["--workers", "1", "--", "--time=1"]);
    jobs.wait_for_checkpoints(1);
    let task = format!("{}_0", jobs.job());
    // suspended, it trains nothing until Slurm continues it with the signal, up to a minute before the end
    cluster.slurm("scancel", &["--batch", "--signal=STOP", &task]);
    wait_for(|| restarts(&cluster, &jobs) == ["0 1"]);
    assert!(released(&jobs, 1) >= 1, "the worker has left with a checkpoint");
    wait_for(|| jobs.log(&task).contains("the time of the job is over: it is in the queue again"));
    jobs.finish(&cluster, LONG);
}
