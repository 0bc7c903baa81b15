//! `runner exp`: what a run prints and keeps, and that the same seeds give the same figures.

mod diagnosis;
mod momentum;
mod reproducing;
mod seeds;
mod shown;
mod stacks;
