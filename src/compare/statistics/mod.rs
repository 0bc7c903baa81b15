//! Statistics of differences: means with intervals, and significance tests of two groups.
//!
//! Golden tests compare the results with SciPy. With too few trials no difference can be significant;
//! [`difference::Difference`] says so.

pub mod bootstrap;
pub mod difference;
pub mod effect;
pub mod holm;
pub mod interval;
pub mod moments;
pub mod permutation;
pub mod ranks;
pub mod sample;
pub mod student;

pub use interval::{CONFIDENCE, Interval};
pub use moments::{mean, variance};
use serde::Serialize;

/// Significance level: a difference with p below it is significant.
pub const ALPHA: f64 = 0.05;

/// A two-sided significance test of two groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Permutation test: flips the signs of paired differences, or reassigns trials to groups. It makes no assumption about
    /// the distribution.
    #[default]
    Permutation,
    /// Rank test: Wilcoxon signed-rank test for pairs, Mann–Whitney rank-sum test for two groups.
    Ranks,
    /// t test: paired Student's t, or Welch's t. It assumes normally distributed metrics, and needs fewer trials.
    T,
}

impl Test {
    /// Returns the p of paired differences; `None` if there are too few.
    pub fn p_paired(self, differences: &[f64]) -> Option<f64> {
        match self {
            Test::Permutation => permutation::paired(differences),
            Test::Ranks => ranks::signed_ranks(differences),
            Test::T => student::paired(differences),
        }
    }

    /// Returns the p of two independent groups; `None` if one is too small.
    pub fn p_independent(self, one: &[f64], other: &[f64]) -> Option<f64> {
        match self {
            Test::Permutation => permutation::independent(one, other),
            Test::Ranks => ranks::rank_sums(one, other),
            Test::T => student::independent(one, other),
        }
    }

    /// Returns the smallest p that the test can reach with this number of pairs, or these group sizes.
    pub fn smallest_p(self, design: Design) -> f64 {
        match (self, design) {
            (Test::T, _) => 0.0,
            (_, Design::Pairs(n)) => 2.0 / 2.0_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)),
            (_, Design::Groups(n, m)) => 2.0 / permutation::binomial(n + m, n),
        }
    }

    /// Returns the name of the test.
    pub fn name(self, design: Design) -> &'static str {
        match (self, design) {
            (Test::Permutation, Design::Pairs(_)) => "paired permutation test",
            (Test::Permutation, Design::Groups(..)) => "permutation test",
            (Test::Ranks, Design::Pairs(_)) => "Wilcoxon signed-rank test",
            (Test::Ranks, Design::Groups(..)) => "Mann–Whitney rank-sum test",
            (Test::T, Design::Pairs(_)) => "paired t test",
            (Test::T, Design::Groups(..)) => "Welch's t test",
        }
    }
}

/// Samples of a test: pairs, or two independent groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Number of pairs with the same seed and fold.
    Pairs(usize),
    /// Sizes of both groups.
    Groups(usize, usize),
}
