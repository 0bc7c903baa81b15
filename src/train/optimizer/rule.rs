//! The update rule of one step, and the arithmetic that several rules share.

use super::number::Number;

/// One step of an optimizer, with all the constants of that step.
pub trait Rule: Copy + Send + Sync {
    /// What a parameter becomes: its `value`, its `gradient`, and what is remembered of it from the steps before.
    ///
    /// `rate` is the replica's learning rate; `decay` its weight decay, absent where no replica has one.
    fn apply<N: Number>(&self, value: &N, gradient: &N, memory: &mut [N], rate: &N::Each, decay: Option<&N::Each>)
    -> N;
}

/// Something to be done with the rule of a step.
pub(super) trait Run {
    fn with<R: Rule>(self, rule: R);
}

/// The gradient with PyTorch's `weight_decay`, an L2 penalty: `g + λ θ`.
#[inline(always)]
pub(super) fn decayed<N: Number>(value: &N, gradient: &N, decay: Option<&N::Each>) -> N {
    match decay {
        Some(decay) => gradient.plus(&value.mul_per_replica(decay, 1.0)),
        None => gradient.same(),
    }
}

/// From `a` towards `b`, by this share of the way (`torch.lerp`, which begins at the nearer end).
#[inline(always)]
pub(super) fn lerp<N: Number>(a: &N, b: &N, share: f64) -> N {
    let way = b.minus(a);
    if share < 0.5 { a.plus(&way.scaled(share)) } else { b.minus(&way.scaled(1.0 - share)) }
}
