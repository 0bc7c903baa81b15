//! What update rules compute with: one f32 of a parameter on the CPU, the whole tensor of all parameters on a GPU.
//!
//! A rule is written once, over this trait. On the CPU it runs over the parameters' memory in one pass, with everything
//! in registers between its first and last operation; on a GPU each operation is a kernel over all parameters.

use tch::Tensor;

use crate::train::optimizer::rates::EachReplica;

/// A number, or a tensor of numbers.
pub trait Number: Sized {
    /// A setting that each replica has its own of.
    type Each;

    /// The number itself.
    fn same(&self) -> Self;
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
    fn by_each(&self, each: &Self::Each, factor: f64) -> Self;
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
    fn by_each(&self, each: &f64, factor: f64) -> f32 {
        self * (each * factor) as f32
    }
    #[inline(always)]
    fn shrunk(&self, rate: &f64, decay: &f64) -> f32 {
        self * (1.0 - rate * decay) as f32
    }
}

impl Number for Tensor {
    type Each = EachReplica;

    fn same(&self) -> Tensor {
        self.shallow_clone() // nothing is changed in place
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
    fn by_each(&self, each: &EachReplica, factor: f64) -> Tensor {
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
}
