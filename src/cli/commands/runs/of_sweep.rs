//! `runner runs` for the directory of a sweep: its configurations, best first.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::commands::sweep::ranking_text;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::compare::sweep_trials::{MOST, sweep_at};
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::experiment::store::newest;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::results::{Ranking, csv};

/// Returns the directory of the sweep that is named instead of runs: by its path, or by an experiment in a directory of
/// sweeps.
///
/// # Errors
/// If `out` is a directory of sweeps and no experiment is named.
pub(super) fn find(experiment: Option<&str>, out: &Path) -> anyhow::Result<Option<PathBuf>> {
    if let Some(name) = experiment {
        let is_path = Path::new(name).components().count() > 1;
        let by_path = || sweep_at(Path::new(name)).filter(|_| is_path);
        return Ok(by_path().or_else(|| sweep_at(&out.join(name))));
    }
    if let Some(sweep) = sweep_at(out) {
        return Ok(Some(sweep));
    }
    let folders = newest::folders_in(out).unwrap_or_default();
    let of_sweeps = folders.iter().filter(|folder| !SweepDir::all(folder).is_empty());
    let names: Vec<&str> = of_sweeps.filter_map(|folder| folder.file_name()?.to_str()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let hint = format!("list configurations with `runner sweep table NAME`: {}", suggest::list(&names));
    Err(anyhow!("`{}` has sweeps, not runs", out.display()).context(Hint(hint)))
}

/// Prints the best configurations of a sweep.
pub(super) fn print(path: &Path, limit: Option<usize>, as_csv: bool) -> anyhow::Result<Exit> {
    let (dir, record) = SweepDir::open(path)?;
    let state = SweepState::read(&dir, &record)?;
    let ranking = Ranking::new(&record, &state.ended, record.higher_is_better);
    if as_csv {
        terminal::out(&csv::table(&record, &ranking, &record.metric));
        return Ok(Exit::Done);
    }
    let shown = (limit.unwrap_or(MOST), "--limit");
    terminal::out(&ranking_text::table(&record, &ranking, &record.metric, shown, TextStyle::of_output()));
    terminal::say(&format!("note: this is a sweep; see `runner sweep table {}`", dir.path().display()));
    Ok(Exit::Done)
}
