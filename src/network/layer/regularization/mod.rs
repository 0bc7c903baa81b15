//! Layers that draw random numbers in training to regularize.

mod dropout;
mod dropout_variants;

pub use dropout::{Dropout, StackedDropout};
pub use dropout_variants::{AlphaDropout, Dropout2d, StackedDropoutVariant};
