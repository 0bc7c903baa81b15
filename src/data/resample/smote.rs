//! SMOTE (Chawla, Bowyer, Hall and Kegelmeyer 2002): synthetic rows on the line between a row of a rare class and one
//! of its nearest neighbors of the same class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::config::check::{Invalid, at_least_one};
use crate::data::resample::by_class::{ByClass, check_ratio};
use crate::data::resample::neighbors::nearest;
use crate::data::resample::new_rows::{SyntheticRows, append_rows, row_numbers, select_points};
use crate::data::rows::Rows;
use crate::data::split::numpy_random::RandomState;

/// SMOTE, written `"smote"` or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Smote {
    /// Number of neighbors that a synthetic row can be interpolated to.
    pub k_neighbors: usize,
    /// Seed, as in imbalanced-learn.
    pub random_state: u32,
    /// Rows of the rarer class divided by rows of the more frequent one, after resampling. Only for two classes; 1 by
    /// default (imbalanced-learn's `sampling_strategy`).
    pub ratio: Option<f64>,
}

impl Default for Smote {
    fn default() -> Self {
        Smote { k_neighbors: 5, random_state: 0, ratio: None }
    }
}

impl Smote {
    pub(super) fn check(&self) -> Result<(), Invalid> {
        at_least_one("k_neighbors", self.k_neighbors)?;
        check_ratio(self.ratio)
    }

    pub(super) fn apply(&self, rows: &Rows, classes: &ByClass, device: Device) -> Result<Rows, Invalid> {
        let lacking = classes.lacking(self.ratio)?;
        let mut synthetic = Vec::new();
        for ((class, numbers), count) in classes.classes.iter().zip(lacking).filter(|(_, count)| *count > 0) {
            check_neighbors("k_neighbors", self.k_neighbors, numbers.len(), Some(&classes.name(*class)))?;
            let of_class = select_points(rows, numbers, device);
            let neighbors = nearest(&of_class, &of_class, self.k_neighbors + 1).narrow(1, 1, self.k_neighbors as i64);
            let interpolation = Interpolation::new(&neighbors, count, self.random_state);
            let rows = move |start, count| interpolation.interpolate(&of_class, &of_class, start, count);
            synthetic.push(SyntheticRows { class: *class, count, rows: Box::new(rows) });
        }
        Ok(append_rows(rows, &synthetic))
    }
}

/// Checks that `rows` rows, of `class` or of all classes, are enough to have `neighbors` neighbors each.
pub(super) fn check_neighbors(key: &str, neighbors: usize, rows: usize, class: Option<&str>) -> Result<(), Invalid> {
    if neighbors < rows {
        return Ok(());
    }
    let found = if rows == 1 { "1 training row".to_owned() } else { format!("{rows} training rows") };
    let whose = class.map_or("there are".to_owned(), |class| format!("class `{class}` has"));
    let message = format!("is {neighbors}, but {whose} {found}: {} are needed", neighbors + 1);
    Err(Invalid::new(key, message).hint(match rows {
        0 | 1 => "use `resample = \"over\"`, which repeats rows and needs no neighbors".to_owned(),
        _ => format!("use `{key} = {}`", rows - 1),
    }))
}

/// Random choices for each synthetic row: the row it starts from, the neighbor, and the fraction of the way.
pub(super) struct Interpolation {
    /// Start: index among the rows that have neighbors, `[new rows]`, int64.
    pub(super) from: Tensor,
    /// Neighbor: index among the points that were searched, `[new rows]`, int64.
    pub(super) neighbor: Tensor,
    /// Fraction of the way, in [0, 1): `[new rows, 1]`, f64.
    pub(super) step: Tensor,
}

impl Interpolation {
    /// Draws `count` synthetic rows. `neighbors` has the neighbors of each start row, `[rows, neighbors]`.
    pub(super) fn new(neighbors: &Tensor, count: usize, random_state: u32) -> Interpolation {
        let device = neighbors.device();
        let mut random = RandomState::new(random_state);
        let cells = random.integers(neighbors.numel(), count);
        let step = Tensor::from_slice(&random.uniform(count)).unsqueeze(1).to_device(device);
        let width = neighbors.size()[1] as usize;
        let from: Vec<usize> = cells.iter().map(|cell| cell / width).collect();
        let neighbor = neighbors.flatten(0, 1).index_select(0, &row_numbers(&cells, device));
        Interpolation { from: row_numbers(&from, device), neighbor, step }
    }

    /// Returns the differences between neighbors and start rows: `[new rows, features]`.
    pub(super) fn differences(&self, rows: &Tensor, points: &Tensor) -> Tensor {
        points.index_select(0, &self.neighbor) - rows.index_select(0, &self.from)
    }

    /// Returns `count` of the synthetic rows, beginning with row `start`: `[count, features]`.
    pub(super) fn interpolate(&self, rows: &Tensor, points: &Tensor, start: i64, count: i64) -> Tensor {
        let some = |interpolation: &Tensor| interpolation.narrow(0, start, count);
        let from = rows.index_select(0, &some(&self.from));
        points.index_select(0, &some(&self.neighbor)).g_sub_(&from).g_mul_(&some(&self.step)).g_add_(&from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_rows_for_the_neighbors_are_told_with_what_would_work() {
        let rows = Rows::new(
            Tensor::from_slice(&[0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]).unsqueeze(1),
            Tensor::from_slice(&[0_i64, 0, 0, 0, 1, 1]),
        );
        let names = ["good".to_owned(), "fraud".to_owned()];
        let classes = ByClass::new(&[0, 0, 0, 0, 1, 1], &names);
        let fault = Smote::default().apply(&rows, &classes, Device::Cpu).unwrap_err();
        assert_eq!(fault.to_string(), "`k_neighbors` is 5, but class `fraud` has 2 training rows: 6 are needed");
        assert_eq!(fault.hint.as_deref(), Some("use `k_neighbors = 1`"));
        let synthetic = Smote { k_neighbors: 1, ..Smote::default() }.apply(&rows, &classes, Device::Cpu).unwrap();
        assert_eq!((synthetic.len(), synthetic.features.kind()), (8, tch::Kind::Float));
        let new = synthetic.features.narrow(0, 6, 2);
        assert!(new.min().double_value(&[]) >= 4.0 && new.max().double_value(&[]) <= 5.0);
    }
}
