//! Products of matrices on one thread, by the crate `gemm`.
//!
//! libtorch multiplies by MKL, which uses AVX-512 on processors of Intel only, and each of its calls costs a microsecond
//! or more. `gemm` uses it wherever the processor has it.

#![expect(unsafe_code, reason = "matrices in the memory of tensors")]

use gemm::Parallelism;

use crate::tensor::raw_values::RawF32;

/// A matrix in the memory of a tensor.
///
/// It is a pointer, as [`RawF32`] is.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    values: RawF32,
    rows: usize,
    columns: usize,
    is_transposed: bool, // whether the memory has columns one after the other
}

impl Matrix {
    /// Returns values, row by row, as a matrix.
    ///
    /// # Panics
    /// When their number is not `rows · columns`.
    pub fn new(values: RawF32, rows: usize, columns: usize) -> Matrix {
        assert_eq!(values.len(), rows * columns, "a matrix of these values");
        Matrix { values, rows, columns, is_transposed: false }
    }

    /// Returns the values, in the order of the memory.
    pub fn values(self) -> RawF32 {
        self.values
    }

    /// Returns the transpose, in the same memory.
    pub fn t(self) -> Matrix {
        Matrix { rows: self.columns, columns: self.rows, is_transposed: !self.is_transposed, ..self }
    }

    /// Distances in memory between rows and between columns.
    fn strides(self) -> (isize, isize) {
        match self.is_transposed {
            false => (self.columns as isize, 1),
            true => (1, self.rows as isize),
        }
    }

    /// Replaces the values by those of the product `left · right`.
    ///
    /// # Safety
    /// The values of the factors must be initialized, and all tensors must outlive the call. Nothing else may write to the
    /// factors, or access this matrix, in the meantime.
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub unsafe fn set_to_product(self, left: Matrix, right: Matrix) {
        assert_eq!((left.rows, left.columns, right.columns), (self.rows, right.rows, self.columns), "shapes fit");
        if self.values.is_empty() || left.columns == 0 {
            // SAFETY: the caller guarantees it.
            unsafe { self.values.get_mut() }.fill(0.0);
            return;
        }
        let (row_stride, column_stride) = self.strides();
        let (left_row_stride, left_column_stride) = left.strides();
        let (right_row_stride, right_column_stride) = right.strides();
        // SAFETY: the pointers are those of matrices with these shapes and strides; the caller guarantees the rest. Without
        // `read_dst`, the former values are not read.
        unsafe {
            gemm::gemm(
                self.rows,
                self.columns,
                left.columns,
                self.values.as_mut_ptr(),
                column_stride,
                row_stride,
                false,
                left.values.as_mut_ptr().cast_const(),
                left_column_stride,
                left_row_stride,
                right.values.as_mut_ptr().cast_const(),
                right_column_stride,
                right_row_stride,
                0.0_f32,
                1.0_f32,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }

    /// Does the same through `scratch`, if there is one: it gets the product column by column. This is faster for a wide matrix
    /// and a transposed right factor, which `gemm` would copy for a product row by row.
    ///
    /// # Safety
    /// As for [`Matrix::set_to_product`].
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub unsafe fn set_to_product_through(self, left: Matrix, right: Matrix, scratch: Option<&mut [f32]>) {
        let Some(scratch) = scratch else {
            // SAFETY: the caller guarantees it.
            return unsafe { self.set_to_product(left, right) };
        };
        let scratch = RawF32::from_slice(&mut scratch[..self.values.len()]);
        let by_columns = Matrix::new(scratch, self.columns, self.rows).t();
        // SAFETY: the scratch memory is borrowed; the caller guarantees the rest.
        unsafe { by_columns.set_to_product(left, right) };
        // SAFETY: the same memory, which only this function uses.
        let from = unsafe { scratch.get() };
        // SAFETY: the caller guarantees it.
        let to = unsafe { self.values.get_mut() };
        transpose(from, to, self.rows, self.columns);
    }
}

/// Writes the transpose of `from`, `[columns, rows]`, to `to`, `[rows, columns]`, in blocks that fit the first cache.
fn transpose(from: &[f32], to: &mut [f32], rows: usize, columns: usize) {
    const BLOCK: usize = 16;
    for first_row in (0..rows).step_by(BLOCK) {
        for first_column in (0..columns).step_by(BLOCK) {
            for row in first_row..rows.min(first_row + BLOCK) {
                let last_column = columns.min(first_column + BLOCK);
                let to = &mut to[row * columns + first_column..row * columns + last_column];
                let from = from[first_column * rows + row..].iter().step_by(rows);
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn products_are_those_of_libtorch() {
        let mut scratch = vec![0.0; 70 * 300];
        for (rows, inner, columns) in [(1, 1, 1), (3, 5, 2), (64, 784, 64), (70, 33, 300), (5, 0, 4), (0, 3, 2)] {
            let random = |rows: i64, columns: i64| Tensor::randn([rows, columns], (Kind::Float, Device::Cpu));
            let (rows, inner, columns) = (rows as i64, inner as i64, columns as i64);
            let (left, right) = (random(rows, inner), random(inner, columns));
            let (left_t, right_t) = (left.tr().contiguous(), right.tr().contiguous());
            let matrix = |tensor: &Tensor| {
                let (rows, columns) = tensor.size2().unwrap();
                Matrix::new(RawF32::from_tensor(tensor), rows as usize, columns as usize)
            };
            let wanted = left.matmul(&right);
            let is_equal = |found: &Tensor| found.allclose(&wanted, 1e-5, 1e-4, false);
            for left in [matrix(&left), matrix(&left_t).t()] {
                for right in [matrix(&right), matrix(&right_t).t()] {
                    let found = Tensor::full([rows, columns], f64::NAN, (Kind::Float, Device::Cpu));
                    // SAFETY: the tensors live until the end of the test, and nothing else accesses them.
                    unsafe { matrix(&found).set_to_product(left, right) };
                    assert!(is_equal(&found));
                    let _ = found.shallow_clone().fill_(f64::NAN);
                    // SAFETY: as above.
                    unsafe { matrix(&found).set_to_product_through(left, right, Some(&mut scratch)) };
                    assert!(is_equal(&found));
                    let transposed = Tensor::zeros([columns, rows], (Kind::Float, Device::Cpu));
                    // SAFETY: as above.
                    unsafe { matrix(&transposed).t().set_to_product(left, right) };
                    assert!(is_equal(&transposed.tr()));
                }
            }
        }
    }
}
