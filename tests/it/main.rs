//! The whole program from outside: bad input, commands, and numbers held against other implementations.

mod bad_input;
mod commands;
mod comparing;
#[cfg(target_os = "linux")]
mod disk;
mod foreign;
mod golden;
mod hostile;
mod imbalance;
mod lessons;
#[cfg(target_os = "linux")]
mod memory;
mod names;
mod pipes;
mod plots;
mod reports;
mod reproducing;
mod resuming;
mod saved_runs;
mod seeds;
mod shown;
mod stacks;
mod support;
mod table_values;
mod tables;
mod two_programs;
mod whole_numbers;
