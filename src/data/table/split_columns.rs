//! Columns that the split names: the part, the group or the time of each row.

use std::collections::{HashMap, HashSet};

use crate::config::check::Invalid;
use crate::data::split::split_column::Side;
use crate::data::split::stated_rows::StatedRows;
use crate::data::split::{Parts, RowsToSplit, Split};
use crate::data::table::column::Column;
use crate::data::table::column_roles::ColumnRoles;
use crate::data::table::csv_table::Table;
use crate::data::table::recognize::dates;
use crate::data::table::recognize::number_format::same;
use crate::data::table::target_kind::ColumnTargets;
use crate::data::table::values::Values;
use crate::history::number::count;

impl ColumnRoles<'_> {
    /// Returns the parts that the columns of the split state. Adds notes on rows of equal time to `notes`.
    ///
    /// # Errors
    /// When a column is missing, has another role, or has a value that cannot be used; when a part is empty, or a group is
    /// on both sides. The key is relative to the data set.
    pub(crate) fn split_rows(
        &self,
        split: &Split,
        table: &Table,
        rows: &[usize],
        targets: &ColumnTargets,
        notes: &mut Vec<String>,
    ) -> Result<StatedRows, Invalid> {
        let at = Place { table, rows };
        for (key, name) in split.columns() {
            let column = self.columns(table, key, &[name.to_owned()])?[0];
            let is_in = |names: &[String]| names.iter().any(|other| other == name);
            let is_feature = key != "split.order_by" && self.features.is_some_and(is_in);
            for (role, is_used) in
                [("target", is_in(self.target)), ("features", is_feature), ("weights", self.weights == Some(name))]
            {
                if is_used {
                    return Err(Invalid::new(key, format!("is `{name}`, which is also in `{role}`")));
                }
            }
            if let Some(row) = rows.iter().position(|&row| column.is_missing(row)) {
                let message = format!("has no value in {}, column `{name}`", at.name(row));
                return Err(Invalid::new(key, message).hint("fill it in, or remove the row"));
            }
        }
        let mut parts = match &split.column {
            Some(_) => stated(split, at)?,
            None => StatedRows { training: Some((0..rows.len()).collect()), ..StatedRows::default() },
        };
        if let Some(name) = &split.group {
            let (names, places) = at.column(name).categories();
            let group = |row: usize| places[rows[row]].map_or(0, |place| place as i64);
            check_groups(&parts, at, &names, group)?;
            parts.groups = parts.training.as_ref().map(|rows| rows.iter().map(|&row| group(row)).collect());
        }
        let times = split.order_by.as_ref().map(|name| times(at, at.column(name))).transpose()?;
        if let (Some(times), Some(training)) = (&times, &mut parts.training) {
            training.sort_by(|&a, &b| times[a].total_cmp(&times[b])); // rows of equal time keep their order
        }
        let all = self.all_parts(split, &parts, targets)?;
        if let (Some(times), Some(name)) = (&times, &split.order_by) {
            notes.extend(equal_times(&all, times, name));
        }
        Ok(parts)
    }

    /// Returns the parts of each fold, as they will be trained, as indices among the rows that are used.
    fn all_parts(&self, split: &Split, stated: &StatedRows, targets: &ColumnTargets) -> Result<Vec<Parts>, Invalid> {
        let training = stated.training.as_deref().unwrap_or_default();
        let classes = targets.classes().map(|classes| training.iter().map(|&row| classes[row]).collect::<Vec<i64>>());
        split.check(training.len(), stated.own(), targets.target).map_err(|fault| fault.under("split"))?;
        let of = RowsToSplit {
            count: training.len(),
            classes: classes.as_deref(),
            names: &targets.names,
            groups: stated.groups.as_deref(),
        };
        let folds = split.fold_parts(of).map_err(|fault| fault.under("split"))?;
        let rows = |numbers: Vec<usize>| numbers.into_iter().map(|number| training[number]).collect::<Vec<usize>>();
        let in_table = |(_, parts): (Option<usize>, Parts)| Parts {
            training: rows(parts.training),
            validation: parts.validation.map(rows).or_else(|| stated.validation.clone()),
            test: parts.test.map(rows).or_else(|| stated.test.clone()),
        };
        Ok(folds.into_iter().map(in_table).collect())
    }
}

/// A table with the rows that are used.
#[derive(Clone, Copy)]
struct Place<'t> {
    table: &'t Table,
    rows: &'t [usize],
}

impl<'t> Place<'t> {
    /// Returns the name of a used row in messages.
    fn name(self, row: usize) -> String {
        self.table.place(self.rows[row])
    }

    /// Returns a column that exists.
    fn column(self, name: &str) -> &'t Column {
        self.table.column(name).expect("the columns of the split were just found")
    }
}

