//! The cluster itself: jobs run, nodes crash and come back.

use super::cluster::Cluster;
use crate::support::TestDir;
use crate::sweep::sweep_run::{names, wait_for};

/// Submits a job whose script has this text, and returns its number.
#[track_caller]
fn submit(cluster: &Cluster, dir: &TestDir, options: &[&str], text: &str) -> String {
    dir.write("job.sh", format!("#!/bin/sh\n{text}\n"));
    let (script, log) = (dir.path("job.sh"), dir.path("log-%a"));
    let named = [
        "--parsable",
        &format!("--chdir={}", dir.path("").display()),
        &format!("--output={}", log.display()),
        "--open-mode=append",
    ];
    cluster.slurm("sbatch", &[&named[..], options, &[script.to_str().unwrap()]].concat())
}

#[test]
fn tasks_of_an_array_see_the_gpus_of_their_node() {
    let Some(cluster) = Cluster::start(&["nodes=1"]) else { return };
    let dir = TestDir::new();
    let text = "echo $CUDA_VISIBLE_DEVICES\ntouch started-$SLURM_ARRAY_TASK_ID\nuntil [ -e go ]; do sleep 0.1; done";
    let job = submit(&cluster, &dir, &["--array=0-1", "--gres=gpu:1"], text);
    wait_for(|| dir.path("started-0").exists() && dir.path("started-1").exists());
    assert_eq!(cluster.queue(), [format!("{job}_0 RUNNING"), format!("{job}_1 RUNNING")]);
    dir.write("go", "");
    cluster.wait_until_empty();
    let mut seen = ["log-0", "log-1"].map(|log| std::fs::read_to_string(dir.path(log)).unwrap());
    seen.sort();
    assert_eq!(seen, ["0\n", "1\n"]);
}

#[test]
fn a_job_of_a_crashed_node_starts_again_on_another_one() {
    let Some(mut cluster) = Cluster::start(&["nodes=2", "SlurmdTimeout=3"]) else { return };
    let dir = TestDir::new();
    let text = "touch on-$SLURMD_NODENAME-$SLURM_RESTART_COUNT\nuntil [ -e go ]; do sleep 0.1; done";
    submit(&cluster, &dir, &["--requeue"], text);
    wait_for(|| dir.path("on-n1-").exists());
    cluster.daemon("crash n1");
    let is_again = || {
        cluster.start_requeued();
        dir.path("on-n2-1").exists()
    };
    wait_for(is_again);
    cluster.daemon("start n1");
    dir.write("go", "");
    cluster.wait_until_empty();
    let started: Vec<String> = names(&dir.path("")).into_iter().filter(|name| name.starts_with("on-")).collect();
    assert_eq!(started, ["on-n1-", "on-n2-1"]);
}
