//! Proposes how a user's table is used in an experiment: the role of each column, the handling of missing values, and
//! the kind of the target.

use std::path::Path;

use crate::config::suggest;
use crate::data::file_error::FileError;
use crate::data::inspect::detect::{DetectedTable, detect};
use crate::data::inspect::duplicates::{Duplicates, fingerprint};
use crate::data::inspect::problem::Problem;
use crate::data::inspect::text_column::is_of_texts;
use crate::data::table::column::Column;
use crate::data::table::csv_table::Table;
use crate::data::table::field_format::FieldFormat;
use crate::data::table::recognize::dates;
use crate::data::table::recognize::number_columns::{NumberFinding, recognize_numbers, recognize_row_numbers};
use crate::data::table::recognize::{Content, MOST_CATEGORIES, recognize};
use crate::data::table::values::Values;
use crate::history::number::count;

/// Names of columns that are often the target, most likely first.
const TARGET_NAMES: [&str; 16] = [
    "target",
    "label",
    "class",
    "y",
    "outcome",
    "churn",
    "churned",
    "survived",
    "default",
    "fraud",
    "species",
    "diagnosis",
    "quality",
    "price",
    "category",
    "response",
];

/// Use of a column that is not the target.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// Numbers, as they are.
    Numbers,
    /// Dates, as days.
    Dates,
    /// Categories that are recognized by their text.
    Text,
    /// Categories that look like numbers, with the reason.
    Codes(String),
    /// Not used, with the reason.
    Dropped(String),
}

/// Handling of missing values that fits a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// No used column has missing values.
    NotNeeded,
    /// Missing values of features are filled in, and rows without a target are dropped.
    Fill {
        /// Number of missing values in the rows that are used.
        values: usize,
        /// Number of rows without a target.
        without_target: usize,
    },
    /// Rows with a missing value are dropped.
    Drop {
        /// Number of rows without a target.
        without_target: usize,
        /// Number of dropped rows, with those that have a target.
        rows: usize,
    },
}

/// Maximum share of the rows that are dropped because of a missing feature, in percent.
const MOST_DROPPED: usize = 5;

/// Proposed use of a table.
#[derive(Debug)]
pub struct Proposal {
    /// The table with its detected format.
    pub detected: DetectedTable,
    /// Name of the target column.
    pub target: String,
    /// Kind of the target.
    pub problem: Problem,
    /// Other columns with their roles, in the order of the file.
    pub columns: Vec<(String, Role)>,
    /// Handling of missing values.
    pub filling: Filling,
    /// Number of rows that are used.
    pub rows: usize,
    /// Number of rows that equal an earlier row in all used columns.
    pub duplicates: usize,
    /// Number of features.
    pub features: usize,
}

/// Reads a table and proposes how it is used. Without a `target`, the most likely one is taken.
///
/// # Errors
/// When the file cannot be read, or the target does not exist or cannot be predicted.
pub fn propose(
    path: &Path,
    format: FieldFormat,
    separator: Option<char>,
    target: Option<&str>,
) -> Result<Proposal, FileError> {
    let detected = detect(path, format, separator)?;
    let table = &detected.table;
    let likely = likely_targets(table);
    let target = match target {
        Some(name) => find_target(table, name)?,
        None => table.column(likely[0]).expect("a likely target is a column"),
    };
    let others: Vec<&Column> = table.columns.iter().filter(|column| column.name != target.name).collect();
    if others.is_empty() {
        return Err(FileError::new(format!("has no column besides the target `{}`", target.name)));
    }
    let columns: Vec<(&Column, Role)> = others.into_iter().map(|column| (column, role(table, column))).collect();
    let used: Vec<&Column> =
        columns.iter().filter(|(_, role)| !matches!(role, Role::Dropped(_))).map(|(column, _)| *column).collect();
    if used.is_empty() {
        let message = format!("has no column to predict `{}` from", target.name);
        return Err(FileError::new(message).hint(unused_columns(&columns)));
    }
    let (filling, rows) = filling(table, target, &used);
    if rows.is_empty() {
        return Err(FileError::new("has a missing value in every row").hint("fill in the target column"));
    }
    let problem = Problem::of(table, target, &rows)?;
    let keys = used.iter().chain(std::iter::once(&target));
    let duplicates = rows.iter().map(|&row| fingerprint(keys.clone().map(|column| column.key(row).to_le_bytes())));
    let duplicates = Duplicates::count(duplicates, |_| None).duplicates;
    let width = |(column, role): &(&Column, Role)| match role {
        Role::Dropped(_) => 0,
        Role::Numbers | Role::Dates => 1,
        Role::Text | Role::Codes(_) => column.distinct(),
    };
    let (features, row_count) = (columns.iter().map(width).sum(), rows.len());
    let columns = columns.into_iter().map(|(column, role)| (column.name.clone(), role)).collect();
    let target = target.name.clone();
    Ok(Proposal { target, problem, columns, filling, rows: row_count, duplicates, features, detected })
}

/// Returns the hint on a table of which no column is used: why each one is left out.
fn unused_columns(columns: &[(&Column, Role)]) -> String {
    let why = columns.iter().map(|(column, role)| match role {
        Role::Dropped(why) => format!("`{}` ({why})", column.name),
        Role::Numbers | Role::Dates | Role::Text | Role::Codes(_) => format!("`{}`", column.name),
    });
    format!("add a column with numbers or few categories; left out: {}", why.collect::<Vec<_>>().join(", "))
}

