//! A data set in figures: rows, features, and how many rows each class has.

use serde::Serialize;
use tch::Kind;

use crate::data::{Loaded, Rows};

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
    let mut parts = vec![part("training", &loaded.rows, &loaded.classes)];
    parts.extend(loaded.test.as_ref().map(|test| part("test", test, &loaded.classes)));
    Description { name: name.to_owned(), sha256: loaded.sha256.clone(), parts }
}

fn part(part: &'static str, rows: &Rows, classes: &[String]) -> PartDescription {
    let labels: Vec<i64> = Vec::try_from(&rows.labels).expect("labels are int64");
    let counts = classes.iter().enumerate().map(|(label, class)| {
        let count = labels.iter().filter(|&&found| found == label as i64).count();
        ClassCount { class: class.clone(), rows: count, share: count as f64 / labels.len() as f64 }
    });
    let features = &rows.features;
    PartDescription {
        part,
        rows: rows.len(),
        sample: features.size()[1..].to_vec(),
        min: features.min().double_value(&[]),
        mean: features.mean(Kind::Double).double_value(&[]),
        max: features.max().double_value(&[]),
        classes: counts.collect(),
    }
}
