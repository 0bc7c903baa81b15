//! Duplicate rows: rows that equal an earlier row, the number of distinct rows of each class, and rows whose
//! features equal those of a row of another class.
//!
//! Rows are compared by the SHA-256 of their values, so that wide rows need no more memory than narrow ones.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// SHA-256 of the values of a row: equal rows have equal fingerprints.
pub type Fingerprint = [u8; 32];

/// Returns the fingerprint of a row: of the bytes of its values.
pub fn fingerprint(values: impl Iterator<Item = impl AsRef<[u8]>>) -> Fingerprint {
    let mut hasher = Sha256::new();
    values.for_each(|value| hasher.update(value));
    hasher.finalize().into()
}

/// Number of rows of a class or value.
#[derive(Clone, Debug, Serialize)]
pub struct ClassCount {
    /// Name of the class or value.
    pub class: String,
    /// Number of rows.
    pub rows: usize,
    /// Fraction of all rows.
    pub share: f64,
    /// Number of distinct rows of the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct: Option<usize>,
}

/// Numbers of duplicate rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicates {
    /// Number of rows that equal an earlier row, class included.
    pub duplicates: usize,
    /// Number of rows with the same features as a row of another class.
    pub contradictions: usize,
    /// Number of distinct rows of each class.
    distinct: Vec<usize>,
}

impl Duplicates {
    /// Counts duplicates, from the fingerprint of the features and the class of each row; `None` for rows without a
    /// class.
    pub fn count(features: impl Iterator<Item = Fingerprint>, class: impl Fn(usize) -> Option<usize>) -> Duplicates {
        let mut rows: Vec<(Fingerprint, Option<usize>)> =
            features.enumerate().map(|(row, fingerprint)| (fingerprint, class(row))).collect();
        rows.sort_unstable();
        let mut counts = Duplicates { duplicates: 0, contradictions: 0, distinct: Vec::new() };
        for same_features in rows.chunk_by(|a, b| a.0 == b.0) {
            for same in same_features.chunk_by(|a, b| a.1 == b.1) {
                counts.duplicates += same.len() - 1;
                if let Some(class) = same[0].1 {
                    counts.distinct.resize(counts.distinct.len().max(class + 1), 0);
                    counts.distinct[class] += 1;
                }
            }
            let with_class = &same_features[same_features.partition_point(|(_, class)| class.is_none())..];
            if with_class.first().map(|row| row.1) != with_class.last().map(|row| row.1) {
                counts.contradictions += with_class.len();
            }
        }
        counts
    }

    /// Adds the number of distinct rows to each class.
    pub fn add_distinct(&self, mut classes: Vec<ClassCount>) -> Vec<ClassCount> {
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
        let duplicates = Duplicates::count(
            rows.iter().map(|(row, _)| fingerprint(row.iter().map(|value| value.to_le_bytes()))),
            |row| rows[row].1,
        );
        assert_eq!(duplicates, Duplicates { duplicates: 1, contradictions: 3, distinct: vec![2, 1] });
    }
}
