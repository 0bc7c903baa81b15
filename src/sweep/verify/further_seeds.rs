//! Checks that the configurations that were trained to the end are trained on the further seeds of their sweep.

use crate::sweep::results::further_seeds::lacking;
use crate::sweep::verify::addition::Addition;
use crate::sweep::verify::findings::Findings;

/// Compares the configurations of an addition of further seeds with those that the results of the sweep before it imply.
/// Configurations of stacks that were tried again are left out: their stacks may have failed then.
pub(super) fn check(addition: &Addition, findings: &mut Findings) {
    let added = &addition.extension.on_further_seeds;
    if added.is_empty() {
        return;
    }
    let is_known = |name: &&str| !addition.tried_again.contains(name);
    let expected: Vec<&str> = lacking(addition.before, addition.ended).into_iter().filter(is_known).collect();
    let found: Vec<&str> = added.iter().map(String::as_str).filter(is_known).collect();
    if expected != found {
        let names = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let (expected, found) = (names(&expected), names(&found));
        let problem = format!("the configurations that get further seeds must be {expected}, found {found}");
        findings.add(&addition.file, problem);
    }
}
