//! The whole program from outside: bad input, commands, and numbers held against other implementations.

mod bad_input;
mod commands;
mod comparing;
mod foreign;
mod golden;
mod imbalance;
mod lessons;
mod plots;
mod reports;
mod reproducing;
mod saved_runs;
mod shown;
mod stacks;
mod support;
mod tables;
mod two_programs;
