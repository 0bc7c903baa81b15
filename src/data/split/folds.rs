//! Folds for cross-validation, with the same rows as scikit-learn 1.9's `KFold` and `StratifiedKFold`.

use crate::config::check::{Invalid, require};
use crate::data::split::numpy_random::RandomState;

/// Row indices of one fold, both parts ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Training rows.
    pub train: Vec<usize>,
    /// Held-out rows; each row is held out in exactly one fold.
    pub test: Vec<usize>,
}

/// Splits rows like `KFold(folds)`; with a `random_state`, like `KFold(folds, shuffle=True, random_state=…)`.
///
/// # Errors
/// When there are fewer than two folds, or fewer rows than folds; the key is `folds`.
pub fn k_fold(rows: usize, folds: usize, random_state: Option<u32>) -> Result<Vec<Fold>, Invalid> {
    check(rows, folds)?;
    let order = match random_state {
        Some(state) => RandomState::new(state).permutation(rows),
        None => (0..rows).collect(),
    };
    let mut fold_of = vec![0; rows];
    let mut start = 0;
    for fold in 0..folds {
        let size = rows / folds + usize::from(fold < rows % folds); // the first folds have one more row
        order[start..start + size].iter().for_each(|&row| fold_of[row] = fold);
        start += size;
    }
    Ok(by_number(&fold_of, folds))
}

/// Splits rows like `StratifiedKFold(folds)`: each fold has the class proportions of all rows. With a `random_state`,
/// like `StratifiedKFold(folds, shuffle=True, random_state=…)`.
///
/// # Errors
/// When there are fewer than two folds, or every class has fewer rows than there are folds; the key is `folds`.
pub fn stratified_k_fold(labels: &[i64], folds: usize, random_state: Option<u32>) -> Result<Vec<Fold>, Invalid> {
    check(labels.len(), folds)?;
    // classes are numbered in the order of their first rows
    let mut classes: Vec<i64> = Vec::new();
    let class_of: Vec<usize> = labels
        .iter()
        .map(|label| {
            classes.iter().position(|known| known == label).unwrap_or_else(|| {
                classes.push(*label);
                classes.len() - 1
            })
        })
        .collect();
    let mut sorted = class_of.clone();
    sorted.sort_unstable();
    let largest = (0..classes.len()).map(|class| class_of.iter().filter(|&&c| c == class).count()).max();
    require(
        largest >= Some(folds),
        "folds",
        &format!("must be at most {}, the number of rows of the largest class", largest.unwrap_or(0)),
        folds,
    )?;
    let mut random = random_state.map(RandomState::new);
    let mut fold_of = vec![0; labels.len()];
    for class in 0..classes.len() {
        // rows of the class in each fold: every `folds`-th of the sorted rows
        let of_fold = |fold: usize| sorted.iter().skip(fold).step_by(folds).filter(|&&c| c == class).count();
        let mut drawn: Vec<usize> = (0..folds).flat_map(|fold| std::iter::repeat_n(fold, of_fold(fold))).collect();
        if let Some(random) = &mut random {
            random.shuffle(&mut drawn);
        }
        let rows = (0..labels.len()).filter(|&row| class_of[row] == class);
        rows.zip(drawn).for_each(|(row, fold)| fold_of[row] = fold);
    }
    Ok(by_number(&fold_of, folds))
}

fn check(rows: usize, folds: usize) -> Result<(), Invalid> {
    require(folds >= 2, "folds", "must be at least 2", folds)?;
    require(folds <= rows, "folds", &format!("must be at most {rows}, the number of rows"), folds)
}

/// Builds the folds from the number of the fold that holds out each row.
fn by_number(fold_of: &[usize], folds: usize) -> Vec<Fold> {
    let fold = |fold: usize| {
        let (test, train) = (0..fold_of.len()).partition(|&row| fold_of[row] == fold);
        Fold { train, test }
    };
    (0..folds).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_that_cannot_be_made_are_refused() {
        assert!(k_fold(10, 1, None).is_err());
        assert!(k_fold(3, 4, None).unwrap_err().to_string().contains("at most 3, the number of rows, found 4"));
        assert!(
            stratified_k_fold(&[0, 0, 1, 1], 3, None)
                .unwrap_err()
                .to_string()
                .contains("of the largest class, found 3")
        );
    }

    #[test]
    fn every_row_is_held_out_once() {
        let labels: Vec<i64> = (0..23).map(|row| row % 3).collect();
        for folds in [k_fold(23, 4, Some(1)).unwrap(), stratified_k_fold(&labels, 4, None).unwrap()] {
            let mut held_out: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
            held_out.sort_unstable();
            assert_eq!(held_out, (0..23).collect::<Vec<_>>());
            assert!(folds.iter().all(|fold| fold.train.len() + fold.test.len() == 23));
        }
    }
}
