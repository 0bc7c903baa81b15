//! Random under- and oversampling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::data::resample::by_class::{ByClass, check_ratio};
use crate::data::split::numpy_random::RandomState;

/// Random sampling, written `"under"` or `{ under = { random_state = 42 } }`; `over` in the same way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Random {
    /// Seed, as in imbalanced-learn.
    pub random_state: u32,
    /// Rows of the rarer class divided by rows of the more frequent one, after resampling. Only for two classes; 1 by
    /// default (imbalanced-learn's `sampling_strategy`).
    pub ratio: Option<f64>,
}

impl Random {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        check_ratio(self.ratio)
    }

    /// `RandomUnderSampler`: returns the indices of the rows to keep, class by class, with all rows of the rarest
    /// class.
    pub(super) fn under(&self, classes: &ByClass) -> Result<Vec<usize>, Invalid> {
        let kept = classes.kept(self.ratio)?;
        let mut random = RandomState::new(self.random_state);
        // `min_by_key` returns the first of equally rare classes; all of its rows are kept
        let rarest = classes.classes.iter().min_by_key(|(_, rows)| rows.len()).map(|(class, _)| *class);
        let each = classes.classes.iter().zip(kept).flat_map(|((class, rows), kept)| match Some(*class) == rarest {
            true => rows.clone(),
            false => random.choose(rows, kept),
        });
        Ok(each.collect())
    }

    /// `RandomOverSampler`: returns the indices of all rows, then of the repeated rows, class by class.
    pub(super) fn over(&self, classes: &ByClass) -> Result<Vec<usize>, Invalid> {
        let lacking = classes.lacking(self.ratio)?;
        let mut random = RandomState::new(self.random_state);
        let all: usize = classes.classes.iter().map(|(_, rows)| rows.len()).sum();
        let mut numbers: Vec<usize> = (0..all).collect();
        for ((_, rows), lacking) in classes.classes.iter().zip(lacking).filter(|(_, lacking)| *lacking > 0) {
            numbers.extend(random.integers(rows.len(), lacking).into_iter().map(|place| rows[place]));
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(classes: &[(i64, usize)]) -> ByClass<'static> {
        let all: Vec<i64> = classes.iter().flat_map(|&(class, rows)| vec![class; rows]).collect();
        ByClass::new(&all, &[])
    }

    #[test]
    fn a_ratio_is_that_of_the_rarer_class_to_the_other() {
        let half = Random { ratio: Some(0.5), random_state: 1 };
        assert_eq!(half.over(&counts(&[(0, 10), (1, 2)])).unwrap().len(), 15);
        assert_eq!(half.under(&counts(&[(0, 10), (1, 2)])).unwrap().len(), 6);
        let fault = half.over(&counts(&[(0, 10), (1, 6)])).unwrap_err();
        assert!(fault.message.contains("0.6000 of the other: 6 of 10 rows"), "{fault}");
        assert!(half.under(&counts(&[(0, 10), (1, 6)])).is_err());
        assert!(half.over(&counts(&[(0, 10), (1, 6), (2, 3)])).unwrap_err().message.contains("3 classes"));
        assert!(Random { ratio: Some(1.5), random_state: 0 }.check().is_err());
    }
}
