//! Resampling: making the classes of training rows equally frequent, or nearer to it.
//!
//! Only [`Training`](crate::data::Training) can be resampled: rows that are made up, repeated or left out have no place
//! among those that a network is judged by. With the same `random_state` the samplers return imbalanced-learn 0.14's
//! very rows, in its order.

pub mod borderline;
pub mod neighbors;
pub mod random;
pub mod smote;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::config::check::{Invalid, require};
use crate::data::{ONE_THREAD, Rows};

/// How training rows are resampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resample {
    /// Rows of the more frequent classes are left out at random.
    Under(random::Random),
    /// Rows of the rarer classes are repeated at random.
    Over(random::Random),
    /// Rows of the rarer classes are made up between neighbors (Chawla et al. 2002).
    Smote(smote::Smote),
    /// The same, between rows near the border to the other classes (Han et al. 2005).
    BorderlineSmote(borderline::BorderlineSmote),
}

impl Resample {
    /// The name in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Resample::Under(_) => "under",
            Resample::Over(_) => "over",
            Resample::Smote(_) => "smote",
            Resample::BorderlineSmote(_) => "borderline_smote",
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// When one is out of its range; the key is relative to `resample`.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Resample::Under(random) | Resample::Over(random) => random.check(),
            Resample::Smote(smote) => smote.check(),
            Resample::BorderlineSmote(smote) => smote.check(),
        }
        .map_err(|fault| fault.under(self.name()))
    }

    /// The rows after resampling; synthetic ones are computed on `device`, in f64.
    ///
    /// `names` are those of the classes, for messages.
    ///
    /// # Errors
    /// When a class has too few rows to find neighbors among, or the classes are already nearer to each other than
    /// asked; the key is relative to `resample`.
    pub(super) fn apply(&self, rows: &Rows, names: &[String], device: Device) -> Result<Rows, Invalid> {
        let classes: Vec<i64> = Vec::try_from(&rows.targets).expect("only classes are resampled");
        let classes = ByClass::of(&classes, names);
        if rows.weights.is_some() && matches!(self, Resample::Smote(_) | Resample::BorderlineSmote(_)) {
            let message = "makes rows up, and what they would weigh is not known";
            return Err(Invalid::new(self.name(), message).hint("leave the weights out, or use `over`"));
        }
        match self {
            Resample::Under(random) => random.under(&classes).map(|numbers| rows.take(&numbers)),
            Resample::Over(random) => random.over(&classes).map(|numbers| rows.take(&numbers)),
            Resample::Smote(smote) => smote.apply(rows, &classes, device),
            Resample::BorderlineSmote(smote) => smote.apply(rows, &classes, device),
        }
        .map_err(|fault| fault.under(self.name()))
    }
}

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
fn check_ratio(ratio: Option<f64>) -> Result<(), Invalid> {
    match ratio {
        Some(ratio) => require(ratio > 0.0 && ratio <= 1.0, "ratio", "must be above 0 and at most 1", ratio),
        None => Ok(()),
    }
}

/// So many numbers of new rows are made at a time: they are still near when they are put in their place.
const AT_A_TIME: i64 = ONE_THREAD as i64;

/// New rows of a class.
struct Made<'a> {
    class: i64,
    count: usize,
    /// Makes so many of them from the given one on: `[rows, features]`, f64.
    rows: Box<dyn Fn(i64, i64) -> Tensor + 'a>,
}

/// Rows with new ones behind them.
fn followed_by(rows: &Rows, made: &[Made]) -> Rows {
    let mut shape = rows.features.size();
    let width = shape[1..].iter().product::<i64>().max(1);
    let (at_a_time, mut place) = ((AT_A_TIME / width).max(1), shape[0]);
    shape[0] += made.iter().map(|made| made.count as i64).sum::<i64>();
    let features = Tensor::empty(&shape[..], (rows.features.kind(), Device::Cpu));
    features.narrow(0, 0, place).copy_(&rows.features);
    let mut targets = vec![rows.targets.shallow_clone()];
    for Made { class, count, rows } in made {
        let count = *count as i64;
        targets.push(Tensor::full([count], *class, (Kind::Int64, Device::Cpu)));
        for start in (0..count).step_by(at_a_time as usize) {
            let some = rows(start, at_a_time.min(count - start));
            shape[0] = some.size()[0];
            features.narrow(0, place, shape[0]).copy_(&some.view(&shape[..]));
            place += shape[0];
        }
    }
    Rows::new(features, Tensor::cat(&targets, 0))
}

/// The rows of these numbers as points on the device: `[rows, features]`, f64.
fn points_of(rows: &Rows, numbers: &[usize], device: Device) -> Tensor {
    let rows = rows.features.index_select(0, &smote::row_numbers(numbers, rows.features.device()));
    rows.to_device(device).to_kind(Kind::Double).flatten(1, -1)
}

/// All rows as points on the device: `[rows, features]`, f64.
fn points(rows: &Rows, device: Device) -> Tensor {
    rows.features.to_device(device).to_kind(Kind::Double).flatten(1, -1)
}
