//! What follows in a sweep when all stacks have ended: a round of further configurations, or further seeds of those that were
//! trained to the end. Any worker plans it, and one of them publishes it.

use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::plan::extension::RecordedExperiment;
use crate::sweep::plan::round::next_round;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::further_seeds::lacking;

/// What follows when all stacks have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// Nothing.
    Nothing,
    /// A round with this number of further configurations, which this process has published.
    Round(usize),
    /// Further seeds of this number of configurations, which this process has published.
    FurtherSeeds(usize),
    /// Another process has extended the sweep, or failed stacks are tried again.
    Other,
}

/// Publishes what follows in a sweep whose stacks have all ended, unless another process has extended the sweep. All workers
/// plan the same.
///
/// # Errors
/// When the files of the sweep cannot be used, or this machine cannot plan its configurations.
pub fn publish_following(dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<Following> {
    if record.unchosen() == 0 && record.further_seeds.is_empty() {
        return Ok(Following::Nothing);
    }
    let mut state = SweepState::default();
    state.update_without_listing(dir, record)?;
    if state.waiting > 0 || !state.running.is_empty() {
        return Ok(Following::Other); // failed stacks are tried again
    }
    let (extension, following) = if state.unchosen > 0 {
        let round = next_round(record, &state.ended)?;
        let following = Following::Round(round.configurations.len());
        (round, following)
    } else if state.lacking > 0 {
        let names: Vec<String> = lacking(record, &state.ended).into_iter().map(str::to_owned).collect();
        (RecordedExperiment::new(record)?.on_further_seeds(&names)?, Following::FurtherSeeds(names.len()))
    } else {
        return Ok(Following::Nothing);
    };
    let is_published = extensions::publish(dir.path(), record.extensions.len() + 1, &extension)?;
    Ok(if is_published { following } else { Following::Other })
}
