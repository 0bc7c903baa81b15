//! Rows of two classes ranked by score: the number of rows of each class at or above each threshold. Curves, the areas
//! under them and the choice of a threshold are computed from these counts.

/// Number of rows of each class at or above each distinct score.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// The distinct scores, in descending order.
    pub scores: Vec<f64>,
    /// Number of rows of the positive class with at least that score (true positives).
    pub right: Vec<u64>,
    /// Number of rows of the other class with at least that score (false positives).
    pub wrong: Vec<u64>,
}

impl Ranking {
    /// Ranks rows; `None` without rows, or if a score is NaN.
    ///
    /// # Panics
    /// When `scores` and `is_positive` have different lengths.
    pub fn new(scores: &[f64], is_positive: &[bool]) -> Option<Ranking> {
        assert_eq!(scores.len(), is_positive.len(), "a truth for each score");
        if scores.is_empty() || scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(is_positive.iter().copied()).collect();
        rows.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let mut ranking = Ranking { scores: Vec::new(), right: Vec::new(), wrong: Vec::new() };
        let (mut right, mut wrong) = (0, 0);
        for (place, (score, is_positive)) in rows.iter().enumerate() {
            if *is_positive {
                right += 1
            } else {
                wrong += 1
            }
            if rows.get(place + 1).is_none_or(|next| next.0 != *score) {
                ranking.scores.push(*score);
                ranking.right.push(right);
                ranking.wrong.push(wrong);
            }
        }
        Some(ranking)
    }

    /// Returns the number of rows of the positive class.
    pub fn positives(&self) -> u64 {
        self.right.last().copied().unwrap_or(0)
    }

    /// Returns the number of rows of the other class.
    pub fn negatives(&self) -> u64 {
        self.wrong.last().copied().unwrap_or(0)
    }

    /// Returns whether both classes have rows.
    pub fn has_both(&self) -> bool {
        self.positives() > 0 && self.negatives() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_are_one_threshold() {
        let ranking = Ranking::new(&[0.5, 0.9, 0.5, -0.0, 0.0], &[true, false, false, true, true]).unwrap();
        assert_eq!(ranking.scores.len(), 3);
        assert_eq!((ranking.right.clone(), ranking.wrong.clone()), (vec![0, 1, 3], vec![1, 2, 2]));
        assert_eq!((ranking.positives(), ranking.negatives()), (3, 2));
        assert_eq!(Ranking::new(&[0.5, f64::NAN], &[true, false]), None);
        assert_eq!(Ranking::new(&[], &[]), None);
    }
}
