//! Rows grouped by class, and how many rows of each class are added or kept.

use crate::config::check::{Invalid, require};

/// Rows grouped by class.
#[derive(Debug)]
pub struct ByClass<'a> {
    /// Each class that occurs, ascending, with the indices of its rows.
    pub classes: Vec<(i64, Vec<usize>)>,
    names: &'a [String],
}

impl<'a> ByClass<'a> {
    /// Groups rows by class. `classes` has the class of each row, `names` the names of the classes.
    pub fn new(classes: &[i64], names: &'a [String]) -> Self {
        let mut rows = std::collections::BTreeMap::<i64, Vec<usize>>::new();
        for (row, &class) in classes.iter().enumerate() {
            rows.entry(class).or_default().push(row);
        }
        ByClass { classes: rows.into_iter().collect(), names }
    }

    /// Returns the name of a class.
    pub fn name(&self, class: i64) -> String {
        self.names.get(class as usize).cloned().unwrap_or_else(|| class.to_string())
    }

    fn largest(&self) -> usize {
        self.classes.iter().map(|(_, rows)| rows.len()).max().unwrap_or_default()
    }

    fn smallest(&self) -> usize {
        self.classes.iter().map(|(_, rows)| rows.len()).min().unwrap_or_default()
    }

    /// Returns the number of rows that each class lacks to be as frequent as the largest class. With two classes and a
    /// `ratio`, the rarer class lacks rows up to `ratio` times the larger one.
    ///
    /// # Errors
    /// When the classes already exceed `ratio`, or `ratio` is given and there are not two classes.
    pub fn lacking(&self, ratio: Option<f64>) -> Result<Vec<usize>, Invalid> {
        let largest = self.largest();
        let Some(ratio) = ratio else {
            return Ok(self.classes.iter().map(|(_, rows)| largest - rows.len()).collect());
        };
        self.check_two_classes()?;
        let wanted = (largest as f64 * ratio) as usize;
        let smallest = self.smallest();
        if wanted < smallest {
            return Err(too_small(ratio, smallest, largest));
        }
        // if both classes are equally frequent, neither is the rarer one
        let missing_rows = |rows: usize| if rows == largest { 0 } else { wanted - rows };
        Ok(self.classes.iter().map(|(_, rows)| missing_rows(rows.len())).collect())
    }

    /// Returns the number of rows of each class to keep, so that each is as frequent as the smallest class. With two
    /// classes and a `ratio`, the smaller class has `ratio` times as many rows as the larger one keeps.
    ///
    /// # Errors
    /// As for [`ByClass::lacking`].
    pub fn kept(&self, ratio: Option<f64>) -> Result<Vec<usize>, Invalid> {
        let smallest = self.smallest();
        let Some(ratio) = ratio else { return Ok(vec![smallest; self.classes.len()]) };
        self.check_two_classes()?;
        let (wanted, largest) = ((smallest as f64 / ratio) as usize, self.largest());
        if wanted > largest {
            return Err(too_small(ratio, smallest, largest));
        }
        let kept = |rows: usize| if rows == smallest { smallest } else { wanted };
        Ok(self.classes.iter().map(|(_, rows)| kept(rows.len())).collect())
    }

    fn check_two_classes(&self) -> Result<(), Invalid> {
        let count = self.classes.len();
        require(count == 2, "ratio", "is for two classes", format!("{count} classes"))
            .map_err(|fault| fault.hint("remove `ratio` to make all classes equally frequent"))
    }
}

fn too_small(ratio: f64, smallest: usize, largest: usize) -> Invalid {
    let now = smallest as f64 / largest as f64;
    let message =
        format!("is {ratio}, but the rarer class is already {now:.4} of the other: {smallest} of {largest} rows");
    Invalid::new("ratio", message).hint("increase `ratio`, or remove it to use 1")
}

/// Checks that `ratio` is above 0 and at most 1.
pub(super) fn check_ratio(ratio: Option<f64>) -> Result<(), Invalid> {
    match ratio {
        Some(ratio) => require(ratio > 0.0 && ratio <= 1.0, "ratio", "must be above 0 and at most 1", ratio),
        None => Ok(()),
    }
}
