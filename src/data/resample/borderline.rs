//! Borderline-SMOTE (Han, Wang and Mao 2005): SMOTE from those rows of a rare class alone that are in danger, with as
//! many or more neighbors of other classes as of their own among all rows, though not with others alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::config::check::{Invalid, at_least_one};
use crate::data::resample::by_class::{ByClass, check_ratio};
use crate::data::resample::neighbors::nearest;
use crate::data::resample::new_rows::{Made, followed_by, points, row_numbers};
use crate::data::resample::smote::{Drawn, check_neighbors};
use crate::data::rows::Rows;
use crate::data::split::numpy_random::RandomState;

/// Written `"borderline_smote"`, or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BorderlineSmote {
    /// How many neighbors a new row may lie towards.
    pub k_neighbors: usize,
    /// How many neighbors, of any class, tell whether a row is in danger.
    pub m_neighbors: usize,
    /// Which neighbors new rows may lie towards.
    pub kind: Towards,
    /// The seed, as in imbalanced-learn.
    pub random_state: u32,
    /// Of two classes, how frequent the rarer one becomes, as a share of the other; 1 where it is not stated
    /// (imbalanced-learn's `sampling_strategy`).
    pub ratio: Option<f64>,
}

/// The two variants of the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Towards {
    /// Towards rows of its own class.
    #[default]
    #[serde(rename = "borderline-1")]
    OwnClass,
    /// Towards rows of any class, at most half the way to those of another.
    #[serde(rename = "borderline-2")]
    AnyClass,
}

impl Default for BorderlineSmote {
    fn default() -> Self {
        BorderlineSmote { k_neighbors: 5, m_neighbors: 10, kind: Towards::OwnClass, random_state: 0, ratio: None }
    }
}

impl BorderlineSmote {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        at_least_one("k_neighbors", self.k_neighbors)?;
        at_least_one("m_neighbors", self.m_neighbors)?;
        check_ratio(self.ratio)
    }

    /// A class without a row in danger stays as it is.
    pub(super) fn apply(&self, rows: &Rows, classes: &ByClass, device: Device) -> Result<Rows, Invalid> {
        let (points, truth) = (points(rows, device), rows.targets.to_device(device));
        check_neighbors("m_neighbors", self.m_neighbors, rows.len(), None)?;
        let lacking = classes.lacking(self.ratio)?;
        let mut made = Vec::new();
        for ((class, numbers), count) in classes.classes.iter().zip(lacking).filter(|(_, count)| *count > 0) {
            let of_class = points.index_select(0, &row_numbers(numbers, device));
            let danger = of_class.index_select(0, &self.in_danger(&of_class, &points, &truth, *class));
            if danger.size()[0] == 0 {
                continue;
            }
            let within = match self.kind {
                Towards::OwnClass => {
                    check_neighbors("k_neighbors", self.k_neighbors, numbers.len(), Some(&classes.name(*class)))?;
                    &of_class
                }
                Towards::AnyClass => {
                    check_neighbors("k_neighbors", self.k_neighbors, rows.len(), None)?;
                    &points
                }
            };
            let neighbors = nearest(&danger, within, self.k_neighbors + 1).narrow(1, 1, self.k_neighbors as i64);
            let drawn = Drawn::new(&neighbors, count, self.random_state);
            let rows: Box<dyn Fn(i64, i64) -> Tensor> = match self.kind {
                Towards::OwnClass => {
                    let within = within.shallow_clone();
                    Box::new(move |start, count| drawn.between(&danger, &within, start, count))
                }
                Towards::AnyClass => {
                    let differences = self.shortened(drawn.differences(&danger, within), &drawn, &truth, *class);
                    let new = danger.index_select(0, &drawn.from) + &drawn.step * differences;
                    Box::new(move |start, count| new.narrow(0, start, count))
                }
            };
            made.push(Made { class: *class, count, rows });
        }
        Ok(followed_by(rows, &made))
    }

    /// The places, among the rows of a class, of those in danger: int64.
    fn in_danger(&self, of_class: &Tensor, points: &Tensor, truth: &Tensor, class: i64) -> Tensor {
        let neighbors = nearest(of_class, points, self.m_neighbors + 1).narrow(1, 1, self.m_neighbors as i64);
        let others = truth.index_select(0, &neighbors.flatten(0, 1)).ne(class).view_as(&neighbors);
        let others = others.sum_dim_intlist(1, false, Kind::Int64);
        let half = (&others * 2).ge(self.m_neighbors as i64);
        half.logical_and(&others.lt(self.m_neighbors as i64)).nonzero().flatten(0, 1)
    }

    /// The ways to rows of another class, cut to a random part of their first half.
    fn shortened(&self, differences: Tensor, drawn: &Drawn, truth: &Tensor, class: i64) -> Tensor {
        let to_others = truth.index_select(0, &drawn.towards).ne(class).nonzero().flatten(0, 1);
        // imbalanced-learn begins the stream anew for these
        let parts = RandomState::new(self.random_state).uniform(to_others.size()[0] as usize);
        let parts = Tensor::from_slice(&parts).to_device(differences.device()).unsqueeze(1) * 0.5;
        let cut = differences.index_select(0, &to_others) * parts;
        differences.index_copy(0, &to_others, &cut)
    }
}
