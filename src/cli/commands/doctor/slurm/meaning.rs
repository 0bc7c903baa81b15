//! What the settings of a cluster mean for a sweep.

use super::programs::Programs;
use super::settings::{Partition, Settings};
use crate::cli::commands::doctor::check::Check;

/// Shortest time in seconds in which a stopped job is sure to save its checkpoint.
const ENOUGH_TO_SAVE: u64 = 10;

/// Maximum number of partitions that are listed.
const PARTITIONS: usize = 12;

/// Slurm's programs.
pub fn programs(programs: &Programs) -> Check {
    match &programs.missing()[..] {
        [] => Check::passed("programs", "sbatch, scontrol, squeue and scancel are on PATH"),
        ["scontrol"] => Check::failed(
            "programs",
            "scontrol is not on PATH: a job cannot put itself back into the queue before its time is over, and the settings \
             of the cluster are unknown",
            "submit jobs that follow each other: `runner sweep submit DIR --workers N --chain 4`",
        ),
        missing => Check::failed(
            "programs",
            format!("not on PATH: {}", missing.join(", ")),
            "make them available on this machine, often with `module load slurm`",
        ),
    }
}

/// Returns the checks of the settings.
pub fn checks(settings: &Settings) -> Vec<Check> {
    let mut checks = vec![version(settings), kill_wait(settings), array_size(settings), requeue(settings)];
    checks.extend([preemption(settings), grace(settings), gpus(settings), partitions(&settings.partitions)]);
    checks
}

fn version(settings: &Settings) -> Check {
    let cluster = settings.get("ClusterName").unwrap_or("without a name");
    Check::passed(
        "Slurm",
        format!("{}, cluster {cluster}", settings.get("SLURM_VERSION").unwrap_or("of unknown version")),
    )
}

fn kill_wait(settings: &Settings) -> Check {
    let Some(seconds) = settings.number("KillWait") else { return unknown("KillWait") };
    let found = format!(
        "{seconds} s from the signal that ends a job (time limit, `scancel`, preemption) to its kill: the time to save a \
         checkpoint"
    );
    match seconds >= ENOUGH_TO_SAVE {
        true => Check::passed("KillWait", found),
        false => Check::failed(
            "KillWait",
            found,
            "a large model may lose what it trained since its last checkpoint: save one often (`--checkpoint 1m`), or ask \
             the administrators for `KillWait=30`",
        ),
    }
}

fn array_size(settings: &Settings) -> Check {
    match settings.number("MaxArraySize") {
        None => unknown("MaxArraySize"),
        Some(0) => Check::failed(
            "MaxArraySize",
            "0: this cluster has no job arrays, which `runner sweep submit` uses",
            "start each worker as a job: `sbatch --wrap 'runner sweep work DIR'`",
        ),
        Some(size) => Check::passed(
            "MaxArraySize",
            format!("{size}: at most `--workers {size}`; the number of configurations has no limit"),
        ),
    }
}

fn requeue(settings: &Settings) -> Check {
    match settings.number("JobRequeue") {
        None => unknown("JobRequeue"),
        Some(0) => Check::passed(
            "JobRequeue",
            "0: jobs do not return to the queue unless they ask for it, as those of `runner sweep submit` do (`--requeue`)",
        ),
        Some(_) => Check::passed("JobRequeue", "1: a job returns to the queue if its node fails"),
    }
}

fn preemption(settings: &Settings) -> Check {
    let mode = settings.get("PreemptMode").unwrap_or("OFF");
    if settings.get("PreemptType").is_none_or(|kind| kind == "preempt/none") {
        return Check::passed("PreemptMode", format!("{mode}: no job is preempted"));
    }
    let mut modes: Vec<&str> = settings.partitions.iter().map(|partition| partition.preempt_mode.as_str()).collect();
    modes.extend(settings.partitions.is_empty().then_some(mode));
    modes.retain(|mode| !mode.is_empty() && !mode.eq_ignore_ascii_case("OFF"));
    modes.sort_unstable();
    modes.dedup();
    let has = |word: &str| modes.iter().any(|mode| mode.to_uppercase().contains(word));
    let found = format!(
        "{mode}: {}",
        [
            modes.is_empty().then_some("no partition has jobs that are preempted"),
            has("REQUEUE").then_some("a preempted job returns to the queue and continues from its checkpoint"),
            has("CANCEL").then_some("a preempted job is cancelled and does not return"),
            has("SUSPEND").then_some("a preempted job is suspended; other workers take over its stack after 20 s"),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
    );
    match has("CANCEL") {
        false => Check::passed("PreemptMode", found),
        true => Check::failed(
            "PreemptMode",
            found,
            "submit jobs that follow each other: `runner sweep submit DIR --workers N --chain 4`; other workers take over \
             the stack of a cancelled one",
        ),
    }
}

fn grace(settings: &Settings) -> Check {
    let with_grace = |partition: &&Partition| partition.grace > 0;
    let listed: Vec<String> = settings
        .partitions
        .iter()
        .filter(with_grace)
        .map(|partition| format!("{} s in `{}`", partition.grace, partition.name))
        .collect();
    match (listed.is_empty(), settings.has("SlurmctldParameters", "preempt_send_user_signal")) {
        (true, _) => {
            Check::passed("GraceTime", "none: a preempted job gets SIGTERM at once, and is killed after KillWait")
        }
        (false, true) => Check::passed(
            "GraceTime",
            format!(
                "{}: a preempted job gets the signal of `--signal` at once, and saves its checkpoint",
                listed.join(", ")
            ),
        ),
        (false, false) => Check::passed(
            "GraceTime",
            format!(
                "{}: a preempted job trains until it is over, then saves its checkpoint within KillWait",
                listed.join(", ")
            ),
        ),
    }
}

fn gpus(settings: &Settings) -> Check {
    match settings.has("GresTypes", "gpu") {
        true => Check::passed("GPUs", "give each worker one: `-- --gres=gpu:1`"),
        false => Check::absent(
            "GPUs",
            "none that Slurm hands out: workers train on CPUs",
            "give each worker some: `-- --cpus-per-task=4`",
        ),
    }
}

fn partitions(partitions: &[Partition]) -> Check {
    let shown = |partition: &Partition| {
        let details = [
            partition.is_default.then(|| "default".to_owned()),
            (!partition.is_up).then(|| "not up".to_owned()),
            Some(partition.longest.as_ref().map_or("no time limit".to_owned(), |time| format!("at most {time}"))),
            partition.default_time.as_ref().map(|time| format!("{time} without `--time`")),
        ];
        format!("{} ({})", partition.name, details.into_iter().flatten().collect::<Vec<_>>().join(", "))
    };
    let mut listed: Vec<String> = partitions.iter().take(PARTITIONS).map(shown).collect();
    listed.extend((partitions.len() > PARTITIONS).then(|| format!("{} more (`sinfo`)", partitions.len() - PARTITIONS)));
    match partitions.iter().any(|partition| partition.is_up) {
        true => Check::passed("partitions", listed.join("; ")),
        false => Check::failed(
            "partitions",
            format!("none is up: {}", listed.join("; ")),
            "ask the administrators: no job can start",
        ),
    }
}

fn unknown(what: &str) -> Check {
    Check::failed(what, "unknown: `scontrol show config` does not show it", "ask the administrators of the cluster")
}
