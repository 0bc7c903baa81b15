//! Splits rows into training, validation and test, with the same rows as scikit-learn 1.9's `train_test_split` with the
//! same `random_state`.

pub mod folds;
pub mod numpy_random;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, require, share};
use crate::data::split::folds::{k_fold, stratified_k_fold};
use crate::data::split::numpy_random::RandomState;
use crate::data::target::Target;

/// The `split` of a data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Fraction of the rows held out for testing, before the validation rows. Not allowed for data sets with their own
    /// test rows.
    #[serde(default)]
    pub test: Option<f64>,
    /// Fraction of the remaining rows held out for validation.
    #[serde(default)]
    pub validation: Option<f64>,
    /// Seed of the shuffle, as in scikit-learn.
    #[serde(default)]
    pub random_state: u32,
    /// Maximum number of training rows. Validation and test rows are unaffected.
    #[serde(default)]
    pub train_rows: Option<usize>,
    /// Number of folds for cross-validation of the remaining rows. Each fold is the validation set once.
    #[serde(default)]
    pub folds: Option<usize>,
    /// Whether all parts have the same class proportions.
    #[serde(default)]
    pub stratify: bool,
}

/// Numbers of rows that a data set has already split off.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnRows {
    /// Validation rows.
    pub validation: usize,
    /// Test rows.
    pub test: usize,
}

/// Row indices of each part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Training rows.
    pub training: Vec<usize>,
    /// Validation rows.
    pub validation: Option<Vec<usize>>,
    /// Test rows.
    pub test: Option<Vec<usize>>,
}

impl Split {
    /// Checks the settings for a data set with this number of rows, besides those that are already split off.
    ///
    /// # Errors
    /// When a fraction is outside (0, 1), a part would be empty, `test` or `validation` is set for a data set with its
    /// own rows of that part, or `stratify` is set without classes.
    pub fn check(&self, rows: usize, own: OwnRows, target: Target) -> Result<(), Invalid> {
        if self.stratify && !matches!(target, Target::Classes(_)) {
            let message = format!("is for classes, but the target is {target}");
            let hint = match target {
                Target::Values(_) => {
                    "remove `stratify`, or write `task = \"classes\"` if the numbers of a table are classes"
                }
                Target::Labels(_) | Target::Classes(_) => "remove `stratify`",
            };
            return Err(Invalid::new("stratify", message).hint(hint));
        }
        let mut left = rows;
        for (key, wanted) in [("test", self.test), ("validation", self.validation)] {
            let Some(wanted) = wanted else { continue };
            share(key, wanted)?;
            let split_off = held_out(left, wanted);
            require(split_off < left, key, "must leave at least one training row", format!("{wanted} of {left} rows"))?;
            left -= split_off;
        }
        if let Some(folds) = self.folds {
            if self.validation.is_some() {
                let fault = Invalid::new("", "cannot have both `folds` and `validation`");
                return Err(fault.hint("remove `validation`: each fold is the validation set once"));
            }
            let bounds = format!("must be between 2 and {left}, the number of rows to divide");
            require((2..=left).contains(&folds), "folds", &bounds, folds)?;
        }
        if let Some(train_rows) = self.train_rows {
            at_least_one("train_rows", train_rows)?;
            require(self.folds.is_none(), "train_rows", "and `folds` cannot both be set", train_rows)?;
        }
        for (key, is_set, part, count) in [
            ("test", self.test.is_some(), "test", own.test),
            ("validation", self.validation.is_some(), "validation", own.validation),
            ("folds", self.folds.is_some(), "validation", own.validation),
        ] {
            if is_set && count > 0 {
                let message = format!("cannot be set: this data set has its own {count} {part} rows");
                return Err(Invalid::new(key, message).hint(format!("remove `{key}`")));
            }
        }
        Ok(())
    }

    /// Returns the number of training rows among `rows` rows, if there are no folds.
    pub fn training_rows(&self, rows: usize) -> usize {
        let held_out =
            |left: usize, share: Option<f64>| left - share.map_or(0, |share| held_out(left, share)).min(left);
        let left = held_out(held_out(rows, self.test), self.validation);
        left.min(self.train_rows.unwrap_or(usize::MAX))
    }

