//! What update rules compute with: as many f32 as a register holds on the CPU, the tensor of all parameters on a GPU.
//!
//! A rule is written once, over this trait. On the CPU it runs over the parameters' memory in one pass, with everything
//! in registers between its first and last operation; on a GPU each operation is a kernel over all parameters.

use pulp::Simd;
use tch::Tensor;

use crate::train::optimizer::rates::EachReplica;

/// A mean of gradients that has decayed to less than this is 0. Where no gradients come any more it decays until the
/// processor has no normal numbers for it, and computes with it a hundred times slower; long before, it changes no
/// parameter. Mean squares are left as they are: they decay much more slowly, and divide.
const TINY: f32 = 1e-30;

/// A number, or a tensor of numbers.
pub trait Number: Sized {
    /// A setting that each replica has its own of.
    type Each;

    /// The number itself.
    fn same(&self) -> Self;
    /// The number, or 0 where it has decayed to next to nothing.
    fn settled(&self) -> Self;
    /// `self + other`.
    fn plus(&self, other: &Self) -> Self;
    /// `self − other`.
    fn minus(&self, other: &Self) -> Self;
    /// `self · other`.
    fn times(&self, other: &Self) -> Self;
    /// `self / other`.
    fn over(&self, other: &Self) -> Self;
    /// `self · factor`.
    fn scaled(&self, factor: f64) -> Self;
    /// `self + by`.
    fn shifted(&self, by: f64) -> Self;
    /// The square root.
    fn root(&self) -> Self;
    /// The larger one.
    fn larger(&self, other: &Self) -> Self;
    /// `self · each · factor`, with each replica's own setting.
    fn mul_per_replica(&self, each: &Self::Each, factor: f64) -> Self;
    /// `self · (1 − rate · decay)`, with each replica's own.
    fn shrunk(&self, rate: &Self::Each, decay: &Self::Each) -> Self;
}

impl Number for f32 {
    type Each = f64;

    #[inline(always)]
    fn same(&self) -> f32 {
        *self
    }
    #[inline(always)]
    fn settled(&self) -> f32 {
        if self.abs() < TINY { 0.0 } else { *self }
    }
    #[inline(always)]
    fn plus(&self, other: &f32) -> f32 {
        self + other
    }
    #[inline(always)]
    fn minus(&self, other: &f32) -> f32 {
        self - other
    }
    #[inline(always)]
    fn times(&self, other: &f32) -> f32 {
        self * other
    }
    #[inline(always)]
    fn over(&self, other: &f32) -> f32 {
        self / other
    }
    #[inline(always)]
    fn scaled(&self, factor: f64) -> f32 {
        self * factor as f32
    }
    #[inline(always)]
    fn shifted(&self, by: f64) -> f32 {
        self + by as f32
    }
    #[inline(always)]
    fn root(&self) -> f32 {
        self.sqrt()
    }
    #[inline(always)]
    fn larger(&self, other: &f32) -> f32 {
        if *other < *self || self.is_nan() { *self } else { *other } // not a number stays not a number, as in libtorch
    }
    #[inline(always)]
    fn mul_per_replica(&self, each: &f64, factor: f64) -> f32 {
        self * (each * factor) as f32
    }
    #[inline(always)]
    fn shrunk(&self, rate: &f64, decay: &f64) -> f32 {
        self * (1.0 - rate * decay) as f32
    }
}

/// Some f32 in a vector register.
pub struct Wide<S: Simd> {
    simd: S,
    /// The numbers.
    pub values: S::f32s,
}

impl<S: Simd> Wide<S> {
    /// These numbers.
    #[inline(always)]
    pub fn new(simd: S, values: S::f32s) -> Self {
        Wide { simd, values }
    }

    #[inline(always)]
    fn with(&self, values: S::f32s) -> Self {
        Wide { simd: self.simd, values }
    }
}

impl<S: Simd> Number for Wide<S> {
    type Each = f64;

