//! The program as a process: its two executables, its pipes and its memory.

#[cfg(target_os = "linux")]
mod memory;
mod pipes;
mod two_programs;
