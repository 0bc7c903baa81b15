//! Positions of draws: independent random ones, and evenly spread ones, the Sobol sequence with Owen scrambling of the crate
//! `sobol_burley`.

use rand_mt::Mt64;
use sobol_burley::{NUM_DIMENSIONS, sample};

/// Length of the Sobol sequence.
pub(super) const LENGTH: u32 = 1 << 16;

/// Returns the random position of a draw on each axis, between 0 and 1 (excluded).
pub(super) fn random(seed: u32, draw: u32, axes: usize) -> Vec<f64> {
    let mut generator = Mt64::new_with_key([u64::from(seed), u64::from(draw)]);
    // the upper 53 bits are a floating point number
    (0..axes).map(|_| (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).collect()
}

/// Draws a number between 0 and 1, both excluded.
pub(super) fn uniform(generator: &mut Mt64) -> f64 {
    // the upper 53 bits are a floating point number
    ((generator.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Returns the position of a draw in the Sobol sequence on each axis, between 0 and 1 (excluded). Axes after the last dimension
/// of the sequence use its dimensions with another seed, and draws after its end continue with another seed.
pub(super) fn sobol(seed: u32, draw: u32, axes: usize) -> Vec<f64> {
    let (index, round) = (draw % LENGTH, draw / LENGTH);
    let position = |axis: usize| {
        let (axis, dimensions) = (axis as u32, NUM_DIMENSIONS);
        f64::from(sample(index, axis % dimensions, mixed(seed, axis / dimensions, round)))
    };
    (0..axes).map(position).collect()
}

/// Returns the seed of a block of dimensions and of a repetition of the sequence; the first of both has the seed itself.
fn mixed(seed: u32, block: u32, round: u32) -> u32 {
    seed ^ block.wrapping_mul(0x9e37_79b9) ^ round.wrapping_mul(0x85eb_ca6b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_the_crate() {
        let found = sobol(7, 300, 260);
        for (axis, position) in found.iter().enumerate().take(NUM_DIMENSIONS as usize) {
            assert_eq!(*position, f64::from(sample(300, axis as u32, 7)));
        }
        assert_ne!(found[256..], found[..4], "further axes are other numbers");
        assert!(sobol(7, LENGTH, 3) != sobol(7, 0, 3));
    }

    #[test]
    fn every_block_of_a_power_of_two_is_spread_evenly_on_each_axis() {
        for axis in [0, 1, 7, 255] {
            let mut cells = [0; 64];
            for draw in 64..128 {
                cells[(sobol(3, draw, axis + 1)[axis] * 64.0) as usize] += 1;
            }
            assert_eq!(cells, [1; 64], "axis {axis}");
        }
    }
}
