//! The update rule of one step, and arithmetic that several rules share.

use super::number::Number;

/// Maximum number of constants of a rule.
const MAX_CONSTANTS: usize = 6;

/// Constants of a step in the order in which the rule takes them, then zeros. Each may differ between the replicas of a
/// stack.
pub type Constants<P> = [P; MAX_CONSTANTS];

/// Returns the constants of a step, with zeros for those that the rule does not take.
pub(super) fn constants<const N: usize>(numbers: [f64; N]) -> Constants<f64> {
    const { assert!(N <= MAX_CONSTANTS, "a rule has too many constants") };
    std::array::from_fn(|place| numbers.get(place).copied().unwrap_or_default())
}

/// One step of an optimizer, with the settings that all replicas of a stack share.
pub trait Rule: Copy + Send + Sync {
    /// Returns the updated parameter from its `value`, its `gradient` and its stored state `memory`, which it updates.
    ///
    /// `rate` is the replica's learning rate, `decay` its weight decay; `None` if no replica has one.
    fn apply<N: Number>(
        &self,
        constants: &Constants<N::PerReplica>,
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
        Some(decay) => gradient.add(&value.mul_each(decay)),
        None => gradient.clone(),
    }
}
