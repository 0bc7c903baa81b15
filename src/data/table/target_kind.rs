//! What a table's target columns are taken for (classes, numbers, or yes and no), and how they are read as such.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::config::check::Invalid;
use crate::config::suggest;
use crate::data::table::column::Column;
use crate::data::table::columns::{fits_f32, in_words, too_large, too_large_hint};
use crate::data::table::csv_table::Table;
use crate::data::table::recognize::number_format::same;
use crate::data::table::recognize::recognize;
use crate::data::table::values::Values;
use crate::data::target::Target;

/// What a target column is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of several classes: text, or whole numbers.
    Classes,
    /// Numbers to come near to.
    Values,
    /// Yes or no, in one column or several: 0 and 1, `false` and `true`, or `no` and `yes`.
    Labels,
}

/// The columns that hold the target, so that they can be found and read in another table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetColumns {
    /// Their names.
    pub names: Vec<String>,
    /// What they are taken for.
    pub task: Task,
    /// The classes in their order, as the table writes them; the columns' names for labels and values.
    pub classes: Vec<String>,
}

/// The targets of rows, and what they are called.
#[derive(Debug)]
pub struct Targets {
    /// What is to be predicted.
    pub target: Target,
    /// The names of the classes, labels or values, in their order.
    pub names: Vec<String>,
    truth: Truth,
}

#[derive(Debug)]
enum Truth {
    /// Each row's class.
    Classes(Vec<i64>),
    /// Row after row, a number for each column.
    Numbers(Vec<f32>),
}

impl Targets {
    /// Classes: `[rows]`, int64. Labels and values: `[rows, columns]`, f32.
    pub fn tensor(&self) -> Tensor {
        match &self.truth {
            Truth::Classes(classes) => Tensor::from_slice(classes),
            Truth::Numbers(numbers) => Tensor::from_slice(numbers).view([-1, self.target.outputs() as i64]),
        }
    }
}

impl Task {
    /// What a column is taken for where it is not stated: text for classes, numbers for values.
    pub fn of(column: &Column) -> Task {
        match column.values {
            Values::Text { .. } => Task::Classes,
            Values::Numbers(_) => Task::Values,
        }
    }

    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Task::Classes => "classes",
            Task::Values => "values",
            Task::Labels => "labels",
        }
    }

    /// Reads the targets of these rows, in which no target may be missing; `stated` are the classes that are allowed.
    ///
    /// # Errors
    /// When a value is of the wrong kind, or there is nothing to tell apart; the key is relative to the data set.
    pub fn read(
        self,
        table: &Table,
        columns: &[&Column],
        rows: &[usize],
        stated: Option<&[String]>,
    ) -> Result<Targets, Invalid> {
        let names = || columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        match self {
            Task::Classes => {
                let &[column] = columns else {
                    let message = format!("names {} columns, and a class stands in one", columns.len());
                    return Err(Invalid::new("target", message).hint("for yes-or-no columns, `task = \"labels\"`"));
                };
                match stated {
                    Some(stated) => stated_classes(table, column, rows, stated),
                    None => classes(table, column, rows),
                }
            }
            Task::Values => {
                let numbers = each(columns, rows, |column, row| match &column.values {
                    Values::Numbers(numbers) if fits_f32(numbers[row]) => Ok(numbers[row] as f32),
                    Values::Numbers(_) => {
                        let hint = format!("{}, or scale the column down", too_large_hint(column, row));
                        Err(Invalid::new("target", too_large(table, column, row)).hint(hint))
                    }
                    Values::Text { .. } => Err(no_number(table, column, row)),
                })?;
                Ok(Targets { target: Target::Values(columns.len()), names: names(), truth: Truth::Numbers(numbers) })
            }
            Task::Labels => {
                let labels = each(columns, rows, |column, row| {
                    let text = column.values.text(row).unwrap_or_default(); // `1.0` is 1
                    let wrong = || wrong(table, column, row, "0 or 1, false or true, no or yes");
                    yes_or_no(&text).ok_or_else(|| Invalid::new("target", wrong()))
                })?;
                Ok(Targets { target: Target::Labels(columns.len()), names: names(), truth: Truth::Numbers(labels) })
            }
        }
    }
}

/// What is wrong with a column of text where numbers are to be predicted.
fn no_number(table: &Table, column: &Column, row: usize) -> Invalid {
    if let Some(found) = recognize(column, table.numbers) {
        let message = format!("is no number: {}", in_words(table, column, &found));
        return Invalid::new("target", message).hint(found.hint_for_target());
    }
    let row = column.values.first_text(table.numbers).unwrap_or(row);
    Invalid::new("target", wrong(table, column, row, "a number")).hint("text is a class: `task = \"classes\"`")
}

/// What a label's text says: 1 or 0.
pub(crate) fn yes_or_no(text: &str) -> Option<f32> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" => Some(1.0),
        "0" | "false" | "no" => Some(0.0),
        _ => None,
    }
}

