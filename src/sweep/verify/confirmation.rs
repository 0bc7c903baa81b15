//! Checks that a confirmation trains the best configurations of its sweep on fresh seeds.

use crate::sweep::plan::confirm::best;
use crate::sweep::record::ChosenConfiguration;
use crate::sweep::verify::addition::Addition;
use crate::sweep::verify::findings::Findings;

/// Compares the configurations of a confirmation with the best ones of the sweep before it. Stacks that were tried again later
/// are left out: the confirmation did not know their results.
pub(super) fn check(addition: &Addition, findings: &mut Findings) {
    let Some(plan) = &addition.extension.confirmation else { return };
    let (file, before) = (&addition.file, addition.before);
    let is_known = |chosen: &ChosenConfiguration| !addition.tried_again.contains(chosen.name.as_str());
    let known = best(before, addition.ended, usize::MAX).into_iter().filter(is_known);
    let expected: Vec<ChosenConfiguration> = known.take(plan.configurations.len()).collect();
    if expected != plan.configurations {
        let names = |chosen: &[ChosenConfiguration]| {
            let one = |chosen: &ChosenConfiguration| format!("{} ({})", chosen.name, chosen.mean.0);
            chosen.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let (expected, found) = (names(&expected), names(&plan.configurations));
        findings.add(file, format!("the best configurations must be {expected}, found {found}"));
    }
    let is_used = |seed: &&i64| before.seeds.contains(seed) || before.further_seeds.contains(seed);
    if let Some(seed) = plan.seeds.iter().find(is_used) {
        findings.add(file, format!("its seed {seed} is one of the search, and not fresh"));
    }
}
