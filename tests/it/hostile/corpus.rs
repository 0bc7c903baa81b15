//! Runs every fuzz target on its committed corpus and on a few hundred mutations of it, so that known defects stay
//! fixed and new panics of parsers are found without a fuzzer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::hostile::targets;

/// Number of mutations per corpus.
const MUTATIONS: u64 = 300;

/// In seeds of at most this many bytes, every single bit is flipped.
const SMALL: usize = 100;

/// Bytes with a meaning for parsers.
const MARKS: [u8; 16] = *b"\0\x01\x7f\x80\xff\"{}[],:=.-9";

/// Deterministic random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most.max(1)
    }
}

/// Changes a file in a few positions.
fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let position = random.below(bytes.len());
        let end = (position + 1 + random.below(40)).min(bytes.len());
        match random.below(6) {
            _ if bytes.is_empty() => bytes.push(MARKS[random.below(MARKS.len())]),
            0 => bytes[position] ^= 1 << random.below(8),
            1 => bytes[position] = MARKS[random.below(MARKS.len())],
            2 => bytes.truncate(position),
            3 => drop(bytes.drain(position..end)),
            4 => {
                let again = bytes[position..end].to_vec();
                bytes.splice(position..position, again);
            }
            _ => bytes[position..end].fill(MARKS[random.below(MARKS.len())]),
        }
    }
    bytes
}

#[track_caller]
fn check_target(name: &str) {
    let (_, target) = targets::ALL.into_iter().find(|(known, _)| *known == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(seeds.len() > 1, "`{name}` has a corpus");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let damaged: Vec<Vec<u8>> =
        (0..MUTATIONS).map(|_| mutate(&seeds[random.below(seeds.len())], &mut random)).collect();
    let small = seeds.iter().filter(|seed| seed.len() <= SMALL).flat_map(|seed| {
        (0..8 * seed.len()).map(|bit| {
            let mut bytes = seed.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        })
    });
    let flipped: Vec<Vec<u8>> = small.collect();
    let cut: Vec<Vec<u8>> = seeds.iter().map(|seed| seed[..seed.len() / 2].to_vec()).collect();
    for bytes in seeds.iter().chain(&damaged).chain(&flipped).chain(&cut) {
        if catch_unwind(AssertUnwindSafe(|| target(bytes))).is_err() {
            panic!("`{name}` panicked on {:?}", String::from_utf8_lossy(bytes));
        }
    }
}

macro_rules! targets {
    ($($name:ident),*) => {
        $(#[test] fn $name() { check_target(stringify!($name)); })*

        #[test]
        fn every_fuzz_target_has_a_test() {
            let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let fuzzed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
            for name in names {
                assert!(fuzzed.contains(&format!("name = \"{name}\"")), "{name}");
            }
        }
    };
}

targets!(
    history,
    weights,
    experiment,
    table,
    idx,
    arrays,
    texts,
    picture,
    foreign,
    events,
    tree,
    archive,
    checkpoint,
    run_record,
    preprocessing
);
