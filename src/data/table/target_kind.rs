//! Kinds of targets of a table (classes, numbers, or yes and no), and how target columns are read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::table::column::Column;
use crate::data::table::columns::{describe_content, fits_f32, quote_cell, too_large, too_large_hint};
use crate::data::table::csv_table::Table;
use crate::data::table::recognize::number_format::same;
use crate::data::table::recognize::recognize;
use crate::data::table::values::Values;
use crate::data::target::Target;

/// Kind of a target column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// One of several classes: text, or integers.
    Classes,
    /// Numbers (regression).
    Values,
    /// Yes or no, in one or more columns: 0 and 1, `false` and `true`, or `no` and `yes`.
    Labels,
}

/// Target columns, so that they can be found and read in another table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetColumns {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Kind of the target.
    pub task: TargetKind,
    /// Class names in order, as written in the table; for labels and values, the names of the columns.
    pub classes: Vec<String>,
}

/// Targets of rows, with their names.
#[derive(Debug)]
pub struct ColumnTargets {
    /// What is predicted.
    pub target: Target,
    /// Names of the classes, labels or values.
    pub names: Vec<String>,
    truth: ColumnValues,
}

#[derive(Debug)]
enum ColumnValues {
    /// Class of each row.
    Classes(Vec<i64>),
    /// One number for each column, row by row.
    Numbers(Vec<f32>),
}

impl ColumnTargets {
    /// Returns the class of each row; `None` if the target has no classes.
    pub fn classes(&self) -> Option<&[i64]> {
        match &self.truth {
            ColumnValues::Classes(classes) => Some(classes),
            ColumnValues::Numbers(_) => None,
        }
    }

    /// Classes: `[rows]`, int64. Labels and values: `[rows, columns]`, f32.
    pub fn tensor(&self) -> Tensor {
        match &self.truth {
            ColumnValues::Classes(classes) => Tensor::from_slice(classes),
            ColumnValues::Numbers(numbers) => Tensor::from_slice(numbers).view([-1, self.target.outputs() as i64]),
        }
    }
}

impl TargetKind {
    /// Returns the kind of a column by its type: text is classes, numbers are values.
    pub fn from_column(column: &Column) -> TargetKind {
        match column.values {
            Values::Text { .. } => TargetKind::Classes,
            Values::Numbers(_) => TargetKind::Values,
        }
    }

    /// Reads the targets of these rows, none of which may be missing. `stated` are the allowed classes.
    ///
    /// # Errors
    /// When a value has the wrong type, or there are fewer than two classes; the key is relative to the data set.
    pub fn read(
        self,
        table: &Table,
        columns: &[&Column],
        rows: &[usize],
        stated: Option<&[String]>,
    ) -> Result<ColumnTargets, Invalid> {
        let of_numbers = |target: fn(usize) -> Target, numbers: Vec<f32>| {
            let names = columns.iter().map(|column| column.name.clone()).collect();
            Ok(ColumnTargets { target: target(columns.len()), names, truth: ColumnValues::Numbers(numbers) })
        };
        match self {
            TargetKind::Classes => {
                let &[column] = columns else {
                    let message = format!("lists {} columns, but classes need a single column", columns.len());
                    return Err(Invalid::new("target", message).hint("write `task = \"labels\"` for yes-or-no columns"));
                };
                match stated {
                    Some(stated) => stated_classes(table, column, rows, stated),
                    None => classes(table, column, rows),
                }
            }
            TargetKind::Values => {
                let numbers = map_cells(columns, rows, |column, row| match &column.values {
                    Values::Numbers(numbers) if fits_f32(numbers[row]) => Ok(numbers[row] as f32),
                    Values::Numbers(_) => {
                        let hint = format!("{}, or scale the column down", too_large_hint(column, row));
                        Err(Invalid::new("target", too_large(table, column, row)).hint(hint))
                    }
                    Values::Text { .. } => Err(no_number(table, column, row)),
                })?;
                of_numbers(Target::Values, numbers)
            }
            TargetKind::Labels => {
                let labels = map_cells(columns, rows, |column, row| {
                    let text = column.values.text(row).unwrap_or_default(); // `1.0` equals 1
                    let wrong = || wrong_value(table, column, row, "0 or 1, false or true, no or yes");
                    yes_or_no(&text).ok_or_else(|| Invalid::new("target", wrong()))
                })?;
                of_numbers(Target::Labels, labels)
            }
        }
    }
}

