//! `runner exp`: what a run prints and keeps, and that the same seeds give the same figures.

mod diagnosis;
mod diverging;
mod expectations;
#[cfg(unix)]
mod interrupting;
mod left_files;
mod momentum;
mod output;
mod reproducing;
mod same_figures;
mod seeds;
mod shown;
mod stacks;
