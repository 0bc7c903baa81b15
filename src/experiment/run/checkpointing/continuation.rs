//! Continues a finished run for more epochs, in a new run directory. The result equals that of a run with this number of
//! epochs from the start.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, anyhow, ensure};
use time::OffsetDateTime;

use crate::config::hint::Hint;
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::checkpointing::checkpoint_reader::{RunCheckpoint, final_file};
use crate::experiment::run::checkpointing::checkpoint_writer::CheckpointMetadataRef;
use crate::experiment::run::checkpointing::settings_hash::{HashedTrial, settings_hash};
use crate::experiment::run::run_study::first_files;
use crate::experiment::run_options::RunOptions;
use crate::experiment::store::history_fields;
use crate::experiment::store::history_fields::Program;
use crate::experiment::store::run_record::{ContinuedFrom, RunRecord};
use crate::experiment::store::stack_record::{GroupRecord, StackRecord, TrialName, groups_of};
use crate::history::{History, Status};
use crate::run_dir::RunDir;
use crate::train::checkpoint::file;

/// A finished run that is continued as a new run.
#[derive(Debug)]
pub struct Continuation {
    /// The study with the new number of epochs.
    pub study: Study,
    /// The record of the new run, with the stacks of the finished one.
    pub record: RunRecord,
    /// Number of trials that have ended before the last epoch, by status.
    pub ended: Vec<(Status, usize)>,
    /// The directory of the finished run.
    from: PathBuf,
    earlier: Study,
    started: OffsetDateTime,
}

impl Continuation {
    /// Prepares a finished run, whose record is `finished`, to be continued up to `epochs` epochs in total.
    ///
    /// # Errors
    /// When it cannot be: it has as many epochs, its learning rates depend on the number of epochs, it kept no
    /// checkpoints, or all of its trials stopped early or diverged.
    pub fn new(from: &Path, finished: &RunRecord, epochs: usize, options: RunOptions) -> anyhow::Result<Continuation> {
        let shown = from.display();
        ensure!(
            finished.is_complete(from),
            anyhow!("the run in `{shown}` is not finished, so it cannot be continued up to {epochs} epochs")
                .context(Hint(format!("finish it first: `runner resume {shown}`")))
        );
        let earlier = finished.study()?;
        let started = OffsetDateTime::now_utc();
        let command = finished.command.as_deref().map(|command| with_epochs(command, epochs));
        let from_start = || Hint(format!("train from the start: `{}`", command.as_deref().unwrap_or("runner exp …")));
        ensure!(
            finished.halving.is_none(),
            anyhow!("the run in `{shown}` dropped trials at rungs, so it cannot be continued").context(from_start())
        );
        let trained = epochs_of(&earlier)?;
        ensure!(
            epochs > trained,
            anyhow!("`--epochs {epochs}` is not more than the epochs already trained ({trained})")
                .context(Hint(format!("`--epochs` is the total number: use `--epochs {}` or more", trained + 1)))
        );
        let mut schedules = earlier.plans.iter().filter_map(|plan| Some(&plan.network()?.train.schedule));
        if let Some(schedule) = schedules.find(|schedule| schedule.depends_on_epochs()) {
            let message = format!(
                "the schedule `{}` depends on the number of epochs: the first {trained} of {epochs} epochs need \
                 other learning rates than those of the run",
                schedule.name()
            );
            return Err(anyhow!(message).context(from_start()));
        }
        let stacks = |stacks: &[StackRecord]| stacks.iter().map(StackRecord::reset).collect();
        let group = |group: &GroupRecord| GroupRecord { data: group.data.clone(), stacks: stacks(&group.stacks) };
        let mut changes = finished.changes.clone();
        changes.retain(|change| !change.replace(' ', "").starts_with("train.epochs="));
        changes.push(format!("train.epochs={epochs}"));
        let record = RunRecord {
            command: command.clone(),
            continued_from: Some(ContinuedFrom { run: name_of(from, finished), epochs: trained }),
            started: history_fields::format_start(started)?,
            program: Program::this(),
            options,
            finished: false,
            groups: finished.groups.iter().map(group).collect(),
            changes,
            ..finished.clone()
        };
        let study = record.study()?;
        for (trials, _) in network_stacks(&record, &study.plans) {
            let name = final_file(trials);
            if !from.join(&name).is_file() {
                let message = format!("the run has no checkpoint of its last epoch: there is no `{name}` in `{shown}`");
                return Err(anyhow!(message).context(from_start()));
            }
        }
        let ended = ended_before(from, &record, &study.plans)?;
        Ok(Continuation { study, record, ended, from: from.to_path_buf(), earlier, started })
    }

    /// Creates the directory of the new run under `out`, with the checkpoints that its stacks start from.
    ///
    /// # Errors
    /// When the data have changed, a checkpoint is damaged or belongs to another run, or a file cannot be written.
    pub fn create(&self, out: &Path) -> anyhow::Result<RunDir> {
        let Continuation { study, record, .. } = self;
        record.check_data_of(study)?; // before there is a directory
        RunDir::check(out, &study.name)?;
        let beside = first_files(record, study)?;
        let folder = RunDir::create(out, &study.name, &study.spec.to_toml(), &beside, self.started)?;
        let copied = network_stacks(record, &study.plans).try_for_each(|(trials, data)| {
            self.copy_checkpoint(&folder, trials, data)
                .with_context(|| format!("failed to continue from `{}`", self.from.join(final_file(trials)).display()))
        });
        if copied.is_err() {
            let _ = std::fs::remove_dir_all(folder.path()); // nothing is trained in it
        }
        copied.map(|()| folder)
    }

