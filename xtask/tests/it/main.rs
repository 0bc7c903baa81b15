//! The `xtask` binary on a made-up machine: a `PATH` with nothing on it but small shell scripts.
//!
//! No test here uses the network, the real pip or the real cargo. The one that runs the real Python
//! does so to unpack a wheel it has just made.

#![cfg(target_os = "linux")]

mod commands;
mod setup;
mod stage;
mod unpack;