/// Returns the error for a text column that should be numbers.
fn no_number(table: &Table, column: &Column, row: usize) -> Invalid {
    if let Some(found) = recognize(column, table.numbers) {
        let message = format!("cannot be numbers: {}", describe_content(table, column, &found));
        return Invalid::new("target", message).hint(found.hint_for_target());
    }
    let row = column.values.first_text(table.numbers).unwrap_or(row);
    Invalid::new("target", wrong_value(table, column, row, "a number")).hint("write `task = \"classes\"` for text")
}

/// Converts the text of a label to 1 or 0.
pub(crate) fn yes_or_no(text: &str) -> Option<f32> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" => Some(1.0),
        "0" | "false" | "no" => Some(0.0),
        _ => None,
    }
}

/// Returns the classes of a column, ascending, with the class of each row.
fn classes(table: &Table, column: &Column, rows: &[usize]) -> Result<ColumnTargets, Invalid> {
    if let Values::Numbers(numbers) = &column.values
        && let Some(&row) = rows.iter().find(|&&row| numbers[row].fract() != 0.0)
    {
        let message = wrong_value(table, column, row, "a class: text or a whole number");
        let hint =
            "write `task = \"values\"` for regression, or list codes such as `1.10`: `classes = [\"1.1\", \"1.10\"]`";
        return Err(Invalid::new("target", message).hint(hint));
    }
    let (all, places) = column.categories();
    let place = |row: usize| places[row].expect("rows without a target were left out");
    // a class that occurs only in dropped rows is no class
    let mut used = vec![false; all.len()];
    rows.iter().for_each(|&row| used[place(row)] = true);
    let mut number = vec![0_i64; all.len()];
    let mut names = Vec::new();
    for (class, name) in all.into_iter().enumerate().filter(|(class, _)| used[*class]) {
        number[class] = names.len() as i64;
        names.push(name);
    }
    if let [only] = &names[..] {
        return Err(nothing_to_tell_apart(column, only));
    }
    let classes = rows.iter().map(|&row| number[place(row)]).collect();
    Ok(ColumnTargets { target: Target::Classes(names.len()), names, truth: ColumnValues::Classes(classes) })
}

/// Returns the stated classes, in their order, with the class of each row. A class may have no rows.
fn stated_classes(table: &Table, column: &Column, rows: &[usize], stated: &[String]) -> Result<ColumnTargets, Invalid> {
    let (values, places) = column.categories();
    let class: Vec<Option<usize>> = values.iter().map(|value| index_of(stated, value)).collect();
    let class_of = |&row: &usize| class[places[row].expect("rows without a target were left out")];
    if let Some(&row) = rows.iter().find(|row| class_of(row).is_none()) {
        let allowed: Vec<&str> = stated.iter().map(String::as_str).collect();
        let message = wrong_value(table, column, row, &suggest::either(&allowed));
        return Err(Invalid::new("target", message).hint("correct the value or, if it is a class, add it to `classes`"));
    }
    let of_rows: Vec<usize> = rows.iter().filter_map(class_of).collect();
    // class names as written in the table, so that they are found in another table
    let written = |(number, name): (usize, &String)| {
        class.iter().position(|class| *class == Some(number)).map_or(name.clone(), |place| values[place].clone())
    };
    let names: Vec<String> = stated.iter().enumerate().map(written).collect();
    if let Some(&first) = of_rows.first()
        && of_rows.iter().all(|&class| class == first)
    {
        return Err(nothing_to_tell_apart(column, &names[first]));
    }
    let classes = of_rows.iter().map(|&class| class as i64).collect();
    Ok(ColumnTargets { target: Target::Classes(names.len()), names, truth: ColumnValues::Classes(classes) })
}

/// Returns the index of a text among known ones: equal, or else the same integer.
pub(crate) fn index_of(known: &[String], text: &str) -> Option<usize> {
    let place = known.iter().position(|known| known == text);
    place.or_else(|| known.iter().position(|known| same(known, text)))
}

fn nothing_to_tell_apart(column: &Column, only: &str) -> Invalid {
    let message = format!("is always `{only}` in column `{}`, but at least two classes are needed", column.name);
    Invalid::new("target", message).hint("name another column as `target`, or add rows of another class")
}

/// Converts each row and column to a number.
fn map_cells(
    columns: &[&Column],
    rows: &[usize],
    number: impl Fn(&Column, usize) -> Result<f32, Invalid>,
) -> Result<Vec<f32>, Invalid> {
    let number = &number;
    rows.iter().flat_map(|&row| columns.iter().map(move |column| number(column, row))).collect()
}

