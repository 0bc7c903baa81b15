//! Trains the stacks of one run in several processes on this machine.
//!
//! The process that a user starts owns the run directory and its record. It plans all stacks, gives one after the other to
//! worker processes, and brings their results in. A worker trains a stack as a run of its own in `workers/` in the run
//! directory, so that each stack has its own checkpoint. A worker reads orders from stdin: if that ends, the process that
//! started it is gone, and the worker saves a checkpoint and leaves. `runner resume` continues all stacks from there.

pub mod coordinator;
pub mod message;
mod process;
pub mod worker;
