//! `doctor --slurm` with programs that answer as those of Slurm do.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::support::{TestDir, assert_says};
use crate::sweep::sweep_run::run;

/// Settings as `scontrol show config` shows them.
const CONFIG: &str = "\
Configuration data as of 2026-11-29T18:00:00
ClusterName             = physics
GresTypes               = gpu
JobRequeue              = 1
KillWait                = 30 sec
MaxArraySize            = 1001
PreemptMode             = REQUEUE
PreemptType             = preempt/partition_prio
SLURM_VERSION           = 22.05.8
SlurmctldParameters     = (null)
";

const PARTITIONS: &str = "\
PartitionName=batch Default=YES DefaultTime=01:00:00 GraceTime=0 MaxTime=1-00:00:00 PreemptMode=REQUEUE State=UP
PartitionName=debug Default=NO DefaultTime=NONE GraceTime=0 MaxTime=UNLIMITED PreemptMode=OFF State=UP
";

/// A cluster of which these programs are on `PATH`, in a test directory.
fn cluster(programs: &[(&str, String)]) -> TestDir {
    let dir = TestDir::new();
    dir.write("bin/none", "");
    for (name, text) in programs {
        dir.write(&format!("bin/{name}"), format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(dir.path(&format!("bin/{name}")), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

/// `scontrol` that shows these settings and partitions.
fn scontrol(config: &str, partitions: &str) -> String {
    format!("case \"$*\" in *partition*) /bin/cat <<'P'\n{partitions}P\n;;\n*) /bin/cat <<'C'\n{config}C\n;;\nesac")
}

fn doctor(dir: &TestDir, more: &[&str]) -> Command {
    let mut command = dir.command(&[&["doctor", "--slurm"], more].concat());
    command.env("PATH", dir.path("bin"));
    command
}

/// The checks of a cluster with these settings and partitions.
fn checks(config: &str, partitions: &str) -> Vec<Value> {
    let nothing = || "exit 1".to_owned();
    let programs = [("sbatch", nothing()), ("squeue", nothing()), ("scancel", nothing())];
    let dir = cluster(&[&programs[..], &[("scontrol", scontrol(config, partitions))]].concat());
    let (code, stdout, stderr) = run(doctor(&dir, &["--json"]));
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str::<Value>(&stdout).unwrap().as_array().unwrap().clone()
}

/// What a check found, with its remedy.
#[track_caller]
fn found<'a>(checks: &'a [Value], what: &str) -> (bool, String, &'a str) {
    let check = checks.iter().find(|check| check["what"] == what).unwrap_or_else(|| panic!("no {what}"));
    let remedy = check["remedy"].as_str().unwrap_or_default();
    (check["well"].as_bool().unwrap(), check["found"].as_str().unwrap().to_owned(), remedy)
}

#[test]
fn a_machine_without_slurm_is_an_error() {
    let dir = cluster(&[]);
    let (code, stdout, stderr) = run(doctor(&dir, &[]));
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_says(
        &stderr,
        &[
            "error: no Slurm on this machine",
            "`sbatch`",
            "\nhint: run this where jobs are submitted",
            "`runner sweep work DIR`",
        ],
    );
    let refused = [
        (&["doctor", "--probe"][..], "`--probe` needs `--slurm`"),
        (&["doctor", "--slurm", "--", "--partition=gpu"], "(`-- --partition=gpu`) need `--probe`"),
    ];
    for (arguments, missing) in refused {
        assert_says(&dir.error_message(arguments), &[missing]);
    }
}

#[test]
fn settings_are_explained() {
    let checks = checks(CONFIG, PARTITIONS);
    let names: Vec<&str> = checks.iter().map(|check| check["what"].as_str().unwrap()).collect();
    let expected = [
        "programs",
        "Slurm",
        "KillWait",
        "MaxArraySize",
        "JobRequeue",
        "PreemptMode",
        "GraceTime",
        "GPUs",
        "partitions",
    ];
    assert_eq!(names, expected);
    for (what, words) in [
        ("Slurm", "22.05.8, cluster physics"),
        ("KillWait", "30 s from the signal"),
        ("MaxArraySize", "at most `--workers 1001`"),
        ("JobRequeue", "returns to the queue if its node fails"),
        ("PreemptMode", "REQUEUE: a preempted job returns to the queue"),
        ("GraceTime", "none"),
        ("GPUs", "--gres=gpu:1"),
        ("partitions", "batch (default, at most 1-00:00:00, 01:00:00 without `--time`); debug (no time limit)"),
    ] {
        let (passed, text, remedy) = found(&checks, what);
        assert!(passed && remedy.is_empty() && text.contains(words), "{what}: {text}, {remedy}");
    }
}

#[test]
fn settings_that_cost_work_have_a_remedy() {
    let config = CONFIG.replace("30 sec", "2 sec").replace("1001", "0").replace("REQUEUE", "CANCEL");
    let seen = checks(&config, &PARTITIONS.replace("REQUEUE", "CANCEL").replace("State=UP", "State=DOWN"));
    for (what, words, remedy) in [
        ("KillWait", "2 s", "--checkpoint 1m"),
        ("MaxArraySize", "no job arrays", "sbatch --wrap"),
        ("PreemptMode", "cancelled and does not return", "--chain"),
        ("partitions", "none is up", "no job can start"),
    ] {
        let (passed, text, hint) = found(&seen, what);
        assert!(!passed && text.contains(words) && hint.contains(remedy), "{what}: {text}, {hint}");
    }
    let requeue = checks(&CONFIG.replace("JobRequeue              = 1", "JobRequeue = 0"), PARTITIONS);
    assert_says(&found(&requeue, "JobRequeue").1, &["`--requeue`"]);
    let unpreempted = checks(&CONFIG.replace("preempt/partition_prio", "preempt/none"), PARTITIONS);
    assert_says(&found(&unpreempted, "PreemptMode").1, &["no job is preempted"]);
    let no_gpus = checks(&CONFIG.replace("= gpu", "= (null)"), PARTITIONS);
    assert_says(&found(&no_gpus, "GPUs").1, &["workers train on CPUs"]);
}

#[test]
fn the_grace_time_of_a_partition_is_seen_by_jobs_or_not() {
    let partitions = PARTITIONS.replacen("GraceTime=0", "GraceTime=20", 1);
    let without = checks(CONFIG, &partitions);
    assert_says(&found(&without, "GraceTime").1, &["20 s in `batch`", "trains until it is over"]);
    let with = checks(&CONFIG.replace("(null)", "enable_configless,preempt_send_user_signal"), &partitions);
    assert_says(&found(&with, "GraceTime").1, &["20 s in `batch`", "gets the signal of `--signal` at once"]);
}

#[test]
fn without_scontrol_jobs_must_follow_each_other() {
    let nothing = || "exit 1".to_owned();
    let dir = cluster(&[("sbatch", nothing()), ("squeue", nothing()), ("scancel", nothing())]);
    let (code, stdout, stderr) = run(doctor(&dir, &[]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_says(&stdout, &["✗ programs scontrol is not on PATH", "hint: ", "--chain"]);
}

#[test]
fn a_controller_that_does_not_answer_is_an_error() {
    let fails = "echo 'scontrol: error: Unable to contact slurm controller' >&2; exit 1".to_owned();
    let dir = cluster(&[("sbatch", String::new()), ("scontrol", fails)]);
    let (code, stdout, stderr) = run(doctor(&dir, &[]));
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_says(
        &stderr,
        &["error: `scontrol` failed: Unable to contact slurm controller", "hint: check the cluster with `sinfo`"],
    );
}
