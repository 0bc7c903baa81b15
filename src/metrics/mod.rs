//! Metrics: figures that people read, beside the loss that training minimizes.

pub mod accuracy;
