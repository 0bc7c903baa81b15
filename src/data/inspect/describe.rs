//! Description of a data set: numbers of rows, features and rows of each class, and problems to know before training
//! (missing values, constant features, duplicate rows, rows that differ only in their class).

use serde::Serialize;
use tch::{Kind, Tensor};

use crate::data::dataset::Loaded;
use crate::data::images::image_set::ImageFiles;
use crate::data::inspect::duplicates::{ClassCount, Duplicates, fingerprint};
use crate::data::rows::{Rows, class_numbers};
use crate::data::table::column::Column;
use crate::data::table::columns::describe_content;
use crate::data::table::csv_table::Table;
use crate::data::table::recognize::number_columns::{recognize_numbers, recognize_row_numbers};
use crate::data::table::recognize::recognize;
use crate::data::table::values::Values;
use crate::data::target::Target;

/// Maximum number of distinct values of a column whose values are counted.
const FEW: usize = 12;

/// Maximum number of distinct numbers in a target column that are treated as classes.
const MOST_CLASSES: usize = 100;

/// Output of `runner data describe`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Description {
    /// Name of the data set, or path of the file.
    pub name: String,
    /// SHA-256 over the files.
    pub sha256: String,
    /// Arrays of a file with arrays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arrays: Vec<ArrayDescription>,
    /// Sizes and colors of the files of a directory of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageFiles>,
    /// Texts of a user's table that seem to mark missing values and are counted as missing: `na_values` of `[data.csv]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub na_values: Vec<String>,
    /// Parts of the source: training rows, and validation and test rows if it has some.
    pub parts: Vec<PartDescription>,
}

/// One array of a file.
#[derive(Clone, Debug, Serialize)]
pub struct ArrayDescription {
    /// Name.
    pub name: String,
    /// Length of each dimension.
    pub shape: Vec<i64>,
    /// NumPy's name of its type, or what it contains instead of numbers.
    #[serde(rename = "type")]
    pub dtype: String,
}

/// One part of a data set.
#[derive(Clone, Debug, Serialize)]
pub struct PartDescription {
    /// `training`, `validation`, `test`, or `table` for a table as it is in its file.
    pub part: &'static str,
    /// Number of rows.
    pub rows: usize,
    /// Shape of one row.
    pub sample: Vec<i64>,
    /// Smallest feature value; `None` for tables, whose columns have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Mean of all feature values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Largest feature value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Target column of a table, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Number of rows of each class.
    pub classes: Vec<ClassCount>,
    /// Number or names of the features that have the same value in every row.
    pub constant: Constant,
    /// Number of rows that equal an earlier row, with the target. A split can put equal rows on both sides.
    pub duplicate_rows: usize,
    /// Number of rows with the same features as a row of another class; no model can tell them apart. `None` without
    /// classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contradictory_rows: Option<usize>,
    /// Columns of a table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnDescription>,
}

/// Features with the same value in every row.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Constant {
    /// Number of features.
    Count(usize),
    /// Names of columns.
    Columns(Vec<String>),
}

/// One column of a table.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnDescription {
    /// Name.
    pub name: String,
    /// `numbers` or `text`.
    pub kind: &'static str,
    /// Number of missing values.
    pub missing: usize,
    /// Text of the first missing value in its field; `None` if the field is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_as: Option<String>,
    /// Number of distinct values.
    pub distinct: usize,
    /// Smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Mean of the numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Number of rows of each value, if there are few values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ClassCount>,
    /// Warning about the content of the column, with the setting to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_out: Option<String>,
}

/// Describes the rows of a data set.
pub fn describe(name: &str, loaded: &Loaded) -> Description {
    let mut parts = vec![part("training", &loaded.rows, loaded)];
    parts.extend(loaded.validation.as_ref().map(|validation| part("validation", validation, loaded)));
    parts.extend(loaded.test.as_ref().map(|test| part("test", test, loaded)));
    Description { name: name.to_owned(), sha256: loaded.sha256.clone(), parts, ..Description::default() }
}