    #[inline(always)]
    fn same(&self) -> Self {
        self.with(self.values)
    }
    #[inline(always)]
    fn settled(&self) -> Self {
        let simd = self.simd;
        let is_tiny = simd.less_than_f32s(simd.abs_f32s(self.values), simd.splat_f32s(TINY));
        self.with(simd.select_f32s(is_tiny, simd.splat_f32s(0.0), self.values))
    }
    #[inline(always)]
    fn plus(&self, other: &Self) -> Self {
        self.with(self.simd.add_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        self.with(self.simd.sub_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        self.with(self.simd.mul_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn over(&self, other: &Self) -> Self {
        self.with(self.simd.div_f32s(self.values, other.values))
    }
    #[inline(always)]
    fn scaled(&self, factor: f64) -> Self {
        self.with(self.simd.mul_f32s(self.values, self.simd.splat_f32s(factor as f32)))
    }
    #[inline(always)]
    fn shifted(&self, by: f64) -> Self {
        self.with(self.simd.add_f32s(self.values, self.simd.splat_f32s(by as f32)))
    }
    #[inline(always)]
    fn root(&self) -> Self {
        self.with(self.simd.sqrt_f32s(self.values))
    }
    #[inline(always)]
    fn larger(&self, other: &Self) -> Self {
        let simd = self.simd;
        let is_larger = simd.less_than_f32s(other.values, self.values);
        let larger = simd.select_f32s(is_larger, self.values, other.values); // not a number where `other` is none
        let is_number = simd.equal_f32s(self.values, self.values);
        self.with(simd.select_f32s(is_number, larger, self.values))
    }
    #[inline(always)]
    fn mul_per_replica(&self, each: &f64, factor: f64) -> Self {
        self.scaled(each * factor)
    }
    #[inline(always)]
    fn shrunk(&self, rate: &f64, decay: &f64) -> Self {
        self.scaled(1.0 - rate * decay)
    }
}

impl Number for Tensor {
    type Each = EachReplica;

    fn same(&self) -> Tensor {
        self.shallow_clone() // nothing is changed in place
    }
    fn settled(&self) -> Tensor {
        self.shallow_clone() // a GPU computes with all numbers alike
    }
    fn plus(&self, other: &Tensor) -> Tensor {
        self + other
    }
    fn minus(&self, other: &Tensor) -> Tensor {
        self - other
    }
    fn times(&self, other: &Tensor) -> Tensor {
        self * other
    }
    fn over(&self, other: &Tensor) -> Tensor {
        self / other
    }
    fn scaled(&self, factor: f64) -> Tensor {
        self * factor
    }
    fn shifted(&self, by: f64) -> Tensor {
        self + by
    }
    fn root(&self) -> Tensor {
        self.sqrt()
    }
    fn larger(&self, other: &Tensor) -> Tensor {
        self.maximum(other)
    }
    fn mul_per_replica(&self, each: &EachReplica, factor: f64) -> Tensor {
        each.times(self, factor)
    }
    fn shrunk(&self, rate: &EachReplica, decay: &EachReplica) -> Tensor {
        self * rate.shrinking(decay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_a_number_is_the_larger_one_as_in_libtorch() {
        let pairs = [(1.0_f32, 2.0_f32), (2.0, 1.0), (f32::NAN, 1.0), (1.0, f32::NAN)];
        for (a, b) in pairs {
            let theirs = f32::try_from(Tensor::from(a).larger(&Tensor::from(b))).unwrap();
            let ours = a.larger(&b);
            assert!(ours == theirs || (ours.is_nan() && theirs.is_nan()), "{a} and {b}: {ours}, {theirs}");
        }
    }

    #[test]
    fn what_has_decayed_is_zero_and_not_a_number_stays_so() {
        assert_eq!([1e-31_f32, -1e-40, 1e-29, -2.0].map(|x| x.settled()), [0.0, 0.0, 1e-29, -2.0]);
        assert!(f32::NAN.settled().is_nan());
    }
}
