//! Log-softmax of few classes, to the bit as libtorch's.
//!
//! libtorch computes one row at a time, and with fewer classes than a vector register has values, it adds them one by one.
//! Here each of several rows has a lane of the registers, which takes about an eighth of the time. The functions `exp` and
//! `ln` evaluate the same polynomials in the same order as the library that libtorch uses (SLEEF, at most 1.0 ULP), so that
//! losses and gradients stay those of autograd to the last digit: Adam turns the smallest differences of the gradient into
//! steps of the size of the learning rate.

use pulp::{Simd, WithSimd};

/// Number of rows that are computed together.
const LANES: usize = 16;

/// One value of each row.
type Column = [f32; LANES];

/// 1.5 · 2²³: adding it rounds a small number to an integer, in the low bits of the sum.
const ROUNDING: f32 = 12_582_912.0;

/// Whether [`log_softmax`] equals libtorch's for this number of classes on this processor. The order in which libtorch adds
/// the exponentials of a row depends on the width of its registers.
pub(crate) fn is_exact(classes: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let has_avx2 = has!("avx2") && has!("fma");
        let has_avx512 = has!("avx512f") && has!("avx512vl") && has!("avx512bw") && has!("avx512dq");
        let register = if has_avx512 { 16 } else { 8 };
        has_avx2 && classes < register
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = classes;
        false
    }
}

/// Writes the logarithms of the probabilities of each row to `to`; both are `[rows, classes]`, with fewer than 16 classes.
pub(crate) fn log_softmax(outputs: &[f32], classes: usize, to: &mut [f32]) {
    pulp::Arch::new().dispatch(Pass { outputs, classes, to });
}

struct Pass<'a> {
    outputs: &'a [f32],
    classes: usize,
    to: &'a mut [f32],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let length = LANES * self.classes;
        for (outputs, to) in self.outputs.chunks(length).zip(self.to.chunks_mut(length)) {
            log_softmax_of_lanes(outputs, self.classes, to);
        }
    }
}

// Plain loops: a closure may be compiled apart from the function that uses the instructions of this processor.
#[inline(always)]
fn log_softmax_of_lanes(outputs: &[f32], classes: usize, to: &mut [f32]) {
    let mut columns: [Column; LANES] = [[0.0; LANES]; LANES];
    let columns = &mut columns[..classes];
    for (lane, row) in outputs.chunks_exact(classes).enumerate() {
        for (column, &value) in columns.iter_mut().zip(row) {
            column[lane] = value;
        }
    }
    let mut largest: Column = columns[0];
    for column in &columns[1..] {
        for (largest, &value) in largest.iter_mut().zip(column) {
            *largest = if value > *largest { value } else { *largest };
        }
    }
    let mut sums: Column = [0.0; LANES];
    for column in columns.iter_mut() {
        for ((value, largest), sum) in column.iter_mut().zip(&largest).zip(&mut sums) {
            *value -= largest;
            *sum += exp(*value);
        }
    }
    for sum in &mut sums {
        *sum = ln(*sum);
    }
    for (lane, row) in to.chunks_exact_mut(classes).enumerate() {
        for (to, column) in row.iter_mut().zip(columns.iter()) {
            *to = column[lane] - sums[lane];
        }
    }
}

/// Returns the exponential of a number that is at most 0, or NaN.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let shifted = x * std::f32::consts::LOG2_E + ROUNDING;
    let (quotient, exponent) = (shifted - ROUNDING, (shifted.to_bits() as i32).wrapping_sub(ROUNDING.to_bits() as i32));
    let remainder = quotient.mul_add(-1.428_606_8e-6, quotient.mul_add(-0.693_145_75, x));
    let mut polynomial: f32 = 0.000_198_527_62;
    for coefficient in [0.001_393_043_6, 0.008_333_361, 0.041_666_485, 0.166_666_67, 0.5] {
        polynomial = polynomial.mul_add(remainder, coefficient);
    }
    let mantissa = 1.0 + (remainder * remainder).mul_add(polynomial, remainder);
    // two factors, because the power of the smallest results is no normal number
    let half = exponent >> 1;
    let value = mantissa * power_of_two(half) * power_of_two(exponent.wrapping_sub(half));
    if x < -104.0 { 0.0 } else { value }
}