/// Describes a table; `sha256` is the checksum of its file, `target` the target column, if known.
pub fn describe_table(name: &str, table: &Table, sha256: String, target: Option<&Column>) -> Description {
    let is_target = |column: &Column| target.is_some_and(|target| target.name == column.name);
    let columns: Vec<ColumnDescription> = table.columns.iter().map(|one| column(table, one, is_target(one))).collect();
    let constant =
        table.columns.iter().filter(|column| column.values.distinct() <= 1).map(|column| column.name.clone()).collect();
    let classes = target.and_then(classes_of);
    let is_feature = |column: &&Column| classes.is_none() || !is_target(column);
    let features: Vec<&Column> = table.columns.iter().filter(is_feature).collect();
    let row = |row: usize| fingerprint(features.iter().map(|column| column.key(row).to_le_bytes()));
    let fingerprints = (0..table.rows()).map(row);
    let duplicates = Duplicates::count(fingerprints, |row| classes.as_ref().and_then(|(_, places)| places[row]));
    let part = PartDescription {
        part: "table",
        rows: table.rows(),
        sample: vec![table.columns.len() as i64],
        min: None,
        mean: None,
        max: None,
        target: target.map(|column| column.name.clone()),
        classes: classes
            .as_ref()
            .map(|(names, places)| duplicates.add_distinct(counts(names, places)))
            .unwrap_or_default(),
        constant: Constant::Columns(constant),
        duplicate_rows: duplicates.duplicates,
        contradictory_rows: classes.is_some().then_some(duplicates.contradictions),
        columns,
    };
    Description { name: name.to_owned(), sha256, parts: vec![part], ..Description::default() }
}

/// Returns the classes of a target column and the class of each row; `None` if it has values.
fn classes_of(column: &Column) -> Option<(Vec<String>, Vec<Option<usize>>)> {
    let are_classes = match &column.values {
        Values::Numbers(numbers) => numbers.iter().all(|number| number.is_nan() || number.fract() == 0.0),
        Values::Text { .. } => true,
    };
    (are_classes && column.distinct() <= MOST_CLASSES).then(|| column.categories())
}

/// Returns the number of rows of each value.
fn counts(names: &[String], places: &[Option<usize>]) -> Vec<ClassCount> {
    let mut rows = vec![0; names.len()];
    places.iter().flatten().for_each(|&place| rows[place] += 1);
    class_counts(names, rows, places.len())
}

fn class_counts(names: &[String], rows: impl IntoIterator<Item = usize>, all: usize) -> Vec<ClassCount> {
    let count = |(name, rows): (&String, usize)| ClassCount {
        class: name.clone(),
        rows,
        share: rows as f64 / all as f64,
        distinct: None,
    };
    names.iter().zip(rows).map(count).collect()
}

/// Returns a warning about the content of a column, with the setting to write.
fn content_warning(table: &Table, column: &Column, is_target: bool) -> Option<String> {
    match recognize(column, table.numbers) {
        Some(found) => {
            let hint = if is_target { found.hint_for_target() } else { found.hint(&column.name) };
            Some(format!("{}: {hint}", describe_content(table, column, &found)))
        }
        None if is_target => None,
        None => {
            let found = recognize_numbers(column).or_else(|| recognize_row_numbers(column));
            found.map(|found| found.warning(&column.name))
        }
    }
}

fn column(table: &Table, column: &Column, is_target: bool) -> ColumnDescription {
    let distinct = column.distinct();
    let values = if distinct <= FEW {
        let (names, places) = column.categories();
        counts(&names, &places)
    } else {
        Vec::new()
    };
    let numbers: Vec<f64> = match &column.values {
        Values::Numbers(numbers) => numbers.iter().copied().filter(|number| !number.is_nan()).collect(),
        Values::Text { .. } => Vec::new(),
    };
    ColumnDescription {
        name: column.name.clone(),
        kind: if matches!(column.values, Values::Numbers(_)) { "numbers" } else { "text" },
        missing: (0..table.rows()).filter(|&row| column.is_missing(row)).count(),
        missing_as: column.first_missing().map(|(_, cell)| cell.to_owned()).filter(|cell| !cell.is_empty()),
        distinct,
        min: numbers.iter().copied().reduce(f64::min),
        mean: (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64),
        max: numbers.iter().copied().reduce(f64::max),
        values,
        look_out: content_warning(table, column, is_target),
    }
}

fn part(part: &'static str, rows: &Rows, loaded: &Loaded) -> PartDescription {
    let features = &rows.features;
    let constant = features.amin(0, false).eq_tensor(&features.amax(0, false)).sum(Kind::Int64).int64_value(&[]);
    let classes = class_numbers(rows, loaded.target);
    let mut values = vec![flat(&rows.features)];
    if classes.is_none() {
        values.push(flat(&rows.targets)); // without classes, rows with different targets are different rows
    }
    let values = Vec::<f32>::try_from(Tensor::cat(&values, 1).flatten(0, -1)).expect("just made f32");
    let of_a_row = values.len() / rows.len().max(1);
    let fingerprints = values.chunks_exact(of_a_row.max(1)).map(|row| fingerprint(row.iter().map(|v| v.to_le_bytes())));
    let duplicates = Duplicates::count(fingerprints, |row| classes.as_ref().map(|classes| classes[row] as usize));
    let counts = counts_of_targets(rows, loaded);
    PartDescription {
        part,
        rows: rows.len(),
        sample: features.size()[1..].to_vec(),
        min: Some(features.min().double_value(&[])),
        mean: Some(features.mean(Kind::Double).double_value(&[])),
        max: Some(features.max().double_value(&[])),
        target: None,
        classes: if classes.is_some() { duplicates.add_distinct(counts) } else { counts },
        constant: Constant::Count(constant as usize),
        duplicate_rows: duplicates.duplicates,
        contradictory_rows: classes.is_some().then_some(duplicates.contradictions),
        columns: Vec::new(),
    }
}

