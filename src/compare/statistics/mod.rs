//! How sure a difference is: means with intervals, and tests of two groups.
//!
//! All of it is held against SciPy in golden tests. What these numbers can say depends on how many trials there are,
//! and [`difference::Difference`] says where they are too few.

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

/// The p below which a difference is called more than luck.
pub const ALPHA: f64 = 0.05;

/// A test of whether two groups differ by more than luck, always two-sided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Permutations: of the signs of the pairs' differences, or of which group a trial is of. It assumes nothing of how
    /// figures are distributed.
    #[default]
    Permutation,
    /// Ranks: Wilcoxon's signed ranks of pairs, or the rank sums of Mann and Whitney.
    Ranks,
    /// Student's t of pairs, or Welch's t. It takes figures to be distributed normally, and can tell more of few.
    T,
}

impl Test {
    /// The p of pairs' differences; `None` where there are too few.
    pub fn of_pairs(self, differences: &[f64]) -> Option<f64> {
        match self {
            Test::Permutation => permutation::of_pairs(differences),
            Test::Ranks => ranks::signed_ranks(differences),
            Test::T => student::of_pairs(differences),
        }
    }

    /// The p of two groups; `None` where one is too small.
    pub fn of_groups(self, one: &[f64], other: &[f64]) -> Option<f64> {
        match self {
            Test::Permutation => permutation::of_groups(one, other),
            Test::Ranks => ranks::rank_sums(one, other),
            Test::T => student::of_groups(one, other),
        }
    }

    /// The smallest p that so many pairs, or groups of this size, can give.
    pub fn least(self, design: Design) -> f64 {
        match (self, design) {
            (Test::T, _) => 0.0,
            (_, Design::Pairs(n)) => 2.0 / 2.0_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)),
            (_, Design::Groups(n, m)) => 2.0 / permutation::choose(n + m, n),
        }
    }

    /// The test's name.
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

/// What is tested: so many pairs, or two groups of so many trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Pairs by seed and fold.
    Pairs(usize),
    /// The sizes of both groups.
    Groups(usize, usize),
}
