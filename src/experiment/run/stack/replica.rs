//! One replica of a stack.

use crate::experiment::plan::Plan;
use crate::experiment::plan::network_plan::NetworkPlan;

/// One replica of a stack.
pub(crate) struct Replica<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) network: &'a NetworkPlan,
    /// Index of its fold.
    pub(crate) fold_index: usize,
    pub(crate) seed: i64,
}
