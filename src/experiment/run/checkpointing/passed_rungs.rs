//! What has happened at the rungs of a stack: which replicas continue, and the results of those that ended.

use std::collections::BTreeSet;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::experiment::halving::decision::Rung;
use crate::train::callback::ReplicaResult;

/// Beginning of the names of tensors of ended replicas in a checkpoint: `ended.values` is `[ended, parameters]`.
pub const ENDED: &str = "ended.";

/// What has happened at the rungs of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassedRungs {
    /// The rungs in order.
    pub rungs: Vec<Rung>,
    /// The replicas that continue, by index in the whole stack.
    pub live: Vec<usize>,
    /// The replicas that have ended.
    pub ended: Vec<EndedReplica>,
}

/// A replica that has ended at a rung or before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedReplica {
    /// Its index in the whole stack.
    pub replica: usize,
    /// Its result.
    pub result: ReplicaResult,
}

impl PassedRungs {
    /// Returns the start of a stack: all replicas train.
    pub fn none(replicas: usize) -> PassedRungs {
        PassedRungs { rungs: Vec::new(), live: (0..replicas).collect(), ended: Vec::new() }
    }

    /// Returns the indices of the replicas that have ended.
    pub fn ended_replicas(&self) -> Vec<usize> {
        self.ended.iter().map(|ended| ended.replica).collect()
    }

    /// Checks that each of the replicas of a stack is there once.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self, replicas: usize) -> anyhow::Result<()> {
        let all: BTreeSet<usize> = self.live.iter().copied().chain(self.ended_replicas()).collect();
        let count = self.live.len() + self.ended.len();
        ensure!(
            count == replicas && all.into_iter().eq(0..replicas) && !self.live.is_empty(),
            "it must have each of {replicas} replicas once, some of which continue"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Status;
    use crate::history::curves::Curves;

    #[test]
    fn each_replica_goes_on_or_has_ended() {
        let result = ReplicaResult { status: Status::Dropped, curves: Curves::default(), best_epoch: None };
        let passed = |live: &[usize], ended: &[usize]| PassedRungs {
            live: live.to_vec(),
            ended: ended.iter().map(|&replica| EndedReplica { replica, result: result.clone() }).collect(),
            ..PassedRungs::none(0)
        };
        assert!(PassedRungs::none(3).check(3).is_ok());
        assert!(passed(&[0, 2], &[1]).check(3).is_ok());
        for (live, ended) in [(&[0, 2][..], &[][..]), (&[0, 2], &[2]), (&[0, 1, 2, 3], &[]), (&[], &[0, 1, 2])] {
            assert!(passed(live, ended).check(3).is_err(), "{live:?} {ended:?}");
        }
    }
}
