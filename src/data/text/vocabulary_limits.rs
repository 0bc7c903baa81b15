//! Limits of a vocabulary, and the tokens that they choose.

use serde::{Deserialize, Serialize};

use crate::data::text::tokenizer::SPECIAL;

/// Limits of a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyLimits {
    /// Maximum number of ids, with those of padding and unknown tokens.
    pub most: Option<usize>,
    /// Minimum number of times that a token occurs in the training rows.
    pub min_count: usize,
}

impl VocabularyLimits {
    /// Returns the places of the tokens with these counts that are in the vocabulary, the most frequent ones first; equally
    /// frequent ones in the order of `tokens`.
    pub fn chosen(self, tokens: &[String], counts: &[u64]) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..tokens.len()).filter(|&place| counts[place] >= self.min_count as u64).collect();
        places.sort_unstable_by(|&a, &b| counts[b].cmp(&counts[a]).then_with(|| tokens[a].cmp(&tokens[b])));
        places.truncate(self.most.map_or(usize::MAX, |most| most.saturating_sub(SPECIAL)));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_tokens_come_first_and_ties_in_order() {
        let tokens = ["d", "b", "c", "a"].map(str::to_owned);
        let chosen = |most, min_count| VocabularyLimits { most, min_count }.chosen(&tokens, &[2, 5, 0, 2]);
        assert_eq!(chosen(None, 1), [1, 3, 0]);
        assert_eq!(chosen(Some(4), 1), [1, 3]);
        assert_eq!(chosen(None, 3), [1]);
        assert!(chosen(None, 6).is_empty());
    }
}
