//! Seeds and the order of random draws. They match PyTorch's, so that any run can be checked in ten lines of Python.
//!
//! Each replica has its own generators ([`crate::tensor::generators`]). The code fixes when they are seeded, and never
//! reads their state:
//!
//! - before replica `r` is built: `manual_seed(seed_r)`; layers then draw in order, on the CPU;
//! - before epoch `e`, counted from 1: `manual_seed(seed_r * 1_000_003 + e)`; then `randperm(n)` is the order of the
//!   rows, and augmentation and dropout masks are drawn from the same generator.
//!
//! The randomness of an epoch thus depends only on the seed and the epoch's number. A run can be resumed at any epoch
//! without a saved generator state, and a replica draws the same numbers in every stack.

use tch::{Device, Kind, Tensor};

use crate::tensor::generators::with_replica;

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

/// Seeds the generators of each replica for `epoch` and, if `shuffle` is set, draws the order of its rows.
///
/// # Shapes
/// Returns `[replicas, rows]`, int64, on the CPU; `None` without shuffling.
pub fn before_epoch(seeds: &[i64], epoch: usize, rows: usize, shuffle: bool) -> Option<Tensor> {
    let draw = |(replica, &seed): (usize, &i64)| {
        with_replica(replica, || {
            tch::manual_seed(epoch_seed(seed, epoch));
            shuffle.then(|| Tensor::randperm(rows as i64, (Kind::Int64, Device::Cpu)))
        })
    };
    let orders: Vec<Option<Tensor>> = seeds.iter().enumerate().map(draw).collect();
    let orders: Option<Vec<Tensor>> = orders.into_iter().collect();
    orders.map(|orders| Tensor::stack(&orders, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::generators::{for_each_replica, install_until_drop, map_each_replica};

    /// Returns the order of epoch 3 and what three more draws give, `[replicas, …]` each.
    fn draws(seeds: &[i64]) -> [Tensor; 4] {
        let _generators = install_until_drop(seeds.len(), Device::Cpu);
        let replicas = seeds.len() as i64;
        let order = before_epoch(seeds, 3, 50, true).unwrap();
        let ones = Tensor::ones([replicas, 5, 7], (Kind::Float, Device::Cpu));
        let (masks, noise) = (ones.copy(), ones.copy());
        for_each_replica(&masks, |_, mut mask| drop(mask.bernoulli_float_(0.5)));
        let dropped = map_each_replica(&ones, |_, ones| ones.dropout(0.3, true));
        for_each_replica(&noise, |_, mut noise| drop(noise.normal_(0.0, 1.0)));
        [order, masks, dropped, noise]
    }

    #[test]
    fn a_replica_draws_the_same_numbers_in_every_stack() {
        let stack = draws(&[7, 8, 7, 9]);
        for (replica, seed) in [(0, 7), (1, 8), (2, 7), (3, 9)] {
            for (lone, stacked) in draws(&[seed]).iter().zip(&stack) {
                assert_eq!(lone.get(0), stacked.get(replica), "seed {seed}");
            }
        }
        assert_ne!(stack[1].get(0), stack[1].get(1));
    }

    #[test]
    fn calls_within_another_draw_from_the_same_generators_and_a_panic_puts_them_back() {
        let _generators = install_until_drop(2, Device::Cpu);
        let options = (Kind::Float, Device::Cpu);
        with_replica(0, || tch::manual_seed(5));
        let panics = || with_replica(1, || -> Tensor { panic!("on purpose") });
        assert!(std::panic::catch_unwind(panics).is_err());
        let inner = |_| with_replica(1, || Tensor::rand([4], options));
        let first = with_replica(0, || (0..2).map(inner).collect::<Vec<_>>());
        let again = with_replica(0, || {
            tch::manual_seed(5);
            [Tensor::rand([4], options), Tensor::rand([4], options)]
        });
        assert_eq!(first, again, "a call within another one draws from the same generators");
    }

    #[test]
    fn epoch_seeds_wrap_instead_of_overflowing() {
        assert_eq!(epoch_seed(2, 5), 2_000_011);
        epoch_seed(i64::MAX, usize::MAX);
    }
}
