//! The Mersenne Twister MT19937, from which libtorch's generator of the CPU draws.
//!
//! It draws the masks of dropout many times faster than libtorch, which draws one number at a time, and can skip those of
//! other threads.
//!
//! Source: M. Matsumoto and T. Nishimura, Mersenne Twister, ACM TOMACS 8 (1998).

use std::sync::OnceLock;

use switches::Generator;

/// Number of words of the state.
const WORDS: usize = 624;
/// Distance between the words that are combined.
const SHIFT: usize = 397;

/// The state of a generator of the CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MersenneTwister {
    state: Box<[u32; WORDS]>,
    next: usize, // position of the next word; WORDS if all were drawn
}

impl MersenneTwister {
    /// Returns the state of a generator of the CPU; `None` if libtorch draws `bernoulli_` in another way on this machine, as
    /// it does with MKL on processors of Intel.
    pub fn of(generator: &Generator) -> Option<MersenneTwister> {
        static DRAWS_AS_LIBTORCH: OnceLock<bool> = OnceLock::new();
        let twister = MersenneTwister::read(generator)?;
        let is_same = || twister.draws_as(generator).unwrap_or(false);
        DRAWS_AS_LIBTORCH.get_or_init(is_same).then_some(twister)
    }

    fn read(generator: &Generator) -> Option<MersenneTwister> {
        let mut state = Box::new([0; WORDS]);
        let left = generator.mersenne_twister(&mut state)?;
        Some(MersenneTwister { state, next: WORDS - left })
    }

    /// Whether the next draws, which use the complete state, equal those of libtorch; `None` if libtorch does not draw.
    fn draws_as(&self, generator: &Generator) -> Option<bool> {
        let (mut own, mut other) = (self.clone(), generator.copy()?);
        let is_same = [0.5, 0.9].into_iter().all(|p| {
            let (mut values, mut wanted) = ([0.0; WORDS], [0.0; WORDS]);
            own.bernoulli(&mut values, p);
            other.bernoulli(&mut wanted, p) && values == wanted
        });
        Some(is_same && MersenneTwister::read(&other)? == own)
    }

    /// Sets each value to 1 with probability `p`, from 0 to 1, else to 0, as `Tensor.bernoulli_(p)` does.
    pub fn bernoulli(&mut self, values: &mut [f32], p: f64) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || self.draw(values, p),
        );
    }

    #[inline(always)]
    fn draw(&mut self, mut values: &mut [f32], p: f64) {
        // a value is 1 if 53 random bits are below p · 2⁵³
        let limit = (p * (1_u64 << 53) as f64).ceil() as u64;
        while !values.is_empty() {
            let count = values.len().min((WORDS - self.next) / 2);
            if count == 0 {
                values[0] = one_below(limit, self.word(), self.word());
                values = &mut values[1..];
                continue;
            }
            let (now, later) = values.split_at_mut(count);
            let pairs = self.state[self.next..self.next + 2 * count].chunks_exact(2);
            now.iter_mut()
                .zip(pairs)
                .for_each(|(value, pair)| *value = one_below(limit, temper(pair[0]), temper(pair[1])));
            self.next += 2 * count;
            values = later;
        }
    }

    /// Skips this number of values of [`MersenneTwister::bernoulli`].
    pub fn skip(&mut self, values: usize) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                self.next += 2 * values;
                while self.next > WORDS {
                    twist(&mut self.state);
                    self.next -= WORDS;
                }
            },
        );
    }

    /// Returns the next random word.
    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            twist(&mut self.state);
            self.next = 0;
        }
        self.next += 1;
        temper(self.state[self.next - 1])
    }
}

/// Returns 1 if the last 53 bits of the two words are below `limit`, else 0.
#[inline(always)]
fn one_below(limit: u64, high: u32, low: u32) -> f32 {
    let bits = (u64::from(high) << 32 | u64::from(low)) & ((1 << 53) - 1);
    f32::from(u8::from(bits < limit))
}

