//! Runs as users tell them apart: ids, the list, names and tags, and the completion of names in a shell.

mod completing;
mod ids;
mod listing;
mod managing;
pub mod some_runs;