/// Returns 2 to the power of an exponent from -126 to 127.
#[inline(always)]
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits((exponent.wrapping_add(127) as u32) << 23)
}

/// Returns the natural logarithm of a number that is at least 1, or NaN.
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = mantissa · 2^exponent, with a mantissa from 0.75 to 1.5
    let exponent = ((x * (1.0_f32 / 0.75)).to_bits() >> 23) as i32 - 127;
    let mantissa = f32::from_bits((x.to_bits() as i32).wrapping_sub(exponent << 23) as u32);
    let exponent = exponent as f32;
    // q = (mantissa − 1) / (mantissa + 1), as the sum of a number and its rounding error
    let ((above, above_error), (below, below_error)) = (sum_with_error(-1.0, mantissa), sum_with_error(1.0, mantissa));
    let reciprocal = 1.0 / below;
    let q = above * reciprocal;
    let rounding = reciprocal.mul_add(above, -q);
    let correction = (-below_error).mul_add(reciprocal, (-below).mul_add(reciprocal, 1.0));
    let q_error = q.mul_add(correction, above_error.mul_add(reciprocal, rounding));
    let square = q * q;
    let polynomial = 0.302_729_5_f32.mul_add(square, 0.399_610_82).mul_add(square, 0.666_669_5);
    // exponent · ln 2 + 2 q + q³ · polynomial
    let ln_2 = std::f32::consts::LN_2;
    let whole = ln_2 * exponent;
    let whole_error = (-1.904_654_3e-9_f32).mul_add(exponent, ln_2.mul_add(exponent, -whole));
    let sum = whole + 2.0 * q;
    let sum_error = ((whole - sum) + 2.0 * q) + whole_error + 2.0 * q_error;
    let rest = square * q * polynomial;
    let total = sum + rest;
    let logarithm = total + (((sum - total) + rest) + sum_error);
    if x.is_nan() { x } else { logarithm }
}

/// Returns the rounded sum, and the error of its rounding.
#[inline(always)]
fn sum_with_error(a: f32, b: f32) -> (f32, f32) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn the_bits_are_libtorchs() {
        tch::manual_seed(0);
        for classes in (2..LANES).filter(|&classes| is_exact(classes)) {
            for scale in [0.1, 1.0, 10.0, 100.0] {
                let outputs = Tensor::randn([1003, classes as i64], (Kind::Float, Device::Cpu)) * scale;
                check(&outputs);
            }
        }
        if is_exact(3) {
            let rows = [[88.0, -104.0, 1e-8], [0.0, -87.5, -104.5], [f32::NEG_INFINITY, 1.0, 2.0], [3e38, -3e38, 0.0]];
            check(&Tensor::from_slice(&rows.concat()).view([4, 3]));
        }
    }

    #[test]
    fn values_that_are_not_finite_give_nan() {
        for row in [[f32::NAN, 1.0, 2.0], [1.0, f32::NAN, 2.0], [f32::INFINITY, 1.0, 2.0], [f32::NEG_INFINITY; 3]] {
            let mut found = [0.0; 3];
            log_softmax(&row, 3, &mut found);
            assert!(found.iter().all(|value| value.is_nan()), "{row:?}: {found:?}");
        }
    }

    fn check(outputs: &Tensor) {
        let values = |tensor: &Tensor| Vec::<f32>::try_from(tensor.flatten(0, -1)).unwrap();
        let mut found = vec![0.0; outputs.numel()];
        log_softmax(&values(outputs), outputs.size()[1] as usize, &mut found);
        let wanted = values(&outputs.log_softmax(-1, Kind::Float));
        for (place, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            assert_eq!(found.to_bits(), wanted.to_bits(), "{place} of {:?}: {found}, {wanted}", outputs.size());
        }
    }
}
