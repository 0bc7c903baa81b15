//! Rows sorted by class, and how many of each class are added or kept.

use crate::config::check::{Invalid, require};

/// The rows of each class.
#[derive(Debug)]
pub struct ByClass<'a> {
    /// Each class that occurs, ascending: its number, and the numbers of its rows.
    pub classes: Vec<(i64, Vec<usize>)>,
    names: &'a [String],
}

impl<'a> ByClass<'a> {
    /// Sorts rows by their classes.
    pub fn of(classes: &[i64], names: &'a [String]) -> Self {
        let mut rows = std::collections::BTreeMap::<i64, Vec<usize>>::new();
        for (row, &class) in classes.iter().enumerate() {
            rows.entry(class).or_default().push(row);
        }
        ByClass { classes: rows.into_iter().collect(), names }
    }

    /// What a class is called.
    pub fn name(&self, class: i64) -> String {
        self.names.get(class as usize).cloned().unwrap_or_else(|| class.to_string())
    }

    fn largest(&self) -> usize {
        self.classes.iter().map(|(_, rows)| rows.len()).max().unwrap_or_default()
    }

    fn smallest(&self) -> usize {
        self.classes.iter().map(|(_, rows)| rows.len()).min().unwrap_or_default()
    }

    /// How many rows each class lacks to be as frequent as the largest, or, of two classes, to be `ratio` times it.
    ///
    /// # Errors
    /// When `ratio` is below what the classes have already, or there are more than two classes.
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
        // of two classes as frequent as each other neither is the rarer one
        let lacks = |rows: usize| if rows == largest { 0 } else { wanted - rows };
        Ok(self.classes.iter().map(|(_, rows)| lacks(rows.len())).collect())
    }

    /// How many rows of each class are kept so that it is as frequent as the smallest, or, of two classes, so that the
    /// smallest is `ratio` times the other.
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
            .map_err(|fault| fault.hint("without `ratio` all classes become equally frequent"))
    }
}

fn too_small(ratio: f64, smallest: usize, largest: usize) -> Invalid {
    let now = smallest as f64 / largest as f64;
    let message =
        format!("is {ratio}, and the rarer class is {now:.4} of the other already: {smallest} of {largest} rows");
    Invalid::new("ratio", message).hint("take a greater one, or leave it out for 1")
}

/// Checks a `ratio`: above 0, and at most 1.
pub(super) fn check_ratio(ratio: Option<f64>) -> Result<(), Invalid> {
    match ratio {
        Some(ratio) => require(ratio > 0.0 && ratio <= 1.0, "ratio", "must be above 0 and at most 1", ratio),
        None => Ok(()),
    }
}