    /// Copies the checkpoint of a stack, with the settings of the new run.
    fn copy_checkpoint(&self, folder: &RunDir, trials: &[TrialName], data: &str) -> anyhow::Result<()> {
        let found = RunCheckpoint::read_final(&self.from, trials)?.context("it belongs to other trials")?;
        let hashed = |study: &Study| -> anyhow::Result<String> { settings_hash(&hashed_trials(study, trials, data)?) };
        found.check(&hashed(&self.earlier)?, &hashed_trials(&self.earlier, trials, data)?)?;
        let metadata = CheckpointMetadataRef {
            trials,
            settings: &hashed(&self.study)?,
            environment: &found.environment,
            training: &found.checkpoint.state,
            rungs: None,
        };
        let file = file::lay_out(&metadata, &found.checkpoint.tensors)?;
        folder.try_write_with(&final_file(trials), &|to| file.write_to(to))
    }
}

/// Returns the trials of each stack of networks, with the checksum of their data.
fn network_stacks<'a>(record: &'a RunRecord, plans: &'a [Plan]) -> impl Iterator<Item = (&'a [TrialName], &'a str)> {
    let groups = record.groups.iter().zip(groups_of(&record.groups, plans));
    let of_networks = groups.filter(|(_, plans)| plans[0].network().is_some());
    of_networks.flat_map(|(group, _)| group.stacks.iter().map(|stack| (&stack.trials[..], group.data.as_str())))
}

/// Returns the plan of each trial and the checksum of its data.
fn hashed_trials<'a>(study: &'a Study, trials: &[TrialName], data: &'a str) -> anyhow::Result<Vec<HashedTrial<'a>>> {
    let plan = |trial: &TrialName| study.plans.iter().find(|plan| plan.variant == trial.variant);
    let damaged = |trial: &TrialName| anyhow!("the run record is damaged: there is no trial `{}`", trial.stem());
    trials.iter().map(|trial| plan(trial).map(|plan| (plan, data)).ok_or_else(|| damaged(trial))).collect()
}

/// Returns the number of epochs of all networks.
fn epochs_of(study: &Study) -> anyhow::Result<usize> {
    let epochs: BTreeSet<usize> = study.plans.iter().filter_map(|plan| Some(plan.network()?.train.epochs)).collect();
    match Vec::from_iter(epochs)[..] {
        [epochs] => Ok(epochs),
        [] => Err(anyhow!("`{}` trains no network: a decision tree has no epochs", study.name)),
        [.., most] => {
            let hint = format!("train again, with `train.epochs` for each variant; the longest one has {most}");
            Err(anyhow!("the variants of `{}` differ in their number of epochs", study.name).context(Hint(hint)))
        }
    }
}

/// Returns the number of trials that stopped early or diverged.
///
/// # Errors
/// When all did.
fn ended_before(from: &Path, record: &RunRecord, plans: &[Plan]) -> anyhow::Result<Vec<(Status, usize)>> {
    let trials = || network_stacks(record, plans).flat_map(|(trials, _)| trials);
    let status = |trial: &TrialName| Ok(History::read(&from.join(format!("{}.json", trial.stem())))?.status);
    let statuses = trials().map(status).collect::<Result<Vec<Status>, Error>>()?;
    let count = |wanted: Status| statuses.iter().filter(|status| **status == wanted).count();
    let ended = [Status::EarlyStopped, Status::Diverged].map(|status| (status, count(status)));
    ensure!(
        ended.iter().map(|(_, count)| count).sum::<usize>() < statuses.len(),
        anyhow!("more epochs would change nothing: {} in `{}`", ended_text(&ended), from.display()).context(Hint(
            "train from the start with more patience: `runner exp … --set train.early_stopping.patience=…`".to_owned()
        ))
    );
    Ok(ended.into_iter().filter(|(_, count)| *count > 0).collect())
}

/// Returns how trials ended before the last epoch, such as `2 trials early stopped`.
pub fn ended_text(ended: &[(Status, usize)]) -> String {
    let text = |&(status, count): &(Status, usize)| {
        let trials = if count == 1 { "trial" } else { "trials" };
        let words = if status == Status::EarlyStopped { "stopped early" } else { status.word() };
        (count > 0).then(|| format!("{count} {trials} {words}"))
    };
    ended.iter().filter_map(text).collect::<Vec<_>>().join(" and ")
}

/// Returns a command with this number of epochs.
fn with_epochs(command: &str, epochs: usize) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    let is_old = |place: usize| words[place] == "--epochs" || place > 0 && words[place - 1] == "--epochs";
    let kept = (0..words.len()).filter(|&place| !is_old(place)).map(|place| words[place]);
    format!("{} --epochs {epochs}", kept.collect::<Vec<_>>().join(" "))
}

/// Returns the experiment and the directory name of a run.
fn name_of(folder: &Path, record: &RunRecord) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}/{name}", record.experiment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_of_the_new_run_has_its_number_of_epochs() {
        assert_eq!(with_epochs("runner exp a --seeds 0..2", 9), "runner exp a --seeds 0..2 --epochs 9");
        assert_eq!(with_epochs("runner exp a --epochs 2 --threads 1", 9), "runner exp a --threads 1 --epochs 9");
    }
}
