//! Checks the additions to a sweep by the sweep before them: rounds, further seeds and confirmations.

use std::collections::{HashMap, HashSet};

use crate::sweep::dir::ended::EndedStack;
use crate::sweep::dir::extensions;
use crate::sweep::plan::confirm::best;
use crate::sweep::plan::round::seen_results;
use crate::sweep::record::{ChosenConfiguration, Extension, SweepRecord};
use crate::sweep::results::further_seeds::lacking;
use crate::sweep::rounds::{SeenOutcome, SeenResult};
use crate::sweep::verify::findings::Findings;

/// Checks the additions to `original`. `ended` has the results of all stacks that have ended, and `retried` the names of stacks
/// that were tried again. The configurations of these stacks are left out: an addition may have known their failure in place of
/// their results.
pub(super) fn check(
    original: SweepRecord,
    extensions: &[Extension],
    ended: &HashMap<String, EndedStack>,
    retried: &HashMap<String, u32>,
    findings: &mut Findings,
) {
    let mut before = original;
    for (number, extension) in extensions.iter().enumerate() {
        let stacks = before.stacks.iter().filter(|stack| retried.contains_key(&stack.name));
        let tried_again = stacks.flat_map(|stack| &stack.configurations).map(String::as_str).collect();
        let addition =
            Addition { file: extensions::file_name(number + 1), extension, before: &before, ended, tried_again };
        addition.check_confirmation(findings);
        addition.check_round(findings);
        addition.check_further_seeds(findings);
        before.extend(extension.clone());
    }
}

/// An addition, with the sweep as it was before.
struct Addition<'a> {
    /// Name of its file.
    file: String,
    extension: &'a Extension,
    /// The sweep before the addition.
    before: &'a SweepRecord,
    ended: &'a HashMap<String, EndedStack>,
    /// Configurations whose stacks were tried again.
    tried_again: HashSet<&'a str>,
}

impl Addition<'_> {
    /// Compares the configurations of a confirmation with the best ones of the sweep before it, and its seeds with those of the
    /// search.
    fn check_confirmation(&self, findings: &mut Findings) {
        let Some(plan) = &self.extension.confirmation else { return };
        let is_known = |chosen: &ChosenConfiguration| !self.tried_again.contains(chosen.name.as_str());
        let known = best(self.before, self.ended, usize::MAX).into_iter().filter(is_known);
        let expected: Vec<ChosenConfiguration> = known.take(plan.configurations.len()).collect();
        if expected != plan.configurations {
            let names = |chosen: &[ChosenConfiguration]| {
                let one = |chosen: &ChosenConfiguration| format!("{} ({})", chosen.name, chosen.mean.0);
                chosen.iter().map(one).collect::<Vec<_>>().join(", ")
            };
            let (expected, found) = (names(&expected), names(&plan.configurations));
            findings.add(&self.file, format!("the best configurations must be {expected}, found {found}"));
        }
        let is_used = |seed: &&i64| self.before.seeds.contains(seed) || self.before.further_seeds.contains(seed);
        if let Some(seed) = plan.seeds.iter().find(is_used) {
            findings.add(&self.file, format!("its seed {seed} is one of the search, and not fresh"));
        }
    }

    /// Compares what a round has seen with the results of the sweep before it.
    fn check_round(&self, findings: &mut Findings) {
        let Some(round) = &self.extension.round else { return };
        let compared = |results: Vec<SeenResult>| -> Vec<SeenResult> {
            results.into_iter().filter(|result| !self.tried_again.contains(result.name.as_str())).collect()
        };
        let expected = compared(seen_results(self.before, self.ended));
        let found = compared(round.seen.clone());
        let different = expected.iter().zip(&found).find(|(expected, found)| expected != found);
        if let Some((expected, found)) = different {
            let (expected, found) = (describe(expected), describe(found));
            findings.add(&self.file, format!("its round must have seen {expected}, found {found}"));
        } else if expected.len() != found.len() {
            let (expected, found) = (expected.len(), found.len());
            findings.add(&self.file, format!("its round must have seen {expected} configurations, found {found}"));
        }
    }

    /// Compares the configurations of an addition of further seeds with those that the results of the sweep before it imply.
    fn check_further_seeds(&self, findings: &mut Findings) {
        let added = &self.extension.on_further_seeds;
        if added.is_empty() {
            return;
        }
        let is_known = |name: &&str| !self.tried_again.contains(name);
        let expected: Vec<&str> = lacking(self.before, self.ended).into_iter().filter(is_known).collect();
        let found: Vec<&str> = added.iter().map(String::as_str).filter(is_known).collect();
        if expected != found {
            let names = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let (expected, found) = (names(&expected), names(&found));
            let problem = format!("the configurations that get further seeds must be {expected}, found {found}");
            findings.add(&self.file, problem);
        }
    }
}

fn describe(result: &SeenResult) -> String {
    let outcome = match result.outcome {
        SeenOutcome::Done => "done".to_owned(),
        SeenOutcome::Dropped(epoch) => format!("dropped after epoch {epoch}"),
        SeenOutcome::Diverged => "diverged".to_owned(),
        SeenOutcome::Failed => "failed".to_owned(),
    };
    let mean = result.mean.map(|mean| format!(" with {}", mean.0)).unwrap_or_default();
    format!("`{}` {outcome}{mean}", result.name)
}
