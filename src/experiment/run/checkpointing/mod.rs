//! Checkpoints of the stack that a run trains: when they are written, and what is said of one that cannot be.
//!
//! A run's folder has one, `checkpoint.safetensors`; a new one takes the place of the old one when it is whole. Where it
//! cannot be written the old one stays, training continues, and it is tried again when the next one is due.

mod found;
mod pace;
pub mod stack_keeper;

pub use crate::experiment::run::checkpointing::found::{FILE, Found};
pub use crate::experiment::run::checkpointing::pace::Pace;
