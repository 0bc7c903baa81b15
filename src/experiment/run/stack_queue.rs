//! The stacks that wait to be trained; where memory does not suffice for one, it and all behind it become narrower.

use std::collections::VecDeque;

/// Stacks that wait, each a list of replicas.
#[derive(Debug)]
pub struct StackQueue<R> {
    waiting: VecDeque<Vec<R>>,
}

impl<R> StackQueue<R> {
    /// All stacks, in order.
    pub fn new(stacks: Vec<Vec<R>>) -> Self {
        StackQueue { waiting: stacks.into() }
    }

    /// All that wait, in order.
    pub fn all(&self) -> impl Iterator<Item = &[R]> {
        self.waiting.iter().map(Vec::as_slice)
    }

    /// The next stack.
    pub fn pop(&mut self) -> Option<Vec<R>> {
        self.waiting.pop_front()
    }

    /// Puts a stack back that was too wide: from now on none is wider than `most`.
    pub fn narrow(&mut self, too_wide: Vec<R>, most: usize) {
        self.waiting.push_front(too_wide);
        self.waiting = std::mem::take(&mut self.waiting).into_iter().flat_map(|stack| parted(stack, most)).collect();
    }
}

/// Replicas in order, in stacks of at most `width`, of like widths.
pub fn parted<R>(mut replicas: Vec<R>, width: usize) -> Vec<Vec<R>> {
    let mut stacks = Vec::new();
    let needed = replicas.len().div_ceil(width.max(1));
    let each = replicas.len().div_ceil(needed.max(1));
    while !replicas.is_empty() {
        let rest = replicas.split_off(each.min(replicas.len()));
        stacks.push(std::mem::replace(&mut replicas, rest));
    }
    stacks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trains all stacks on a device that has room for so many replicas: the widths that were tried, and who was trained.
    fn trained(replicas: usize, width: usize, room: usize) -> (Vec<usize>, Vec<usize>) {
        let mut queue = StackQueue::new(parted((0..replicas).collect(), width));
        let (mut tried, mut done) = (Vec::new(), Vec::new());
        while let Some(stack) = queue.pop() {
            tried.push(stack.len());
            if stack.len() > room {
                let half = stack.len() / 2;
                queue.narrow(stack, half);
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
