//! Shape of a sequence.

use crate::tensor::shape::{Shape, ShapeError};

/// Returns the number of time steps and of features of a row.
///
/// # Errors
/// When the row is not a sequence.
pub fn time_and_features(input: &Shape) -> Result<[i64; 2], ShapeError> {
    let found = input.dimensions().try_into();
    found.map_err(|_| ShapeError::new(input, "time×features", "put `{ reshape = [time, features] }` before it"))
}
