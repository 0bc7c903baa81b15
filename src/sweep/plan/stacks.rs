//! Which configurations of a sweep are trained in one stack. It depends on the plans and on the recorded width only, not
//! on the workers.

use tch::Device;

use crate::experiment::dry_run::split_rows;
use crate::experiment::plan::Plan;
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::run::grouping;
use crate::experiment::run::memory_estimate::{MemoryEstimate, Workload};
use crate::experiment::run::split_stacks::split_evenly;
use crate::sweep::record::StackPlan;

/// Default maximum number of replicas in a stack on the CPU. Wider stacks are not faster, and a worker that dies loses more.
/// Measured on one thread, 32 networks with autograd in stacks of 1, 4, 8, 16 and 32: 784-32-10 on MNIST 8.8, 7.1, 6.1, 5.3
/// and 6.4 s; 64-16-10 on the digits 0.9, 0.4, 0.2, 0.1 and 0.1 s. The fused backend takes the same time for all of them.
const WIDTH_ON_CPU: usize = 16;

/// Default maximum number of replicas in a stack on a GPU, on which wide stacks are faster.
const WIDTH_ON_GPU: usize = 64;

/// Fewest configurations of a round that are distributed over two stacks, if halving drops some of each stack.
const FEWEST_TO_HALVE: usize = 8;

/// The stacks of a sweep.
#[derive(Clone, Debug)]
pub struct SweepStacks {
    /// The stacks in order of their first configuration.
    pub stacks: Vec<StackPlan>,
    /// Number of replicas of each stack: configurations × folds × seeds.
    pub replicas: Vec<usize>,
    /// Maximum number of replicas in a stack.
    pub width: usize,
    /// Estimated memory of the largest stack in bytes; 0 for trees.
    pub bytes: u128,
    /// Device of the tensors.
    pub device: Device,
}

impl SweepStacks {
    /// Distributes configurations over stacks of at most `width` replicas; by default as many as are efficient on the device
    /// and fit into the `free` bytes of a worker. If the search has rounds of `round` configurations that can share a stack, a
    /// round that is large enough has at least two stacks on the CPU. The numbers of the stacks begin with `first`.
    pub fn new(
        plans: &[Plan],
        width: Option<usize>,
        round: Option<usize>,
        has_halving: bool,
        device: Device,
        free: u64,
        first: usize,
    ) -> SweepStacks {
        let groups = grouping::groups(plans.iter().filter(|plan| plan.network().is_some()));
        let trees: Vec<&Plan> = plans.iter().filter(|plan| plan.network().is_none()).collect();
        let networks: Vec<(&NetworkPlan, Workload)> =
            groups.iter().filter_map(|group| Some((group[0].network()?, workload(group[0], device)))).collect();
        let width = width.unwrap_or_else(|| {
            let default = match device {
                Device::Cpu => WIDTH_ON_CPU,
                _ => WIDTH_ON_GPU,
            };
            let fitting = networks.iter().map(|(network, workload)| grouping::width(network, workload, free)).min();
            let width = fitting.unwrap_or(default).clamp(1, default);
            match &groups[..] {
                _ if device != Device::Cpu => width,
                [only] => even_width(only.len(), round, has_halving, trials(only[0]), width),
                _ => width,
            }
        });
        let mut stacks: Vec<Vec<&Plan>> = Vec::new();
        let mut bytes = 0;
        for (group, (network, workload)) in groups.into_iter().zip(networks) {
            let of_one = trials(group[0]);
            let together = split_evenly(group, width / of_one);
            let largest = together.iter().map(Vec::len).max().unwrap_or(0) * of_one;
            bytes = bytes.max(MemoryEstimate::new(network, &workload).bytes(largest.min(width)));
            stacks.extend(together);
        }
        stacks.extend(split_evenly(trees, width));
        stacks.sort_by(|a, b| a[0].variant.len().cmp(&b[0].variant.len()).then(a[0].variant.cmp(&b[0].variant)));
        let replicas = stacks.iter().map(|stack| stack.iter().map(|plan| trials(plan)).sum()).collect();
        let stacks = stacks.into_iter().enumerate().map(|(number, stack)| StackPlan {
            name: format!("S{:03}", first + number),
            configurations: stack.iter().map(|plan| plan.variant.clone()).collect(),
            seeds: None,
        });
        SweepStacks { stacks: stacks.collect(), replicas, width, bytes, device }
    }
}

/// Returns the width, at most `width`, at which the configurations, or those of a round, fill an even number of stacks, so that
/// two workers end at about the same time; `of_one` is the number of trials of a configuration. If all fit into one stack, the
/// width stays as it is; but in a search with rounds, a worker without a stack would have to wait for the next round. With halving,
/// which drops some of each stack, rounds of fewer than eight configurations stay together.
fn even_width(configurations: usize, round: Option<usize>, has_halving: bool, of_one: usize, width: usize) -> usize {
    let configurations = round.map_or(configurations, |round| round.min(configurations));
    match configurations.div_ceil((width / of_one).max(1)) {
        0 | 1 if round.is_none() || (has_halving && configurations < FEWEST_TO_HALVE) => width,
        stacks => width.min(configurations.div_ceil(stacks.next_multiple_of(2)) * of_one),
    }
}

/// Returns the number of trials of a configuration: folds × seeds.
fn trials(plan: &Plan) -> usize {
    plan.spec.data.split().folds.unwrap_or(1) * plan.spec.seeds.len()
}

/// Returns the size of the work of a stack, from the description of its data.
fn workload(plan: &Plan, device: Device) -> Workload {
    let split = plan.spec.data.split();
    Workload {
        rows: split_rows(&split, plan.info.rows, plan.info.test_rows),
        weighted: plan.spec.data.weights().is_some(),
        folds: split.folds.unwrap_or(1),
        device,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_number_of_stacks_is_preferred() {
        for (configurations, round, of_one, width, expected) in [
            (32, None, 3, 16, 12),
            (10, None, 1, 16, 16),
            (64, None, 2, 16, 16),
            (40, None, 1, 16, 10),
            (33, None, 1, 16, 9),
            (9, None, 4, 16, 12),
            (3, None, 20, 16, 16),
            (1, None, 1, 1, 1),
            (16, Some(8), 2, 16, 8),
            (20, Some(20), 1, 16, 10),
            (12, Some(1), 3, 16, 16),
            (14, Some(7), 1, 16, 16),
        ] {
            let found = even_width(configurations, round, true, of_one, width);
            assert_eq!(found, expected, "{configurations} × {of_one}, rounds of {round:?}");
        }
        for (round, of_one, expected) in [(4, 1, 2), (7, 1, 4), (2, 3, 3), (1, 2, 2)] {
            assert_eq!(even_width(12, Some(round), false, of_one, 16), expected, "without halving, rounds of {round}");
        }
    }
}
