//! Sizes of the stacks to train. If one does not fit into memory, it and all later stacks are split.

use std::collections::VecDeque;

/// Splits replicas into stacks of similar size with at most `width` replicas, keeping the order.
pub fn split_evenly<R>(mut replicas: Vec<R>, width: usize) -> Vec<Vec<R>> {
    let mut stacks = Vec::new();
    let needed = replicas.len().div_ceil(width.max(1));
    let each = replicas.len().div_ceil(needed.max(1));
    while !replicas.is_empty() {
        let rest = replicas.split_off(each.min(replicas.len()));
        stacks.push(std::mem::replace(&mut replicas, rest));
    }
    stacks
}

/// Splits waiting stacks into stacks of at most `most` replicas.
pub fn narrowed<R>(waiting: VecDeque<Vec<R>>, most: usize) -> VecDeque<Vec<R>> {
    waiting.into_iter().flat_map(|stack| split_evenly(stack, most)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trains all stacks on a device with memory for `room` replicas. Returns the sizes that were tried and the
    /// replicas that were trained.
    fn trained(replicas: usize, width: usize, room: usize) -> (Vec<usize>, Vec<usize>) {
        let mut queue = VecDeque::from(split_evenly((0..replicas).collect(), width));
        let (mut tried, mut done) = (Vec::new(), Vec::new());
        while let Some(stack) = queue.pop_front() {
            tried.push(stack.len());
            if stack.len() > room {
                let half = stack.len() / 2;
                queue.push_front(stack);
                queue = narrowed(queue, half);
            } else {
                done.extend(stack);
            }
        }
        (tried, done)
    }

    #[test]
    fn stacks_are_of_like_widths() {
        let widths = |replicas, width| trained(replicas, width, usize::MAX).0;
        assert_eq!(widths(10, 4), [4, 4, 2]);
        assert_eq!(widths(9, 4), [3, 3, 3]);
        assert_eq!(widths(3, 100), [3]);
        assert_eq!(widths(2, 1), [1, 1]);
        assert_eq!(widths(0, 4), [0_usize; 0]);
    }

    #[test]
    fn where_one_stack_finds_no_room_all_behind_it_become_narrower_and_none_is_lost() {
        assert_eq!(trained(16, 8, 3), (vec![8, 4, 2, 2, 2, 2, 2, 2, 2, 2], (0..16).collect()));
        assert_eq!(trained(5, 5, 1), (vec![5, 2, 1, 1, 1, 1, 1], (0..5).collect()));
    }
}
