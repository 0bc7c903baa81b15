//! Layers that draw random numbers in training to regularize.

mod alpha_dropout;
mod dropout;
mod dropout2d;

pub use alpha_dropout::{AlphaDropout, StackedAlphaDropout};
pub use dropout::{Dropout, StackedDropout};
pub use dropout2d::{Dropout2d, StackedDropout2d};