/// Returns what is wrong with a value, as a fragment that follows the name of the setting or file.
pub(crate) fn wrong_value(table: &Table, column: &Column, row: usize, wanted: &str) -> String {
    let cell = quote_cell(column, row);
    format!("has {cell} in {}, column `{}`, where {wanted} was expected", table.place(row), column.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_its_task_says() {
        let table = Table::from_csv(b"y,z,text,part\n1,0,a,0.5\n0,1,b,1\n1,1,a,1\n", ',').unwrap();
        let read = |task: TargetKind, columns: &[&str]| {
            let columns: Vec<&Column> = columns.iter().map(|name| table.column(name).unwrap()).collect();
            task.read(&table, &columns, &[0, 1, 2], None).map(|targets| targets.target)
        };
        assert_eq!(read(TargetKind::from_column(table.column("y").unwrap()), &["y"]), Ok(Target::Values(1)));
        assert_eq!(read(TargetKind::from_column(table.column("text").unwrap()), &["text"]), Ok(Target::Classes(2)));
        assert_eq!(read(TargetKind::Classes, &["y"]), Ok(Target::Classes(2)));
        assert_eq!(read(TargetKind::Labels, &["y", "z"]), Ok(Target::Labels(2)));
        assert_eq!(read(TargetKind::Values, &["y", "z"]), Ok(Target::Values(2)));
        assert!(read(TargetKind::Classes, &["y", "z"]).unwrap_err().message.contains("classes need a single column"));
        assert!(read(TargetKind::Classes, &["part"]).unwrap_err().message.contains("`0.5` in row 1 (line 2)"));
        assert!(read(TargetKind::Labels, &["part"]).unwrap_err().message.contains("no or yes"));
        assert!(read(TargetKind::Values, &["text"]).unwrap_err().hint.unwrap().contains("classes"));
    }

    #[test]
    fn a_class_of_no_used_row_is_none_and_one_class_alone_is_nothing_to_tell_apart() {
        let table = Table::from_csv(b"y\nb\na\nc\nb\n", ',').unwrap();
        let column = table.column("y").unwrap();
        let targets = TargetKind::Classes.read(&table, &[column], &[0, 2, 3], None).unwrap();
        assert_eq!(targets.names, ["b", "c"]);
        assert_eq!(Vec::<i64>::try_from(&targets.tensor()).unwrap(), [0, 1, 0]);
        let one_class = TargetKind::Classes.read(&table, &[column], &[0, 3], None).unwrap_err();
        assert!(one_class.message.contains("always `b`"), "{one_class}");
        assert!(one_class.hint.unwrap().contains("another column as `target`"));
    }

    #[test]
    fn stated_classes_keep_their_order_and_any_other_value_is_named_by_its_place() {
        let read = |text: &str, stated: &[&str]| {
            let table = Table::from_csv(text.as_bytes(), ',').unwrap();
            let (rows, stated): (Vec<usize>, Vec<String>) =
                ((0..table.rows()).collect(), stated.iter().map(|&name| name.to_owned()).collect());
            TargetKind::Classes.read(&table, &[&table.columns[0]], &rows, Some(&stated))
        };
        let classes = |targets: &ColumnTargets| Vec::<i64>::try_from(&targets.tensor()).unwrap();
        let targets = read("y\n0\n1\n1\n", &["1", "0"]).unwrap();
        assert_eq!((classes(&targets), &targets.names[..]), (vec![1, 0, 0], &["1".to_owned(), "0".to_owned()][..]));
        let targets = read("y\n0\n1.0\n", &["0.0", "1", "2"]).unwrap();
        assert_eq!((classes(&targets), targets.target), (vec![0, 1], Target::Classes(3)));
        assert_eq!(targets.names, ["0", "1", "2"]);
        let fault = |text: &str| read(text, &["0", "1"]).unwrap_err().to_string();
        let wanted = "column `y`, where `0` or `1` was expected";
        assert_eq!(fault("y\n0\n1\n2\n"), format!("`target` has `2` in row 3 (line 4), {wanted}"));
        assert_eq!(fault("y\n0\n0.5\n1\n"), format!("`target` has `0.5` in row 2 (line 3), {wanted}"));
        assert_eq!(fault("y\n0\n1\nfraud\n"), format!("`target` has `fraud` in row 3 (line 4), {wanted}"));
        assert!(fault("y\n1\n1\n").contains("always `1`"));
    }
}
