//! The user's own table, as CSV.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check::Invalid;
use crate::config::texts::{optional_texts, texts};
use crate::data::dataset::{DatasetInfo, Loaded};
use crate::data::file_error::FileError;
use crate::data::source::data_source::{DataSource, load_error};
use crate::data::source::table_files;
use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::store::user_file::setting_error;
use crate::data::store::{kept_info, kept_table};
use crate::data::table::column_roles::{ColumnNames, ColumnRoles, SelectedColumns};
use crate::data::table::csv_table::Table;
use crate::data::table::encode::{Encode, Missing};
use crate::data::table::field_format::{ClassColumn, FieldFormat, TextColumns};
use crate::data::table::recognize::dates::Dates;
use crate::data::table::recognize::number_format::NumberFormat;
use crate::data::table::target_kind::TargetKind;
use crate::io::separator;

/// Settings of `[data.csv]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    /// Path of the file, `.csv` or `.csv.gz`, or a pattern such as `data/*.csv` for several files with the same columns. A
    /// relative path is relative to the experiment file.
    pub path: String,
    /// Target column, or a list of them.
    pub target: ColumnNames,
    /// Kind of the target. By default, text is classes and numbers are values; unclear cases are errors.
    #[serde(default)]
    pub task: Option<TargetKind>,
    /// Class names in order, such as `["0", "1"]`. Any other value in the target column is an error. By default, the
    /// distinct values in ascending order.
    #[serde(default, deserialize_with = "optional_texts")]
    pub classes: Option<Vec<String>>,
    /// Feature columns; by default, all other columns.
    #[serde(default)]
    pub features: Option<Vec<String>>,
    /// Columns that are not used.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Columns of categories whose values are numbers, dates or ids: `02139` and `2139` are two categories.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Date columns, which become days since 1970-01-01: a list of names, or a format for each, as in Python's
    /// `strptime`: `["signup"]`, `{ signup = "%d/%m/%Y" }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<Dates>,
    /// Encoding of categories.
    #[serde(default)]
    pub encode: Encode,
    /// Handling of missing values.
    #[serde(default)]
    pub missing: Missing,
    /// Texts that count as missing. By default, pandas' list: an empty field, `NA`, `NaN`, `None` and others. Names in
    /// `classes` never count as missing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_texts")]
    pub missing_values: Option<Vec<String>>,
    /// Texts that count as missing in addition, in all columns, such as `["?"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "texts")]
    pub na_values: Vec<String>,
    /// Decimal mark of numbers, `.` or `,`; by default `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// Thousands separator of numbers, such as `.` in 1.299,99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// Column of sample weights, numbers above 0. They apply to the loss on training, validation and test rows; metrics
    /// count every row once. The column is no feature.
    #[serde(default)]
    pub weights: Option<String>,
    /// Field separator: `","`, `";"`, `"tab"`, …
    #[serde(default = "separator::comma", deserialize_with = "separator::deserialize")]
    pub separator: char,
}

impl Csv {
    /// Returns the format of the fields, from the settings.
    fn reading(&self, split: &Split) -> Result<FieldFormat, Invalid> {
        let default = NumberFormat::default();
        let numbers = NumberFormat { decimal: self.decimal.unwrap_or(default.decimal), thousands: self.thousands };
        numbers.check()?;
        self.dates.as_ref().map_or(Ok(()), Dates::check)?;
        let target = self.target.list().first();
        let classes = target.zip(self.classes.as_ref());
        let classes = classes.map(|(name, classes)| ClassColumn { name: name.clone(), classes: classes.clone() });
        let is_class = self.task == Some(TargetKind::Classes) || classes.is_some();
        let mut text: Vec<String> = self.categories.iter().chain(target.filter(|_| is_class)).cloned().collect();
        text.extend(split.column.iter().map(|column| column.name().to_owned()).chain(split.group.clone()));
        Ok(FieldFormat {
            missing_values: FieldFormat::missing_texts(self.missing_values.as_deref(), &self.na_values),
            numbers,
            classes,
            text: TextColumns::Named(text),
            dates: self.dates.as_ref().map(Dates::columns).unwrap_or_default(),
            ..FieldFormat::new(self.separator)
        })
    }

    /// Reads the table. Returns it with the checksum of its file and the format of its fields.
    fn read(&self, split: &Split) -> Result<(Arc<Table>, String, FieldFormat), Invalid> {
        let (reading, path) = (self.reading(split)?, Path::new(&self.path));
        let read = kept_table::LAST.get_or_read(path, &reading, None, || table_files::read(path, &reading));
        let (table, sum) = read.map_err(|fault| self.path_error(fault))?;
        Ok((table, sum, reading))
    }

    /// Converts a fault of the file to an error of the setting `path`.
    fn path_error(&self, fault: FileError) -> Invalid {
        setting_error("path", &self.path, fault)
    }

    fn select<'t>(&self, table: &'t Table, split: &Split) -> Result<SelectedColumns<'t>, Invalid> {
        let roles = ColumnRoles {
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
            split: Some(split),
        };
        roles.select(table).map_err(|fault| match fault.key.is_empty() {
            true => self.path_error(FileError { message: fault.message, hint: fault.hint }),
            false => fault,
        })
    }
}

impl DataSource for Csv {
    const NAME: &'static str = "csv";
    const IS_TABLE: bool = true;
    const HAS_COLUMNS: bool = true;

    fn info(&self, split: &Split) -> Result<DatasetInfo, Invalid> {
        kept_info::get_or_read(&(self, split), &self.path, || {
            let (table, _, _) = self.read(split)?;
            self.select(&table, split).map(|selected| selected.info())
        })
    }

    fn load(&self, split: &Split, _: &Cache, _: &mut dyn DownloadProgress) -> anyhow::Result<Loaded> {
        let (table, sum, reading) = self.read(split).map_err(load_error::<Self>)?;
        kept_table::LAST.release(); // the memory is free once the rows are tensors
        Ok(self.select(&table, split).map_err(load_error::<Self>)?.load(sum, reading))
    }

    fn paths_mut(&mut self) -> Vec<(&'static str, &mut String)> {
        vec![("path", &mut self.path)]
    }

    fn checksum_of_files(&self) -> Result<Option<String>, Invalid> {
        table_files::checksum(Path::new(&self.path)).map(Some).map_err(|fault| self.path_error(fault))
    }

    fn weights(&self) -> Option<&str> {
        self.weights.as_deref()
    }
}
