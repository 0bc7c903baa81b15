//! Processes in a job: signals, and the time that is left.

use std::path::Path;
use std::process::{Child, Command};

use super::fake_slurm::FakeSlurm;
use crate::support::{TestDir, assert_says, send};
use crate::sweep::sweep_run::{
    SPACE, assert_same_results, dir_with_epochs, json, names, planned_of, run, start, trained, wait_for, worker,
};

/// Puts a command into task 3 of the array 12.
fn in_job(slurm: &FakeSlurm, command: Command) -> Command {
    let mut command = slurm.enter(command);
    command.envs([("SLURM_JOB_ID", "15"), ("SLURM_ARRAY_JOB_ID", "12"), ("SLURM_ARRAY_TASK_ID", "3")]);
    command
}

/// A planned sweep that takes some seconds, and programs of Slurm that know no limit.
fn planned() -> (TestDir, FakeSlurm, std::path::PathBuf) {
    let dir = dir_with_epochs(400);
    let slurm = FakeSlurm::new(&dir);
    slurm.answer("squeue", "UNLIMITED\n");
    let planned = planned_of(&dir, &SPACE);
    (dir, slurm, planned)
}

/// Waits until a worker has saved a checkpoint.
fn wait_for_checkpoint(sweep: &Path) {
    wait_for(|| {
        let stacks = names(&sweep.join("stacks"));
        stacks.iter().any(|stack| sweep.join("stacks").join(stack).join("checkpoint.safetensors").exists())
    });
}

/// Asserts that the only lease is released, and that its stack has not ended.
#[track_caller]
fn assert_released(sweep: &Path) {
    let beats = names(&sweep.join("beats"));
    let released =
        beats.iter().filter(|beat| std::fs::read_to_string(sweep.join("beats").join(beat)).unwrap() == "released\n");
    assert_eq!(released.count(), 1, "{beats:?}");
}

#[test]
fn usr2_saves_a_checkpoint_and_queues_the_task_again() {
    let undisturbed = dir_with_epochs(400);
    let expected = trained(&undisturbed, &["--workers", "1"]);
    let (dir, slurm, planned) = planned();
    let mut command = in_job(&slurm, worker(&dir, &planned));
    command.args(["--checkpoint", "1"]);
    let mut child = start(command);
    wait_for_checkpoint(&planned);
    send(&child, libc::SIGUSR2);
    send(&child, libc::SIGUSR2); // a second one does not end it at once
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(slurm.call("scontrol"), "requeue 12_3", "not the number of the job");
    assert_released(&planned);
    assert!(slurm.calls("squeue").iter().all(|call| call == "-h -j 12_3 -o %L"), "{:?}", slurm.calls("squeue"));
    assert!(slurm.calls("squeue").len() <= 2, "at most once a minute");
    // the queued job continues
    let (code, _, stderr) = run(in_job(&slurm, worker(&dir, &planned)));
    assert_eq!(code, Some(0), "{stderr}");
    assert_same_results(&planned, &expected);
}

#[test]
fn term_saves_a_checkpoint_and_does_not_queue_the_task_again() {
    let (dir, slurm, planned) = planned();
    let mut command = in_job(&slurm, worker(&dir, &planned));
    command.args(["--checkpoint", "1"]);
    let mut child = start(command);
    wait_for_checkpoint(&planned);
    send(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + libc::SIGTERM));
    assert!(slurm.calls("scontrol").is_empty());
    assert_released(&planned);
}

#[test]
fn several_workers_of_a_task_save_checkpoints_and_it_is_queued_again_once() {
    let (dir, slurm, planned) = planned();
    let mut command = in_job(&slurm, worker(&dir, &planned));
    command.args(["--checkpoint", "1", "--devices", "cpu,cpu"]);
    let mut child = start(command);
    wait_for(|| names(&planned.join("beats")).len() == 2);
    wait_for_checkpoint(&planned);
    send(&child, libc::SIGUSR2);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(slurm.call("scontrol"), "requeue 12_3");
    let claims = names(&planned.join("claims"));
    let ended = names(&planned.join("ended")).len();
    let released = claims.iter().filter(|claim| {
        std::fs::read_to_string(planned.join("beats").join(claim)).is_ok_and(|beat| beat == "released\n")
    });
    assert_eq!(released.count() + ended, claims.len(), "{claims:?}");
}