    /// Returns whether there are validation rows.
    pub fn holds_out_validation(&self) -> bool {
        self.validation.is_some() || self.folds.is_some()
    }

    /// Splits `rows` rows once for each fold. Returns each fold's number with its parts; without folds, one entry
    /// without a number.
    ///
    /// # Errors
    /// As for [`Split::parts`], and when there are fewer rows than folds.
    pub fn fold_parts(
        &self,
        rows: usize,
        classes: Option<&[i64]>,
        names: &[String],
    ) -> Result<Vec<(Option<usize>, Parts)>, Invalid> {
        let Some(folds) = self.folds else { return Ok(vec![(None, self.parts(rows, classes, names)?)]) };
        let (rest, test) = self.split_off((0..rows).collect(), self.test, classes, names)?;
        let split = match classes.filter(|_| self.stratify) {
            Some(classes) => {
                let classes: Vec<i64> = rest.iter().map(|&row| classes[row]).collect();
                stratified_k_fold(&classes, folds, Some(self.random_state))?
            }
            None => k_fold(rest.len(), folds, Some(self.random_state))?,
        };
        let rows_of = |numbers: &[usize]| numbers.iter().map(|&number| rest[number]).collect();
        let parts = split.iter().enumerate().map(|(number, fold)| {
            let parts =
                Parts { training: rows_of(&fold.train), validation: Some(rows_of(&fold.test)), test: test.clone() };
            (Some(number), parts)
        });
        Ok(parts.collect())
    }

    /// Splits `rows` rows. `classes` has the class of each row, if the target is classes; `names` has the names of the
    /// classes.
    ///
    /// # Errors
    /// When a class has too few rows to stratify, as in scikit-learn; the key is relative to the split.
    pub fn parts(&self, rows: usize, classes: Option<&[i64]>, names: &[String]) -> Result<Parts, Invalid> {
        let all: Vec<usize> = (0..rows).collect();
        let (rest, test) = self.split_off(all, self.test, classes, names)?;
        let (mut training, validation) = self.split_off(rest, self.validation, classes, names)?;
        training.truncate(self.train_rows.unwrap_or(usize::MAX));
        Ok(Parts { training, validation, test })
    }

    fn split_off(
        &self,
        rows: Vec<usize>,
        share: Option<f64>,
        classes: Option<&[i64]>,
        names: &[String],
    ) -> Result<(Vec<usize>, Option<Vec<usize>>), Invalid> {
        let Some(share) = share else { return Ok((rows, None)) };
        let (kept, off) = match classes.filter(|_| self.stratify) {
            Some(classes) => {
                let classes: Vec<i64> = rows.iter().map(|&row| classes[row]).collect();
                check_classes(&classes, share, names)?;
                train_test_split_stratified(&classes, share, self.random_state)
            }
            None => train_test_split(rows.len(), share, self.random_state),
        };
        let rows_of = |numbers: Vec<usize>| numbers.into_iter().map(|number| rows[number]).collect();
        Ok((rows_of(kept), Some(rows_of(off))))
    }
}

/// Checks the classes as scikit-learn does: each has at least two rows, and each part has a row for each class.
fn check_classes(classes: &[i64], share: f64, names: &[String]) -> Result<(), Invalid> {
    let rows_of_class = rows_by_class(classes);
    if let Some(alone) = rows_of_class.iter().find(|rows| rows.len() < 2) {
        let class = classes[alone[0]];
        let name = names.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
        let message = format!("needs at least two rows of each class, but class `{name}` has one");
        return Err(Invalid::new("stratify", message).hint("remove `stratify`, or the row"));
    }
    let off = held_out(classes.len(), share);
    let smaller = off.min(classes.len() - off);
    if smaller < rows_of_class.len() {
        let message = format!(
            "needs a row of each of the {} classes in each part, but a part has {smaller} rows",
            rows_of_class.len()
        );
        return Err(Invalid::new("stratify", message).hint("remove `stratify`, or change the fraction"));
    }
    Ok(())
}

