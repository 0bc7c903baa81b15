//! Parsing of untrusted bytes: one function for each parser, which does as much with the data as the program would. No
//! function may panic, take more memory than its input justifies, or take several seconds.
//!
//! The fuzz targets (`fuzz/`) and the tests in this directory call the same functions, so that the tests repeat what a
//! fuzzer found, without a nightly compiler.

mod checkpoints;
mod data_files;
mod folder;
mod histories;
mod run_files;

pub use checkpoints::checkpoint;
pub use data_files::{archive, arrays, idx, picture, table, texts};
pub use histories::{events, foreign, history};
pub use run_files::{experiment, preprocessing, run_record, tree, weights};

/// Name of a target and of its corpus, and the function to call.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const ALL: [Target; 15] = [
    ("history", history),
    ("weights", weights),
    ("experiment", experiment),
    ("table", table),
    ("idx", idx),
    ("arrays", arrays),
    ("texts", texts),
    ("picture", picture),
    ("foreign", foreign),
    ("events", events),
    ("tree", tree),
    ("archive", archive),
    ("checkpoint", checkpoint),
    ("run_record", run_record),
    ("preprocessing", preprocessing),
];
