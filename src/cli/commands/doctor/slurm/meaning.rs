//! What the settings of a cluster mean for a sweep.

use super::settings::{Partition, Settings};
use crate::cli::commands::doctor::check::Check;

/// Shortest time in seconds in which a stopped job is sure to save its checkpoint.
const ENOUGH_TO_SAVE: u64 = 10;

/// Maximum number of partitions that are listed.
const PARTITIONS: usize = 12;

/// Slurm's programs.
pub fn programs(missing: &[&str]) -> Check {
    match missing {
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
    let number = |key: &str, check: fn(u64) -> Check| settings.number(key).map_or_else(|| unknown(key), check);
    vec![
        version(settings),
        number("KillWait", kill_wait),
        number("MaxArraySize", array_size),
        number("JobRequeue", requeue),
        preemption(settings),
        grace(settings),
        gpus(settings),
        partitions(&settings.partitions),
    ]
}

fn version(settings: &Settings) -> Check {
    let version = settings.get("SLURM_VERSION").unwrap_or("of unknown version");
    let cluster = settings.get("ClusterName").unwrap_or("without a name");
    Check::passed("Slurm", format!("{version}, cluster {cluster}"))
}

fn kill_wait(seconds: u64) -> Check {
    let found = format!(
        "{seconds} s from the signal that ends a job (time limit, `scancel`, preemption) to its kill: the time to save a \
         checkpoint"
    );
    let remedy = "a large model may lose what it trained since its last checkpoint: save one often (`--checkpoint 1m`), or \
                  ask the administrators for `KillWait=30`";
    Check::of("KillWait", seconds >= ENOUGH_TO_SAVE, found, remedy)
}

fn array_size(size: u64) -> Check {
    let found = match size {
        0 => "0: this cluster has no job arrays, which `runner sweep submit` uses".to_owned(),
        size => format!("{size}: at most `--workers {size}`; the number of configurations has no limit"),
    };
    Check::of("MaxArraySize", size > 0, found, "start each worker as a job: `sbatch --wrap 'runner sweep work DIR'`")
}

fn requeue(setting: u64) -> Check {
    let found = match setting {
        0 => {
            "0: jobs do not return to the queue unless they ask for it, as those of `runner sweep submit` do (`--requeue`)"
        }
        _ => "1: a job returns to the queue if its node fails",
    };
    Check::passed("JobRequeue", found)
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
    let consequences = [
        (modes.is_empty(), "no partition has jobs that are preempted"),
        (has("REQUEUE"), "a preempted job returns to the queue and continues from its checkpoint"),
        (has("CANCEL"), "a preempted job is cancelled and does not return"),
        (has("SUSPEND"), "a preempted job is suspended; other workers take over its stack after 20 s"),
    ];
    let found: Vec<&str> = consequences.into_iter().filter(|(applies, _)| *applies).map(|(_, text)| text).collect();
    let remedy = "submit jobs that follow each other: `runner sweep submit DIR --workers N --chain 4`; other workers take \
                  over the stack of a cancelled one";
    Check::of("PreemptMode", !has("CANCEL"), format!("{mode}: {}", found.join("; ")), remedy)
}

fn grace(settings: &Settings) -> Check {
    let with_grace = settings.partitions.iter().filter(|partition| partition.grace > 0);
    let listed: Vec<String> =
        with_grace.map(|partition| format!("{} s in `{}`", partition.grace, partition.name)).collect();
    let what = match settings.has("SlurmctldParameters", "preempt_send_user_signal") {
        _ if listed.is_empty() => "gets SIGTERM at once, and is killed after KillWait",
        true => "gets the signal of `--signal` at once, and saves its checkpoint",
        false => "trains until it is over, then saves its checkpoint within KillWait",
    };
    let times = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
    Check::passed("GraceTime", format!("{times}: a preempted job {what}"))
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
    let is_any_up = partitions.iter().any(|partition| partition.is_up);
    let prefix = if is_any_up { "" } else { "none is up: " };
    let found = format!("{prefix}{}", listed.join("; "));
    Check::of("partitions", is_any_up, found, "ask the administrators: no job can start")
}

fn unknown(what: &str) -> Check {
    Check::failed(what, "unknown: `scontrol show config` does not show it", "ask the administrators of the cluster")
}
