//! `runner exp`: its settings and files. Equal seeds give equal results.

mod arrays;
mod diagnosis;
mod diverging;
mod equal_results;
mod expectations;
mod initial_weights;
#[cfg(unix)]
mod interrupting;
mod momentum;
mod reproducing;
mod run_files;
mod seeds;
mod settings;
mod several;
mod stacks;
mod torchscript;
