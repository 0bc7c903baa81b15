//! Daemons that are killed while a sweep trains.

use super::cluster::Cluster;
use super::sweep_jobs::{Jobs, LONG};
use crate::sweep::sweep_run::{names, wait_for};

#[test]
fn a_node_that_crashes_and_a_controller_that_is_killed_change_nothing() {
    let Some(mut cluster) = Cluster::start(&["nodes=2", "cpus=1", "SlurmdTimeout=3"]) else { return };
    let jobs = Jobs::submit(&cluster, LONG, &["--workers", "2"]);
    jobs.wait_for_checkpoints(2);
    cluster.daemon("kill ctld");
    cluster.daemon("crash n1");
    cluster.daemon("start ctld");
    // the worker on the other node takes over what the crashed one has left
    wait_for(|| names(&jobs.sweep.join("claims")).iter().any(|claim| claim.ends_with(".2")));
    cluster.daemon("start n1");
    jobs.finish(&cluster, LONG);
}

#[test]
fn a_job_whose_daemon_is_killed_trains_each_stack_once() {
    let Some(mut cluster) = Cluster::start(&["nodes=2", "cpus=1", "SlurmdTimeout=3"]) else { return };
    // until Slurm notices that the daemon is dead, half a minute passes
    let epochs = 4 * LONG;
    let jobs = Jobs::submit(&cluster, epochs, &["--workers", "1"]);
    jobs.wait_for_checkpoints(1);
    // the worker stays alive, and Slurm starts its job again on the other node
    cluster.daemon("kill n1");
    let starts_again = || {
        cluster.start_requeued();
        cluster.slurm("squeue", &["--noheader", "--format=%N %T"]) == "n2 RUNNING"
    };
    wait_for(starts_again);
    cluster.daemon("start n1");
    jobs.finish(&cluster, epochs);
}
