//! Checkpoints of the stack in training: when they are written, and what happens if they cannot be.
//! [`checkpoint_writer`] writes them, and `checkpoint_reader` reads them.
//!
//! A run directory has one, `checkpoint.safetensors`. A new checkpoint replaces the old one only when it is complete.
//! If it cannot be written, the old one stays, training continues, and the next one is tried when it is due.
//!
//! When a stack ends, the checkpoint of its last epoch stays in the file [`final_file`], so that [`continuation`] can
//! continue the run in a new run directory.

mod checkpoint_interval;
mod checkpoint_reader;
pub mod checkpoint_writer;
pub mod continuation;
pub mod passed_rungs;
mod settings_hash;

pub use crate::experiment::run::checkpointing::checkpoint_interval::CheckpointInterval;
pub use crate::experiment::run::checkpointing::checkpoint_reader::{FILE, RunCheckpoint, final_file};
pub use crate::experiment::run::checkpointing::settings_hash::{HashedTrial, settings_hash};
