//! Arithmetic of update rules: over a vector register of f32 on the CPU, over the tensor of all parameters on a GPU.
//!
//! A rule is written once, over the trait [`Number`]. On the CPU it is one pass over the parameters' memory, with all
//! intermediate values in registers; on a GPU each operation is a kernel over all parameters.

use pulp::Simd;
use tch::Tensor;

use crate::train::per_replica::PerReplica;

/// Running means of gradients below this are set to 0. Without gradients a mean decays until it is denormal, and
/// arithmetic with it is a hundred times slower; long before, it no longer changes a parameter. Mean squares are not
/// set to 0: they decay much more slowly, and they are divisors.
const TINY: f32 = 1e-30;

/// A number, or a tensor of numbers.
pub trait Number: Sized {
    /// Setting with a value for each replica; a number if all are those of one replica.
    type PerReplica;

    /// Returns whether a setting is 0 for all replicas.
    fn is_zero(setting: &Self::PerReplica) -> bool;

    /// Returns the same number.
    fn clone(&self) -> Self;
    /// Returns the number, or 0 if its absolute value is below `TINY`.
    fn flush_tiny(&self) -> Self;
    /// `self + other`.
    fn add(&self, other: &Self) -> Self;
    /// `self − other`.
    fn sub(&self, other: &Self) -> Self;
    /// `self · other`.
    fn mul(&self, other: &Self) -> Self;
    /// `self / other`.
    fn div(&self, other: &Self) -> Self;
    /// `self · factor`.
    fn mul_scalar(&self, factor: f64) -> Self;
    /// Square root.
    fn sqrt(&self) -> Self;
    /// Maximum; NaN if either is NaN, as in libtorch.
    fn max(&self, other: &Self) -> Self;
    /// `self · each`, where `each` has a value for each replica.
    fn mul_each(&self, each: &Self::PerReplica) -> Self;
    /// `self + each`, where `each` has a value for each replica.
    fn add_each(&self, each: &Self::PerReplica) -> Self;
    /// `self · (one · another)`, where both have a value for each replica.
    fn mul_product(&self, one: &Self::PerReplica, another: &Self::PerReplica) -> Self;
    /// `self · (1 − rate · decay)`, where both have a value for each replica.
    fn decay(&self, rate: &Self::PerReplica, decay: &Self::PerReplica) -> Self;
    /// Linear interpolation from `self` to `end` (`torch.lerp`, which starts at the nearer end).
    fn lerp(&self, end: &Self, share: &Self::PerReplica) -> Self;
    /// Returns `other` for the replicas whose `setting` is not 0, and `self` for the others.
    fn replace_unless_zero(&self, other: Self, setting: &Self::PerReplica) -> Self;
}

#[inline(always)]
fn lerp<N: Number>(start: &N, end: &N, share: f64) -> N {
    let difference = end.sub(start);
    if share < 0.5 { start.add(&difference.mul_scalar(share)) } else { end.sub(&difference.mul_scalar(1.0 - share)) }
}

/// A vector register of f32; with [`pulp::Scalar`], a single one.
pub struct Register<S: Simd> {
    simd: S,
    /// The values.
    pub values: S::f32s,
}

impl<S: Simd> Register<S> {
    /// Returns a register with these values.
    #[inline(always)]
    pub fn new(simd: S, values: S::f32s) -> Self {
        Register { simd, values }
    }

    #[inline(always)]
    fn with(&self, values: S::f32s) -> Self {
        Register { simd: self.simd, values }
    }
}

impl<S: Simd> Number for Register<S> {
    type PerReplica = f64;