/// Returns the parts that the values of a column state.
fn stated(split: &Split, at: Place) -> Result<StatedRows, Invalid> {
    let Some(setting) = &split.column else { return Ok(StatedRows::default()) };
    let key = "split.column";
    let (values, places) = at.column(setting.name()).categories();
    let sides = setting.parts(&values, |value, stated| value == stated || same(value, stated))?;
    let mut parts = Side::ALL.map(|_| Vec::new());
    for (number, &row) in at.rows.iter().enumerate() {
        let place = places[row].unwrap_or_default(); // no value is missing
        let Some(side) = sides[place] else {
            let (value, name) = (&values[place], setting.name());
            let message = format!("has `{value}` in {}, column `{name}`, which names no part", at.name(number));
            return Err(Invalid::new(key, message).hint(setting.hint_for_unnamed()));
        };
        parts[side as usize].push(number);
    }
    let [training, validation, test] = parts;
    if training.is_empty() {
        return Err(Invalid::new(key, format!("leaves no training rows: column `{}` has none", setting.name())));
    }
    if validation.is_empty() && test.is_empty() {
        let message = format!("splits nothing off: column `{}` has training rows only", setting.name());
        return Err(Invalid::new(key, message).hint(setting.hint_for_unnamed()));
    }
    let some = |rows: Vec<usize>| Some(rows).filter(|rows| !rows.is_empty());
    Ok(StatedRows { training: Some(training), validation: some(validation), test: some(test), groups: None })
}

/// Checks that no group is in two of the stated parts.
fn check_groups(parts: &StatedRows, at: Place, names: &[String], group: impl Fn(usize) -> i64) -> Result<(), Invalid> {
    let mut first: HashMap<i64, (Side, usize)> = HashMap::new();
    let (mut shared, mut example) = (HashSet::new(), None);
    for (side, rows) in parts.parts() {
        for &row in rows {
            let (known, before) = *first.entry(group(row)).or_insert((side, row));
            if known != side {
                shared.insert(group(row));
                example.get_or_insert(((known, before), (side, row)));
            }
        }
    }
    let Some(((known, before), (side, row))) = example else { return Ok(()) };
    let (count, all) = (shared.len(), first.len());
    let message = format!(
        "has `{}` on two sides: in the {} rows, {}, and in the {} rows, {}; {count} of {all} groups are on two sides",
        names[group(row) as usize],
        known.name(),
        at.name(before),
        side.name(),
        at.name(row)
    );
    Err(Invalid::new("split.group", message).hint("correct the column that names the parts, or remove `column`"))
}

/// Returns the time of each used row as a number: a number, or a date as days.
fn times(at: Place, column: &Column) -> Result<Vec<f64>, Invalid> {
    if let Values::Numbers(numbers) = &column.values {
        return Ok(at.rows.iter().map(|&row| numbers[row]).collect());
    }
    let texts: Vec<Option<String>> = at.rows.iter().map(|&row| column.text(row)).collect();
    let is_date = |field: &String| dates::read(&[Some(field)], None).map_or_else(|fault| fault.is_ambiguous, |_| true);
    dates::read(&texts, None).map(|(days, _)| days).map_err(|fault| {
        let field = fault.row.and_then(|row| texts[row].as_deref()).unwrap_or_default();
        if let Some(row) = fault.row
            && !texts.iter().flatten().any(is_date)
        {
            let (name, place) = (&column.name, at.name(row));
            let message = format!("must be a column of numbers or dates, but `{name}` has `{field}` in {place}");
            return Invalid::new("split.order_by", message).hint("name another column");
        }
        let message = fault.describe(&column.name, field, fault.row.map(|row| at.name(row)).as_deref());
        Invalid::new("split.order_by", message).hint(fault.hint(&column.name))
    })
}

/// Returns notes on parts that begin at the time at which the part before them ends.
fn equal_times(folds: &[Parts], times: &[f64], name: &str) -> Vec<String> {
    let Some(Parts { training, validation, test }) = folds.first() else { return Vec::new() };
    let latest = |rows: &[usize]| rows.iter().map(|&row| times[row]).fold(f64::NEG_INFINITY, f64::max);
    let mut notes = Vec::new();
    let mut before = (Side::Training, latest(training));
    for (side, rows) in [(Side::Validation, validation), (Side::Test, test)] {
        let Some(rows) = rows else { continue };
        let early = rows.iter().filter(|&&row| times[row] <= before.1).count();
        if early > 0 {
            let (early, all) = (count(early), count(rows.len()));
            let (this, former, verb) = (side.name(), before.0.name(), if early == "1" { "is" } else { "are" });
            notes.push(format!("{early} of {all} {this} rows {verb} not later in `{name}` than the last {former} row"));
        }
        before = (side, latest(rows));
    }
    notes
}
