//! A sweep on three nodes, through all that happens to jobs on a cluster.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cluster::Cluster;
use super::sweep_jobs::Jobs;
use crate::support::assert_says;
use crate::sweep::sweep_run::{
    assert_same_trials, dir_with_epochs, names, run, sweep, trained_of, wait_for, with_short_beats,
};

/// Enough that most stacks are still in training at the last event, on a fast machine, too.
const EPOCHS: usize = 2400;

/// 24 configurations on two seeds, in twelve stacks.
const SPACE: [&str; 10] =
    ["--space", "lr=log:1e-4..0.3", "--trials", "24", "--seeds", "0,1", "--stack", "4", "--threads", "1"];

/// How often the workers say that a stack has ended, by stack.
fn ends(jobs: &Jobs) -> BTreeMap<String, usize> {
    let workers = jobs.sweep.join("workers");
    let logs = names(&workers).into_iter().map(|log| std::fs::read_to_string(workers.join(log)).unwrap());
    let mut ends = BTreeMap::new();
    for log in logs {
        // the last line of a killed worker may be incomplete
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for event in events.filter(|event| event["event"] == "ended") {
            *ends.entry(event["stack"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    ends
}

#[test]
fn a_sweep_has_the_table_of_one_machine_after_preemptions_crashes_a_cancellation_and_a_time_limit() {
    let Some(mut cluster) = Cluster::start(&["nodes=3", "SlurmdTimeout=3", "KillWait=30"]) else { return };
    let options = ["--workers", "6", "--", "--gres=gpu:1", "--time=10"];
    let mut jobs = Jobs::submit_space(&cluster, dir_with_epochs(EPOCHS), &SPACE, &options, None);
    jobs.wait_for_checkpoints(6);
    // from one event to the next, workers are suspended, so that the sweep is not over before the last one
    cluster.signal("STOP", jobs.job());

    cluster.preempt("n1");
    assert_eq!(jobs.released().len(), 2, "both workers of the node have left");

    cluster.wait_until_saved();
    cluster.signal("CONT", jobs.job());
    cluster.without_controller(|| {
        let before = jobs.checkpoints();
        wait_for(|| jobs.checkpoints().iter().filter(|(stack, time)| before.get(*stack) != Some(time)).count() >= 2);
    });
    cluster.signal("STOP", jobs.job());

    cluster.daemon("kill n2");
    wait_for(|| !cluster.slurm("squeue", &["--noheader", "--format=%N"]).contains("n2"));

    let before = jobs.released().len();
    cluster.preempt("n3");
    assert_eq!(jobs.released().len(), before + 2, "both workers of the node have left");
    assert!(jobs.restarts(&cluster).iter().all(|task| task.ends_with(" 1")), "{:?}", jobs.restarts(&cluster));
    cluster.daemon("start n2");

    // the jobs start again, and are cancelled
    let continued = || {
        cluster.start_requeued();
        names(&jobs.sweep.join("claims")).iter().filter(|claim| claim.ends_with(".2")).count() >= 3
    };
    wait_for(continued);
    cluster.slurm("scancel", &[jobs.job()]);
    cluster.wait_until_empty();

    // those of the second submission reach their time limit
    jobs.submit_again(&cluster, &["--workers", "6", "--", "--gres=gpu:1", "--time=1"]);
    let all_say = |words: &[&str]| {
        let says = |task| {
            let log = jobs.log(&format!("{}_{task}", jobs.job()));
            words.iter().any(|words| log.contains(words))
        };
        (0..6).all(says)
    };
    wait_for(|| all_say(&[": training", ": continuing"]));
    cluster.signal("STOP", jobs.job());
    assert!(names(&jobs.sweep.join("ended")).len() < 12, "all events were before the end");
    // Slurm continues a suspended process when it sends the signal, up to a minute before the end
    wait_for(|| all_say(&["the time of the job is over: it is in the queue again as"]));

    jobs.wait_for_end(&cluster, 12);
    let other = dir_with_epochs(EPOCHS);
    assert_same_trials(&jobs.sweep, &trained_of(&other, &SPACE, &["--workers", "2"]), 48);
    let path = jobs.sweep.display().to_string();
    let (code, stdout, stderr) = sweep(&jobs.dir, &["verify", &path]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["24 configurations, 12 of 12 stacks ended, 48 trials"]);
    assert!(ends(&jobs).values().all(|&times| times == 1), "a stack was trained twice: {:?}", ends(&jobs));
    let (code, shown, stderr) = run(cluster.with(with_short_beats(jobs.dir.command(&["sweep", "status", &path]))));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&shown, &["48 of 48 done", "finished: all stacks have ended"]);
}
