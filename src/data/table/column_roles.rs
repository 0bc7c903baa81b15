//! Which columns of a table are features, which are the target, and which rows are used.
//!
//! All that can be known without fitting is checked here, so that a mistake in the table or in its settings is told
//! before anything is trained.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::{Invalid, require};
use crate::config::suggest;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::rows::Rows;
use crate::data::table::column::Column;
use crate::data::table::columns::{Columns, in_words, row_by_row, weights_of};
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{Encode, Encoding, Missing, Planned};
use crate::data::table::form::{Form, TableForm};
use crate::data::table::reading::{ClassColumn, Reading, TextColumns};
use crate::data::table::recognize::dates::DateColumn;
use crate::data::table::recognize::number_format::same;
use crate::data::table::recognize::recognize;
use crate::data::table::target_kind::{TargetColumns, Targets, Task};
use crate::data::table::values::Values;
use crate::tensor::shape::Shape;

/// One column's name, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a column's name, or a list of names")]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Names {
    /// The names.
    pub fn list(&self) -> &[String] {
        match self {
            Names::One(name) => std::slice::from_ref(name),
            Names::Many(names) => names,
        }
    }
}

/// Settings of a table, as an experiment writes them.
#[derive(Clone, Copy, Debug)]
pub struct ColumnRoles<'a> {
    /// The columns to predict.
    pub target: &'a [String],
    /// What they are taken for; text for classes and numbers for values where it is not stated.
    pub task: Option<Task>,
    /// The classes in their order; those that occur where they are not stated.
    pub classes: Option<&'a [String]>,
    /// The columns to predict from; all others where they are not stated.
    pub features: Option<&'a [String]>,
    /// Columns to leave out.
    pub drop: &'a [String],
    /// Columns of numbers that stand for categories.
    pub categories: &'a [String],
    /// What becomes of categories.
    pub encode: Encode,
    /// What becomes of missing values.
    pub missing: Missing,
    /// The column that says what each row counts in the loss.
    pub weights: Option<&'a str>,
    /// The columns of dates.
    pub dates: &'a [String],
}

/// The part of a table that an experiment uses; it becomes tensors only when it is loaded.
#[derive(Debug)]
pub struct Selected<'t> {
    encoding: Encoding,
    /// Column by column.
    features: Vec<Cow<'t, [f64]>>,
    rows: usize,
    targets: Targets,
    weights: Option<Vec<f32>>,
    target: TargetColumns,
    dates: Vec<DateColumn>,
    notes: Vec<String>,
}

impl Selected<'_> {
    /// What is known before training.
    pub fn card(&self) -> DatasetInfo {
        let sample = Shape::from([self.encoding.width() as i64]);
        let (classes, notes) = (self.targets.names.clone(), self.notes.clone());
        DatasetInfo { sample, target: self.targets.target, rows: self.rows, test_rows: 0, classes, notes }
    }

    /// The rows as tensors, with the checksum of what they come from, and how its fields are read: another table is read
    /// with the formats of the dates and the text that were found in this one.
    pub fn load(self, sha256: String, reading: Reading) -> Loaded {
        let categories = self.encoding.columns.iter().filter(|column| !column.categories().is_empty());
        let mut text: Vec<String> = categories.map(|column| column.name.clone()).collect();
        let classes = (self.target.task == Task::Classes)
            .then(|| ClassColumn { name: self.target.names[0].clone(), classes: self.target.classes.clone() });
        text.extend(classes.iter().map(|column| column.name.clone()));
        let reading = Reading { classes, text: TextColumns::Named(text), dates: self.dates, ..reading };
        Loaded {
            sha256,
            target: self.targets.target,
            rows: Rows {
                features: row_by_row(&self.features, self.rows),
                targets: self.targets.tensor(),
                weights: self.weights.as_deref().map(Tensor::from_slice),
            },
            classes: self.targets.names,
            test: None,
            largest: 1.0,
            form: Form::Table(Box::new(TableForm { encoding: self.encoding, target: self.target, reading })),
        }
    }
}

impl<'a> ColumnRoles<'a> {
    /// Predicts these columns from all others, which hold numbers with none missing.
    pub fn of(target: &'a [String]) -> Self {
        ColumnRoles {
            target,
            task: None,
            classes: None,
            features: None,
            drop: &[],
            categories: &[],
            encode: Encode::Error,
            missing: Missing::Error,
            weights: None,
            dates: &[],
        }
    }

