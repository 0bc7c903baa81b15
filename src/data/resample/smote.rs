//! SMOTE (Chawla, Bowyer, Hall and Kegelmeyer 2002): new rows on the lines between a row of a rare class and its nearest
//! neighbors of that class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::config::check::{Invalid, at_least_one};
use crate::data::resample::by_class::{ByClass, check_ratio};
use crate::data::resample::neighbors::nearest;
use crate::data::resample::new_rows::{Made, followed_by, points_of, row_numbers};
use crate::data::rows::Rows;
use crate::data::split::numpy_random::RandomState;

/// Written `"smote"`, or with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Smote {
    /// How many neighbors a new row may lie towards.
    pub k_neighbors: usize,
    /// The seed, as in imbalanced-learn.
    pub random_state: u32,
    /// Of two classes, how frequent the rarer one becomes, as a share of the other; 1 where it is not stated
    /// (imbalanced-learn's `sampling_strategy`).
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
        let mut made = Vec::new();
        for ((class, numbers), count) in classes.classes.iter().zip(lacking).filter(|(_, count)| *count > 0) {
            check_neighbors("k_neighbors", self.k_neighbors, numbers.len(), Some(&classes.name(*class)))?;
            let of_class = points_of(rows, numbers, device);
            let neighbors = nearest(&of_class, &of_class, self.k_neighbors + 1).narrow(1, 1, self.k_neighbors as i64);
            let drawn = Drawn::new(&neighbors, count, self.random_state);
            let rows = move |start, count| drawn.between(&of_class, &of_class, start, count);
            made.push(Made { class: *class, count, rows: Box::new(rows) });
        }
        Ok(followed_by(rows, &made))
    }
}

/// Checks that each of `rows` rows, of a class or of all, has so many neighbors.
pub(super) fn check_neighbors(key: &str, neighbors: usize, rows: usize, class: Option<&str>) -> Result<(), Invalid> {
    if neighbors < rows {
        return Ok(());
    }
    let found = if rows == 1 { "1 training row".to_owned() } else { format!("{rows} training rows") };
    let whose = class.map_or("there are".to_owned(), |class| format!("class `{class}` has"));
    let message = format!("is {neighbors}, and {whose} {found}: {} are needed", neighbors + 1);
    Err(Invalid::new(key, message).hint(match rows {
        0 | 1 => "`resample = \"over\"` repeats rows, and needs no neighbor".to_owned(),
        _ => format!("`{key} = {}` would work", rows - 1),
    }))
}

/// What was drawn for each new row: the row that it starts from, the neighbor that it lies towards, and how far.
pub(super) struct Drawn {
    /// `[new rows]`, int64, among the rows that have neighbors.
    pub(super) from: Tensor,
    /// `[new rows]`, int64, among the points that neighbors were looked for in.
    pub(super) towards: Tensor,
    /// `[new rows, 1]`, f64, in [0, 1).
    pub(super) step: Tensor,
}

impl Drawn {
    /// Draws `count` new rows for rows with these neighbors, `[rows, neighbors]`.
    pub(super) fn new(neighbors: &Tensor, count: usize, random_state: u32) -> Drawn {
        let device = neighbors.device();
        let mut random = RandomState::new(random_state);
        let cells = random.integers(neighbors.numel(), count);
        let step = Tensor::from_slice(&random.uniform(count)).unsqueeze(1).to_device(device);
        let width = neighbors.size()[1] as usize;
        let from: Vec<usize> = cells.iter().map(|cell| cell / width).collect();
        let towards = neighbors.flatten(0, 1).index_select(0, &row_numbers(&cells, device));
        Drawn { from: row_numbers(&from, device), towards, step }
    }

    /// From each row towards its neighbor, without the steps: `[new rows, features]`.
    pub(super) fn differences(&self, rows: &Tensor, points: &Tensor) -> Tensor {
        points.index_select(0, &self.towards) - rows.index_select(0, &self.from)
    }

    /// So many of the new rows from one on, `[new rows, features]`.
    pub(super) fn between(&self, rows: &Tensor, points: &Tensor, start: i64, count: i64) -> Tensor {
        let some = |drawn: &Tensor| drawn.narrow(0, start, count);
        let from = rows.index_select(0, &some(&self.from));
        points.index_select(0, &some(&self.towards)).g_sub_(&from).g_mul_(&some(&self.step)).g_add_(&from)
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
        let classes = ByClass::of(&[0, 0, 0, 0, 1, 1], &names);
        let fault = Smote::default().apply(&rows, &classes, Device::Cpu).unwrap_err();
        assert_eq!(fault.to_string(), "`k_neighbors` is 5, and class `fraud` has 2 training rows: 6 are needed");
        assert_eq!(fault.hint.as_deref(), Some("`k_neighbors = 1` would work"));
        let made = Smote { k_neighbors: 1, ..Smote::default() }.apply(&rows, &classes, Device::Cpu).unwrap();
        assert_eq!((made.len(), made.features.kind()), (8, tch::Kind::Float));
        let new = made.features.narrow(0, 6, 2);
        assert!(new.min().double_value(&[]) >= 4.0 && new.max().double_value(&[]) <= 5.0);
    }
}
