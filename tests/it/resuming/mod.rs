//! Runs that are stopped, killed, or fail in part, and go on: nothing is lost, and figures are those of a run in one go.

mod checkpoints;
mod ends;
mod kills;
mod run;
#[cfg(unix)]
mod signals;