    #[inline(always)]
    fn is_zero(setting: &f64) -> bool {
        *setting == 0.0
    }
    #[inline(always)]
    fn clone(&self) -> Self {
        self.with(self.values)
    }
    #[inline(always)]
    fn flush_tiny(&self) -> Self {
        let simd = self.simd;
        let is_tiny = simd.less_than_f32s(simd.abs_f32s(self.values), simd.splat_f32s(TINY));
        self.with(simd.select_f32s(is_tiny, simd.splat_f32s(0.0), self.values))
    }
    #[inline(always)]
    fn add(&self, other: &Self) -> Self {
        self.with(self.simd.add_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn sub(&self, other: &Self) -> Self {
        self.with(self.simd.sub_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn mul(&self, other: &Self) -> Self {
        self.with(self.simd.mul_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn div(&self, other: &Self) -> Self {
        self.with(self.simd.div_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn mul_scalar(&self, factor: f64) -> Self {
        self.with(self.simd.mul_f32s(self.values, self.simd.splat_f32s(factor as f32)))
    }
    #[inline(always)]
    fn sqrt(&self) -> Self {
        self.with(self.simd.sqrt_f32s(self.values))
    }
    #[inline(always)]
    fn max(&self, other: &Self) -> Self {
        let simd = self.simd;
        let is_larger = simd.less_than_f32s(other.values, self.values);
        let larger = simd.select_f32s(is_larger, self.values, other.values); // NaN if `other` is NaN
        let is_number = simd.equal_f32s(self.values, self.values);
        self.with(simd.select_f32s(is_number, larger, self.values))
    }
    #[inline(always)]
    fn mul_each(&self, each: &f64) -> Self {
        self.mul_scalar(*each)
    }
    #[inline(always)]
    fn add_each(&self, each: &f64) -> Self {
        self.with(self.simd.add_f32s(self.values, self.simd.splat_f32s(*each as f32)))
    }
    #[inline(always)]
    fn mul_product(&self, one: &f64, another: &f64) -> Self {
        self.mul_scalar(one * another)
    }
    #[inline(always)]
    fn decay(&self, rate: &f64, decay: &f64) -> Self {
        self.mul_scalar(1.0 - rate * decay)
    }
    #[inline(always)]
    fn lerp(&self, end: &Self, share: &f64) -> Self {
        lerp(self, end, *share)
    }
    #[inline(always)]
    fn replace_unless_zero(&self, other: Self, setting: &f64) -> Self {
        if *setting == 0.0 { Number::clone(self) } else { other }
    }
}

impl Number for Tensor {
    type PerReplica = PerReplica;

    fn is_zero(setting: &PerReplica) -> bool {
        setting.is_zero()
    }
    fn clone(&self) -> Tensor {
        self.shallow_clone() // nothing is changed in place
    }
    fn flush_tiny(&self) -> Tensor {
        self.shallow_clone() // a GPU is not slower with denormal numbers
    }
    fn add(&self, other: &Tensor) -> Tensor {
        self + other
    }
    fn sub(&self, other: &Tensor) -> Tensor {
        self - other
    }
    fn mul(&self, other: &Tensor) -> Tensor {
        self * other
    }
    fn div(&self, other: &Tensor) -> Tensor {
        self / other
    }
    fn mul_scalar(&self, factor: f64) -> Tensor {
        self * factor
    }
    fn sqrt(&self) -> Tensor {
        Tensor::sqrt(self)
    }
    fn max(&self, other: &Tensor) -> Tensor {
        self.maximum(other)
    }
    fn mul_each(&self, each: &PerReplica) -> Tensor {
        each.mul(self)
    }
    fn add_each(&self, each: &PerReplica) -> Tensor {
        each.add(self)
    }
    fn mul_product(&self, one: &PerReplica, another: &PerReplica) -> Tensor {
        one.mul_product(another, self)
    }
    fn decay(&self, rate: &PerReplica, decay: &PerReplica) -> Tensor {
        self * rate.decay_factor(decay)
    }
    fn lerp(&self, end: &Tensor, share: &PerReplica) -> Tensor {
        match share.column(self.kind()) {
            None => lerp(self, end, share.get(0)),
            Some(shares) => self.lerp_tensor(end, &shares),
        }
    }
    fn replace_unless_zero(&self, other: Tensor, setting: &PerReplica) -> Tensor {
        match setting.column(self.kind()).filter(|_| setting.has_zero()) {
            None if setting.is_zero() => self.shallow_clone(),
            None => other,
            Some(settings) => other.where_self(&settings.not_equal(0.0), self),
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    fn register(value: f32) -> Register<Scalar> {
        Register::new(Scalar::new(), value)
    }

    #[test]
    fn the_maximum_with_nan_is_nan_as_in_libtorch() {
        let pairs = [(1.0_f32, 2.0_f32), (2.0, 1.0), (f32::NAN, 1.0), (1.0, f32::NAN)];
        for (a, b) in pairs {
            let expected = f32::try_from(Number::max(&Tensor::from(a), &Tensor::from(b))).unwrap();
            let found = register(a).max(&register(b)).values;
            assert!(found == expected || (found.is_nan() && expected.is_nan()), "{a} and {b}: {found}, {expected}");
        }
    }

    #[test]
    fn tiny_values_are_flushed_to_zero_and_nan_stays_nan() {
        let flushed = |value: f32| register(value).flush_tiny().values;
        assert_eq!([1e-31_f32, -1e-40, 1e-29, -2.0].map(flushed), [0.0, 0.0, 1e-29, -2.0]);
        assert!(flushed(f32::NAN).is_nan());
    }
}
