//! Cholesky factor of a symmetric positive definite matrix.

/// Lower triangular matrix L with L·Lᵀ equal to a symmetric positive definite matrix.
#[derive(Clone, Debug)]
pub(super) struct Cholesky {
    /// Rows of L up to the diagonal.
    rows: Vec<Vec<f64>>,
}

impl Cholesky {
    /// Returns the factor of the matrix of this size with these elements, of which only those with `column <= row` are read;
    /// `None` if it is not positive definite.
    pub(super) fn new(size: usize, element: impl Fn(usize, usize) -> f64) -> Option<Cholesky> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
        for row in 0..size {
            let mut new = Vec::with_capacity(row + 1);
            for (column, earlier) in rows.iter().enumerate() {
                let rest = element(row, column) - dot(&new, earlier);
                new.push(rest / earlier[column]);
            }
            let pivot = element(row, row) - dot(&new, &new);
            if pivot.is_nan() || pivot <= 0.0 {
                return None;
            }
            new.push(pivot.sqrt());
            rows.push(new);
        }
        Some(Cholesky { rows })
    }

    /// Returns L⁻¹·`values`.
    pub(super) fn solve_lower(&self, values: &[f64]) -> Vec<f64> {
        let mut solved = Vec::with_capacity(values.len());
        for (row, value) in self.rows.iter().zip(values) {
            let rest = value - dot(&solved, row);
            solved.push(rest / row[solved.len()]);
        }
        solved
    }

    /// Returns (L·Lᵀ)⁻¹·`values`.
    pub(super) fn solve(&self, values: &[f64]) -> Vec<f64> {
        let mut solved = self.solve_lower(values);
        for row in (0..solved.len()).rev() {
            solved[row] /= self.rows[row][row];
            let known = solved[row];
            (0..row).for_each(|column| solved[column] -= known * self.rows[row][column]);
        }
        solved
    }

    /// Returns the logarithm of the determinant of L·Lᵀ.
    pub(super) fn ln_determinant(&self) -> f64 {
        self.rows.iter().enumerate().map(|(place, row)| 2.0 * row[place].ln()).sum()
    }
}

/// Sum of the products of the numbers that both have.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_solve_equations_and_give_the_determinant() {
        let matrix = [[4.0, 2.0, 0.6], [2.0, 3.0, 0.4], [0.6, 0.4, 2.0]];
        let factor = Cholesky::new(3, |row, column| matrix[row][column]).unwrap();
        let solved = factor.solve(&[1.0, -2.0, 0.5]);
        for (row, expected) in matrix.iter().zip([1.0, -2.0, 0.5]) {
            assert!((dot(row, &solved) - expected).abs() < 1e-12);
        }
        // 4·(3·2 − 0.4²) − 2·(2·2 − 0.4·0.6) + 0.6·(2·0.4 − 3·0.6)
        assert!((factor.ln_determinant().exp() - 15.24).abs() < 1e-9);
        assert!(Cholesky::new(2, |_, _| 1.0).is_none(), "singular");
        assert!(Cholesky::new(1, |_, _| f64::NAN).is_none());
    }
}
