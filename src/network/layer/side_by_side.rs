//! Merges the replica axis into the channel axis, so that layers that treat every channel separately process a whole
//! stack in one call.
//!
//! Pooling and batch normalization need nothing else; a convolution needs one group per replica. Between consecutive
//! layers of this kind the values keep the memory layout `[batch, replicas, channels, …]`, so only the first and the
//! last conversion copy data. A single replica is never copied.

use tch::Tensor;

/// Merges the replicas into the channels: `[replicas, batch, channels, …]` → `[batch, replicas · channels, …]`.
pub(super) fn beside(xs: &Tensor) -> Tensor {
    xs.transpose(0, 1).flatten(1, 2)
}

/// Separates the replicas again: `[batch, replicas · channels, …]` → `[replicas, batch, channels, …]`.
pub(super) fn apart(ys: &Tensor, replicas: i64) -> Tensor {
    ys.unflatten(1, [replicas, -1]).transpose(0, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn there_and_back_is_the_same_and_a_lone_replica_is_not_copied() {
        for replicas in [1, 3] {
            let xs = Tensor::arange(replicas * 4 * 2 * 5, (Kind::Float, Device::Cpu)).view([replicas, 4, 2, 5]);
            let there = beside(&xs);
            assert_eq!(there.size(), [4, replicas * 2, 5]);
            assert_eq!(there.narrow(1, 2 * (replicas - 1), 2), xs.get(replicas - 1));
            assert_eq!(apart(&there, replicas), xs);
            assert_eq!(there.data_ptr() == xs.data_ptr(), replicas == 1);
            assert_eq!(beside(&apart(&there, replicas)).data_ptr(), there.data_ptr());
        }
    }
}
