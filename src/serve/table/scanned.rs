//! What the scanner has found, for the answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::experiment::store::run_id::RunEntry;
use crate::serve::table::rows::Table;

/// Runs and sweeps by id.
#[derive(Debug, Default)]
pub struct Entries {
    /// The runs.
    pub runs: BTreeMap<String, RunEntry>,
    /// The sweeps.
    pub sweeps: BTreeMap<String, RunEntry>,
}

/// Results of the scanner.
#[derive(Debug, Default)]
pub struct Scanned {
    table: Mutex<Table>,
    entries: Mutex<Entries>,
}

impl Scanned {
    /// Returns the table.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the directories of the runs and sweeps.
    pub fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
