//! Independent random positions.

use rand_mt::Mt64;

/// Returns the position of a draw on each axis, between 0 and 1 (excluded).
pub(super) fn positions(seed: u32, draw: u32, axes: usize) -> Vec<f64> {
    let mut generator = Mt64::new_with_key([u64::from(seed), u64::from(draw)]);
    // the upper 53 bits are a floating point number
    (0..axes).map(|_| (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).collect()
}
