//! Merges the replica axis into the channel axis, so that layers that treat every channel separately process a
//! stack in one call.
//!
//! Pooling and batch normalization need nothing else; a convolution needs one group per replica. Between consecutive
//! layers of this kind the values keep the memory layout `[batch, replicas, channels, …]`, so only the first and the
//! last conversion copy data. A single replica is never copied.

use tch::Tensor;

/// Merges the replicas into the channels: `[replicas, batch, channels, …]` → `[batch, replicas · channels, …]`.
pub(crate) fn merge_replicas(xs: &Tensor) -> Tensor {
    xs.transpose(0, 1).flatten(1, 2)
}

/// Separates the replicas again: `[batch, replicas · channels, …]` → `[replicas, batch, channels, …]`.
pub(crate) fn split_replicas(ys: &Tensor, replicas: i64) -> Tensor {
    ys.unflatten(1, [replicas, -1]).transpose(0, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    #[test]
    fn splitting_undoes_merging_and_a_single_replica_is_not_copied() {
        for replicas in [1, 3] {
            let xs = Tensor::arange(replicas * 4 * 2 * 5, (Kind::Float, Device::Cpu)).view([replicas, 4, 2, 5]);
            let merged = merge_replicas(&xs);
            assert_eq!(merged.size(), [4, replicas * 2, 5]);
            assert_eq!(merged.narrow(1, 2 * (replicas - 1), 2), xs.get(replicas - 1));
            assert_eq!(split_replicas(&merged, replicas), xs);
            assert_eq!(merged.data_ptr() == xs.data_ptr(), replicas == 1);
            assert_eq!(merge_replicas(&split_replicas(&merged, replicas)).data_ptr(), merged.data_ptr());
        }
    }
}
