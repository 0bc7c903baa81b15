//! Checks that confirmations train the best configurations of their sweep on fresh seeds.

use crate::sweep::dir::state::{SweepState, retried_generations};
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::plan::confirm::best;
use crate::sweep::record::{ChosenConfiguration, Extension, SweepRecord};
use crate::sweep::verify::findings::Findings;
use crate::sweep::verify::tried_again;

/// Compares the configurations of each confirmation with the best ones of the sweep as it was before it. Stacks that were tried
/// again later are left out: the confirmation did not know their results.
///
/// # Errors
/// When a directory cannot be listed.
pub(super) fn check(
    dir: &SweepDir,
    original: &SweepRecord,
    extensions: &[Extension],
    state: &SweepState,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let retried = retried_generations(&dir.names("ended")?);
    let mut before = original.clone();
    for (number, extension) in extensions.iter().enumerate() {
        if let Some(plan) = &extension.confirmation {
            let excluded = tried_again::configurations(&before, &retried);
            let is_known = |chosen: &ChosenConfiguration| !excluded.contains(chosen.name.as_str());
            let known = best(&before, &state.ended, usize::MAX).into_iter().filter(is_known);
            let expected: Vec<ChosenConfiguration> = known.take(plan.configurations.len()).collect();
            let file = extensions::file_name(number + 1);
            if expected != plan.configurations {
                let names = |chosen: &[ChosenConfiguration]| {
                    let one = |chosen: &ChosenConfiguration| format!("{} ({})", chosen.name, chosen.mean.0);
                    chosen.iter().map(one).collect::<Vec<_>>().join(", ")
                };
                let (expected, found) = (names(&expected), names(&plan.configurations));
                findings.add(&file, format!("the best configurations must be {expected}, found {found}"));
            }
            if let Some(seed) =
                plan.seeds.iter().find(|seed| before.seeds.contains(seed) || before.further_seeds.contains(seed))
            {
                findings.add(&file, format!("its seed {seed} is one of the search, and not fresh"));
            }
        }
        before.extend(extension.clone());
    }
    Ok(())
}
