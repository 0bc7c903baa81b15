//! A saved run with its histories, as lists and live pages summarize it.

use std::collections::HashMap;
use std::path::Path;

use crate::compare::group::Group;
use crate::compare::runs::filter::Filter;
use crate::compare::runs::run_info::RunInfo;
use crate::compare::runs::run_summary::{RunSummary, summarize_groups};
use crate::compare::settings;
use crate::compare::trial::Trial;
use crate::experiment::store::about::About;
use crate::experiment::store::run_id::RunEntry;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::TrialName;
use crate::experiment::store::{find, newest};
use crate::history::History;

/// A saved run with its histories.
#[derive(Clone, Debug)]
pub struct ReadRun {
    /// Id, name, tags, changes and state.
    pub info: RunInfo,
    /// The trials, by variant.
    pub groups: Vec<Group>,
    /// Trials that are done according to the run record, but whose history is missing.
    pub missing: Vec<TrialName>,
}

impl ReadRun {
    /// Reads the run in a directory; `None` if it is no run. Settings of its file that differ from those of the `reference`
    /// are changes. Errors of its files are added to `faults`.
    pub fn read(
        entry: &RunEntry,
        about: About,
        short_ids: &HashMap<&str, &str>,
        reference: Option<&History>,
        faults: &mut Vec<anyhow::Error>,
    ) -> Option<ReadRun> {
        let folder = &entry.folder;
        let trials = match trials(folder, faults) {
            Ok(trials) => trials,
            Err(error) => {
                faults.push(error);
                return None;
            }
        };
        if trials.is_empty() && !newest::is_run(folder) {
            return None;
        }
        let record = RunRecord::read(folder).ok();
        let missing = record.as_ref().map(|record| find::missing_trials_of(record, folder)).unwrap_or_default();
        faults.extend(missing.iter().map(|trial| find::missing_history(folder, trial).error));
        let mut info = RunInfo::new(entry.clone(), about, record.as_ref(), &trials, missing.len(), short_ids);
        if let (Some(reference), Some(history)) = (reference, trials.iter().find_map(Trial::history)) {
            info.add_changes_of_file(history, reference);
        }
        let mut groups: Vec<Group> = Vec::new();
        for trial in trials {
            let variant = trial.history().map(|history| history.variant.clone()).unwrap_or_default();
            match groups.iter_mut().find(|group| group.label == variant) {
                Some(group) => group.trials.push(trial),
                None => groups.push(Group { label: variant, trials: vec![trial] }),
            }
        }
        Some(ReadRun { info, groups, missing })
    }

    /// Removes the variants that do not match all filters. Returns whether any is left; for a run without a history, whether
    /// it matches.
    pub fn retain_matching(&mut self, filters: &[Filter]) -> bool {
        let info = &self.info;
        let matches = |group: Option<&Group>| filters.iter().all(|filter| filter.holds(group, info));
        if self.groups.is_empty() {
            return matches(None);
        }
        self.groups.retain(|group| matches(Some(group)));
        !self.groups.is_empty()
    }

    /// Returns the summary of the run, with these fields and, on request, the settings of its first variant.
    pub fn summary(&self, fields: &[String], with_settings: bool) -> RunSummary {
        self.summarize(&self.groups, false, fields, with_settings)
    }

    /// Returns a summary of each variant, like [`ReadRun::summary`].
    pub fn summaries_by_variant(&self, fields: &[String], with_settings: bool) -> Vec<RunSummary> {
        let groups = self.groups.iter().map(std::slice::from_ref);
        groups.map(|group| self.summarize(group, true, fields, with_settings)).collect()
    }

    fn summarize(&self, groups: &[Group], by_variant: bool, fields: &[String], with_settings: bool) -> RunSummary {
        let summary = summarize_groups(&self.info, groups, &self.missing, by_variant, fields);
        let config = groups.first().filter(|_| with_settings).and_then(Group::config);
        RunSummary { settings: config.map(settings::flatten).unwrap_or_default(), ..summary }
    }
}

/// Returns the first history of the oldest of these runs that has one: settings that differ from it are changes.
pub fn reference_of(runs: &mut [&RunEntry]) -> Option<History> {
    runs.sort_by_cached_key(|run| newest::order(&run.folder));
    let first_history =
        |run: &&RunEntry| newest::histories_in(&run.folder).ok()?.first().and_then(|file| History::read(file).ok());
    runs.iter().find_map(first_history)
}

/// Reads the histories in a directory.
fn trials(folder: &Path, faults: &mut Vec<anyhow::Error>) -> anyhow::Result<Vec<Trial>> {
    let files = newest::histories_in(folder)?;
    let mut trials = Vec::with_capacity(files.len());
    for file in files {
        match History::read(&file) {
            Ok(history) => trials.push(Trial::from_history(history, file)),
            Err(error) => faults.push(error),
        }
    }
    Ok(trials)
}