#[test]
fn a_follow_up_job_continues_and_a_failed_requeue_is_an_error() {
    let (dir, slurm, planned) = planned();
    slurm.refuse("scontrol", "scontrol: error: Requested operation is presently disabled\n");
    for (chain, code) in [(true, 0), (false, 2)] {
        let mut command = in_job(&slurm, worker(&dir, &planned));
        command.args(["--checkpoint", "1"]);
        if chain {
            command.env("RUNNER_SLURM_CHAIN", "1");
        }
        let before = names(&planned.join("beats")).len();
        let mut child: Child = start(command);
        wait_for(|| names(&planned.join("beats")).len() > before);
        wait_for_checkpoint(&planned);
        send(&child, libc::SIGUSR2);
        assert_eq!(child.wait().unwrap().code(), Some(code), "follow-up job: {chain}");
        assert_eq!(slurm.calls("scontrol").len(), usize::from(!chain));
    }
}

#[test]
fn nothing_is_claimed_that_cannot_end_an_epoch() {
    let (dir, slurm, planned) = planned();
    slurm.answer("squeue", "2:59\n");
    let (code, _, stderr) = run(in_job(&slurm, worker(&dir, &planned)));
    assert_eq!(code, Some(2), "{stderr}");
    assert_says(&stderr, &["the time limit of the job leaves 0 s", "--time=HOURS:MINUTES:SECONDS"]);
    assert!(names(&planned.join("claims")).is_empty() && slurm.calls("scontrol").is_empty());
    // four seconds are enough for the first stack, and on most machines not for all of them
    slurm.answer("squeue", "0:14\n");
    let mut command = in_job(&slurm, worker(&dir, &planned));
    command.env("RUNNER_SLURM_SIGNAL", "10");
    let (code, _, stderr) = run(command);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!names(&planned.join("claims")).is_empty(), "{stderr}");
    let has_ended = names(&planned.join("ended")).len() == 4;
    if !has_ended {
        assert_says(&stderr, &["the time of the job is over: it is in the queue again as 12_3"]);
    }
    // a controller that gives no answer does not stop anybody
    slurm.refuse("squeue", "slurm_load_jobs error: Unable to contact slurm controller\n");
    let (code, _, stderr) = run(in_job(&slurm, worker(&dir, &planned)));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(names(&planned.join("ended")).len(), 4);
}

#[test]
fn a_run_that_usr2_stops_continues_as_if_it_had_not_been_stopped() {
    let (dir, undisturbed) = (dir_with_epochs(3000), dir_with_epochs(3000));
    let slurm = FakeSlurm::new(&dir);
    let expected = undisturbed.history(&["idea.toml", "--threads", "1"]);
    let (code, stdout, stderr) =
        run(slurm.enter(dir.command(&["exp", "idea.toml", "--threads", "1", "--slurm", "--json"])));
    assert_eq!(code, Some(0), "{stderr}");
    let printed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let folder = std::path::PathBuf::from(printed["run"].as_str().unwrap());
    let script = folder.join("slurm/submit-1.sh");
    let job = || {
        let mut command = in_job(&slurm, Command::new("bash"));
        command.arg(&script).env("CUDA_VISIBLE_DEVICES", "");
        command
    };
    let mut child = start(job());
    wait_for(|| std::fs::read_to_string(folder.join(".lock")).is_ok_and(|text| text.contains('/')));
    send(&child, libc::SIGUSR2);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(slurm.call("scontrol"), "requeue 12_3");
    assert!(folder.join("checkpoint.safetensors").exists(), "it was stopped in between");
    let (code, _, log) = run(job());
    assert_eq!(code, Some(0), "{log}");
    assert_says(&log, &["from the checkpoint of epoch"]);
    let name = names(&folder).into_iter().find(|name| name.ends_with("seed0.json")).unwrap();
    let found = json(&folder.join(name));
    for metric in ["loss", "val_loss", "lr"] {
        assert_eq!(found["history"][metric], expected["history"][metric], "{metric}");
    }
    let (code, stdout, _) = run(dir.command(&["runs", "idea", "--columns", "host,job"]));
    assert_eq!(code, Some(0));
    assert_says(&stdout, &["12_3"]);
}
