//! The program `xtask` on a fake machine.

#![cfg(unix)]

mod commands;
mod setup;
mod stage;
