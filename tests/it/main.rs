//! The whole program from outside: bad input, commands, and numbers held against other implementations.

mod bad_input;
mod commands;
mod comparing;
mod diagnosis;
#[cfg(target_os = "linux")]
mod disk;
mod foreign;
mod golden;
mod hostile;
mod imbalance;
mod lessons;
#[cfg(target_os = "linux")]
mod memory;
mod momentum;
mod names;
mod other_histories;
mod pipes;
mod plots;
mod positive_class;
mod ranking;
mod reports;
mod reproducing;
mod resuming;
mod run_folders;
mod saved_runs;
mod seeds;
mod shown;
mod stacks;
mod support;
mod table_formats;
mod table_values;
mod tables;
mod two_programs;
mod whole_numbers;
