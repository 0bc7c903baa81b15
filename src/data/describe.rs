//! A data set in figures: rows, features, how many rows each class has, and what to look out for before training on it
//! (missing values, constant features, rows that occur twice).

use std::collections::HashSet;

use serde::Serialize;
use tch::{Kind, Tensor};

use crate::data::cache::sha256;
use crate::data::table::{Column, Table, Values};
use crate::data::{Loaded, Rows, Target};

/// The values of a column are counted when it has so many at most.
const FEW: usize = 12;

/// What `runner data describe` shows.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// The data set's name, or the file's path.
    pub name: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// Each part that the source gives: training rows, and test rows where it brings some.
    pub parts: Vec<PartDescription>,
}

/// One part of a data set.
#[derive(Clone, Debug, Serialize)]
pub struct PartDescription {
    /// `training`, `test`, or `table` for a table as it is in its file.
    pub part: &'static str,
    /// How many rows.
    pub rows: usize,
    /// The shape of one row.
    pub sample: Vec<i64>,
    /// The smallest feature value; of a table, each column has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The mean of all feature values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The largest feature value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How many rows each class has.
    pub classes: Vec<ClassCount>,
    /// How many features, or which columns, have the same value in every row that has one.
    pub constant: Constant,
    /// How many rows are the same as an earlier one, target and all: a split may put one on each side.
    pub duplicate_rows: usize,
    /// A table's columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnDescription>,
}

/// What has the same value in every row.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Constant {
    /// So many features.
    Count(usize),
    /// These columns.
    Columns(Vec<String>),
}

/// One column of a table.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// `numbers` or `text`.
    pub kind: &'static str,
    /// In how many rows the value is missing.
    pub missing: usize,
    /// How many different values there are.
    pub distinct: usize,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The mean of the numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How often each value occurs, where there are few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ClassCount>,
}

/// How often a class or value occurs.
#[derive(Clone, Debug, Serialize)]
pub struct ClassCount {
    /// Its name.
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

/// Describes a table with the checksum of its file.
pub fn describe_table(name: &str, table: &Table, sha256: String) -> Description {
    let columns: Vec<ColumnDescription> = table.columns.iter().map(column).collect();
    let constant = columns.iter().filter(|column| column.distinct <= 1).map(|column| column.name.clone()).collect();
    let part = PartDescription {
        part: "table",
        rows: table.rows(),
        sample: vec![table.columns.len() as i64],
        min: None,
        mean: None,
        max: None,
        classes: Vec::new(),
        constant: Constant::Columns(constant),
        duplicate_rows: table.duplicate_rows(),
        columns,
    };
    Description { name: name.to_owned(), sha256, parts: vec![part] }
}

fn column(column: &Column) -> ColumnDescription {
    let (distinct, places) = column.values.categories();
    let there = || places.iter().flatten();
    let mut values = Vec::new();
    if distinct.len() <= FEW {
        let counted = distinct.iter().enumerate().map(|(place, name)| {
            let rows = there().filter(|&&p| p == place).count();
            ClassCount { class: name.clone(), rows, share: rows as f64 / places.len() as f64 }
        });
        values.extend(counted);
    }
    let numbers: Vec<f64> = match &column.values {
        Values::Numbers(numbers) => numbers.iter().copied().filter(|number| !number.is_nan()).collect(),
        Values::Text { .. } => Vec::new(),
    };
    ColumnDescription {
        name: column.name.clone(),
        kind: if matches!(column.values, Values::Numbers(_)) { "numbers" } else { "text" },
        missing: places.len() - there().count(),
        distinct: distinct.len(),
        min: numbers.iter().copied().reduce(f64::min),
        mean: (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64),
        max: numbers.iter().copied().reduce(f64::max),
        values,
    }
}

fn part(part: &'static str, rows: &Rows, loaded: &Loaded) -> PartDescription {
    let features = &rows.features;
    let constant = features.amin(0, false).eq_tensor(&features.amax(0, false)).sum(Kind::Int64).int64_value(&[]);
    PartDescription {
        part,
        rows: rows.len(),
        sample: features.size()[1..].to_vec(),
        min: Some(features.min().double_value(&[])),
        mean: Some(features.mean(Kind::Double).double_value(&[])),
        max: Some(features.max().double_value(&[])),
        classes: class_counts(rows, loaded),
        constant: Constant::Count(constant as usize),
        duplicate_rows: duplicate_rows(rows),
        columns: Vec::new(),
    }
}

/// How many rows are the same as an earlier one.
fn duplicate_rows(rows: &Rows) -> usize {
    let values = |tensor: &Tensor| -> Vec<Vec<u8>> {
        let flat = tensor.reshape([rows.len() as i64, -1]).to_kind(Kind::Float).contiguous();
        let width = flat.size()[1] as usize;
        let all: Vec<f32> = Vec::try_from(flat.flatten(0, -1)).expect("just made f32");
        all.chunks_exact(width).map(|row| row.iter().flat_map(|value| value.to_le_bytes()).collect()).collect()
    };
    let (features, targets) = (values(&rows.features), values(&rows.targets));
    let mut seen = HashSet::with_capacity(rows.len());
    features.into_iter().zip(targets).filter(|(row, target)| !seen.insert(sha256(&[&row[..], target].concat()))).count()
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
