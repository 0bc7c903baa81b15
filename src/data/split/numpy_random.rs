//! NumPy's legacy random stream (`np.random.RandomState`), on which scikit-learn's splits and imbalanced-learn's
//! samplers are defined: with the same `random_state`, ours return the same rows.
//!
//! The generator is MT19937; what is added here is how NumPy turns its numbers into permutations
//! (NEP 19 freezes that for good).

use rand_mt::Mt;

/// `np.random.RandomState(random_state)`.
#[derive(Clone, Debug)]
pub struct RandomState(Mt);

impl RandomState {
    /// Seeded as NumPy seeds it.
    pub fn new(random_state: u32) -> Self {
        RandomState(Mt::new(random_state))
    }

    /// A whole number in `0..=max`: draws are masked to the needed bits, and those above `max` are drawn again.
    fn interval(&mut self, max: usize) -> usize {
        if max == 0 {
            return 0;
        }
        let mask = u64::MAX >> (max as u64).leading_zeros();
        loop {
            let drawn = if u32::try_from(max).is_ok() {
                u64::from(self.0.next_u32()) & mask
            } else {
                // NumPy joins two draws, the first one high
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

    /// `RandomState.randint(0, below, size)`: whole numbers below `below`, which must be above 0.
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
