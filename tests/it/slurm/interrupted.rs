//! Sweeps whose jobs are preempted, get signals, or reach their time limit.

use std::time::Duration;

use super::cluster::Cluster;
use super::sweep_jobs::{Jobs, LONG};
use crate::support::assert_says;
use crate::sweep::sweep_run::{dir_with_epochs, wait_for};

#[test]
fn preempted_workers_leave_checkpoints_and_continue() {
    let Some(cluster) = Cluster::start(&["nodes=1", "KillWait=30"]) else { return };
    let jobs = Jobs::submit(&cluster, LONG, &["--workers", "2"]);
    jobs.wait_for_checkpoints(2);
    cluster.signal("STOP", jobs.job()); // no stack may end until Slurm preempts the jobs, which continues them
    cluster.preempt("n1");
    assert_eq!(jobs.released().len(), 2, "both workers have left");
    assert_eq!(jobs.restarts(&cluster), ["0 1", "1 1"]);
    jobs.finish(&cluster, LONG);
}

#[test]
fn a_preemption_with_a_user_signal_leaves_at_once() {
    let settings = ["nodes=1", "SlurmctldParameters=preempt_send_user_signal", "low.GraceTime=100"];
    let Some(cluster) = Cluster::start(&settings) else { return };
    let jobs = Jobs::submit(&cluster, LONG, &["--workers", "2"]);
    jobs.wait_for_checkpoints(2);
    let waited = cluster.preempt("n1");
    assert!(waited < Duration::from_secs(90), "before the grace time is over");
    assert_eq!(jobs.released().len(), 2, "both workers have left");
    for task in 0..2 {
        let log = format!("{}_{task}", jobs.job());
        wait_for(|| jobs.log(&log).contains("the time of the job is over"));
    }
    jobs.finish(&cluster, LONG);
}

#[test]
fn a_signal_to_the_last_task_requeues_it_alone() {
    let Some(cluster) = Cluster::start(&["nodes=1"]) else { return };
    let epochs = 2 * LONG;
    let jobs = Jobs::submit(&cluster, epochs, &["--workers", "3"]);
    jobs.wait_for_checkpoints(3);
    let last = format!("{}_2", jobs.job());
    cluster.slurm("scancel", &["--batch", "--signal=USR2", &last]);
    wait_for(|| jobs.restarts(&cluster).last().is_some_and(|task| task == "2 1"));
    assert_eq!(jobs.restarts(&cluster), ["0 0", "1 0", "2 1"]);
    assert_eq!(jobs.released().len(), 1);
    let line = format!("the time of the job is over: it is in the queue again as {last}");
    wait_for(|| jobs.log(&last).contains(&line));
    jobs.finish(&cluster, epochs);
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
    wait_for(|| jobs.released().len() == 1);
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
    wait_for(|| jobs.restarts(&cluster) == ["0 1"]);
    assert!(!jobs.released().is_empty(), "the worker has left with a checkpoint");
    wait_for(|| jobs.log(&task).contains("the time of the job is over: it is in the queue again"));
    jobs.finish(&cluster, LONG);
}
