//! Assigns replicas and batches to threads.
//!
//! A thread that trains a replica by itself waits for nobody during an epoch, and finds the replica's parameters in its
//! own cache. So each thread gets the same number of replicas. The remaining replicas, or a single one, are each
//! trained by a group of threads, whose members take a part of every batch.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::train::fused_cpu::barrier::Barrier;

/// Work of one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// Replicas that the thread trains by itself, one after the other.
    pub(crate) own: Vec<usize>,
    /// Replica that the thread trains together with others.
    pub(crate) shared: Option<Membership>,
}

/// A thread's position in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) replica: usize,
    pub(crate) group: usize,
    pub(crate) member: usize,
}

/// The threads that train one replica together.
#[derive(Debug)]
pub(crate) struct ThreadGroup {
    /// Index of its first thread; the others follow.
    pub(crate) first: usize,
    pub(crate) members: usize,
    pub(crate) barrier: Barrier,
    stopped: AtomicBool,
    squares: Vec<AtomicU64>, // sum of squares of each member's part of the gradient, as bits of an f64
}

impl ThreadGroup {
    pub(crate) fn new(first: usize, members: usize) -> ThreadGroup {
        let squares = (0..members).map(|_| AtomicU64::new(0)).collect();
        ThreadGroup { first, members, barrier: Barrier::new(members), stopped: AtomicBool::new(false), squares }
    }

    /// Makes all members stop. A member calls it before a barrier; all see it after the barrier.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Returns the L2 norm of a gradient of which each member has a part; `None` if another thread has panicked. All members
    /// call it, and get the same norm.
    pub(crate) fn norm(&self, member: usize, part: &[f32]) -> Option<f64> {
        let sum: f64 = part.iter().map(|&element| f64::from(element) * f64::from(element)).sum();
        self.squares[member].store(sum.to_bits(), Ordering::Relaxed);
        let all_arrived = self.barrier.wait();
        let sums = self.squares.iter().map(|bits| f64::from_bits(bits.load(Ordering::Relaxed)));
        all_arrived.then(|| sums.sum::<f64>().sqrt())
    }

    /// Returns the range of a member in `count` items; ranges start at multiples of `multiple`.
    pub(crate) fn part(&self, member: usize, count: usize, multiple: usize) -> std::ops::Range<usize> {
        let multiples = count.div_ceil(multiple);
        let cut = |member: usize| (multiples * member / self.members * multiple).min(count);
        cut(member)..cut(member + 1)
    }
}

/// Assigns replicas to threads. Returns the work of each thread and the groups, each of at most `max_members` threads.
pub(crate) fn assign(replicas: &[usize], threads: usize, max_members: usize) -> (Vec<Assignment>, Vec<ThreadGroup>) {
    let mut assignments = vec![Assignment::default(); threads];
    let (even, rest) = replicas.split_at(replicas.len() / threads * threads);
    for (place, &replica) in even.iter().enumerate() {
        assignments[place % threads].own.push(replica);
    }
    if rest.is_empty() {
        return (assignments, Vec::new());
    }
    let members = (threads / rest.len()).clamp(1, max_members.max(1));
    for (group, &replica) in rest.iter().enumerate() {
        for member in 0..members {
            assignments[group * members + member].shared = Some(Membership { replica, group, member });
        }
    }
    (assignments, (0..rest.len()).map(|group| ThreadGroup::new(group * members, members)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replicas that each thread trains by itself, and the shared one with the thread's number in the group.
    type Shown = Vec<(Vec<usize>, Option<(usize, usize)>)>;

    fn shown(replicas: usize, threads: usize, max_members: usize) -> Shown {
        let replicas: Vec<usize> = (0..replicas).collect();
        let (assignments, _) = assign(&replicas, threads, max_members);
        let place = |membership: Membership| (membership.replica, membership.member);
        assignments.into_iter().map(|assign| (assign.own, assign.shared.map(place))).collect()
    }

    #[test]
    fn threads_train_replicas_alone_and_the_rest_in_groups() {
        assert_eq!(shown(1, 2, 8), [(vec![], Some((0, 0))), (vec![], Some((0, 1)))]);
        assert_eq!(shown(2, 2, 8), [(vec![0], None), (vec![1], None)]);
        assert_eq!(shown(5, 2, 8), [(vec![0, 2], Some((4, 0))), (vec![1, 3], Some((4, 1)))]);
        let eight_threads = shown(3, 8, 8);
        assert_eq!(eight_threads.iter().filter(|(_, shared)| shared.is_some()).count(), 6, "two for each");
        assert_eq!(shown(1, 4, 2)[2], (vec![], None), "a batch too small for more");
    }

    #[test]
    fn parts_cover_all_items_once() {
        let group = ThreadGroup::new(0, 3);
        for count in [0, 1, 16, 17, 100, 52_650] {
            let parts: Vec<_> = (0..3).map(|member| group.part(member, count, 16)).collect();
            assert_eq!((parts[0].start, parts[2].end), (0, count));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
        assert_eq!(group.part(1, 128, 1), 42..85);
    }
}
