//! The next round of a sweep: any worker plans it when all stacks have ended, and one of them publishes it.

use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::plan::round::next_round;
use crate::sweep::record::SweepRecord;

/// Publishes the next round of a sweep whose stacks have all ended, unless another process has extended the sweep. All workers
/// plan the same. Returns the number of its configurations if this process has published it.
///
/// # Errors
/// When the files of the sweep cannot be used, or this machine cannot plan its configurations.
pub fn publish_next_round(dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<Option<usize>> {
    let mut state = SweepState::default();
    state.update_without_listing(dir, record)?;
    if state.waiting > 0 || !state.running.is_empty() {
        return Ok(None); // failed stacks are tried again
    }
    let round = next_round(record, &state.ended)?;
    let is_published = extensions::publish(dir.path(), record.extensions.len() + 1, &round)?;
    Ok(is_published.then_some(round.configurations.len()))
}
