//! Validation and test rows that equal a training row. Rows are compared by a 64-bit hash of the bytes of their features
//! and targets.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use tch::{Kind, Tensor};

use crate::data::dataset::Loaded;
use crate::data::rows::Rows;
use crate::data::split::Parts;
use crate::data::split::split_column::Side;
use crate::history::number::count;
use crate::tensor::threads;

/// Maximum number of bytes of all rows that are compared: 8 GiB, which take about a second.
const MOST_BYTES: usize = 8 << 30;

/// Smallest share of a part whose rows are worth a note: one of this number of rows.
const WORTH_A_NOTE: usize = 100;

/// Number of bytes of features that are copied from a tensor at once.
const AT_ONCE: usize = 1 << 18;

/// Set of hashes.
type Hashes = HashSet<u64, BuildHasherDefault<IsHash>>;

/// Returns notes on validation and test rows that equal a training row, if they are at least 1 % of their part; none for
/// more than 8 GiB of rows. `folds` are the parts of the rows.
pub fn notes(loaded: &Loaded, folds: &[Parts]) -> Vec<String> {
    let all = [Some(&loaded.rows), loaded.validation.as_ref(), loaded.test.as_ref()];
    let bytes: usize =
        all.iter().flatten().map(|rows| rows.features.numel() * rows.features.kind().elt_size_in_bytes()).sum();
    let holds_out = all[1..].iter().any(Option::is_some)
        || folds.iter().any(|parts| parts.validation.is_some() || parts.test.is_some());
    if !holds_out || bytes > MOST_BYTES {
        return Vec::new();
    }
    let hashes = all.map(|rows| rows.map(hashes));
    let source = hashes[0].as_deref().unwrap_or_default();
    let note = |side: Side| {
        let own = &hashes[side as usize];
        let of_side = own.as_deref().unwrap_or(source);
        // rows of the part in any fold, and those that equal a training row of the fold
        let (mut is_held_out, mut is_shared) = (vec![false; of_side.len()], vec![false; of_side.len()]);
        for parts in folds {
            let split_off = if side == Side::Test { &parts.test } else { &parts.validation };
            let rows: Vec<usize> = match (split_off, own) {
                (Some(rows), _) => rows.clone(),
                (None, Some(own)) => (0..own.len()).collect(),
                (None, None) => continue,
            };
            let held_out: Hashes = rows.iter().map(|&row| of_side[row]).collect();
            let training = parts.training.iter().map(|&row| source[row]);
            let shared: Hashes = training.filter(|hash| held_out.contains(hash)).collect();
            for row in rows {
                is_held_out[row] = true;
                is_shared[row] |= shared.contains(&of_side[row]);
            }
        }
        let [all, shared] = [is_held_out, is_shared].map(|rows| rows.into_iter().filter(|is| *is).count());
        let verb = if shared == 1 { "equals" } else { "equal" };
        (shared > 0 && WORTH_A_NOTE * shared >= all).then(|| {
            let (shared, all, side) = (count(shared), count(all), side.name());
            format!(
                "{shared} of {all} {side} rows {verb} a training row in features and target; if these are copies, remove \
                 them: the model has seen their targets"
            )
        })
    };
    [Side::Validation, Side::Test].into_iter().filter_map(note).collect()
}

/// Returns the hash of each row.
fn hashes(rows: &Rows) -> Vec<u64> {
    let columns = [&rows.features, &rows.targets].map(bytes_of_rows);
    let all = rows.len();
    let of_a_thread = all.div_ceil(threads::max_threads()).max(1);
    std::thread::scope(|scope| {
        let part = |start: usize| {
            let rows = of_a_thread.min(all - start) as i64;
            let [features, targets] = columns.each_ref().map(|bytes| bytes.narrow(0, start as i64, rows));
            scope.spawn(move || hash_rows(&features, &targets))
        };
        let parts: Vec<_> = (0..all).step_by(of_a_thread).map(part).collect();
        parts.into_iter().flat_map(|part| part.join().expect("any bytes have a hash")).collect()
    })
}

/// Returns the bytes of each row: `[rows, …]` of any kind → `[rows, bytes]` u8.
fn bytes_of_rows(tensor: &Tensor) -> Tensor {
    tensor.reshape([tensor.size()[0], -1]).contiguous().view_dtype(Kind::Uint8)
}

