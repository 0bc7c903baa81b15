//! Roles of the columns of a table (features, target, weights, not used), and the rows that are used.
//!
//! Everything that needs no fitting is checked here, so that a mistake in the table or in its settings is reported
//! before training.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::{Invalid, require};
use crate::config::suggest;
use crate::config::values::variant_name;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::rows::Rows;
use crate::data::split::Split;
use crate::data::split::stated_rows::StatedRows;
use crate::data::table::column::Column;
use crate::data::table::columns::{Columns, describe_content, row_by_row, weights_of};
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{ColumnEncoding, Encode, Encoding, Missing};
use crate::data::table::field_format::{ClassColumn, FieldFormat, TextColumns};
use crate::data::table::form::{Form, TableForm};
use crate::data::table::recognize::dates::DateColumn;
use crate::data::table::recognize::number_format::same;
use crate::data::table::recognize::recognize;
use crate::data::table::target_kind::{ColumnTargets, TargetColumns, TargetKind};
use crate::data::table::values::Values;
use crate::tensor::shape::Shape;
use crate::tensor::threads;

/// One column name, or a list of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a column's name, or a list of names")]
pub enum ColumnNames {
    /// One name.
    One(String),
    /// Several names.
    Many(Vec<String>),
}

impl ColumnNames {
    /// Returns the names.
    pub fn list(&self) -> &[String] {
        match self {
            ColumnNames::One(name) => std::slice::from_ref(name),
            ColumnNames::Many(names) => names,
        }
    }
}

/// Settings of a table in an experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnRoles<'a> {
    /// Target columns.
    pub target: &'a [String],
    /// Kind of the target; by default, text is classes and numbers are values.
    pub task: Option<TargetKind>,
    /// Class names in order; by default, the classes that occur.
    pub classes: Option<&'a [String]>,
    /// Feature columns; by default, all other columns.
    pub features: Option<&'a [String]>,
    /// Columns that are not used.
    pub drop: &'a [String],
    /// Columns of numbers that are categories.
    pub categories: &'a [String],
    /// Encoding of categories.
    pub encode: Encode,
    /// Handling of missing values.
    pub missing: Missing,
    /// Column of sample weights.
    pub weights: Option<&'a str>,
    /// Date columns.
    pub dates: &'a [String],
    /// Split, whose columns are no features.
    pub split: Option<&'a Split>,
}

/// Selected columns and rows of a table. They become tensors when they are loaded.
#[derive(Debug)]
pub struct SelectedColumns<'t> {
    encoding: Encoding,
    /// Feature columns.
    features: Vec<Cow<'t, [f64]>>,
    rows: usize,
    targets: ColumnTargets,
    weights: Option<Vec<f32>>,
    split: Option<StatedRows>,
    target: TargetColumns,
    dates: Vec<DateColumn>,
    notes: Vec<String>,
}

impl SelectedColumns<'_> {
    /// Returns the description of the data set.
    pub fn info(&self) -> DatasetInfo {
        let sample = Shape::from([self.encoding.width() as i64]);
        let (classes, notes) = (self.targets.names.clone(), self.notes.clone());
        let [rows, validation_rows, test_rows] = self.split.as_ref().map_or([self.rows, 0, 0], StatedRows::counts);
        let training = DatasetInfo::new(sample, self.targets.target, rows, classes);
        DatasetInfo { test_rows, validation_rows, notes, ..training }
    }

    /// Converts the rows to tensors. `sha256` is the checksum of the source. `reading` is the format of its fields; the
    /// formats of dates and the texts of numbers that were found in this table are added, so that another table is read
    /// in the same way.
    pub fn load(self, sha256: String, reading: FieldFormat) -> Loaded {
        let categories = self.encoding.columns.iter().filter(|column| !column.categories().is_empty());
        let mut text: Vec<String> = categories.map(|column| column.name.clone()).collect();
        let classes = (self.target.task == TargetKind::Classes)
            .then(|| ClassColumn { name: self.target.names[0].clone(), classes: self.target.classes.clone() });
        text.extend(classes.iter().map(|column| column.name.clone()));
        let reading = FieldFormat { classes, text: TextColumns::Named(text), dates: self.dates, ..reading };
        let rows = Rows {
            features: row_by_row(&self.features, self.rows),
            targets: self.targets.tensor(),
            weights: self.weights.as_deref().map(Tensor::from_slice),
        };
        let form = Form::Table(Box::new(TableForm { encoding: self.encoding, target: self.target, reading }));
        Loaded::new(sha256, self.targets.target, self.targets.names, rows, form).with_parts(self.split)
    }
}

impl<'a> ColumnRoles<'a> {
    /// Creates roles in which all columns but `target` are features: numbers without missing values.
    pub fn new(target: &'a [String]) -> Self {
        ColumnRoles { target, ..ColumnRoles::default() }
    }

