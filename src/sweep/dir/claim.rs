//! Claims: files `claims/<stack>.<generation>`, each created once by the worker that takes the lease.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::io::bounded_file;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::create_once::{exists, retry_stale};
use crate::sweep::dir::saved_progress::SavedProgress;

/// Content of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Name of the worker: `<host>-<process>-<8 random hex digits>`.
    pub worker: String,
    /// Name of its machine.
    pub host: String,
    /// Its process ID.
    pub process: u32,
    /// When it took the lease, by the clock of its machine: UTC, RFC 3339.
    pub claimed: String,
    /// What earlier generations had saved at that time.
    pub saved: SavedProgress,
}

/// Name of the lease of this generation on a stack: `S012.2`.
pub fn lease_name(stack: &str, generation: u32) -> String {
    format!("{stack}.{generation}")
}

/// Highest generation of a lease. A file with a higher one is not of this program.
const HIGHEST: u32 = 1_000_000_000;

/// Returns stack and generation of the name of a lease, as [`lease_name`] writes it.
pub fn parse_name(lease: &str) -> Option<(&str, u32)> {
    let (stack, generation) = lease.rsplit_once('.')?;
    Some((stack, parse_generation(generation)?))
}

/// Returns a generation from its text, which has no leading zeros and no sign.
pub fn parse_generation(text: &str) -> Option<u32> {
    let generation = text.parse().ok().filter(|generation| (1..=HIGHEST).contains(generation))?;
    (generation.to_string() == text).then_some(generation)
}

/// Reads a claim; `None` if it cannot be read.
pub fn read(dir: &SweepDir, lease: &str) -> Option<Claim> {
    const LONGEST: u64 = 65_536;
    let text = retry_stale(|| bounded_file::read(&dir.file("claims").join(lease), LONGEST)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Returns the newest listed generation of each claimed stack.
///
/// # Errors
/// When the claims cannot be listed.
pub fn newest_generations(dir: &SweepDir) -> std::io::Result<HashMap<String, u32>> {
    Ok(newest_of(dir.names("claims")?.iter().filter_map(|name| parse_name(name))))
}

/// Returns the newest of these generations of each stack.
pub fn newest_of<'a>(leases: impl Iterator<Item = (&'a str, u32)>) -> HashMap<String, u32> {
    let mut newest = HashMap::new();
    for (stack, generation) in leases {
        let known = newest.entry(stack.to_owned()).or_insert(0);
        *known = generation.max(*known);
    }
    newest
}

/// Returns the newest generation of a stack, which is at least `known`: a listing may be late.
///
/// # Errors
/// Those of the system.
pub fn newest_generation(dir: &SweepDir, stack: &str, known: u32) -> std::io::Result<u32> {
    let mut newest = known;
    while exists(&dir.file("claims").join(lease_name(stack, newest + 1)))? {
        newest += 1;
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::dir::sweep_dir::empty_for_tests;

    #[test]
    fn files_with_other_names_are_no_claims() {
        let (_folder, dir) = empty_for_tests();
        for name in ["S000.2", "S000.4294967295", "S000.99999999999", "S000.0", "S000.007", "S000.+9", "S000", "S000.x"]
        {
            std::fs::write(dir.file("claims").join(name), "").unwrap();
        }
        assert_eq!(newest_generations(&dir).unwrap(), HashMap::from([("S000".to_owned(), 2)]));
        assert_eq!(parse_name(&lease_name("S012", 3)), Some(("S012", 3)));
    }
}