/// Returns the hash of each row of bytes; few rows are copied at once.
fn hash_rows(features: &Tensor, targets: &Tensor) -> Vec<u64> {
    let rows = targets.size()[0] as usize;
    let [width, of_targets] = [features, targets].map(|bytes| bytes.size()[1] as usize);
    let at_once = (AT_ONCE / (width + of_targets)).clamp(1, rows);
    let [mut some, mut some_targets] = [width, of_targets].map(|width| vec![0_u8; at_once * width]);
    let mut hashes = Vec::with_capacity(rows);
    for start in (0..rows).step_by(at_once) {
        let count = at_once.min(rows - start);
        for (bytes, buffer, width) in [(features, &mut some, width), (targets, &mut some_targets, of_targets)] {
            bytes.narrow(0, start as i64, count as i64).copy_data(&mut buffer[..count * width], count * width);
        }
        let row = |number: usize| {
            let features = hash(&some[number * width..(number + 1) * width], 0);
            hash(&some_targets[number * of_targets..(number + 1) * of_targets], features)
        };
        hashes.extend((0..count).map(row));
    }
    hashes
}

/// Returns a 64-bit hash: each 16 bytes are multiplied, as in wyhash.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    const FIRST: u64 = 0xa076_1d64_78bd_642f;
    const SECOND: u64 = 0xe703_7ed1_a0b4_28db;
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    let multiply = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let step = |state: u64, block: &[u8; 16]| {
        let both = u128::from_le_bytes(*block);
        multiply(both as u64 ^ FIRST, (both >> 64) as u64 ^ SECOND ^ state)
    };
    let state = blocks.iter().chain([&last]).fold(seed, step);
    multiply(state ^ SECOND, bytes.len() as u64 ^ FIRST)
}

/// Hasher of numbers that are hashes.
#[derive(Default)]
struct IsHash(u64);

impl Hasher for IsHash {
    fn write(&mut self, _: &[u8]) {
        unreachable!("hashes are u64");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::form::Form;
    use crate::data::target::Target;

    fn rows(features: &Tensor, classes: &[i64]) -> Rows {
        Rows::new(features.shallow_clone(), Tensor::from_slice(classes))
    }

    fn loaded(rows: Rows) -> Loaded {
        Loaded::new(String::new(), Target::Classes(2), vec!["a".to_owned(), "b".to_owned()], rows, Form::Points)
    }

    #[test]
    fn held_out_rows_are_compared_with_the_training_rows_of_their_fold() {
        let features = Tensor::from_slice(&[1_f64, 2., 1., 2., 1., 2., 3., 4.]).view([4, 2]);
        let source = loaded(rows(&features, &[0, 0, 1, 1])); // row 2 has the features of rows 0 and 1, not their class
        let parts = |training: &[usize], validation: Option<&[usize]>, test: &[usize]| Parts {
            training: training.to_vec(),
            validation: validation.map(<[usize]>::to_vec),
            test: Some(test.to_vec()),
        };
        let shared = "1 of 2 test rows equals a training row in features and target; if these are copies, remove them: the \
                      model has seen their targets";
        assert_eq!(notes(&source, &[parts(&[0, 3], None, &[1, 2])]), [shared]);
        assert_eq!(notes(&source, &[parts(&[0, 1], None, &[2, 3])]), Vec::<String>::new());
        let folds = [parts(&[0, 3], Some(&[1]), &[2]), parts(&[1, 3], Some(&[0]), &[2])];
        let found = notes(&source, &folds);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("2 of 2 validation rows equal a training row"), "{found:?}");
    }

    #[test]
    fn rows_of_a_data_set_with_its_own_parts_are_compared_in_bytes_and_few_are_not_noted() {
        let images = Tensor::randint(256, [200, 3, 5, 7], (Kind::Uint8, tch::Device::Cpu));
        let classes: Vec<i64> = (0..200).map(|row| row % 2).collect();
        let whole = rows(&images, &classes);
        let part = |numbers: std::ops::Range<usize>| whole.take(&numbers.collect::<Vec<_>>());
        let with = |test: Rows| Loaded { test: Some(test), ..loaded(part(0..100)) };
        let all = Parts { training: (0..100).collect(), validation: None, test: None };
        let joined = |shared: usize| {
            let numbers: Vec<usize> = (0..shared).chain(100..200).collect();
            notes(&with(whole.take(&numbers)), std::slice::from_ref(&all))
        };
        assert_eq!(joined(0), Vec::<String>::new());
        assert_eq!(joined(1), Vec::<String>::new(), "1 of 101 is less than 1 %");
        assert!(joined(2)[0].starts_with("2 of 102 test rows equal a training row"));
    }

    #[test]
    fn hashes_depend_on_every_byte_and_on_the_length() {
        let bytes: Vec<u8> = (0..40).collect();
        let mut all = HashSet::from([hash(&bytes, 0), hash(&bytes, 1)]);
        for length in 0..40 {
            assert!(all.insert(hash(&bytes[..length], 0)));
            let mut changed = bytes.clone();
            changed[length] ^= 0x80;
            assert!(all.insert(hash(&changed, 0)));
        }
        assert!(all.insert(hash(&[0; 3], 0)) && all.insert(hash(&[0; 4], 0)));
    }
}