    /// Selects, and checks, what the settings name.
    ///
    /// # Errors
    /// When a setting names no column, a value is missing or of the wrong kind; the key is relative to the data set.
    pub fn select<'t>(&self, table: &'t Table) -> Result<Selected<'t>, Invalid> {
        let targets = self.columns(table, "target", self.target)?;
        if targets.is_empty() {
            return Err(Invalid::new("target", "names no column").hint(known(table)));
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
        for column in chosen {
            let (becomes, values) = of_rows.feature(column)?;
            notes.extend(of_rows.note(column, &becomes));
            columns.push(Planned { name: column.name.clone(), becomes });
            features.push(values);
        }
        let task = self.task(table, &targets)?;
        let targets = task.read(table, &targets, &rows, self.classes)?;
        let encoding = Encoding { columns, missing: self.missing };
        let weights = weights.map(|column| weights_of(table, column, &rows)).transpose()?;
        let target = TargetColumns { names: self.target.to_vec(), task, classes: targets.names.clone() };
        Ok(Selected { encoding, features, rows: rows.len(), targets, weights, target, dates, notes })
    }

    /// What the target is taken for: stated classes are classes, numbers or not. Two numbers may be either.
    fn task(&self, table: &Table, targets: &[&Column]) -> Result<Task, Invalid> {
        let Some(classes) = self.classes else { return self.task.map_or_else(|| self.task_of(table, targets), Ok) };
        if let Some(task @ (Task::Values | Task::Labels)) = self.task {
            let message = format!("states classes, and `task` is `{}`", task.name());
            return Err(Invalid::new("classes", message).hint("leave one of the two out"));
        }
        require(classes.len() >= 2, "classes", "must state two classes at least", classes.len())?;
        match classes.iter().enumerate().find(|(number, name)| classes[..*number].iter().any(|c| same(c, name))) {
            Some((_, name)) => Err(Invalid::new("classes", format!("states class `{name}` twice"))),
            None => Ok(Task::Classes),
        }
    }

    /// What a target is where nothing is stated of it.
    fn task_of(&self, table: &Table, targets: &[&Column]) -> Result<Task, Invalid> {
        let target = targets[0];
        if let Some(found) = recognize(target, table.numbers) {
            let message = format!("is no class: {}", in_words(table, target, &found));
            return Err(Invalid::new("target", message).hint(found.hint_for_target()));
        }
        let has_two = |column: &&&Column| matches!(column.values, Values::Numbers(_)) && column.values.distinct() == 2;
        match targets.iter().find(has_two) {
            None => Ok(Task::of(target)),
            Some(column) => {
                let values = column.values.categories().0;
                let message = format!(
                    "holds two numbers, `{}` and `{}`, in column `{}`: are they classes?",
                    values[0], values[1], column.name
                );
                let hint = match targets.len() {
                    1 => "write `task = \"classes\"` if they are, `task = \"values\"` for numbers to come near to",
                    _ => "write `task = \"labels\"` for yes or no, `task = \"values\"` for numbers to come near to",
                };
                Err(Invalid::new("target", message).hint(hint))
            }
        }
    }

    /// The columns of dates, with the formats that they were read in.
    fn date_columns(&self, table: &Table) -> Result<Vec<DateColumn>, Invalid> {
        let columns = self.columns(table, "dates", self.dates)?;
        if let Some(name) = self.dates.iter().find(|name| self.categories.contains(name)) {
            return Err(Invalid::new("dates", format!("names `{name}`, which `categories` names too")));
        }
        let date = |column: &Column| DateColumn { name: column.name.clone(), format: column.date_format().cloned() };
        Ok(columns.into_iter().map(date).collect())
    }

    fn columns<'t>(&self, table: &'t Table, key: &str, names: &[String]) -> Result<Vec<&'t Column>, Invalid> {
        let column = |name: &String| {
            table.column(name).ok_or_else(|| {
                let hint = suggest::nearest(name, table.names()).map(|near| format!("did you mean `{near}`?"));
                let message = format!("names a column that the table does not have: `{name}`");
                Invalid::new(key, message).hint(hint.unwrap_or_else(|| known(table)))
            })
        };
        let columns = names.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        match names.iter().enumerate().find(|(number, name)| names[..*number].contains(name)) {
            Some((_, name)) => Err(Invalid::new(key, format!("names column `{name}` twice"))),
            None => Ok(columns),
        }
    }

    /// The column of weights, where there is one.
    fn weight_column<'t>(&self, table: &'t Table) -> Result<Option<&'t Column>, Invalid> {
        let Some(name) = self.weights else { return Ok(None) };
        let fault = |what: &str| Err(Invalid::new("weights", format!("names `{name}`, which `{what}` names too")));
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
        let Some(features) = self.features else {
            let left = |column: &&Column| {
                let is_weights = self.weights == Some(column.name.as_str());
                !dropped.contains(column) && !self.target.contains(&column.name) && !is_weights
            };
            let left: Vec<&Column> = table.columns.iter().filter(left).collect();
            return match left.is_empty() {
                true => Err(Invalid::new("target", "leaves no column to predict from")),
                false => Ok(left),
            };
        };
        let columns = self.columns(table, "features", features)?;
        if let Some(name) = features.iter().find(|name| self.target.contains(name)) {
            let message = format!("holds the target `{name}`: the network would be told the answer");
            return Err(Invalid::new("features", message));
        }
        if let Some(name) = features.iter().find(|name| self.drop.contains(name)) {
            return Err(Invalid::new("drop", format!("names `{name}`, which `features` names too")));
        }
        match columns.is_empty() {
            true => Err(Invalid::new("features", "names no column").hint(known(table))),
            false => Ok(columns),
        }
    }
}

