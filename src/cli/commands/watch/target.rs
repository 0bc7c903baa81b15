//! Finds the run or the sweep to watch.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::commands::watch::{run_model, sweep_model};
use crate::config::hint::Hint;
use crate::experiment::store::find;
use crate::experiment::store::newest::{self, folders_in, is_run, runs_in};
use crate::experiment::store::run_name::experiment_directory;
use crate::run_dir::latest::resolve_link;
use crate::sweep::dir::SweepDir;
use crate::sweep::record;

/// Number of the newest runs and sweeps among which one in training is looked for.
const NEWEST: usize = 100;

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A run, by its directory.
    Run(PathBuf),
    /// A sweep, by its directory.
    Sweep(PathBuf),
}

impl Target {
    /// Finds a run or a sweep by its name; without a name, the newest one that is in training, else the newest one.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(named: Option<&str>, runs: &Path) -> anyhow::Result<Target> {
        let sweeps = SweepsDir::default();
        let Some(named) = named else {
            let experiments = |folder: &Path| folders_in(folder).unwrap_or_default();
            let all = experiments(runs).into_iter().flat_map(|folder| runs_of(&folder));
            let all = all.chain(experiments(&sweeps).into_iter().flat_map(|folder| sweeps_of(&folder)));
            return choose(all.collect()).ok_or_else(|| {
                let (runs, sweeps) = (runs.display(), sweeps.display());
                anyhow!("there is no run under `{runs}` and no sweep under `{sweeps}`")
                    .context(Hint("start a run with `runner exp NAME`, or name a directory".to_owned()))
            });
        };
        let path = Path::new(named);
        if path.join(record::FILE).is_file() {
            return Ok(Target::Sweep(resolve_link(path)));
        }
        if is_run(path) {
            return Ok(Target::Run(resolve_link(path)));
        }
        let folder = |out: &Path| match path.is_dir() {
            true => Some(path.to_path_buf()),
            false => experiment_directory(named, out),
        };
        let all = folder(runs).into_iter().flat_map(|folder| runs_of(&folder));
        let all = all.chain(folder(&sweeps).into_iter().flat_map(|folder| sweeps_of(&folder)));
        match choose(all.collect()) {
            Some(target) => Ok(target),
            None => match find::run_to_resume(named, runs) {
                Ok(run) => Ok(Target::Run(resolve_link(&run))),
                Err(error) => SweepDir::locate(named, &sweeps)
                    .and_then(|path| SweepDir::open(&path))
                    .map_or(Err(error), |(dir, _)| Ok(Target::Sweep(dir.path().to_path_buf()))),
            },
        }
    }

    /// Whether a process trains it.
    fn is_in_training(&self) -> bool {
        match self {
            Target::Run(folder) => run_model::is_running(folder),
            Target::Sweep(folder) => sweep_model::is_in_training(folder),
        }
    }
}

/// The runs in the directory of an experiment.
fn runs_of(folder: &Path) -> Vec<Target> {
    runs_in(folder).unwrap_or_default().into_iter().map(Target::Run).collect()
}

/// The sweeps in the directory of an experiment.
fn sweeps_of(folder: &Path) -> Vec<Target> {
    SweepDir::all(folder).into_iter().map(Target::Sweep).collect()
}

/// Returns the newest one in training, else the newest one.
fn choose(mut targets: Vec<Target>) -> Option<Target> {
    targets.sort_by_cached_key(|target| match target {
        Target::Run(folder) => newest::order(folder),
        Target::Sweep(folder) => newest::order_by_file(folder, record::FILE),
    });
    let in_training = targets.iter().rev().take(NEWEST).find(|target| target.is_in_training());
    in_training.or(targets.last()).cloned()
}
