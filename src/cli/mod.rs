//! The command line.
//!
//! [`commands`] has a file or folder for each command, [`args`] the arguments that several of them share, [`summary`] what
//! a run shows at its end, [`text`] the layout of text and the terminal, which alone prints. [`process`] has the two
//! programs: `runner` does what needs no tensor, and for the rest becomes `runner-engine`, which is linked to libtorch.

pub mod args;
pub mod command_line;
pub mod commands;
pub mod exit;
#[cfg(test)]
mod fixtures;
pub mod process;
pub mod summary;
pub mod text;
