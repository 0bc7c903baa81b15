//! The update rule of one step, and arithmetic that several rules share.

use super::number::Number;

/// One step of an optimizer, with all constants of the step.
pub trait Rule: Copy + Send + Sync {
    /// Returns the updated parameter from its `value`, its `gradient` and its stored state `memory`, which it updates.
    ///
    /// `rate` is the replica's learning rate, `decay` its weight decay; `None` if no replica has one.
    fn apply<N: Number>(
        &self,
        value: &N,
        gradient: &N,
        memory: &mut [N],
        rate: &N::PerReplica,
        decay: Option<&N::PerReplica>,
    ) -> N;
}

/// Applies the rule of a step to parameters in memory or to tensors.
pub(super) trait ApplyRule {
    fn apply_rule<R: Rule>(self, rule: R);
}

/// Returns the gradient with PyTorch's `weight_decay`, an L2 penalty: `g + λ θ`.
#[inline(always)]
pub(super) fn add_weight_decay<N: Number>(value: &N, gradient: &N, decay: Option<&N::PerReplica>) -> N {
    match decay {
        Some(decay) => gradient.add(&value.mul_per_replica(decay, 1.0)),
        None => gradient.clone(),
    }
}

/// Linear interpolation from `a` to `b` (`torch.lerp`, which starts at the nearer end).
#[inline(always)]
pub(super) fn lerp<N: Number>(a: &N, b: &N, share: f64) -> N {
    let difference = b.sub(a);
    if share < 0.5 { a.add(&difference.mul_scalar(share)) } else { b.sub(&difference.mul_scalar(1.0 - share)) }
}
