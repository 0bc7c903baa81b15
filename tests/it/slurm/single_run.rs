//! A single run as a job.

use serde_json::Value;

use super::cluster::Cluster;
use crate::support::curves;
use crate::sweep::sweep_run::{dir_with_epochs, names, run, wait_for};

#[test]
fn a_preempted_run_ends_with_the_history_of_a_run_in_one_go() {
    let Some(cluster) = Cluster::start(&["nodes=1", "KillWait=30"]) else { return };
    let dir = dir_with_epochs(3000);
    let arguments = ["exp", "idea.toml", "--device", "cpu", "--slurm", "--json", "--checkpoint", "1"];
    let (code, stdout, stderr) = run(cluster.with(dir.command(&arguments)));
    assert_eq!(code, Some(0), "{stderr}");
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    let path = std::path::PathBuf::from(printed["run"].as_str().unwrap_or_else(|| panic!("{stdout}")));
    let epochs = || std::fs::read_to_string(path.join("live.jsonl")).unwrap_or_default().lines().count();
    wait_for(|| epochs() > 10);
    // it may not end until Slurm preempts it, which continues it
    cluster.slurm("scancel", &["--batch", "--signal=STOP", "--user=root"]);
    cluster.preempt("n1");
    assert!(path.join("checkpoint.safetensors").exists(), "{:?}", names(&path));
    let has_ended = || {
        cluster.start_requeued();
        cluster.queue().is_empty()
    };
    wait_for(has_ended);
    let history: Value = serde_json::from_slice(&std::fs::read(path.join("base-seed0.json")).unwrap()).unwrap();
    let other = dir_with_epochs(3000);
    assert!(curves(&history) == curves(&other.history(&["idea.toml", "--threads", "1"])), "another history");
}
