//! Adds a confirmation to a sweep, also as soon as all of its configurations are trained.

use anyhow::anyhow;

use crate::cli::commands::sweep::confirm::text::describe;
use crate::cli::commands::sweep::execute::{self, Execution};
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::plan::confirm::confirmation;
use crate::sweep::record::{Extension, SweepRecord};

/// Trains a sweep, and then its best configurations on fresh seeds if its file has `confirm`; prints the results.
///
/// # Errors
/// See [`execute::train`].
pub fn train_and_confirm(dir: &SweepDir, record: &SweepRecord, execution: &Execution) -> anyhow::Result<Exit> {
    let Some(confirm) = record.confirm.as_ref().filter(|_| record.confirmation().is_none()) else {
        return execute::train(dir, record, execution);
    };
    let (quiet, json) = (execution.quiet, execution.json);
    let search = Execution { quiet: quiet || json, json: false, is_silent: json, strict: false, ..execution.clone() };
    let exit = execute::train(dir, record, &search)?;
    let mut record = record.clone();
    extensions::read_new(dir.path(), &mut record)?;
    let state = SweepState::read(dir, &record)?;
    if exit != Exit::Done || !state.is_over() {
        // a failed sweep has results, too
        let results = Execution { quiet: true, ..execution.clone() };
        return if json && state.is_over() { execute::train(dir, &record, &results) } else { Ok(exit) };
    }
    if record.confirmation().is_none() {
        let extension = confirmation(&record, &state.ended, confirm, record.command.clone())?;
        add(dir, &mut record, extension, quiet || json)?;
    }
    execute::train(dir, &record, &Execution { confirms: !json, ..execution.clone() })
}

/// Adds a confirmation to a sweep.
///
/// # Errors
/// If another process has extended the sweep at the same time.
pub(super) fn add(
    dir: &SweepDir,
    record: &mut SweepRecord,
    extension: Extension,
    is_quiet: bool,
) -> anyhow::Result<()> {
    if !extensions::publish(dir.path(), record.extensions.len() + 1, &extension)? {
        return Err(anyhow!("another process has extended the sweep").context(Hint("try it again".to_owned())));
    }
    if !is_quiet {
        terminal::say(&describe(record, &extension));
    }
    record.extend(extension);
    Ok(())
}
