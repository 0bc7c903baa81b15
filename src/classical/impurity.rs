//! How mixed the classes of a node are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Impurity of the classes in a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Impurity {
    /// Gini impurity, `1 − Σ p²`: the probability that two randomly drawn rows differ in class.
    #[default]
    Gini,
    /// `−Σ p log₂ p`, in bits.
    Entropy,
}

impl Impurity {
    /// Returns the impurity of a node; `counts` holds the total weight of its rows of each class. An empty node has
    /// impurity 0.
    pub fn compute(self, counts: &[f64]) -> f64 {
        let all: f64 = counts.iter().sum();
        let shares = counts.iter().filter(|count| **count > 0.0).map(|count| count / all);
        match self {
            Impurity::Gini if all > 0.0 => 1.0 - shares.map(|share| share * share).sum::<f64>(),
            Impurity::Gini => 0.0,
            Impurity::Entropy => -shares.map(|share| share * share.log2()).sum::<f64>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impurity_is_none_in_a_pure_node_and_largest_in_an_even_one() {
        assert_eq!(Impurity::Gini.compute(&[3.0, 3.0]), 0.5);
        assert_eq!(Impurity::Entropy.compute(&[3.0, 3.0]), 1.0);
        for impurity in [Impurity::Gini, Impurity::Entropy] {
            assert_eq!(impurity.compute(&[4.0, 0.0]), 0.0);
            assert_eq!(impurity.compute(&[0.0, 0.0]), 0.0);
        }
    }
}
