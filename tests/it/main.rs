//! The whole program from outside: bad input, commands, and numbers held against other implementations.

mod bad_input;
mod commands;
mod golden;
mod shown;
mod stacks;
mod support;
mod tables;
