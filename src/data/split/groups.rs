//! Splits by group, with the same rows as scikit-learn 1.9's `GroupShuffleSplit` and `GroupKFold`.

use std::collections::BTreeSet;

use crate::config::check::Invalid;
use crate::data::split::folds::{Fold, k_fold};
use crate::data::split::train_test::train_test_split;

/// Returns the groups that occur, ascending.
pub(super) fn distinct(groups: &[i64]) -> Vec<i64> {
    groups.iter().copied().collect::<BTreeSet<i64>>().into_iter().collect()
}

/// The first split of `GroupShuffleSplit(test_size=share, random_state=…)`: the fraction `share` of the groups, rounded
/// up, is held out.
///
/// Returns the kept and the held-out row indices, ascending. `share` must be in (0, 1).
pub fn group_shuffle_split(groups: &[i64], share: f64, random_state: u32) -> (Vec<usize>, Vec<usize>) {
    let known = distinct(groups);
    let (_, off) = train_test_split(known.len(), share, random_state);
    let off: BTreeSet<i64> = off.into_iter().map(|number| known[number]).collect();
    (0..groups.len()).partition(|&row| !off.contains(&groups[row]))
}

/// Splits rows like `GroupKFold(folds, shuffle=True, random_state=…)`: each fold has as many groups as the others, or one
/// more.
///
/// # Errors
/// When there are fewer than two folds, or fewer groups than folds; the key is `folds`.
pub fn group_k_fold(groups: &[i64], folds: usize, random_state: Option<u32>) -> Result<Vec<Fold>, Invalid> {
    let known = distinct(groups);
    let fold_of_groups = |fold: &Fold| {
        let held_out: BTreeSet<i64> = fold.test.iter().map(|&number| known[number]).collect();
        let (test, train) = (0..groups.len()).partition(|&row| held_out.contains(&groups[row]));
        Fold { train, test }
    };
    Ok(k_fold(known.len(), folds, random_state)?.iter().map(fold_of_groups).collect())
}
