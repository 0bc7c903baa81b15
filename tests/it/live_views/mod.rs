//! Views of runs and sweeps in training.

mod event_files;
mod watching;
