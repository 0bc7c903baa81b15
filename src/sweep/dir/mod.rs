//! The directory of a sweep, which any number of workers on any number of machines share through its files alone.
//!
//! Every file has one writer. Most are created once, under a unique temporary name, and get their final name by `link`,
//! which fails if the name exists; so one of several workers wins. Nothing is locked, no clocks of two machines are
//! compared, and the state of a sweep follows from the files.

pub mod beat;
pub mod claim;
pub mod create_once;
pub mod data_sum;
pub mod ended;
pub mod extensions;
pub mod file_sums;
pub mod lease;
pub mod liveness;
mod record_check;
pub mod saved_progress;
pub mod state;
pub mod stop_request;
pub mod sweep_dir;

pub use crate::sweep::dir::sweep_dir::SweepDir;