/// `[rows, …]` of any kind → `[rows, values]` f32.
fn flat(tensor: &Tensor) -> Tensor {
    tensor.reshape([tensor.size()[0], -1]).to_kind(Kind::Float)
}

/// Returns the number of rows of each class or of each yes-or-no label; empty for numbers.
fn counts_of_targets(rows: &Rows, loaded: &Loaded) -> Vec<ClassCount> {
    let counts: Vec<i64> = match loaded.target {
        Target::Classes(classes) => Vec::try_from(rows.targets.bincount::<Tensor>(None, classes as i64)),
        Target::Labels(_) => Vec::try_from(rows.targets.sum_dim_intlist(0, false, Kind::Int64)),
        Target::Values(_) => return Vec::new(),
    }
    .expect("counts are int64");
    class_counts(&loaded.classes, counts.into_iter().map(|count| count as usize), rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str, target: Option<&str>) -> PartDescription {
        let table = Table::from_csv(text.as_bytes(), ',').unwrap();
        let target = target.map(|name| table.column(name).unwrap());
        describe_table("table", &table, String::new(), target).parts.remove(0)
    }

    const FRAUDS: &str = "amount,Class\n1,\"0\"\n2,\"0\"\n2,\"0\"\n2,\"1\"\n3,\"1\"\n3,\"1\"\n3,\"1\"\n,\"0\"\n";

    #[test]
    fn classes_are_counted_with_their_shares_and_the_rows_that_differ() {
        let part = described(FRAUDS, Some("Class"));
        let classes: Vec<_> = part.classes.iter().map(|c| (c.class.as_str(), c.rows, c.share, c.distinct)).collect();
        assert_eq!(classes, [("0", 4, 0.5, Some(3)), ("1", 4, 0.5, Some(2))]);
        assert_eq!((part.rows, part.sample, part.duplicate_rows), (8, vec![2], 3));
        assert_eq!((part.columns[0].missing, part.columns[0].distinct, part.columns[0].mean), (1, 3, Some(16.0 / 7.0)));
    }

    #[test]
    fn rows_that_differ_in_nothing_but_their_class_are_counted_where_the_target_is_known() {
        assert_eq!(described(FRAUDS, Some("Class")).contradictory_rows, Some(3)); // the three rows with amount 2
        let unknown = described(FRAUDS, None);
        assert_eq!((unknown.contradictory_rows, unknown.duplicate_rows, unknown.classes.len()), (None, 3, 0));
        assert_eq!(unknown.columns[1].values.len(), 2);
    }

    #[test]
    fn a_target_of_values_has_no_classes_and_a_missing_target_none_of_them() {
        let part = described("x,y\n1,0.5\n1,0.5\n1,0.25\n", Some("y"));
        assert_eq!((part.classes.len(), part.contradictory_rows, part.duplicate_rows), (0, None, 1));
        let part = described("x,y\n1,a\n1,\n1,\n2,b\n", Some("y"));
        let classes: Vec<_> = part.classes.iter().map(|c| (c.rows, c.share, c.distinct)).collect();
        assert_eq!(classes, [(1, 0.25, Some(1)), (1, 0.25, Some(1))]);
        assert_eq!((part.contradictory_rows, part.duplicate_rows), (Some(0), 1));
    }

    #[test]
    fn columns_without_a_value_and_with_one_alone_are_told_apart_by_what_they_hold() {
        let part = described("none,one,two\n,7,1\n,,2\nNA,7,2\n", None);
        let Constant::Columns(names) = &part.constant else { panic!("it is a table") };
        assert_eq!(names, &["none", "one"]);
        let distinct: Vec<_> = part.columns.iter().map(|c| (c.distinct, c.missing, c.min)).collect();
        assert_eq!(distinct, [(0, 3, None), (1, 1, Some(7.0)), (2, 0, Some(1.0))]);
    }
}