/// Returns the number of rows that scikit-learn holds out: the fraction of the rows, rounded up.
fn held_out(rows: usize, share: f64) -> usize {
    (rows as f64 * share).ceil() as usize
}

/// `sklearn.model_selection.train_test_split(range(rows), test_size=share, random_state=…)`.
///
/// Returns the kept and the held-out row indices. `share` must be in (0, 1).
pub fn train_test_split(rows: usize, share: f64, random_state: u32) -> (Vec<usize>, Vec<usize>) {
    let off = held_out(rows, share);
    let mut order = RandomState::new(random_state).permutation(rows);
    let kept = order.split_off(off.min(rows));
    (kept, order)
}

/// Like [`train_test_split`] with `stratify=labels`.
///
/// The parts have the class proportions of all rows, as far as whole rows allow. Rows that are left over by rounding go
/// to random classes, as in scikit-learn.
pub fn train_test_split_stratified(labels: &[i64], share: f64, random_state: u32) -> (Vec<usize>, Vec<usize>) {
    let off = held_out(labels.len(), share);
    let kept = labels.len() - off;
    let rows_of_class = rows_by_class(labels);
    let counts: Vec<usize> = rows_of_class.iter().map(Vec::len).collect();

    let mut random = RandomState::new(random_state);
    let kept_of_class = approximate_mode(&counts, kept, &mut random);
    let left: Vec<usize> = counts.iter().zip(&kept_of_class).map(|(count, kept)| count - kept).collect();
    let off_of_class = approximate_mode(&left, off, &mut random);

    let (mut kept_rows, mut off_rows) = (Vec::with_capacity(kept), Vec::with_capacity(off));
    for (class, rows) in rows_of_class.iter().enumerate() {
        let order = random.permutation(rows.len());
        let (kept, off) = (kept_of_class[class], off_of_class[class]);
        kept_rows.extend(order[..kept].iter().map(|&i| rows[i]));
        off_rows.extend(order[kept..kept + off].iter().map(|&i| rows[i]));
    }
    random.shuffle(&mut kept_rows);
    random.shuffle(&mut off_rows);
    (kept_rows, off_rows)
}

/// Returns the row indices of each class that occurs, classes ascending.
fn rows_by_class(labels: &[i64]) -> Vec<Vec<usize>> {
    let mut rows = std::collections::BTreeMap::<i64, Vec<usize>>::new();
    for (row, &label) in labels.iter().enumerate() {
        rows.entry(label).or_default().push(row);
    }
    rows.into_values().collect()
}

/// Returns the most probable class counts of `draws` rows drawn without replacement; ties are broken at random.
fn approximate_mode(counts: &[usize], draws: usize, random: &mut RandomState) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    let exact: Vec<f64> = counts.iter().map(|&count| count as f64 / total as f64 * draws as f64).collect();
    let mut taken: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let mut missing = draws - taken.iter().sum::<usize>();
    let remainders: Vec<f64> = exact.iter().map(|share| share - share.floor()).collect();
    let mut distinct = remainders.clone();
    distinct.sort_by(|a, b| b.total_cmp(a));
    distinct.dedup();
    for remainder in distinct {
        if missing == 0 {
            break;
        }
        let tied: Vec<usize> = (0..counts.len()).filter(|&class| remainders[class] == remainder).collect();
        let more = tied.len().min(missing);
        for class in random.choose(&tied, more) {
            taken[class] += 1;
        }
        missing -= more;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_cannot_keep_its_share_is_named() {
        let split = |share| Split { test: Some(share), stratify: true, ..Split::default() };
        let names = ["a", "b", "c"].map(str::to_owned);
        let fault = split(0.5).parts(5, Some(&[0, 0, 1, 2, 2]), &names).unwrap_err();
        assert_eq!(fault.to_string(), "`stratify` needs at least two rows of each class, but class `b` has one");
        let fault = split(0.2).parts(6, Some(&[0, 0, 1, 1, 2, 2]), &names).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "`stratify` needs a row of each of the 3 classes in each part, but a part has 2 rows"
        );
        assert!(split(0.5).parts(6, Some(&[0, 0, 1, 1, 2, 2]), &names).is_ok());
    }
}
