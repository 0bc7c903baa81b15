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

/// The trials of the best configurations of a sweep.
pub struct SweepTrials {
    /// Each trial with the run directory of its stack, in the order of the ranking.
    pub trials: Vec<(PathBuf, Trial)>,
    /// A note if there are more configurations.
    pub note: Option<String>,
}

/// Returns the directory of a sweep: this one, or the newest in it.
pub fn sweep_at(path: &Path) -> Option<PathBuf> {
    if path.join(record::FILE).is_file() { Some(path.to_path_buf()) } else { SweepDir::all(path).pop() }
}

/// Reads the trials of the best configurations.
///
/// # Errors
/// When the sweep or a history cannot be read, or no trial is done.
pub fn best_trials(path: &Path) -> anyhow::Result<SweepTrials> {
    let (dir, record) = SweepDir::open(path)?;
    let mut state = SweepState::default();
    state.update(&dir, &record)?;
    let ranking = Ranking::new(&record, &state.ended, record.higher_is_better);
    let mut files: HashMap<&str, Vec<(PathBuf, PathBuf)>> = HashMap::new();
    for (stack, end) in &state.ended {
        for trial in &end.trials {
            let folder = dir.stack(stack);
            let stem = History::stem_of(&trial.configuration, trial.seed, trial.fold);
            let file = folder.join(format!("{stem}.json"));
            files.entry(&trial.configuration).or_default().push((folder, file));
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
    Ok(SweepTrials { trials, note })
}