/// Returns how missing values are handled, and the rows that are used. If no more than 5 % of the rows are lost, those that
/// lack a feature are dropped with those that lack the target.
fn filling(table: &Table, target: &Column, used: &[&Column]) -> (Filling, Vec<usize>) {
    let with_target: Vec<usize> = (0..table.rows()).filter(|&row| !target.is_missing(row)).collect();
    let without_target = table.rows() - with_target.len();
    let missing = |row: usize| used.iter().filter(|column| column.is_missing(row)).count();
    let values = with_target.iter().map(|&row| missing(row)).sum();
    let complete: Vec<usize> = with_target.iter().copied().filter(|&row| missing(row) == 0).collect();
    let incomplete = with_target.len() - complete.len();
    match (without_target, values) {
        (0, 0) => (Filling::NotNeeded, with_target),
        (1.., _) if 100 * incomplete <= MOST_DROPPED * table.rows() => {
            (Filling::Drop { without_target, rows: without_target + incomplete }, complete)
        }
        _ => (Filling::Fill { values, without_target }, with_target),
    }
}

/// Returns the target column.
///
/// # Errors
/// When the table does not have it.
fn find_target<'t>(table: &'t Table, name: &str) -> Result<&'t Column, FileError> {
    table.column(name).ok_or_else(|| {
        let hint = match suggest::nearest(name, table.names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its columns are {}", suggest::list(&table.names().collect::<Vec<_>>())),
        };
        FileError::new(format!("has no column `{name}`")).hint(hint)
    })
}

/// Returns the columns that are likely to be the target, most likely first; at least one, and at most three.
pub fn likely_targets(table: &Table) -> Vec<&str> {
    let named = TARGET_NAMES.iter().filter_map(|name| table.names().find(|column| column.eq_ignore_ascii_case(name)));
    let has_two = |column: &&Column| column.distinct() == 2;
    let has_no_texts = |column: &&Column| !is_of_texts(table, column);
    let last = table.columns.iter().rfind(has_no_texts).or(table.columns.last()).map(|column| column.name.as_str());
    let is_last_class = table.columns.last().filter(has_two).map(|column| column.name.as_str());
    let two = table.columns.iter().filter(has_two).map(|column| column.name.as_str());
    let mut likely: Vec<&str> = Vec::new();
    for name in named.chain(is_last_class).chain(last).chain(two) {
        if !likely.contains(&name) && likely.len() < 3 {
            likely.push(name);
        }
    }
    likely
}

/// Returns whether columns of a table besides its target and a column of texts are features for `[data.csv]`.
pub fn has_other_features(table: &Table, target: &str, texts: &str) -> bool {
    let mut others = table.columns.iter().filter(|column| column.name != target && column.name != texts);
    others.any(|column| !matches!(role(table, column), Role::Dropped(_)))
}

/// Returns the role of a column that is not the target.
fn role(table: &Table, column: &Column) -> Role {
    let (rows, distinct) = (table.rows(), column.distinct());
    let missing = (0..rows).filter(|&row| column.is_missing(row)).count();
    let dropped = |why: &str| Role::Dropped(why.to_owned());
    if distinct == 0 {
        return dropped("no value in any row");
    }
    if distinct == 1 {
        return dropped("the same value in every row");
    }
    if 2 * missing > rows {
        return Role::Dropped(format!("no value in {} of {} rows", count(missing), count(rows)));
    }
    if let Values::Numbers(_) = column.values {
        return match recognize_numbers(column).or_else(|| recognize_row_numbers(column)) {
            None => Role::Numbers,
            Some(NumberFinding::Ids) => dropped("a different integer in each row, like ids"),
            Some(NumberFinding::RowNumbers) => dropped("consecutive integers, like ids"),
            Some(NumberFinding::LeadingZero(text) | NumberFinding::TooManyDigits(text)) => {
                match are_few(distinct, rows) {
                    true => Role::Codes(format!("codes such as {text}")),
                    false => Role::Dropped(format!("{} different codes such as {text}", count(distinct))),
                }
            }
        };
    }
    match recognize(column, table.numbers).map(|found| (found.content, found.what)) {
        Some((Content::Dates, _)) => {
            let texts: Vec<Option<String>> = (0..rows).map(|row| column.text(row)).collect();
            match dates::read(&texts, None) {
                Ok(_) => Role::Dates,
                Err(fault) => {
                    let what = if fault.is_ambiguous { "ambiguous dates" } else { "dates that cannot be read" };
                    Role::Dropped(format!("{what}; to use them, {}", fault.hint(&column.name)))
                }
            }
        }
        Some((Content::Ids, _)) => Role::Dropped(format!("{} different texts, like ids or names", count(distinct))),
        Some((Content::Signs, what)) => Role::Dropped(format!("{what} with signs: remove the signs to use them")),
        Some((Content::OtherNumbers, _)) => dropped("numbers in several formats"),
        Some((Content::OddTexts, _)) => dropped("numbers and texts: correct the texts to use it"),
        Some((Content::Mark, _)) | None if are_few(distinct, rows) => Role::Text,
        Some((Content::Mark, _)) | None => {
            Role::Dropped(format!("{} different texts, too many for one feature each", count(distinct)))
        }
    }
}

/// Returns whether one feature for each category is reasonable.
fn are_few(categories: usize, rows: usize) -> bool {
    categories <= MOST_CATEGORIES && (20 * categories <= rows || (rows < 100 && categories <= 10))
}
