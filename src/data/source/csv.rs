//! Any table of the user's own, as CSV.

use std::path::Path;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::check::Invalid;
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::prepare::scale::Scale;
use crate::data::source::user_file;
use crate::data::split::Split;
use crate::data::table::column_roles::{ColumnRoles, Names, Selected};
use crate::data::table::csv_table::Table;
use crate::data::table::csv_text::TableFault;
use crate::data::table::encode::{Encode, Missing};
use crate::data::table::reading::{ClassColumn, Reading, TextColumns};
use crate::data::table::recognize::dates::Dates;
use crate::data::table::recognize::number_format::NumberFormat;
use crate::data::table::target_kind::Task;
use crate::io::separator;

/// `[data.csv]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// The file, `.csv` or `.csv.gz`; a relative path is relative to the experiment file.
    pub path: String,
    /// The column to predict, or a list of them.
    pub target: Names,
    /// What the target is taken for. Where it is not stated nothing is guessed: text is classes, numbers are values.
    #[serde(default)]
    pub task: Option<Task>,
    /// The classes in their order, such as `["0", "1"]`: any other value in the target's column is an error. Where they
    /// are not stated, the classes are the values that occur, ascending.
    #[serde(default, deserialize_with = "class_names")]
    pub classes: Option<Vec<String>>,
    /// The columns to predict from; all others where they are not stated.
    #[serde(default)]
    pub features: Option<Vec<String>>,
    /// Columns to leave out.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Columns that hold categories though their values are numbers, dates or ids: `02139` and `2139` are two of them.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Columns of dates, which become days since 1970-01-01, or their formats, as Python's `strptime` takes them:
    /// `["signup"]`, `{ signup = "%d/%m/%Y" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<Dates>,
    /// What becomes of categories.
    #[serde(default)]
    pub encode: Encode,
    /// What becomes of missing values.
    #[serde(default)]
    pub missing: Missing,
    /// What counts as missing, in place of pandas' list of an empty field, `NA`, `NaN`, `None` and others. Stated classes
    /// are never missing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "class_names")]
    pub missing_values: Option<Vec<String>>,
    /// The decimal mark of numbers: `.` where it is not stated, or `,`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// What separates the thousands of numbers, such as `.` in 1.299,99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// A column of numbers above 0 that says what each row counts in the loss, of training, validation and test rows
    /// alike; metrics count every row once. It is no feature.
    #[serde(default)]
    pub weights: Option<String>,
    /// The character between two fields: `","`, `";"`, `"tab"`, …
    #[serde(default = "comma", deserialize_with = "separator_name")]
    pub separator: char,
    /// Which rows are held out.
    #[serde(default)]
    pub split: Option<Split>,
    /// How the numbers are scaled.
    #[serde(default)]
    pub scale: Scale,
}

fn comma() -> char {
    ','
}

/// One character, or `tab`.
fn separator_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<char, D::Error> {
    separator::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Text, or numbers as a table writes them: `["0", "1"]` or `[0, 1]`.
fn class_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected the name of a class, or its number")]
    enum Name {
        Text(String),
        Number(i64),
    }
    let names = Option::<Vec<Name>>::deserialize(deserializer)?;
    let text = |name| match name {
        Name::Text(text) => text,
        Name::Number(number) => number.to_string(),
    };
    Ok(names.map(|names| names.into_iter().map(text).collect()))
}

/// Reads a table of the user's own.
///
/// # Errors
/// When the file cannot be read, or holds no table. The first is told as the message, after the file's name.
pub fn read(path: &Path, reading: &Reading) -> Result<(Table, String), TableFault> {
    if let Some(plain) = Table::of_plain_file(path, reading) {
        return Ok(plain);
    }
    let (bytes, sum) = user_file::read_table(path)?;
    Ok((Table::read(&bytes, reading)?, sum))
}

impl Csv {
    /// How the fields of the file are read.
    fn reading(&self) -> Result<Reading, Invalid> {
        let default = NumberFormat::default();
        let numbers = NumberFormat { decimal: self.decimal.unwrap_or(default.decimal), thousands: self.thousands };
        numbers.check()?;
        self.dates.as_ref().map_or(Ok(()), Dates::check)?;
        let target = self.target.list().first();
        let classes = target.zip(self.classes.as_ref());
        let classes = classes.map(|(name, classes)| ClassColumn { name: name.clone(), classes: classes.clone() });
        let is_class = self.task == Some(Task::Classes) || classes.is_some();
        let text = self.categories.iter().chain(target.filter(|_| is_class)).cloned().collect();
        Ok(Reading {
            missing_values: self.missing_values.clone(),
            numbers,
            classes,
            text: TextColumns::Named(text),
            ..Reading::new(self.separator).with_dates(self.dates.as_ref())
        })
    }

    /// The table, the checksum of its file, and how it was read.
    fn table(&self) -> Result<(Table, String, Reading), Invalid> {
        let reading = self.reading()?;
        let (table, sum) = read(Path::new(&self.path), &reading).map_err(|fault| self.of_path(fault))?;
        Ok((table, sum, reading))
    }

    /// A fault of the file.
    fn of_path(&self, fault: TableFault) -> Invalid {
        let told = Invalid::new("path", format!("cannot be used: `{}` {}", self.path, fault.message));
        Invalid { hint: fault.hint, ..told }
    }

    /// The checksum of the file.
    pub(super) fn checksum(&self) -> Result<String, Invalid> {
        user_file::read(Path::new(&self.path)).map(|(_, sum)| sum).map_err(|fault| self.of_path(fault))
    }

    fn select<'t>(&self, table: &'t Table) -> Result<Selected<'t>, Invalid> {
        let recipe = ColumnRoles {
            target: self.target.list(),
            task: self.task,
            classes: self.classes.as_deref(),
            features: self.features.as_deref(),
            drop: &self.drop,
            categories: &self.categories,
            encode: self.encode,
            missing: self.missing,
            weights: self.weights.as_deref(),
            dates: &self.dates.as_ref().map(Dates::names).unwrap_or_default(),
        };
        recipe.select(table)
    }

    pub(super) fn card(&self) -> Result<DatasetInfo, Invalid> {
        let (table, _, _) = self.table()?;
        self.select(&table).map(|selected| selected.card())
    }

    pub(super) fn load(&self) -> Result<Loaded, Invalid> {
        let (table, sum, reading) = self.table()?;
        Ok(self.select(&table)?.load(sum, reading))
    }
}
