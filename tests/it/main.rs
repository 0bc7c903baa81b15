//! Tests of the complete program: invalid input, commands, and comparisons with other implementations.

mod commands;
mod compare;
#[cfg(target_os = "linux")]
mod disk;
mod golden;
mod hostile;
mod input;
mod layout;
#[cfg(unix)]
mod live_views;
mod numpy_files;
mod process;
mod reports;
mod resuming;
mod run_directories;
mod run_list;
mod run_output;
mod runs;
mod saved_runs;
mod schemas;
mod serve;
#[cfg(target_os = "linux")]
mod slurm;
mod support;
#[cfg(unix)]
mod sweep;
mod tables;
