//! The best configurations of a sweep, for commands that compare runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::compare::trial::Trial;
use crate::config::hint::Hint;
use crate::history::History;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::record;
use crate::sweep::results::Ranking;

/// Maximum number of configurations: the best ones.
pub const MOST: usize = 20;

/// Returns the directory of a sweep: this one, or the newest in it.
pub fn sweep_at(path: &Path) -> Option<PathBuf> {
    if path.join(record::FILE).is_file() { Some(path.to_path_buf()) } else { SweepDir::all(path).pop() }
}

/// Trials, each with its run directory.
type TrialsOfRuns = Vec<(PathBuf, Trial)>;

/// Reads the trials of the best configurations, in the order of the ranking: each with the run directory of the first stack that
/// trains its configuration in the search, or in the same confirmation. Also returns a note if there are more configurations.
///
/// # Errors
/// When the sweep or a history cannot be read, or no trial is done.
pub fn best_trials(path: &Path) -> anyhow::Result<(TrialsOfRuns, Option<String>)> {
    let (dir, record) = SweepDir::open(path)?;
    let state = SweepState::read(&dir, &record)?;
    let ranking = Ranking::new(&record, &state.ended, record.higher_is_better);
    let confirmations = record.extensions.iter().filter(|extension| extension.confirmation.is_some()).enumerate();
    let numbered = confirmations
        .flat_map(|(number, extension)| extension.stacks.iter().map(move |stack| (stack.name.as_str(), number)));
    let confirmation_of: HashMap<&str, usize> = numbered.collect();
    // a configuration has its further seeds in other stacks
    let mut first_stacks: HashMap<(&str, Option<usize>), &str> = HashMap::new();
    let mut files: HashMap<&str, Vec<(PathBuf, PathBuf)>> = HashMap::new();
    for stack in &record.stacks {
        let confirmation = confirmation_of.get(stack.name.as_str()).copied();
        for trial in state.ended.get(&stack.name).into_iter().flat_map(|end| &end.trials) {
            let configuration = trial.configuration.as_str();
            let first_stack = *first_stacks.entry((configuration, confirmation)).or_insert(&stack.name);
            let stem = History::stem_of(configuration, trial.seed, trial.fold);
            let file = dir.stack(&stack.name).join(format!("{stem}.json"));
            files.entry(configuration).or_default().push((dir.stack(first_stack), file));
        }
    }
    let trained = ranking.results.iter().filter(|result| result.done > 0);
    let names: Vec<&str> = trained.map(|result| result.configuration.name.as_str()).collect();
    if names.is_empty() {
        let hint = Hint(format!("see `runner sweep status {}`", dir.path().display()));
        return Err(anyhow!("no trial of the sweep in `{}` is done", dir.path().display()).context(hint));
    }
    let mut trials = Vec::new();
    for name in names.iter().take(MOST) {
        for (folder, file) in files.remove(name).unwrap_or_default() {
            trials.push((folder, Trial::from_history(History::read(&file)?, file)));
        }
    }
    let note = (names.len() > MOST).then(|| {
        let shown = dir.path().display();
        format!("the best {MOST} of {} configurations; `runner sweep table {shown}` lists all", names.len())
    });
    Ok((trials, note))
}
