//! Checks that the configurations that were trained to the end are trained on the further seeds of their sweep.

use crate::sweep::dir::state::{SweepState, retried_generations};
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::record::{Extension, SweepRecord};
use crate::sweep::results::further_seeds::lacking;
use crate::sweep::verify::findings::Findings;
use crate::sweep::verify::tried_again;

/// Compares the configurations of each addition of further seeds with those that the results of the sweep before it imply.
/// Configurations of stacks that were tried again are left out: their stacks may have failed then.
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
        let record = before.clone();
        before.extend(extension.clone());
        if extension.on_further_seeds.is_empty() {
            continue;
        }
        let excluded = tried_again::configurations(&record, &retried);
        let expected: Vec<&str> =
            lacking(&record, &state.ended).into_iter().filter(|name| !excluded.contains(name)).collect();
        let found = extension.on_further_seeds.iter().map(String::as_str);
        let found: Vec<&str> = found.filter(|name| !excluded.contains(name)).collect();
        if expected != found {
            let names = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let (expected, found) = (names(&expected), names(&found));
            let problem = format!("the configurations that get further seeds must be {expected}, found {found}");
            findings.add(extensions::file_name(number + 1), problem);
        }
    }
    Ok(())
}
