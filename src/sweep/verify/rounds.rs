//! Checks that a round has seen the results of all earlier configurations.

use crate::sweep::plan::round::seen_results;
use crate::sweep::rounds::{SeenOutcome, SeenResult};
use crate::sweep::verify::addition::Addition;
use crate::sweep::verify::findings::Findings;

/// Compares what a round has seen with the results of the sweep before it. Configurations of stacks that were tried again are
/// left out: the round may have seen their failure.
pub(super) fn check(addition: &Addition, findings: &mut Findings) {
    let Some(round) = &addition.extension.round else { return };
    let compared = |results: Vec<SeenResult>| -> Vec<SeenResult> {
        results.into_iter().filter(|result| !addition.tried_again.contains(result.name.as_str())).collect()
    };
    let expected = compared(seen_results(addition.before, addition.ended));
    let found = compared(round.seen.clone());
    let different = expected.iter().zip(&found).find(|(expected, found)| expected != found);
    if let Some((expected, found)) = different {
        let (expected, found) = (describe(expected), describe(found));
        findings.add(&addition.file, format!("its round must have seen {expected}, found {found}"));
    } else if expected.len() != found.len() {
        let (expected, found) = (expected.len(), found.len());
        findings.add(&addition.file, format!("its round must have seen {expected} configurations, found {found}"));
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
