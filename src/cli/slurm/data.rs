//! Data sets of jobs.

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::data::store::cache::Cache;
use crate::experiment::dry_run::is_missing;
use crate::experiment::plan::Plan;

/// Checks that the data sets of these plans are in the data cache: the machines of a cluster may have no network.
///
/// # Errors
/// When one is not.
pub fn check_is_cached<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> anyhow::Result<()> {
    let cache = Cache::for_user();
    match plans.into_iter().map(|plan| plan.spec.data.name()).find(|name| is_missing(&cache, name)) {
        None => Ok(()),
        Some(name) => {
            let hint = format!("download it first: `runner data fetch {name}`");
            Err(anyhow!("the data set `{name}` is not in the data cache").context(Hint(hint)))
        }
    }
}
