//! `runner exp`: its output and files. Equal seeds give equal results.

mod diagnosis;
mod diverging;
mod equal_results;
mod expectations;
#[cfg(unix)]
mod interrupting;
mod logging;
mod momentum;
mod output;
mod reproducing;
mod run_files;
mod seeds;
mod settings;
mod several;
mod short_summary;
mod stacks;
mod summary;
