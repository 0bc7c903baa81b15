//! Layers that draw random numbers in training to regularize.

mod dropout;

pub use dropout::{AlphaDropout, Dropout, Dropout2d, StackedDropout, StackedDropoutVariant};
