//! Student's t: intervals of a mean, and tests that assume normally distributed metrics (`scipy.stats.t`, `ttest_rel`,
//! `ttest_ind(equal_var=False)`).

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::compare::statistics::interval::{CONFIDENCE, Interval};
use crate::compare::statistics::moments::{mean, variance};

/// Returns the 95 % confidence interval of the mean; `None` for fewer than two values.
pub fn interval(values: &[f64]) -> Option<Interval> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    // the half width in standard errors
    let quantile = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.5 + CONFIDENCE / 2.0);
    let (mean, half) = (mean(values), quantile * (variance(values) / n).sqrt());
    Some(Interval { low: mean - half, high: mean + half })
}

/// Returns the p of paired differences having mean 0; 1 if all are 0.
pub fn paired(differences: &[f64]) -> Option<f64> {
    let n = differences.len() as f64;
    if differences.len() < 2 {
        return None;
    }
    two_sided(mean(differences), (variance(differences) / n).sqrt(), n - 1.0)
}

/// Returns the p of both groups having the same mean, without assuming equal variances (Welch 1947).
pub fn independent(one: &[f64], other: &[f64]) -> Option<f64> {
    if one.len() < 2 || other.len() < 2 {
        return None;
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    let (a, b) = (variance(one) / n, variance(other) / m);
    let freedom = (a + b).powi(2) / (a * a / (n - 1.0) + b * b / (m - 1.0));
    two_sided(mean(one) - mean(other), (a + b).sqrt(), freedom)
}

fn two_sided(difference: f64, error: f64, freedom: f64) -> Option<f64> {
    if error == 0.0 {
        return Some(if difference == 0.0 { 1.0 } else { 0.0 });
    }
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some(2.0 * t.cdf(-(difference / error).abs()))
}
