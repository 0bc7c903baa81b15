//! Settings of `split`, and the rows of each part.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::{Invalid, at_least_one, require, share};
use crate::data::split::folds::{k_fold, stratified_k_fold};
use crate::data::split::groups::{distinct, group_k_fold, group_shuffle_split};
use crate::data::split::split_column::SplitColumn;
use crate::data::split::train_test::{check_classes, held_out, train_test_split, train_test_split_stratified};
use crate::data::target::Target;

/// The `split` of a data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Split {
    /// Fraction of the rows (with `group`, of the groups) held out for testing, before the validation rows. Not allowed for data sets with their own
    /// test rows.
    pub test: Option<f64>,
    /// Fraction of the remaining rows held out for validation.
    pub validation: Option<f64>,
    /// Seed of the shuffle, as in scikit-learn.
    pub random_state: u32,
    /// Maximum number of training rows; with `order_by`, the latest ones. Validation and test rows are unaffected.
    pub train_rows: Option<usize>,
    /// Number of folds for cross-validation of the remaining rows. Each fold is the validation set once.
    pub folds: Option<usize>,
    /// Whether all parts have the same class proportions.
    pub stratify: bool,
    /// Column whose values name the part of each row: `train`, `validation` or `test`. Other values are stated as
    /// `{ name = "site", train = ["Rome"], validation = ["Oslo"], test = ["Bonn"] }`; without `train`, all other values
    /// are training rows. The column is no feature. Only for `[data.csv]` and `[data.text]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<SplitColumn>,
    /// Column of groups, such as patients; no group is on two sides. `test` and `validation` are fractions of the groups,
    /// and `folds` divide the groups, as scikit-learn's `GroupShuffleSplit` and `GroupKFold(shuffle=True)` do. The column
    /// is no feature. For `[data.arrays]`, an array of integers in the file of `path`. Not for other data sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Column of dates or numbers that orders the rows in time: the earliest are training rows, the latest of them test
    /// rows. The column is no feature, unless `features` lists it. Only for `[data.csv]` and `[data.text]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_by: Option<String>,
}

/// Numbers of rows that a data set has already split off.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnRows {
    /// Validation rows.
    pub validation: usize,
    /// Test rows.
    pub test: usize,
}

