//! What becomes of bytes that anybody may have written: one function for each of our parsers, which takes it as far as
//! the program would. None of them may panic, take more memory than its input accounts for, or go on for seconds.
//!
//! The fuzz targets (`fuzz/`) and the tests beside this file call the same functions: what a fuzzer found stays found by
//! the tests, which need no nightly compiler.

mod checkpoints;
mod data_files;
mod folder;
mod histories;
mod run_files;

pub use checkpoints::checkpoint;
pub use data_files::{archive, idx, picture, table};
pub use histories::{events, foreign, history};
pub use run_files::{experiment, preprocessing, run_record, tree, weights};

/// A target's name, which is that of its corpus, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: [Target; 13] = [
    ("history", history),
    ("weights", weights),
    ("experiment", experiment),
    ("table", table),
    ("idx", idx),
    ("picture", picture),
    ("foreign", foreign),
    ("events", events),
    ("tree", tree),
    ("archive", archive),
    ("checkpoint", checkpoint),
    ("run_record", run_record),
    ("preprocessing", preprocessing),
];
