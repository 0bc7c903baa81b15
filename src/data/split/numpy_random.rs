//! NumPy's legacy random stream (`np.random.RandomState`). scikit-learn's splits and imbalanced-learn's samplers use
//! it, so the same `random_state` gives the same rows here.
//!
//! The generator is MT19937 from the crate `rand_mt`. This file turns its numbers into permutations and samples as
//! NumPy does; NEP 19 guarantees that NumPy's stream never changes.

use rand_mt::Mt;

/// `np.random.RandomState(random_state)`.
#[derive(Clone, Debug)]
pub struct RandomState(Mt);

impl RandomState {
    /// Creates the generator with NumPy's seeding.
    pub fn new(random_state: u32) -> Self {
        RandomState(Mt::new(random_state))
    }

    /// Returns a random integer in `0..=max`. Draws are masked to the needed bits, and repeated while they are above
    /// `max`.
    fn interval(&mut self, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        let mask = u64::MAX >> (max as u64).leading_zeros();
        loop {
            let drawn = if u32::try_from(max).is_ok() {
                u64::from(self.0.next_u32()) & mask
            } else {
                // NumPy joins two draws, the high half first
                ((u64::from(self.0.next_u32()) << 32) | u64::from(self.0.next_u32())) & mask
            };
            if drawn <= max as u64 {
                return drawn as usize;
            }
        }
    }

    /// `RandomState.shuffle`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.interval(i));
        }
    }

    /// `RandomState.permutation(n)`: the numbers `0..n` in random order.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..n).collect();
        self.shuffle(&mut numbers);
        numbers
    }

    /// `RandomState.randint(0, below, size)`: integers below `below`, which must be above 0.
    pub fn integers(&mut self, below: usize, size: usize) -> Vec<usize> {
        (0..size).map(|_| self.interval(below - 1)).collect()
    }

    /// `RandomState.uniform(size=size)`: numbers in [0, 1) with 53 random bits.
    pub fn uniform(&mut self, size: usize) -> Vec<f64> {
        let mut number = || {
            let (high, low) = (self.0.next_u32() >> 5, self.0.next_u32() >> 6);
            (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
        };
        (0..size).map(|_| number()).collect()
    }

    /// `RandomState.choice(items, size, replace=False)`.
    pub fn choose<T: Copy>(&mut self, items: &[T], size: usize) -> Vec<T> {
        self.permutation(items.len()).into_iter().take(size).map(|i| items[i]).collect()
    }
}