/// The hint that lists a table's columns.
pub(crate) fn known(table: &Table) -> String {
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
        let fault = ColumnRoles::of(&y).select(&table(PEOPLE)).unwrap_err();
        assert_eq!(fault.to_string(), "`missing` is `error`, and row 3 (line 4), column `age`, has no value");
        let fault =
            ColumnRoles { missing: Missing::Mean, ..ColumnRoles::of(&y) }.select(&table("x,y\n1,a\n2,\n")).unwrap_err();
        assert_eq!(fault.to_string(), "`missing` is `mean`, and row 2 (line 3), target `y`, has no value");
    }

    #[test]
    fn rows_with_missing_values_are_left_out_with_classes_that_only_they_have() {
        let y = names(&["y"]);
        let dropped = ColumnRoles { missing: Missing::Drop, encode: Encode::OneHot, ..ColumnRoles::of(&y) };
        let people = table(PEOPLE);
        let selected = dropped.select(&people).unwrap();
        let card = selected.card();
        assert_eq!((card.rows, card.sample.flat(), card.target), (2, Some(4), Target::Classes(2)));
        assert_eq!(selected.targets.names, ["a", "b"]);
        let names = ["age", "city=Oslo", "city=Rome", "zip"];
        assert_eq!(selected.encoding.names(), names);
    }

    #[test]
    fn text_without_an_encoding_is_an_error_that_names_the_column_and_the_way_out() {
        let y = names(&["y"]);
        let fault = ColumnRoles { missing: Missing::Mean, ..ColumnRoles::of(&y) }.select(&table(PEOPLE)).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "`encode` is `error`, and column `city` holds categories: `Rome` in row 1 (line 2)"
        );
        let hint = fault.hint.unwrap();
        assert!(hint.contains("one_hot") && hint.contains("drop = [\"city\"]"));
    }

    #[test]
    fn text_in_a_column_of_numbers_is_a_slip_with_any_encoding() {
        let y = names(&["y"]);
        let text = table("x,y\n1,no\n2,yes\n3,yes\noops,no\n");
        for encode in [Encode::Error, Encode::OneHot] {
            let fault = ColumnRoles { encode, ..ColumnRoles::of(&y) }.select(&text).unwrap_err();
            assert!(fault.message.contains("column `x` holds numbers, and `oops` in row 4 (line 5)"), "{fault}");
        }
        let as_categories = names(&["x"]);
        let recipe = ColumnRoles { encode: Encode::OneHot, categories: &as_categories, ..ColumnRoles::of(&y) };
        assert_eq!(recipe.select(&text).unwrap().card().sample.flat(), Some(4));
    }

    #[test]
    fn columns_that_are_not_there_are_told_with_the_nearest_name() {
        let wrong = names(&["specis"]);
        let fault = ColumnRoles::of(&wrong).select(&table("species,x\na,1\nb,2\n")).unwrap_err();
        assert_eq!(fault.hint.unwrap(), "did you mean `species`?");
        let (y, all) = (names(&["y"]), names(&["x", "y"]));
        let fault =
            ColumnRoles { features: Some(&all), ..ColumnRoles::of(&y) }.select(&table("x,y\n1,2\n")).unwrap_err();
        assert!(fault.message.contains("told the answer"));
    }

    #[test]
    fn a_column_of_weights_is_no_feature_and_holds_numbers_above_0() {
        let y = names(&["y"]);
        let weighted = ColumnRoles { weights: Some("w"), ..ColumnRoles::of(&y) };
        let table_of_two = table("x,w,y\n1,2,a\n2,0.5,b\n");
        let selected = weighted.select(&table_of_two).unwrap();
        assert_eq!((selected.card().sample.flat(), selected.weights), (Some(1), Some(vec![2.0, 0.5])));
        for (text, words) in [
            ("x,w,y\n1,2,a\n2,0,b\n", "has `0` in row 2 (line 3), where a number above 0"),
            ("x,w,y\n1,2,a\n2,-1,b\n", "has `-1`"),
            ("x,w,y\n1,heavy,a\n2,1,b\n", "has `heavy` in row 1"),
            ("x,w,y\n1,2,a\n2,1,b\n3,heavy,a\n", "has `heavy` in row 3"),
            ("x,w,y\n1,1e-60,a\n2,1,b\n", "has 1e-60 in row 1 (line 2), which f32 cannot hold"),
            ("x,w,y\n1,1e300,a\n2,1,b\n", "has 1e300 in row 1"),
            ("x,w,y\n1,,a\n2,1,b\n", "row 1 (line 2), weight `w`, has no value"),
            ("x,v,y\n1,1,a\n2,1,b\n", "does not have: `w`"),
        ] {
            let fault = weighted.select(&table(text)).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
        }
        let dropped = ColumnRoles { missing: Missing::Drop, ..weighted };
        assert_eq!(dropped.select(&table("x,w,y\n1,,a\n2,1,b\n3,1,a\n")).unwrap().card().rows, 2);
        let fault =
            ColumnRoles { weights: Some("y"), ..ColumnRoles::of(&y) }.select(&table("x,y\n1,a\n2,b\n")).unwrap_err();
        assert_eq!(fault.to_string(), "`weights` names `y`, which `target` names too");
    }
}