/// Rows to split.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowsToSplit<'a> {
    /// Number of rows, in the order of `order_by` if it is set.
    pub count: usize,
    /// Class of each row, if the target is classes.
    pub classes: Option<&'a [i64]>,
    /// Names of the classes.
    pub names: &'a [String],
    /// Group of each row; required if `group` is set.
    pub groups: Option<&'a [i64]>,
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
        self.check_columns()?;
        let mut left = rows;
        for (key, wanted) in [("test", self.test), ("validation", self.validation)] {
            let Some(wanted) = wanted else { continue };
            share(key, wanted)?;
            if self.group.is_some() {
                continue; // a fraction of the groups, which is checked with the groups
            }
            let split_off = held_out(left, wanted);
            if split_off >= left {
                let (s, are) = if left == 1 { ("", "is") } else { ("s", "are") };
                let message =
                    format!("must leave at least one training row, but there {are} only {left} row{s} to divide");
                return Err(Invalid::new(key, message));
            }
            left -= split_off;
        }
        if let Some(folds) = self.folds {
            if self.validation.is_some() {
                let fault = Invalid::new("", "cannot have both `folds` and `validation`");
                return Err(fault.hint(
                    "remove `validation`: each fold is the validation set once; on the command line: \
                                `--unset split.validation`",
                ));
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

    /// Checks the settings that name columns.
    fn check_columns(&self) -> Result<(), Invalid> {
        let is_set = [
            ("group", self.group.is_some()),
            ("order_by", self.order_by.is_some()),
            ("stratify", self.stratify),
            ("folds", self.folds.is_some()),
        ];
        for [one, other] in
            [["group", "order_by"], ["group", "stratify"], ["order_by", "stratify"], ["order_by", "folds"]]
        {
            if [one, other].iter().all(|key| is_set.contains(&(key, true))) {
                let fault = Invalid::new("", format!("cannot have both `{one}` and `{other}`"));
                return Err(fault.hint("remove one of the two"));
            }
        }
        let divides = self.test.is_some() || self.validation.is_some() || self.folds.is_some();
        if self.order_by.is_some() && !divides {
            let message = "needs fractions of the rows that come last";
            return Err(Invalid::new("order_by", message).hint("add `test = 0.2` or `validation = 0.2`"));
        }
        if self.group.is_some() && self.column.is_none() && !divides {
            let message = "needs fractions of the groups, or folds";
            return Err(Invalid::new("group", message).hint("add `test = 0.2`, `validation = 0.2` or `folds = 5`"));
        }
        Ok(())
    }

    /// Returns the names of columns that are no features, each with its key.
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        let column = self.column.as_ref().map(|column| ("split.column", column.name()));
        let group = self.group.as_deref().map(|name| ("split.group", name));
        let order = self.order_by.as_deref().map(|name| ("split.order_by", name));
        column.into_iter().chain(group).chain(order).collect()
    }

    /// Checks that no setting names a column, for data sets without columns of this kind.
    ///
    /// # Errors
    /// The first setting that does; the key is relative to the data set.
    pub fn check_no_columns(&self) -> Result<(), Invalid> {
        match self.columns().first() {
            None => Ok(()),
            Some((key, name)) => {
                let sources = match *key {
                    "split.group" => "`[data.csv]`, `[data.text]` and (as an array) `[data.arrays]`",
                    _ => "`[data.csv]` and `[data.text]`",
                };
                let message = format!("names the column `{name}`, which only {sources} can have");
                Err(Invalid::new(*key, message).hint("use `test`, `validation`, `folds` or `stratify`"))
            }
        }
    }

    /// Returns the number of training rows among `rows` rows, if there are no folds and no groups.
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

    /// Splits rows once for each fold. Returns each fold's number with its parts; without folds, one entry without a
    /// number.
    ///
    /// # Errors
    /// When a class has too few rows to stratify, as in scikit-learn, or there are too few groups; the key is relative to
    /// the split.
    pub fn fold_parts(&self, of: RowsToSplit) -> Result<Vec<(Option<usize>, Parts)>, Invalid> {
        let (rest, test) = self.split_off((0..of.count).collect(), "test", self.test, of)?;
        let Some(folds) = self.folds else {
            let (mut training, validation) = self.split_off(rest, "validation", self.validation, of)?;
            let left_out = training.len().saturating_sub(self.train_rows.unwrap_or(usize::MAX));
            match self.order_by {
                Some(_) => drop(training.drain(..left_out)),
                None => training.truncate(training.len() - left_out),
            }
            return Ok(vec![(None, Parts { training, validation, test })]);
        };
        let state = Some(self.random_state);
        let split = match (self.groups(of), of.classes.filter(|_| self.stratify)) {
            (Some(groups), _) => {
                let groups: Vec<i64> = rest.iter().map(|&row| groups[row]).collect();
                let count = distinct(&groups).len();
                let bounds = format!("must be between 2 and {count}, the number of groups to divide");
                require((2..=count).contains(&folds), "folds", &bounds, folds)?;
                group_k_fold(&groups, folds, state)?
            }
            (None, Some(classes)) => {
                let classes: Vec<i64> = rest.iter().map(|&row| classes[row]).collect();
                stratified_k_fold(&classes, folds, state)?
            }
            (None, None) => k_fold(rest.len(), folds, state)?,
        };
        let rows_of = |numbers: &[usize]| numbers.iter().map(|&number| rest[number]).collect();
        let parts = split.iter().enumerate().map(|(number, fold)| {
            let parts =
                Parts { training: rows_of(&fold.train), validation: Some(rows_of(&fold.test)), test: test.clone() };
            (Some(number), parts)
        });
        Ok(parts.collect())
    }

    /// Splits `rows` rows that have no groups. `classes` has the class of each row, if the target is classes; `names` has
    /// the names of the classes. There must be no folds.
    ///
    /// # Errors
    /// As for [`Split::fold_parts`].
    pub fn parts(&self, rows: usize, classes: Option<&[i64]>, names: &[String]) -> Result<Parts, Invalid> {
        let whole = Split { folds: None, ..self.clone() };
        let mut parts = whole.fold_parts(RowsToSplit { count: rows, classes, names, groups: None })?;
        Ok(parts.remove(0).1)
    }

    /// Returns the groups, if the split is by group.
    fn groups<'a>(&self, of: RowsToSplit<'a>) -> Option<&'a [i64]> {
        of.groups.filter(|_| self.group.is_some())
    }

    /// Returns the message that a part takes the last `count` of `all` groups.
    fn no_group_left(&self, key: &str, share: f64, count: usize, all: usize) -> String {
        let column = self.group.as_deref().unwrap_or_default();
        let taken = match (all - count, count) {
            (0, _) => format!("`{key} = {share}` takes all"),
            (before, 1) => format!("`test` takes {before}, and `{key} = {share}` takes the last one"),
            (before, _) => format!("`test` takes {before}, and `{key} = {share}` takes the other {count}"),
        };
        let groups = if all == 1 { "group" } else { "groups" };
        format!("leaves no group for training: of {all} {groups} in `{column}`, {taken}")
    }

    fn split_off(
        &self,
        rows: Vec<usize>,
        key: &str,
        share: Option<f64>,
        of: RowsToSplit,
    ) -> Result<(Vec<usize>, Option<Vec<usize>>), Invalid> {
        let Some(share) = share else { return Ok((rows, None)) };
        if self.order_by.is_some() {
            let mut kept = rows;
            let off = kept.split_off(kept.len() - held_out(kept.len(), share).min(kept.len()));
            return Ok((kept, Some(off)));
        }
        let (kept, off) = match (self.groups(of), of.classes.filter(|_| self.stratify)) {
            (Some(groups), _) => {
                let groups: Vec<i64> = rows.iter().map(|&row| groups[row]).collect();
                let count = distinct(&groups).len();
                if held_out(count, share) >= count {
                    let all = of.groups.map_or(count, |groups| distinct(groups).len());
                    return Err(Invalid::new(key, self.no_group_left(key, share, count, all)));
                }
                group_shuffle_split(&groups, share, self.random_state)
            }
            (None, Some(classes)) => {
                let classes: Vec<i64> = rows.iter().map(|&row| classes[row]).collect();
                check_classes(&classes, share, of.names)?;
                train_test_split_stratified(&classes, share, self.random_state)
            }
            (None, None) => train_test_split(rows.len(), share, self.random_state),
        };
        let rows_of = |numbers: Vec<usize>| numbers.into_iter().map(|number| rows[number]).collect();
        Ok((rows_of(kept), Some(rows_of(off))))
    }
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
