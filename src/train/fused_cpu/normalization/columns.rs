//! Loops over the columns of `[rows, units]`, for batch normalization.

/// Fills the mean of each column and its sum of squared deviations from that mean; zeros without rows.
pub(super) fn means_and_squares(values: &[f32], means: &mut [f64], squares: &mut [f64]) {
    let units = means.len();
    vectorized!({
        means.fill(0.0);
        squares.fill(0.0);
        for row in values.chunks_exact(units) {
            means.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let rows = (values.len() / units).max(1) as f64;
        means.iter_mut().for_each(|mean| *mean /= rows);
        for row in values.chunks_exact(units) {
            for ((square, mean), value) in squares.iter_mut().zip(means.iter()).zip(row) {
                let deviation = f64::from(*value) - mean;
                *square += deviation * deviation;
            }
        }
    });
}

/// Normalizes columns: fills `normalized`, and replaces `values` by `normalized · weight + bias`.
pub(super) fn normalize(
    values: &mut [f32],
    normalized: &mut [f32],
    means: &[f32],
    factors: &[f32],
    weight: &[f32],
    bias: &[f32],
) {
    let units = means.len();
    vectorized!({
        let (factors, weight, bias) = (&factors[..units], &weight[..units], &bias[..units]);
        for (row, normalized) in values.chunks_exact_mut(units).zip(normalized.chunks_exact_mut(units)) {
            let (row, normalized) = (&mut row[..units], &mut normalized[..units]);
            for unit in 0..units {
                normalized[unit] = (row[unit] - means[unit]) * factors[unit];
                row[unit] = normalized[unit] * weight[unit] + bias[unit];
            }
        }
    });
}

/// Replaces `values` by `values · scale + shift`, for each column.
pub(super) fn scale(values: &mut [f32], scale: &[f32], shift: &[f32]) {
    vectorized!({
        for row in values.chunks_exact_mut(scale.len()) {
            let factors = scale.iter().zip(shift);
            row.iter_mut().zip(factors).for_each(|(value, (scale, shift))| *value = *value * scale + shift);
        }
    });
}

/// Fills the sums over the rows of the gradient, and of its product with the normalized values.
pub(super) fn sum_gradients(gradient: &[f32], normalized: &[f32], sums: &mut [f64], products: &mut [f64]) {
    let units = sums.len();
    vectorized!({
        sums.fill(0.0);
        products.fill(0.0);
        for (row, normalized) in gradient.chunks_exact(units).zip(normalized.chunks_exact(units)) {
            let (row, normalized, products) = (&row[..units], &normalized[..units], &mut products[..units]);
            for unit in 0..units {
                sums[unit] += f64::from(row[unit]);
                products[unit] += f64::from(row[unit] * normalized[unit]);
            }
        }
    });
}

/// Replaces the gradient of the outputs by that of the inputs, for columns.
pub(super) fn gradient(gradient: &mut [f32], normalized: &[f32], scales: &[f32], means: &[f32], products: &[f32]) {
    let units = scales.len();
    vectorized!({
        let (means, products) = (&means[..units], &products[..units]);
        for (row, normalized) in gradient.chunks_exact_mut(units).zip(normalized.chunks_exact(units)) {
            let (row, normalized) = (&mut row[..units], &normalized[..units]);
            for unit in 0..units {
                row[unit] = scales[unit] * (row[unit] - means[unit] - normalized[unit] * products[unit]);
            }
        }
    });
}

/// Fills `sums` with the sums over the rows, unless it is empty.
pub(super) fn sum(values: &[f32], units: usize, sums: &mut [f32]) {
    vectorized!({
        sums.fill(0.0);
        if sums.is_empty() {
            return;
        }
        for row in values.chunks_exact(units) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    });
}
