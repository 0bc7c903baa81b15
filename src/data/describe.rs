//! A data set in figures: rows, features, and how many rows each class has.

use serde::Serialize;
use tch::{Kind, Tensor};

use crate::data::{Loaded, Rows, Target};

/// What `runner data describe` shows.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// The data set's name.
    pub name: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// Each part that the source gives: training rows, and test rows where it brings some.
    pub parts: Vec<PartDescription>,
}

/// One part of a data set.
#[derive(Clone, Debug, Serialize)]
pub struct PartDescription {
    /// `training` or `test`.
    pub part: &'static str,
    /// How many rows.
    pub rows: usize,
    /// The shape of one row.
    pub sample: Vec<i64>,
    /// The smallest feature value.
    pub min: f64,
    /// The mean of all feature values.
    pub mean: f64,
    /// The largest feature value.
    pub max: f64,
    /// How many rows each class has.
    pub classes: Vec<ClassCount>,
}

/// How often a class occurs.
#[derive(Clone, Debug, Serialize)]
pub struct ClassCount {
    /// The class's name.
    pub class: String,
    /// How many rows.
    pub rows: usize,
    /// Their share of all.
    pub share: f64,
}

/// Describes rows as a source gave them.
pub fn describe(name: &str, loaded: &Loaded) -> Description {
    let mut parts = vec![part("training", &loaded.rows, loaded)];
    parts.extend(loaded.test.as_ref().map(|test| part("test", test, loaded)));
    Description { name: name.to_owned(), sha256: loaded.sha256.clone(), parts }
}

fn part(part: &'static str, rows: &Rows, loaded: &Loaded) -> PartDescription {
    let features = &rows.features;
    PartDescription {
        part,
        rows: rows.len(),
        sample: features.size()[1..].to_vec(),
        min: features.min().double_value(&[]),
        mean: features.mean(Kind::Double).double_value(&[]),
        max: features.max().double_value(&[]),
        classes: class_counts(rows, loaded),
    }
}

/// How many rows each class has, or each yes-or-no label; empty for numbers.
fn class_counts(rows: &Rows, loaded: &Loaded) -> Vec<ClassCount> {
    let counts: Vec<i64> = match loaded.target {
        Target::Classes(classes) => Vec::try_from(rows.targets.bincount::<Tensor>(None, classes as i64)),
        Target::Labels(_) => Vec::try_from(rows.targets.sum_dim_intlist(0, false, Kind::Int64)),
        Target::Values(_) => return Vec::new(),
    }
    .expect("counts are int64");
    let counted = loaded.classes.iter().zip(counts);
    counted
        .map(|(class, count)| ClassCount {
            class: class.clone(),
            rows: count as usize,
            share: count as f64 / rows.len() as f64,
        })
        .collect()
}
