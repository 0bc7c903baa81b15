//! The directory of a run: creation, lock, and writing that survives a failing disk.

mod directory;
mod fallback;
pub mod latest;
mod lock;
mod state;
pub mod write_errors;

pub use crate::run_dir::directory::RunDir;
