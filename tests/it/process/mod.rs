//! The program as a process: its two executables, pipes and memory.

#[cfg(target_os = "linux")]
mod memory;
mod pipes;
#[cfg(target_os = "linux")]
mod terminal;
mod two_executables;
