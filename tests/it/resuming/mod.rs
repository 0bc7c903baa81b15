//! Runs that are stopped, killed or partly failed, then resumed: the results equal those of an uninterrupted run.

mod checkpoints;
mod ends;
mod kills;
mod more_epochs;
pub mod run;
#[cfg(unix)]
mod signals;
mod time_limit;
#[cfg(unix)]
mod workers;