/// The classes of one column, ascending, and each row's.
fn classes(table: &Table, column: &Column, rows: &[usize]) -> Result<Targets, Invalid> {
    if let Values::Numbers(numbers) = &column.values
        && let Some(&row) = rows.iter().find(|&&row| numbers[row].fract() != 0.0)
    {
        let message = wrong(table, column, row, "a class: text or a whole number");
        let hint = "numbers to come near to are `task = \"values\"`; codes such as `1.10` can be stated: `classes = [\"1.1\", \"1.10\"]`";
        return Err(Invalid::new("target", message).hint(hint));
    }
    let (all, places) = column.categories();
    let place = |row: usize| places[row].expect("rows without a target were left out");
    // a class of rows that were left out is no class
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
    Ok(Targets { target: Target::Classes(names.len()), names, truth: Truth::Classes(classes) })
}

/// The classes that are stated, in their order, and each row's. A class that no row has is one all the same.
fn stated_classes(table: &Table, column: &Column, rows: &[usize], stated: &[String]) -> Result<Targets, Invalid> {
    let (values, places) = column.categories();
    let class: Vec<Option<usize>> = values.iter().map(|value| known_as(stated, value)).collect();
    let class_of = |&row: &usize| class[places[row].expect("rows without a target were left out")];
    if let Some(&row) = rows.iter().find(|row| class_of(row).is_none()) {
        let allowed: Vec<&str> = stated.iter().map(String::as_str).collect();
        let message = wrong(table, column, row, &suggest::either(&allowed));
        return Err(Invalid::new("target", message).hint("correct the value, or add it to `classes` if it is one"));
    }
    let of_rows: Vec<usize> = rows.iter().filter_map(class_of).collect();
    // as the table writes them, so that they are found again in another one
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
    Ok(Targets { target: Target::Classes(names.len()), names, truth: Truth::Classes(classes) })
}

/// The place of a text among known ones: itself, or else the same whole number.
pub(crate) fn known_as(known: &[String], text: &str) -> Option<usize> {
    let place = known.iter().position(|known| known == text);
    place.or_else(|| known.iter().position(|known| same(known, text)))
}

fn nothing_to_tell_apart(column: &Column, only: &str) -> Invalid {
    let message = format!("is always `{only}`: there is nothing to tell apart in column `{}`", column.name);
    Invalid::new("target", message)
}

/// A number for each row and column.
fn each(
    columns: &[&Column],
    rows: &[usize],
    number: impl Fn(&Column, usize) -> Result<f32, Invalid>,
) -> Result<Vec<f32>, Invalid> {
    let number = &number;
    rows.iter().flat_map(|&row| columns.iter().map(move |column| number(column, row))).collect()
}

/// What is wrong with one value, as a fragment that follows the name of the setting or file.
pub(crate) fn wrong(table: &Table, column: &Column, row: usize, wanted: &str) -> String {
    let text = column.text(row).unwrap_or_default();
    format!("has `{text}` in {}, column `{}`, where {wanted} was expected", table.place(row), column.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_its_task_says() {
        let table = Table::from_csv(b"y,z,text,part\n1,0,a,0.5\n0,1,b,1\n1,1,a,1\n", ',').unwrap();
        let read = |task: Task, columns: &[&str]| {
            let columns: Vec<&Column> = columns.iter().map(|name| table.column(name).unwrap()).collect();
            task.read(&table, &columns, &[0, 1, 2], None).map(|targets| targets.target)
        };
        assert_eq!(read(Task::of(table.column("y").unwrap()), &["y"]), Ok(Target::Values(1)));
        assert_eq!(read(Task::of(table.column("text").unwrap()), &["text"]), Ok(Target::Classes(2)));
        assert_eq!(read(Task::Classes, &["y"]), Ok(Target::Classes(2)));
        assert_eq!(read(Task::Labels, &["y", "z"]), Ok(Target::Labels(2)));
        assert_eq!(read(Task::Values, &["y", "z"]), Ok(Target::Values(2)));
        assert!(read(Task::Classes, &["y", "z"]).unwrap_err().message.contains("a class stands in one"));
        assert!(read(Task::Classes, &["part"]).unwrap_err().message.contains("`0.5` in row 1 (line 2)"));
        assert!(read(Task::Labels, &["part"]).unwrap_err().message.contains("no or yes"));
        assert!(read(Task::Values, &["text"]).unwrap_err().hint.unwrap().contains("classes"));
    }

    #[test]
    fn a_class_of_no_used_row_is_none_and_one_class_alone_is_nothing_to_tell_apart() {
        let table = Table::from_csv(b"y\nb\na\nc\nb\n", ',').unwrap();
        let column = table.column("y").unwrap();
        let targets = Task::Classes.read(&table, &[column], &[0, 2, 3], None).unwrap();
        assert_eq!(targets.names, ["b", "c"]);
        assert_eq!(Vec::<i64>::try_from(&targets.tensor()).unwrap(), [0, 1, 0]);
        assert!(Task::Classes.read(&table, &[column], &[0, 3], None).unwrap_err().message.contains("always `b`"));
    }

    #[test]
    fn stated_classes_keep_their_order_and_any_other_value_is_named_by_its_place() {
        let read = |text: &str, stated: &[&str]| {
            let table = Table::from_csv(text.as_bytes(), ',').unwrap();
            let (rows, stated): (Vec<usize>, Vec<String>) =
                ((0..table.rows()).collect(), stated.iter().map(|&name| name.to_owned()).collect());
            Task::Classes.read(&table, &[&table.columns[0]], &rows, Some(&stated))
        };
        let classes = |targets: &Targets| Vec::<i64>::try_from(&targets.tensor()).unwrap();
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
