//! The first rows of a buffer, as a tensor and as a matrix.

use tch::Tensor;

use crate::tensor::matrix_product::Matrix;
use crate::tensor::raw_values::RawF32;

/// A view of the first rows of a buffer.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) tensor: Tensor,
    pub(crate) matrix: Matrix,
}

impl View {
    /// Returns a view of the first `rows` rows.
    pub(crate) fn new(buffer: &Tensor, rows: usize) -> View {
        let tensor = buffer.narrow(0, 0, rows as i64);
        let columns = buffer.size()[1] as usize;
        View { matrix: Matrix::new(RawF32::from_tensor(&tensor), rows, columns), tensor }
    }

    /// Returns the values, which the buffer keeps alive.
    pub(crate) fn values(&self) -> RawF32 {
        self.matrix.values()
    }
}
