//! Configurations whose stacks were tried again.

use std::collections::{HashMap, HashSet};

use crate::sweep::record::SweepRecord;

/// Returns the names of the configurations whose stacks were tried again: a later addition may have known their failure in place
/// of their results. `retried` has the names of these stacks.
pub(super) fn configurations<'r>(record: &'r SweepRecord, retried: &HashMap<String, u32>) -> HashSet<&'r str> {
    let stacks = record.stacks.iter().filter(|stack| retried.contains_key(&stack.name));
    stacks.flat_map(|stack| &stack.configurations).map(String::as_str).collect()
}
