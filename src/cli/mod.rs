//! Command-line interface.
//!
//! [`commands`] has a file or folder for each command. [`args`] holds the arguments that several commands share,
//! [`summary`] the summary of a run, [`slurm`] the jobs of a cluster, and [`text`] the layout of text and the terminal; only the
//! terminal prints.
//! [`process`] has the entry points of the two programs: `runner` runs the commands that need no tensors, and replaces
//! itself by `runner-engine`, which is linked to libtorch, for the others.

pub mod args;
pub mod command_line;
pub mod commands;
pub mod dry_run;
pub mod end_of_run;
pub mod exit;
#[cfg(test)]
mod fixtures;
pub mod process;
pub mod slurm;
pub mod summary;
pub mod text;
pub mod truncate;
