//! Rows that occur again: how many are the same as an earlier one, how many of each class are left without them, and how
//! many have the features of a row of another class.
//!
//! Rows are compared by SHA-256 of their values, so that wide ones need no more memory than narrow ones.

use sha2::{Digest, Sha256};

use crate::data::inspect::class_count::ClassCount;

/// Equal for rows of the same values, and for no others.
pub type Fingerprint = [u8; 32];

/// The fingerprint of a row's values, which are told by their bits: see [`Bits`].
pub fn fingerprint<B: Bits>(values: impl Iterator<Item = B>) -> Fingerprint {
    let mut hasher = Sha256::new();
    values.for_each(|value| hasher.update(value.bytes()));
    hasher.finalize().into()
}

/// Bits that are equal for equal values.
pub trait Bits {
    /// The bits, byte by byte.
    fn bytes(self) -> impl AsRef<[u8]>;
}

impl Bits for u32 {
    fn bytes(self) -> impl AsRef<[u8]> {
        self.to_le_bytes()
    }
}

impl Bits for u64 {
    fn bytes(self) -> impl AsRef<[u8]> {
        self.to_le_bytes()
    }
}

/// How often rows occur again.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicates {
    /// How many rows are the same as an earlier one, features and class.
    pub duplicates: usize,
    /// How many rows have the features of a row of another class.
    pub contradictions: usize,
    /// How many rows of each class differ from each other.
    distinct: Vec<usize>,
}

impl Duplicates {
    /// Counts, by the fingerprints of the rows' features, and the class of each row: `None` where it has none.
    pub fn of(features: impl Iterator<Item = Fingerprint>, class: impl Fn(usize) -> Option<usize>) -> Duplicates {
        let mut rows: Vec<(Fingerprint, Option<usize>)> =
            features.enumerate().map(|(row, fingerprint)| (fingerprint, class(row))).collect();
        rows.sort_unstable();
        let mut repeats = Duplicates { duplicates: 0, contradictions: 0, distinct: Vec::new() };
        for same_features in rows.chunk_by(|a, b| a.0 == b.0) {
            for same in same_features.chunk_by(|a, b| a.1 == b.1) {
                repeats.duplicates += same.len() - 1;
                if let Some(class) = same[0].1 {
                    repeats.distinct.resize(repeats.distinct.len().max(class + 1), 0);
                    repeats.distinct[class] += 1;
                }
            }
            let with_class = &same_features[same_features.partition_point(|(_, class)| class.is_none())..];
            if with_class.first().map(|row| row.1) != with_class.last().map(|row| row.1) {
                repeats.contradictions += with_class.len();
            }
        }
        repeats
    }

    /// Writes beside each class how many of its rows differ.
    pub fn counted(&self, mut classes: Vec<ClassCount>) -> Vec<ClassCount> {
        for (number, class) in classes.iter_mut().enumerate() {
            class.distinct = Some(self.distinct.get(number).copied().unwrap_or(0));
        }
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_apart_by_every_value_and_by_the_class() {
        let rows = [([1_u64, 2], Some(0)), ([1, 2], Some(0)), ([1, 2], Some(1)), ([2, 1], Some(0)), ([2, 1], None)];
        let repeats = Duplicates::of(rows.iter().map(|(row, _)| fingerprint(row.iter().copied())), |row| rows[row].1);
        assert_eq!(repeats, Duplicates { duplicates: 1, contradictions: 3, distinct: vec![2, 1] });
    }
}
