//! An addition to a sweep: a round, further seeds, or a confirmation.

use std::collections::{HashMap, HashSet};

use crate::sweep::dir::ended::EndedStack;
use crate::sweep::dir::extensions;
use crate::sweep::record::{Extension, SweepRecord};

/// An addition, with the sweep as it was before.
pub(super) struct Addition<'a> {
    /// Name of its file.
    pub file: String,
    /// What was added.
    pub extension: &'a Extension,
    /// The sweep before the addition.
    pub before: &'a SweepRecord,
    /// Results of all stacks that have ended.
    pub ended: &'a HashMap<String, EndedStack>,
    /// Configurations whose stacks were tried again: the addition may have known their failure in place of their results.
    pub tried_again: HashSet<&'a str>,
}

impl<'a> Addition<'a> {
    /// Creates the addition with this number, counted from 1. `retried` has the names of stacks that were tried again.
    pub fn new(
        number: usize,
        extension: &'a Extension,
        before: &'a SweepRecord,
        ended: &'a HashMap<String, EndedStack>,
        retried: &HashMap<String, u32>,
    ) -> Addition<'a> {
        let stacks = before.stacks.iter().filter(|stack| retried.contains_key(&stack.name));
        let tried_again = stacks.flat_map(|stack| &stack.configurations).map(String::as_str).collect();
        Addition { file: extensions::file_name(number), extension, before, ended, tried_again }
    }
}
