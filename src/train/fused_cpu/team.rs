//! Who does what in an epoch: replicas and batches, shared out among threads.
//!
//! A thread that has a replica to itself need not wait for anyone before the epoch is over, and finds the replica's
//! parameters in its own cache. So each thread gets as many whole replicas as there are for all; the replicas that are
//! left over, or a lone one, are trained by teams, whose members each take a part of every batch.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::train::fused_cpu::barrier::Barrier;

/// What one thread does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// The replicas that it has to itself, one after the other.
    pub(crate) alone: Vec<usize>,
    /// The replica that it trains with others.
    pub(crate) together: Option<Membership>,
}

/// A thread's place in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) replica: usize,
    pub(crate) team: usize,
    pub(crate) member: usize,
}

/// The threads that train a replica together.
#[derive(Debug)]
pub(crate) struct ThreadGroup {
    /// The first of its threads; the others follow.
    pub(crate) first: usize,
    pub(crate) members: usize,
    pub(crate) barrier: Barrier,
    stopped: AtomicBool,
}

impl ThreadGroup {
    pub(crate) fn new(first: usize, members: usize) -> ThreadGroup {
        ThreadGroup { first, members, barrier: Barrier::new(members), stopped: AtomicBool::new(false) }
    }

    /// Tells all members to end. Said by one of them before they wait for each other, it is heard by all afterwards.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// A member's part of so many things, cut at multiples of `grain`.
    pub(crate) fn part(&self, member: usize, things: usize, grain: usize) -> std::ops::Range<usize> {
        let grains = things.div_ceil(grain);
        let cut = |member: usize| (grains * member / self.members * grain).min(things);
        cut(member)..cut(member + 1)
    }
}

/// Shares replicas out among threads, and makes the teams; a team has at most `most_members`.
pub(crate) fn share(replicas: &[usize], threads: usize, most_members: usize) -> (Vec<Share>, Vec<ThreadGroup>) {
    let mut shares = vec![Share::default(); threads];
    let (whole, rest) = replicas.split_at(replicas.len() / threads * threads);
    for (place, &replica) in whole.iter().enumerate() {
        shares[place % threads].alone.push(replica);
    }
    if rest.is_empty() {
        return (shares, Vec::new());
    }
    let members = (threads / rest.len()).clamp(1, most_members.max(1));
    for (team, &replica) in rest.iter().enumerate() {
        for member in 0..members {
            shares[team * members + member].together = Some(Membership { replica, team, member });
        }
    }
    (shares, (0..rest.len()).map(|team| ThreadGroup::new(team * members, members)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each thread does: its own replicas, and the one that it shares with its place in the team.
    type Shown = Vec<(Vec<usize>, Option<(usize, usize)>)>;

    fn shown(replicas: usize, threads: usize, most_members: usize) -> Shown {
        let replicas: Vec<usize> = (0..replicas).collect();
        let (shares, _) = share(&replicas, threads, most_members);
        let place = |membership: Membership| (membership.replica, membership.member);
        shares.into_iter().map(|share| (share.alone, share.together.map(place))).collect()
    }

    #[test]
    fn whole_replicas_first_and_the_rest_in_teams() {
        assert_eq!(shown(1, 2, 8), [(vec![], Some((0, 0))), (vec![], Some((0, 1)))]);
        assert_eq!(shown(2, 2, 8), [(vec![0], None), (vec![1], None)]);
        assert_eq!(shown(5, 2, 8), [(vec![0, 2], Some((4, 0))), (vec![1, 3], Some((4, 1)))]);
        let of_eight = shown(3, 8, 8);
        assert_eq!(of_eight.iter().filter(|(_, together)| together.is_some()).count(), 6, "two for each");
        assert_eq!(shown(1, 4, 2)[2], (vec![], None), "a batch too small for more");
    }

    #[test]
    fn parts_are_all_of_it_once() {
        let team = ThreadGroup::new(0, 3);
        for things in [0, 1, 16, 17, 100, 52_650] {
            let parts: Vec<_> = (0..3).map(|member| team.part(member, things, 16)).collect();
            assert_eq!((parts[0].start, parts[2].end), (0, things));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
        assert_eq!(team.part(1, 128, 1), 42..85);
    }
}
