//! Whole runs: commands that train need all variants of a run, and a run that is still training is not whole yet.

use std::path::Path;

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::experiment::store::find::run_and_variant;
use crate::experiment::store::run_record::RunRecord;
use crate::run_dir::writer::Writer;

/// Checks that `named` is not one variant of a run, as in `regularize_mnist/dropout`. The message names the `command`.
///
/// # Errors
/// If it is.
pub fn check(named: &str, out: &Path, command: &str) -> anyhow::Result<()> {
    if Path::new(named).exists() {
        return Ok(());
    }
    let Some((run, variant, _)) = run_and_variant(named, out) else { return Ok(()) };
    let message =
        format!("`runner {command}` trains all variants of a run, but `{named}` names the variant `{variant}`");
    Err(anyhow!(message).context(Hint(format!("name the run: `runner {command} {run}`"))))
}

/// Returns a note on how many trials of a run that is still training have not ended; `None` if no process trains it.
pub fn training_note(folder: &Path) -> Option<String> {
    Writer::find(folder).filter(|writer| writer.is_running)?;
    let record = RunRecord::read(folder).ok().filter(|record| !record.finished)?;
    let recorded = || record.stacks().map(|stack| stack.trials.len()).sum::<usize>();
    let planned = record.study().map_or_else(|_| recorded(), |study| study.trials());
    let left = planned.saturating_sub(record.done());
    let have = if left == 1 { "has" } else { "have" };
    let trials = if planned == 1 { "trial" } else { "trials" };
    (left > 0)
        .then(|| format!("`{}` is still training: {left} of {planned} {trials} {have} not ended", folder.display()))
}
