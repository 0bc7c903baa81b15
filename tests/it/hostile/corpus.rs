//! Every fuzz target with its committed corpus, and with a few hundred mutations of it: what a fuzzer found stays found,
//! and a parser that has come to panic on a damaged file is noticed without one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::hostile::targets;

/// How many mutations there are of a corpus.
const MUTATIONS: u64 = 300;

/// A seed of so few bytes has each of its bits turned over, one at a time.
const SMALL: usize = 100;

/// Bytes that parsers take for something.
const MARKS: [u8; 16] = *b"\0\x01\x7f\x80\xff\"{}[],:=.-9";

/// The same numbers each time: xorshift64*.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most.max(1)
    }
}

/// A file damaged in a few places.
fn mutated(seed: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let place = numbers.below(bytes.len());
        let end = (place + 1 + numbers.below(40)).min(bytes.len());
        match numbers.below(6) {
            _ if bytes.is_empty() => bytes.push(MARKS[numbers.below(MARKS.len())]),
            0 => bytes[place] ^= 1 << numbers.below(8),
            1 => bytes[place] = MARKS[numbers.below(MARKS.len())],
            2 => bytes.truncate(place),
            3 => drop(bytes.drain(place..end)),
            4 => {
                let again = bytes[place..end].to_vec();
                bytes.splice(place..place, again);
            }
            _ => bytes[place..end].fill(MARKS[numbers.below(MARKS.len())]),
        }
    }
    bytes
}

#[track_caller]
fn holds(name: &str) {
    let (_, target) = targets::ALL.into_iter().find(|(known, _)| *known == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(seeds.len() > 1, "`{name}` has a corpus");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let damaged: Vec<Vec<u8>> =
        (0..MUTATIONS).map(|_| mutated(&seeds[numbers.below(seeds.len())], &mut numbers)).collect();
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
        $(#[test] fn $name() { holds(stringify!($name)); })*

        #[test]
        fn every_target_has_its_test_and_is_fuzzed() {
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
    picture,
    foreign,
    events,
    tree,
    archive,
    checkpoint,
    run_record,
    preprocessing
);
