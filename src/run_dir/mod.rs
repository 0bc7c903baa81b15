//! The directory of a run: creation, lock, and writing that survives a failing disk.

mod directory;
mod fallback;
pub mod latest;
pub mod lease_check;
pub mod live_tail;
mod lock;
pub mod remove;
mod state;
pub mod write_errors;
pub mod writer;

pub use crate::run_dir::directory::RunDir;