    /// Checks the settings and selects columns and rows.
    ///
    /// # Errors
    /// When a setting names an unknown column, or a value is missing or has the wrong type; the key is relative to the
    /// data set.
    pub fn select<'t>(&self, table: &'t Table) -> Result<SelectedColumns<'t>, Invalid> {
        let targets = self.columns(table, "target", self.target)?;
        if targets.is_empty() {
            return Err(Invalid::new("target", "lists no columns").hint(columns_hint(table)));
        }
        let chosen = self.feature_columns(table)?;
        let weights = self.weight_column(table)?;
        let needed: Vec<&Column> = targets.iter().copied().chain(weights).collect();
        let dates = self.date_columns(table)?;
        let rows = self.rows_to_keep(table, &chosen, &needed)?;
        let mut notes: Vec<String> = self.left_out(table, &rows, &chosen, &needed).into_iter().collect();
        let of_rows = Columns { table, rows: &rows, encode: self.encode, categories: self.categories };
        let mut features = Vec::with_capacity(chosen.len());
        let mut columns = Vec::with_capacity(chosen.len());
        let read = threads::map_in_parallel(&chosen, chosen.len() * rows.len(), |&column| {
            of_rows.feature(column).map(|(encoding, values)| (of_rows.note(column, &encoding), encoding, values))
        });
        for (column, read) in chosen.into_iter().zip(read) {
            let (note, encoding, values) = read?;
            notes.extend(note);
            columns.push(ColumnEncoding { name: column.name.clone(), encoding });
            features.push(values);
        }
        let task = self.task(table, &targets)?;
        let targets = task.read(table, &targets, &rows, self.classes)?;
        let encoding = Encoding { columns, missing: self.missing };
        let weights = weights.map(|column| weights_of(table, column, &rows)).transpose()?;
        let split = self.split.filter(|split| !split.columns().is_empty());
        let split = split.map(|split| self.split_rows(split, table, &rows, &targets, &mut notes)).transpose()?;
        let target = TargetColumns { names: self.target.to_vec(), task, classes: targets.names.clone() };
        Ok(SelectedColumns { encoding, features, rows: rows.len(), targets, weights, split, target, dates, notes })
    }

    /// Returns the kind of the target. Stated classes are classes, even if they are numbers; two distinct numbers are
    /// ambiguous.
    pub(crate) fn task(&self, table: &Table, targets: &[&Column]) -> Result<TargetKind, Invalid> {
        let Some(classes) = self.classes else { return self.task.map_or_else(|| self.task_of(table, targets), Ok) };
        if let Some(task @ (TargetKind::Values | TargetKind::Labels)) = self.task {
            let message = format!("lists classes, but `task` is `{}`", variant_name(&task));
            return Err(Invalid::new("classes", message).hint("remove one of the two"));
        }
        require(classes.len() >= 2, "classes", "must list at least two classes", classes.len())?;
        match classes.iter().enumerate().find(|(number, name)| classes[..*number].iter().any(|c| same(c, name))) {
            Some((_, name)) => Err(Invalid::new("classes", format!("lists class `{name}` twice"))),
            None => Ok(TargetKind::Classes),
        }
    }

    /// Returns the kind of a target that is not stated.
    fn task_of(&self, table: &Table, targets: &[&Column]) -> Result<TargetKind, Invalid> {
        let target = targets[0];
        if let Some(found) = recognize(target, table.numbers) {
            let message = format!("cannot be classes: {}", describe_content(table, target, &found));
            return Err(Invalid::new("target", message).hint(found.hint_for_target()));
        }
        let has_two = |column: &&&Column| matches!(column.values, Values::Numbers(_)) && column.values.distinct() == 2;
        match targets.iter().find(has_two) {
            None => Ok(TargetKind::from_column(target)),
            Some(column) => {
                let values = column.values.categories().0;
                let message = format!(
                    "has two distinct numbers, `{}` and `{}`, in column `{}`: classes or values?",
                    values[0], values[1], column.name
                );
                let hint = match targets.len() {
                    1 => "write `task = \"classes\"` for classes, or `task = \"values\"` for regression",
                    _ => "write `task = \"labels\"` for yes or no, or `task = \"values\"` for regression",
                };
                Err(Invalid::new("target", message).hint(hint))
            }
        }
    }

    /// Returns the date columns, with the formats that were found.
    fn date_columns(&self, table: &Table) -> Result<Vec<DateColumn>, Invalid> {
        let columns = self.columns(table, "dates", self.dates)?;
        if let Some(name) = self.dates.iter().find(|name| self.categories.contains(name)) {
            return Err(Invalid::new("dates", format!("lists `{name}`, which is also in `categories`")));
        }
        let date = |column: &Column| DateColumn { name: column.name.clone(), format: column.date_format.clone() };
        Ok(columns.into_iter().map(date).collect())
    }

    pub(crate) fn columns<'t>(
        &self,
        table: &'t Table,
        key: &str,
        names: &[String],
    ) -> Result<Vec<&'t Column>, Invalid> {
        let column = |name: &String| {
            table.column(name).ok_or_else(|| {
                let hint = suggest::nearest(name, table.names()).map(|near| format!("did you mean `{near}`?"));
                let message = format!("names a column that the table does not have: `{name}`");
                Invalid::new(key, message).hint(hint.unwrap_or_else(|| columns_hint(table)))
            })
        };
        let columns = names.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        match names.iter().enumerate().find(|(number, name)| names[..*number].contains(name)) {
            Some((_, name)) => Err(Invalid::new(key, format!("lists column `{name}` twice"))),
            None => Ok(columns),
        }
    }

    /// Returns the column of sample weights.
    pub(crate) fn weight_column<'t>(&self, table: &'t Table) -> Result<Option<&'t Column>, Invalid> {
        let Some(name) = self.weights else { return Ok(None) };
        let fault = |what: &str| Err(Invalid::new("weights", format!("is `{name}`, which is also in `{what}`")));
        let is_named = |names: &[String]| names.iter().any(|other| other == name);
        match () {
            () if is_named(self.target) => fault("target"),
            () if self.features.is_some_and(is_named) => fault("features"),
            () if is_named(self.drop) => fault("drop"),
            () => Ok(self.columns(table, "weights", &[name.to_owned()])?.first().copied()),
        }
    }

    fn feature_columns<'t>(&self, table: &'t Table) -> Result<Vec<&'t Column>, Invalid> {
        let dropped = self.columns(table, "drop", self.drop)?;
        self.columns(table, "categories", self.categories)?;
        let by_split = self.split.map(Split::columns).unwrap_or_default();
        let Some(features) = self.features else {
            let left = |column: &&Column| {
                let is_weights = self.weights == Some(column.name.as_str());
                let is_of_split = by_split.iter().any(|(_, name)| *name == column.name);
                !dropped.contains(column) && !self.target.contains(&column.name) && !is_weights && !is_of_split
            };
            let left: Vec<&Column> = table.columns.iter().filter(left).collect();
            return match left.is_empty() {
                true => Err(Invalid::new("target", "leaves no feature columns")),
                false => Ok(left),
            };
        };
        let columns = self.columns(table, "features", features)?;
        if let Some(name) = features.iter().find(|name| self.target.contains(name)) {
            let message = format!("contains the target `{name}`, which is data leakage");
            return Err(Invalid::new("features", message));
        }
        if let Some(name) = features.iter().find(|name| self.drop.contains(name)) {
            return Err(Invalid::new("drop", format!("lists `{name}`, which is also in `features`")));
        }
        match columns.is_empty() {
            true => Err(Invalid::new("features", "lists no columns").hint(columns_hint(table))),
            false => Ok(columns),
        }
    }
}

