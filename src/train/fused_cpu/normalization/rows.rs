//! Loops over the rows of `[rows, units]`, for layer normalization.

/// Normalizes each row by its own mean and variance, in place. Fills `normalized`, `[rows, units]`, and the factor
/// 1 / √(variance + eps) of each row.
///
/// # Shapes
/// `values`, without the bias of the linear layer, is `[rows, units]`; the three slices are the bias of the linear layer,
/// and the weight and bias of the normalization, `[units]` each.
pub(super) fn normalize(
    values: &mut [f32],
    normalized: &mut [f32],
    factors: &mut [f32],
    [linear_bias, weight, bias]: [&[f32]; 3],
    eps: f64,
) {
    let units = weight.len();
    vectorized!({
        let (weight, bias, linear_bias) = (&weight[..units], &bias[..units], &linear_bias[..units]);
        let rows = values.chunks_exact_mut(units).zip(normalized.chunks_exact_mut(units));
        for ((row, normalized), factor) in rows.zip(factors.iter_mut()) {
            row.iter_mut().zip(linear_bias).for_each(|(value, bias)| *value += bias);
            let mean = sum(row, |value| value) / units as f32;
            let squares = sum(row, |value| (value - mean) * (value - mean));
            *factor = (1.0 / (f64::from(squares) / units as f64 + eps).sqrt()) as f32;
            let (row, normalized) = (&mut row[..units], &mut normalized[..units]);
            for unit in 0..units {
                normalized[unit] = (row[unit] - mean) * *factor;
                row[unit] = normalized[unit] * weight[unit] + bias[unit];
            }
        }
    });
}

/// Replaces the gradient of the outputs by that of the inputs, for rows, and adds to the gradients of weight and bias,
/// which are empty if they are not learned.
pub(super) fn gradient(
    gradient: &mut [f32],
    normalized: &[f32],
    factors: &[f32],
    weight: &[f32],
    of_weight: &mut [f32],
    of_bias: &mut [f32],
) {
    let units = weight.len();
    let mut products = vec![0.0_f32; units];
    vectorized!({
        let rows = gradient.chunks_exact_mut(units).zip(normalized.chunks_exact(units));
        for ((row, normalized), factor) in rows.zip(factors) {
            let (row, normalized, products) = (&mut row[..units], &normalized[..units], &mut products[..units]);
            of_bias.iter_mut().zip(&*row).for_each(|(sum, gradient)| *sum += gradient);
            let pairs = row.iter().zip(normalized);
            of_weight.iter_mut().zip(pairs).for_each(|(sum, (gradient, value))| *sum += gradient * value);
            for unit in 0..units {
                row[unit] *= weight[unit];
                products[unit] = row[unit] * normalized[unit];
            }
            let mean = sum(row, |value| value) / units as f32;
            let product = sum(products, |value| value) / units as f32;
            for unit in 0..units {
                row[unit] = factor * (row[unit] - mean - normalized[unit] * product);
            }
        }
    });
}

/// Returns the sum of `term` over a row, in 16 separate sums, so that it is vectorized.
#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 16];
    let chunks = row.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().map(|value| term(*value)).sum();
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += term(*value));
    }
    sums.iter().sum::<f32>() + rest
}
