//! Borderline-SMOTE (Han, Wang and Mao 2005): SMOTE that starts only from rows of a rare class that are in danger. A
//! row is in danger if at least half of its nearest neighbors, but not all, are of other classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::config::check::{Invalid, at_least_one};
use crate::data::resample::by_class::{ByClass, check_ratio};
use crate::data::resample::neighbors::nearest;
use crate::data::resample::new_rows::{SyntheticRows, append_rows, points, row_numbers};
use crate::data::resample::smote::{Interpolation, check_neighbors};
use crate::data::rows::Rows;
use crate::data::split::numpy_random::RandomState;

/// Borderline-SMOTE, written `"borderline_smote"` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BorderlineSmote {
    /// Number of neighbors that a synthetic row can be interpolated to.
    pub k_neighbors: usize,
    /// Number of neighbors, of any class, that decide whether a row is in danger.
    pub m_neighbors: usize,
    /// Neighbors that synthetic rows are interpolated to.
    pub kind: BorderlineKind,
    /// Seed, as in imbalanced-learn.
    pub random_state: u32,
    /// Rows of the rarer class divided by rows of the more frequent one, after resampling. Only for two classes; 1 by
    /// default (imbalanced-learn's `sampling_strategy`).
    pub ratio: Option<f64>,
}

/// The two variants of the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BorderlineKind {
    /// Neighbors of the same class.
    #[default]
    #[serde(rename = "borderline-1")]
    OwnClass,
    /// Neighbors of any class; at most half the way to a neighbor of another class.
    #[serde(rename = "borderline-2")]
    AnyClass,
}

impl Default for BorderlineSmote {
    fn default() -> Self {
        BorderlineSmote {
            k_neighbors: 5,
            m_neighbors: 10,
            kind: BorderlineKind::OwnClass,
            random_state: 0,
            ratio: None,
        }
    }
}

impl BorderlineSmote {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        at_least_one("k_neighbors", self.k_neighbors)?;
        at_least_one("m_neighbors", self.m_neighbors)?;
        check_ratio(self.ratio)
    }

    /// Returns the rows with synthetic ones appended. A class without a row in danger gets none.
    pub(super) fn apply(&self, rows: &Rows, classes: &ByClass, device: Device) -> Result<Rows, Invalid> {
        let (points, truth) = (points(rows, device), rows.targets.to_device(device));
        check_neighbors("m_neighbors", self.m_neighbors, rows.len(), None)?;
        let lacking = classes.lacking(self.ratio)?;
        let mut synthetic = Vec::new();
        for ((class, numbers), count) in classes.classes.iter().zip(lacking).filter(|(_, count)| *count > 0) {
            let of_class = points.index_select(0, &row_numbers(numbers, device));
            let danger = of_class.index_select(0, &self.in_danger(&of_class, &points, &truth, *class));
            if danger.size()[0] == 0 {
                continue;
            }
            let within = match self.kind {
                BorderlineKind::OwnClass => {
                    check_neighbors("k_neighbors", self.k_neighbors, numbers.len(), Some(&classes.name(*class)))?;
                    &of_class
                }
                BorderlineKind::AnyClass => {
                    check_neighbors("k_neighbors", self.k_neighbors, rows.len(), None)?;
                    &points
                }
            };
            let neighbors = nearest(&danger, within, self.k_neighbors + 1).narrow(1, 1, self.k_neighbors as i64);
            let interpolation = Interpolation::new(&neighbors, count, self.random_state);
            let rows: Box<dyn Fn(i64, i64) -> Tensor> = match self.kind {
                BorderlineKind::OwnClass => {
                    let within = within.shallow_clone();
                    Box::new(move |start, count| interpolation.interpolate(&danger, &within, start, count))
                }
                BorderlineKind::AnyClass => {
                    let differences = self.shorten_to_others(
                        interpolation.differences(&danger, within),
                        &interpolation,
                        &truth,
                        *class,
                    );
                    let new = danger.index_select(0, &interpolation.from) + &interpolation.step * differences;
                    Box::new(move |start, count| new.narrow(0, start, count))
                }
            };
            synthetic.push(SyntheticRows { class: *class, count, rows });
        }
        Ok(append_rows(rows, &synthetic))
    }

    /// Returns the positions, within the rows of a class, of the rows in danger: int64.
    fn in_danger(&self, of_class: &Tensor, points: &Tensor, truth: &Tensor, class: i64) -> Tensor {
        let neighbors = nearest(of_class, points, self.m_neighbors + 1).narrow(1, 1, self.m_neighbors as i64);
        let others = truth.index_select(0, &neighbors.flatten(0, 1)).ne(class).view_as(&neighbors);
        let others = others.sum_dim_intlist(1, false, Kind::Int64);
        let half = (&others * 2).ge(self.m_neighbors as i64);
        half.logical_and(&others.lt(self.m_neighbors as i64)).nonzero().flatten(0, 1)
    }

    /// Multiplies the differences to neighbors of other classes by a random factor below 0.5.
    fn shorten_to_others(
        &self,
        differences: Tensor,
        interpolation: &Interpolation,
        truth: &Tensor,
        class: i64,
    ) -> Tensor {
        let to_others = truth.index_select(0, &interpolation.neighbor).ne(class).nonzero().flatten(0, 1);
        // imbalanced-learn starts a new random stream here
        let parts = RandomState::new(self.random_state).uniform(to_others.size()[0] as usize);
        let parts = Tensor::from_slice(&parts).to_device(differences.device()).unsqueeze(1) * 0.5;
        let cut = differences.index_select(0, &to_others) * parts;
        differences.index_copy(0, &to_others, &cut)
    }
}