/// Returns the hint that lists the columns of a table.
pub(crate) fn columns_hint(table: &Table) -> String {
    let names: Vec<&str> = table.names().take(12).collect();
    let more = if table.columns.len() > names.len() { ", …" } else { "" };
    format!("its columns are {}{more}", suggest::list(&names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::target::Target;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn table(text: &str) -> Table {
        Table::from_csv(text.as_bytes(), ',').unwrap()
    }

    const PEOPLE: &str = "age,city,zip,y\n30,Rome,1,a\n40,Oslo,2,b\n,Rome,1,a\n50,,2,c\n";

    #[test]
    fn a_missing_value_is_named_by_row_and_column() {
        let y = names(&["y"]);
        let fault = ColumnRoles::new(&y).select(&table(PEOPLE)).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "`missing` is `error` (the default), but row 3 (line 4), column `age`, has no value"
        );
        let fault = ColumnRoles::new(&y).select(&table("x,y\n1,a\n2,\n")).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "`missing` is `error` (the default), but row 2 (line 3), target `y`, has no value"
        );
    }

    #[test]
    fn rows_without_a_target_are_dropped_with_a_note_where_features_are_filled_in() {
        let y = names(&["y"]);
        let filled = ColumnRoles { missing: Missing::Mean, ..ColumnRoles::new(&y) };
        let of = table("x,y\n1,a\n2,\n,b\n");
        let info = filled.select(&of).unwrap().info();
        assert_eq!(info.rows, 2);
        let note = "1 of 3 rows are dropped: they have no value in `y`; only features are filled in";
        assert_eq!(info.notes, [note]);
        let fault = filled.select(&table("x,y\n1,\n2,\n")).unwrap_err();
        assert_eq!(fault.to_string(), "`missing` is `mean`, but no row has a target");
    }

    #[test]
    fn rows_with_missing_values_are_left_out_with_classes_that_only_they_have() {
        let y = names(&["y"]);
        let dropped = ColumnRoles { missing: Missing::Drop, encode: Encode::OneHot, ..ColumnRoles::new(&y) };
        let people = table(PEOPLE);
        let selected = dropped.select(&people).unwrap();
        let info = selected.info();
        assert_eq!((info.rows, info.sample.flat(), info.target), (2, Some(4), Target::Classes(2)));
        assert_eq!(selected.targets.names, ["a", "b"]);
        let names = ["age", "city=Oslo", "city=Rome", "zip"];
        assert_eq!(selected.encoding.names(), names);
    }

    #[test]
    fn text_without_an_encoding_is_an_error_that_names_the_column_and_the_way_out() {
        let y = names(&["y"]);
        let fault = ColumnRoles { missing: Missing::Mean, ..ColumnRoles::new(&y) }.select(&table(PEOPLE)).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "`encode` is `error` (the default), but column `city` has categories: `Rome` in row 1 (line 2)"
        );
        let hint = fault.hint.unwrap();
        assert!(hint.contains("one_hot") && hint.contains("drop = [\"city\"]"));
    }

    #[test]
    fn text_in_a_column_of_numbers_is_a_slip_with_any_encoding() {
        let y = names(&["y"]);
        let text = table("x,y\n1,no\n2,yes\n3,yes\noops,no\n");
        for encode in [Encode::Error, Encode::OneHot] {
            let fault = ColumnRoles { encode, ..ColumnRoles::new(&y) }.select(&text).unwrap_err();
            assert!(fault.message.contains("column `x` is numeric, but has `oops` in row 4 (line 5)"), "{fault}");
        }
        let as_categories = names(&["x"]);
        let roles = ColumnRoles { encode: Encode::OneHot, categories: &as_categories, ..ColumnRoles::new(&y) };
        assert_eq!(roles.select(&text).unwrap().info().sample.flat(), Some(4));
    }

    #[test]
    fn columns_that_are_not_there_are_told_with_the_nearest_name() {
        let wrong = names(&["specis"]);
        let fault = ColumnRoles::new(&wrong).select(&table("species,x\na,1\nb,2\n")).unwrap_err();
        assert_eq!(fault.hint.unwrap(), "did you mean `species`?");
        let (y, all) = (names(&["y"]), names(&["x", "y"]));
        let fault =
            ColumnRoles { features: Some(&all), ..ColumnRoles::new(&y) }.select(&table("x,y\n1,2\n")).unwrap_err();
        assert!(fault.message.contains("data leakage"));
    }

    #[test]
    fn a_column_of_weights_is_no_feature_and_holds_numbers_above_0() {
        let y = names(&["y"]);
        let weighted = ColumnRoles { weights: Some("w"), ..ColumnRoles::new(&y) };
        let table_of_two = table("x,w,y\n1,2,a\n2,0.5,b\n");
        let selected = weighted.select(&table_of_two).unwrap();
        assert_eq!((selected.info().sample.flat(), selected.weights), (Some(1), Some(vec![2.0, 0.5])));
        for (text, words) in [
            ("x,w,y\n1,2,a\n2,0,b\n", "has `0` in row 2 (line 3), where a number above 0"),
            ("x,w,y\n1,2,a\n2,-1,b\n", "has `-1`"),
            ("x,w,y\n1,heavy,a\n2,1,b\n", "has `heavy` in row 1"),
            ("x,w,y\n1,2,a\n2,1,b\n3,heavy,a\n", "has `heavy` in row 3"),
            ("x,w,y\n1,heavy,a\n2,light,b\n", "must be a column of numbers above 0, but `w` has `heavy` in row 1"),
            ("x,w,y\n1,1e-60,a\n2,1,b\n", "has 1e-60 in row 1 (line 2), which f32 cannot represent"),
            ("x,w,y\n1,1e300,a\n2,1,b\n", "has 1e300 in row 1"),
            ("x,w,y\n1,,a\n2,1,b\n", "row 1 (line 2), weight `w`, has no value"),
            ("x,v,y\n1,1,a\n2,1,b\n", "does not have: `w`"),
        ] {
            let fault = weighted.select(&table(text)).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
        }
        let dropped = ColumnRoles { missing: Missing::Drop, ..weighted };
        assert_eq!(dropped.select(&table("x,w,y\n1,,a\n2,1,b\n3,1,a\n")).unwrap().info().rows, 2);
        let fault =
            ColumnRoles { weights: Some("y"), ..ColumnRoles::new(&y) }.select(&table("x,y\n1,a\n2,b\n")).unwrap_err();
        assert_eq!(fault.to_string(), "`weights` is `y`, which is also in `target`");
    }
}
