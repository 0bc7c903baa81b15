//! Checks the confirmation of a sweep before it is trained.

use crate::config::check::at_least_one;
use crate::experiment::spec::seeds;
use crate::sweep::space::origin::SpaceFault;
use crate::sweep::spec::Confirm;

/// Maximum number of configurations unless another one is set.
const AT_MOST: usize = 5;

/// Returns how many configurations are confirmed at most.
pub fn at_most(confirm: &Confirm) -> usize {
    confirm.at_most.unwrap_or(AT_MOST)
}

/// Checks the confirmation of a new sweep with these seeds.
///
/// # Errors
/// If it trains no configuration or no seed, or one of its seeds chooses the configurations.
pub(super) fn check(confirm: &Confirm, seeds_of_search: &[i64]) -> Result<(), SpaceFault> {
    at_least_one("confirm.at_most", at_most(confirm))
        .map_err(|fault| SpaceFault::new(fault.to_string(), "write `confirm = { at_most = 5 }`"))?;
    let asked = confirm.seeds.as_deref().unwrap_or_default();
    if confirm.seeds.is_some() && asked.is_empty() {
        return Err(SpaceFault::new(
            "`confirm.seeds` is empty".to_owned(),
            "write `confirm = { seeds = \"100..109\" }`",
        ));
    }
    match asked.iter().find(|seed| seeds_of_search.contains(seed)) {
        None => Ok(()),
        Some(seed) => {
            let message = format!("`confirm.seeds` must be fresh seeds, but the sweep trains on seed {seed}, too");
            Err(SpaceFault::new(message, format!("choose seeds other than {}", seeds::format(seeds_of_search))))
        }
    }
}
