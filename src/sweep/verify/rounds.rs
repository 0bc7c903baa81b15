//! Checks that rounds have seen the results of all earlier configurations.

use crate::sweep::dir::state::{SweepState, retried_generations};
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::plan::round::seen_results;
use crate::sweep::record::{Extension, SweepRecord};
use crate::sweep::rounds::{SeenOutcome, SeenResult};
use crate::sweep::verify::findings::Findings;
use crate::sweep::verify::tried_again;

/// Compares what each round has seen with the results of the sweep as it was before the round. Configurations of stacks that were
/// tried again are left out: the round may have seen their failure.
///
/// # Errors
/// When a directory cannot be listed.
pub(super) fn check(
    dir: &SweepDir,
    original: &SweepRecord,
    added: &[Extension],
    state: &SweepState,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let retried = retried_generations(&dir.names("ended")?);
    let mut before = original.clone();
    for (number, extension) in added.iter().enumerate() {
        if let Some(round) = &extension.round {
            let file = extensions::file_name(number + 1);
            let excluded = tried_again::configurations(&before, &retried);
            let compared = |results: Vec<SeenResult>| -> Vec<SeenResult> {
                results.into_iter().filter(|result| !excluded.contains(result.name.as_str())).collect()
            };
            let (expected, found) = (compared(seen_results(&before, &state.ended)), compared(round.seen.clone()));
            let different = expected.iter().zip(&found).find(|(expected, found)| expected != found);
            if let Some((expected, found)) = different {
                let (expected, found) = (describe(expected), describe(found));
                findings.add(&file, format!("its round must have seen {expected}, found {found}"));
            } else if expected.len() != found.len() {
                let (expected, found) = (expected.len(), found.len());
                findings.add(&file, format!("its round must have seen {expected} configurations, found {found}"));
            }
        }
        before.extend(extension.clone());
    }
    Ok(())
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
