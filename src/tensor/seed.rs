//! Seeds and the order of random draws. They match PyTorch's, so that any run can be checked in ten lines of Python.
//!
//! libtorch has one generator for the whole process, so the code fixes when it is seeded, and never reads its state:
//!
//! - before replica `r` is built: `manual_seed(seed_r)`; layers then draw in order, on the CPU;
//! - before epoch `e`, counted from 1: `manual_seed(seed_r * 1_000_003 + e)`; then `randperm(n)` is the order of the
//!   rows, and dropout masks are drawn from the same generator.
//!
//! The randomness of an epoch thus depends only on the seed and the epoch's number, and a run can be resumed at any
//! epoch without a saved generator state.

use tch::{Device, Kind, Tensor};

/// Returns the 32 bits of a seed that libtorch's CPU generator and numpy's (used by trees) accept.
pub fn low_bits(seed: i64) -> u32 {
    seed as u32
}

/// Seeds libtorch's CPU and GPU generators before the replica with this seed is built.
pub fn before_building(seed: i64) {
    tch::manual_seed(seed);
}

/// Returns the seed of one epoch of one replica: `seed * 1_000_003 + epoch`, wrapping.
pub fn epoch_seed(seed: i64, epoch: usize) -> i64 {
    seed.wrapping_mul(1_000_003).wrapping_add(epoch as i64)
}

/// Seeds each replica for `epoch` and, if `shuffle` is set, draws the order of its rows.
///
/// Afterwards the generator is in the state of the first replica's own run, so a single run with dropout matches
/// PyTorch bit for bit. In a stack, the masks of all replicas are drawn from the first replica's generator.
///
/// # Shapes
/// Returns `[replicas, rows]`, int64, on the CPU; `None` without shuffling.
pub fn before_epoch(seeds: &[i64], epoch: usize, rows: usize, shuffle: bool) -> Option<Tensor> {
    let mut orders = Vec::with_capacity(seeds.len());
    for &seed in seeds.iter().rev() {
        tch::manual_seed(epoch_seed(seed, epoch));
        if shuffle {
            orders.push(Tensor::randperm(rows as i64, (Kind::Int64, Device::Cpu)));
        }
    }
    orders.reverse();
    shuffle.then(|| Tensor::stack(&orders, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_replica_keeps_its_lone_order_in_a_stack() {
        let lone = before_epoch(&[7], 3, 50, true).unwrap();
        let after_lone = Tensor::rand([4], (Kind::Float, Device::Cpu));
        let stack = before_epoch(&[7, 8, 9], 3, 50, true).unwrap();
        let after_stack = Tensor::rand([4], (Kind::Float, Device::Cpu));
        assert_eq!(stack.size(), [3, 50]);
        assert_eq!(stack.get(0), lone.get(0));
        assert_eq!(after_lone, after_stack);
        assert_ne!(stack.get(1), lone.get(0));
    }

    #[test]
    fn epoch_seeds_wrap_instead_of_overflowing() {
        assert_eq!(epoch_seed(2, 5), 2_000_011);
        epoch_seed(i64::MAX, usize::MAX);
    }
}
