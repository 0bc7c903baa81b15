//! `doctor --slurm` and its probe in a cluster.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::cluster::Cluster;
use crate::support::{TestDir, assert_says};
use crate::sweep::sweep_run::run;

#[test]
fn a_probe_reports_what_a_node_sees() {
    let settings = [
        "nodes=2",
        "KillWait=30",
        "MaxArraySize=40",
        "SlurmctldParameters=preempt_send_user_signal",
        "low.GraceTime=20",
    ];
    let Some(cluster) = Cluster::start(&settings) else { return };
    let dir = TestDir::new();
    let probe = ["doctor", "--slurm", "--probe", "--json", "--", "--nodelist=n2", "--gres=gpu:1"];
    let (code, stdout, stderr) = run(cluster.with(dir.command(&probe)));
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stderr, &["submitted job 1; waiting until it has run on a node (Ctrl-C cancels it)"]);
    let checks: Value = serde_json::from_str(&stdout).unwrap();
    let found = |what: &str| {
        let check = checks.as_array().unwrap().iter().find(|check| check["what"] == what);
        check.unwrap_or_else(|| panic!("no {what} in {stdout}"))
    };
    for (what, words) in [
        ("KillWait", "30 s from the signal"),
        ("MaxArraySize", "at most `--workers 40`"),
        ("PreemptMode", "returns to the queue"),
        ("GraceTime", "20 s in `low`: a preempted job gets the signal of `--signal` at once"),
        ("partitions", "low (default, no time limit); high (no time limit)"),
        ("node", "n2"),
        ("program", ", as on "),
        ("libtorch", "2.11.0"),
        ("cuda", "given by Slurm (CUDA_VISIBLE_DEVICES): `0`"),
        ("scontrol", "on PATH"),
        ("writing", "a small file is safe on disk after "),
        ("link", "a name is created once, by link(2)"),
        ("rename", "in one step"),
        ("sharing", "their clocks agree"),
    ] {
        assert_says(found(what)["found"].as_str().unwrap(), &[words]);
    }
    assert!(dir.files().is_empty(), "files are left: {:?}", dir.files());
    cluster.wait_until_empty();
}

#[test]
fn a_probe_that_fails_says_why() {
    let Some(cluster) = Cluster::start(&["nodes=1"]) else { return };
    let dir = TestDir::new();
    let refused = cluster.with(dir.command(&["doctor", "--slurm", "--probe", "--", "--partition=nowhere"]));
    let (code, _, stderr) = run(refused);
    assert_eq!(code, Some(2));
    assert_says(
        &stderr,
        &["error: `sbatch` failed: ", "invalid partition", "hint: write options of sbatch after `--`"],
    );
    assert!(dir.files().is_empty(), "files are left: {:?}", dir.files());

    // a node without the program
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|folder| folder.join("sbatch")).find(|file| file.is_file()).unwrap();
    let text = "for script; do :; done\nsed -i 's,/runner doctor,/runner-of-old doctor,' \"$script\"";
    dir.write("bin/sbatch", format!("#!/bin/sh\n{text}\nexec {} \"$@\"\n", real.display()));
    std::fs::set_permissions(dir.path("bin/sbatch"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut failing = cluster.with(dir.command(&["doctor", "--slurm", "--probe"]));
    failing.env("PATH", format!("{}:{path}", dir.path("bin").display()));
    let (code, stdout, stderr) = run(failing);
    assert_eq!(code, Some(0), "{stderr}");
    let words = stdout.split_whitespace().collect::<Vec<_>>().join(" "); // in one line
    assert_says(&words, &["✗ node job ", "has ended without a report: ", "runner-of-old", "hint: install `runner`"]);
    assert_eq!(dir.files(), [dir.path("bin"), dir.path("bin/sbatch")]);
}