/// Replaces the state by the next one.
#[inline(always)]
fn twist(state: &mut [u32; WORDS]) {
    let old = *state;
    let combine = |word: u32, next: u32| {
        let mixed = (word & 0x8000_0000) | (next & 0x7fff_ffff);
        (mixed >> 1) ^ ((next & 1).wrapping_neg() & 0x9908_b0df)
    };
    const BEFORE: usize = WORDS - SHIFT;
    for i in 0..BEFORE {
        state[i] = old[i + SHIFT] ^ combine(old[i], old[i + 1]);
    }
    // each word from here on needs the new one BEFORE places earlier
    for start in [BEFORE, 2 * BEFORE] {
        let end = (start + BEFORE).min(WORDS - 1);
        let (new, rest) = state.split_at_mut(start);
        let places = rest[..end - start].iter_mut().zip(&new[start - BEFORE..]);
        places.zip(old[start..].windows(2)).for_each(|((word, new), old)| *word = new ^ combine(old[0], old[1]));
    }
    state[WORDS - 1] = state[SHIFT - 1] ^ combine(old[WORDS - 1], state[0]);
}

/// Returns the random word of a word of the state.
#[inline(always)]
fn temper(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    word ^ (word >> 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator after `init_genrand(5489)`, the seed of the C++ standard.
    fn seeded() -> MersenneTwister {
        let mut state = Box::new([5489_u32; WORDS]);
        for i in 1..WORDS {
            let before = state[i - 1];
            state[i] = 1_812_433_253_u32.wrapping_mul(before ^ (before >> 30)).wrapping_add(i as u32);
        }
        MersenneTwister { state, next: WORDS }
    }

    #[test]
    fn words_are_those_of_the_cpp_standard() {
        let mut twister = seeded();
        let words: Vec<u32> = (0..10_000).map(|_| twister.word()).collect();
        assert_eq!((words[0], words[9_999]), (3_499_211_612, 4_123_659_995));
    }

    #[test]
    fn values_are_drawn_in_parts_of_any_size() {
        for words_before in [0, 1, 2, 623, 624, 625] {
            let mut whole = seeded();
            (0..words_before).for_each(|_| _ = whole.word());
            let mut expected = [0.0; 3_000];
            let mut one_by_one = whole.clone();
            let limit = (0.7 * (1_u64 << 53) as f64).ceil() as u64;
            expected.fill_with(|| one_below(limit, one_by_one.word(), one_by_one.word()));
            let mut values = [0.0; 3_000];
            whole.clone().bernoulli(&mut values, 0.7);
            assert_eq!(values, expected);
            for (first, count) in [(0, 1), (1, 310), (311, 312), (312, 2_000), (2_999, 1)] {
                let mut part = whole.clone();
                part.skip(first);
                let mut values = vec![0.0; count];
                part.bernoulli(&mut values, 0.7);
                assert_eq!(values, expected[first..first + count]);
                part.skip(3_000 - first - count);
                let mut all = whole.clone();
                all.skip(3_000);
                assert_eq!(part.word(), all.word());
            }
        }
    }

    #[test]
    fn certain_values_need_no_luck() {
        let mut values = [0.5; 700];
        seeded().bernoulli(&mut values, 1.0);
        assert_eq!(values, [1.0; 700]);
        seeded().bernoulli(&mut values, 0.0);
        assert_eq!(values, [0.0; 700]);
    }

    #[test]
    fn masks_are_those_of_libtorch() {
        tch::manual_seed(3);
        let mut generator = Generator::new(None).unwrap();
        // on a processor of Intel, libtorch draws by MKL, and this file is not used
        let Some(mut twister) = MersenneTwister::of(&generator) else { return };
        for (count, p) in [(1, 0.3), (8_192, 0.7), (4_097, 0.123_456), (5, 1.0)] {
            let (mut values, mut wanted) = (vec![0.0; count], vec![0.0; count]);
            twister.bernoulli(&mut values, p);
            assert!(generator.bernoulli(&mut wanted, p));
            assert_eq!(values, wanted);
        }
    }
}
