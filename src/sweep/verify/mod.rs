//! Checks a sweep: recomputes its plan and its table, and compares every file with what the others say about it.

mod additions;
mod findings;
mod plan;
mod rungs;
mod shared_files;
mod stack_files;

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::{SweepState, retried_generations};
use crate::sweep::results::csv;
use crate::sweep::results::further_seeds::lacking;
pub use crate::sweep::verify::findings::{Finding, Findings};

/// Result of the check of a sweep.
#[derive(Debug)]
pub struct Verification {
    /// Number of configurations, all of which were chosen again.
    pub configurations: usize,
    /// Number of stacks.
    pub stacks: usize,
    /// Number of stacks that have ended.
    pub ended: usize,
    /// Number of configurations that rounds have not chosen yet.
    pub unchosen: usize,
    /// When all stacks have ended: number of configurations that are trained on further seeds next.
    pub lacking: usize,
    /// Number of trials whose results were compared with their histories.
    pub trials: usize,
    /// Number of files of stacks whose checksums were compared.
    pub files: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Time between two checks of a sweep that may be running.
const BETWEEN: Duration = Duration::from_millis(500);

/// Checks the sweep in this directory. If it may be running, files change while they are compared: then only what is wrong
/// twice is a finding.
///
/// # Errors
/// When its record cannot be read, its configurations cannot be planned, or files cannot be listed.
pub fn verify(path: &Path) -> anyhow::Result<Verification> {
    let first = check(path)?;
    let may_be_running = first.ended < first.stacks || !path.join(csv::FILE).is_file();
    if first.findings.is_empty() || !may_be_running {
        return Ok(first);
    }
    thread::sleep(BETWEEN);
    let mut second = check(path)?;
    second.findings.retain(|finding| first.findings.contains(finding));
    Ok(second)
}

/// Checks the sweep in this directory once.
fn check(path: &Path) -> anyhow::Result<Verification> {
    let (dir, original) = SweepDir::open_original(path)?;
    let mut findings = Findings::default();
    plan::check_record_files(&dir, &original, &mut findings)?;
    let record = plan::check_plan(&dir, original.clone(), &mut findings)?;
    let state = SweepState { ended: stack_files::read_ends(&dir, &record, &mut findings)?, ..SweepState::default() };
    let retried = retried_generations(&dir.names("ended")?);
    additions::check(original, &record.extensions, &state.ended, &retried, &mut findings);
    let leases = shared_files::check_leases(&dir, &record, &state.ended, &mut findings)?;
    shared_files::check_unknown_files(&dir, &record, &mut findings)?;
    let checked = stack_files::check_stacks(&dir, &record, &state.ended, &leases, &mut findings)?;
    let is_done =
        record.stacks.iter().all(|stack| state.ended.get(&stack.name).is_some_and(|end| end.failure.is_none()));
    shared_files::check_data_sums(&dir, &checked.data, is_done, &mut findings)?;
    shared_files::check_table(&dir, &record, &state, &mut findings)?;
    Ok(Verification {
        configurations: record.configurations.len(),
        stacks: record.stacks.len(),
        ended: state.ended.len(),
        unchosen: record.unchosen(),
        lacking: lacking(&record, &state.ended).len(),
        trials: checked.trials,
        files: checked.files,
        findings: findings.into_sorted(),
    })
}
