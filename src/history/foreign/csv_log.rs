//! CSV logs: the `CSVLogger` of Keras, Lightning or fastai, pandas' `to_csv` of `History.history`, and other tables with a
//! column `epoch`.
//!
//! The three loggers count epochs from 0, as does any table that has a 0 among its epochs. Other tables are read as written.
//! A log that starts later, as of a resumed run, is recognized by its header: Lightning has a column `step` (number of the
//! batch, from 0), Keras has its metrics in alphabetical order including `loss`, and fastai starts with
//! `epoch,train_loss,valid_loss`. A first column without a name (row numbers of pandas) replaces a missing column `epoch`.
//! An empty cell, `NA`, `None` or `null` is a missing value; `nan` and `inf` are values. Columns of text are skipped, with
//! a note.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::{Context, anyhow, bail};

use crate::config::hint::Hint;
use crate::history::foreign::csv_rows::{self, Row};
use crate::history::foreign::epochs::{self, Counting};
use crate::history::foreign::foreign_history::{Foreign, Format};
use crate::history::foreign::logged_values::{self, LoggedRow, LoggedValue};
use crate::history::foreign::names::{self, Part};
use crate::history::foreign::number_text;
use crate::history::foreign::points::Points;

/// The expected format, for hints.
const EXPECTED: &str = "a CSV log has a header with a column `epoch`, and at least one row per epoch";

/// Columns of `runner export --csv` that identify the trial.
const TRIAL_COLUMNS: [&str; 4] = ["experiment", "variant", "seed", "fold"];

/// Reads a CSV log.
///
/// # Errors
/// If it has no column `epoch` or no row, is not a table, or contains several trials.
pub fn read(text: &[u8]) -> anyhow::Result<Foreign> {
    read_table(text).map_err(|error| match error.downcast_ref::<Hint>() {
        Some(_) => error,
        None => error.context(Hint(EXPECTED.to_owned())),
    })
}

fn read_table(text: &[u8]) -> anyhow::Result<Foreign> {
    let text = std::str::from_utf8(text).ok().context("it is not a text file")?;
    let (separator, rows) = csv_rows::parse(text);
    let mut points = Points::default();
    let (header, mut rows) = below_last_header(rows, &mut points)?;
    let column = |wanted: &str| header.cells.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted));
    let unnamed = || header.cells.first().filter(|name| name.trim().is_empty()).map(|_| 0);
    let Some(epoch) = column("epoch").or_else(unnamed) else {
        let names: Vec<&str> = header.cells.iter().map(|name| name.trim()).take(8).collect();
        return Err(anyhow!("its header has no column `epoch`: {}", shortened(&names.join(", "))));
    };
    if rows.is_empty() {
        bail!("it has a header but no rows");
    }
    rows.retain(|row| {
        let is_whole = row.cells.len() == header.cells.len();
        if !is_whole {
            let (found, wanted) = (row.cells.len(), header.cells.len());
            points.skip(format!("line {} is skipped: {found} of {wanted} cells", row.line));
        }
        is_whole
    });
    let is_of_trials = column("variant").is_some() && column("seed").is_some();
    if is_of_trials {
        check_one_trial(&rows, TRIAL_COLUMNS.into_iter().filter_map(column).collect())?;
    }
    let names: Vec<&str> = header.cells.iter().map(|name| name.trim()).collect();
    let table = Table {
        separator,
        is_of_fastai: is_of_fastai(&names),
        names,
        epoch,
        step: column("step").filter(|&step| step != epoch),
    };
    let is_metric = |column: usize| {
        column != epoch && Some(column) != table.step && !(is_of_trials && TRIAL_COLUMNS.contains(&table.name(column)))
    };
    let mut metrics = Vec::new();
    for column in (0..header.cells.len()).filter(|&column| is_metric(column)) {
        let text = rows.iter().map(|row| row.cells[column].trim()).find(|cell| !is_missing(cell));
        if table.name(column).len() > names::LONGEST {
            points.skip(format!("the name of the column `{}` is too long", shortened(table.name(column))));
        } else if rows.iter().any(|row| table.number(row, column).is_some()) {
            metrics.push((column, Rc::from(table.name(column))));
        } else if let Some(text) = text {
            points.notes.push(format!("the column `{}` has no numbers: `{}`", table.name(column), shortened(text)));
        }
    }
    let rows: Vec<LoggedRow> = rows.iter().filter_map(|row| table.logged(row, &metrics, &mut points)).collect();
    let counting = table.counting(&rows);
    logged_values::collect_rows(rows, "line", counting, &mut points);
    points.into_foreign(Format::CsvLog)
}

/// Returns the last header and its rows. Loggers that append to a file repeat their header. If the header differs, the
/// table above it is skipped.
fn below_last_header(rows: Vec<Row>, points: &mut Points) -> anyhow::Result<(Row, Vec<Row>)> {
    let is_header = |row: &Row| row.cells.iter().any(|cell| cell.trim().eq_ignore_ascii_case("epoch"));
    let mut rows = rows.into_iter();
    let mut header = rows.next().context("the file is empty")?;
    let mut below = Vec::new();
    for row in rows {
        match is_header(&row) {
            true if row.cells == header.cells => {}
            true => {
                points.notes.push(format!("line {} is another header: the table above it is skipped", row.line));
                header = row;
                below.clear();
            }
            false => below.push(row),
        }
    }
    Ok((header, below))
}

/// The columns of a table.
struct Table<'t> {
    separator: char,
    names: Vec<&'t str>,
    is_of_fastai: bool,
    epoch: usize,
    step: Option<usize>,
}

impl Table<'_> {
    fn name(&self, column: usize) -> &str {
        self.names[column]
    }

    /// Returns the number in a cell. It may have a decimal comma unless the comma separates cells.
    fn number(&self, row: &Row, column: usize) -> Option<f64> {
        let cell = row.cells[column].trim();
        let with_comma = || Some(cell).filter(|_| self.separator != ',')?.replacen(',', ".", 1).parse().ok();
        number_text::parse(cell).or_else(with_comma)
    }

    /// Returns the values of a row, or `None` if it has neither an epoch nor a step.
    fn logged(&self, row: &Row, metrics: &[(usize, Rc<str>)], points: &mut Points) -> Option<LoggedRow> {
        let mut number = |column: usize, what: &str, is_one: &dyn Fn(f64) -> bool| {
            let (cell, found) = (row.cells[column].trim(), self.number(row, column).filter(|number| is_one(*number)));
            if found.is_none() && !is_missing(cell) {
                let name = self.name(column);
                points.skip(format!("line {}: `{name}` is not {what}: `{}`", row.line, shortened(cell)));
            }
            found
        };
        let epoch = number(self.epoch, "an epoch number", &|number| epochs::valid(number).is_some());
        let is_step = |number: f64| number.fract() == 0.0 && epochs::valid(number).is_some();
        let step = self.step.and_then(|column| number(column, "a step number", &is_step)).map(|step| step as u64);
        if epoch.is_none() && step.is_none() {
            return None;
        }
        let mut values = Vec::new();
        for (column, name) in metrics {
            if let Some(value) = number(*column, "a number", &|_| true) {
                let part = Some(Part::Validation).filter(|_| self.is_of_fastai && names::part_of_name(name).is_none());
                values.push(LoggedValue { name: name.clone(), part, epoch, step, seconds: None, value });
            }
        }
        Some(LoggedRow { number: row.line, epoch, values })
    }

    /// Returns how the program that wrote the log counts epochs.
    fn counting(&self, rows: &[LoggedRow]) -> Counting {
        let first = rows.iter().filter_map(|row| row.epoch).fold(f64::INFINITY, f64::min);
        let begins_late = first >= 2.0; // tables of unknown programs often count from 1
        match () {
            () if self.step.is_some() && !epochs::epochs_start_at_one(&last_steps(rows)) => {
                Counting::FromZero("Lightning")
            }
            () if self.step.is_some() => Counting::AsWritten,
            () if self.is_of_fastai && begins_late => Counting::FromZero("fastai"),
            () if self.name(self.epoch).is_empty() && begins_late => Counting::FromZero("pandas"),
            () if self.is_of_keras() && begins_late => Counting::FromZero("Keras"),
            () => Counting::AsWritten,
        }
    }

    /// Returns whether the header is from Keras's `CSVLogger`: `epoch`, then the metrics in alphabetical order, or the
    /// training metrics first if the first epoch had no validation.
    fn is_of_keras(&self) -> bool {
        let [first, metrics @ ..] = &self.names[..] else { return false };
        let (train, validation) = metrics.split_at(metrics.len() / 2);
        let of_train = |(name, of): (&&str, &&str)| name.strip_prefix("val_") == Some(*of);
        let is_doubled = metrics.len() % 2 == 0 && validation.iter().zip(train).all(of_train) && train.is_sorted();
        let names_no_part = metrics.iter().all(|name| names::part_of_name(name) != Some(Part::Train));
        *first == "epoch"
            && metrics.len() > 1
            && metrics.contains(&"loss")
            && (metrics.is_sorted() || is_doubled)
            && names_no_part
    }
}

/// Returns whether the header is from fastai's `CSVLogger`, whose other metrics are computed on the validation rows.
fn is_of_fastai(names: &[&str]) -> bool {
    let is_bare = |name: &&str| names::part_of_name(name).is_none();
    matches!(names, ["epoch", "train_loss", "valid_loss", metrics @ ..] if metrics.iter().all(is_bare))
}

/// Returns the last step of each epoch.
fn last_steps(rows: &[LoggedRow]) -> BTreeMap<u64, u64> {
    let mut last = BTreeMap::new();
    for value in rows.iter().flat_map(|row| &row.values).filter(|value| !value.is_of_test()) {
        if let (Some(epoch), Some(step)) = (value.epoch, value.step) {
            let last = last.entry(epoch as u64).or_insert(step);
            *last = step.max(*last);
        }
    }
    last
}

/// Checks that the table has only one trial.
fn check_one_trial(rows: &[Row], columns: Vec<usize>) -> anyhow::Result<()> {
    let trial = |row: &Row| columns.iter().map(|&column| row.cells[column].clone()).collect::<Vec<_>>();
    let trials: BTreeSet<Vec<String>> = rows.iter().map(trial).collect();
    match trials.len() {
        0 | 1 => Ok(()),
        several => Err(anyhow!("it contains {several} trials, not one").context(Hint(
            "name the run directory, or a table of one trial: `runner export RUN --csv --trial NAME`".to_owned(),
        ))),
    }
}

/// Returns whether a cell is a missing value.
fn is_missing(cell: &str) -> bool {
    cell.is_empty() || ["na", "n/a", "none", "null", "-"].iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// Returns the beginning of a text.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::foreign::logged_values::values_for_tests as values_of;

    fn log(text: &str) -> Foreign {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn sparse_rows_are_collected_into_epochs() {
        let foreign = log("epoch,lr-Adam,step,test_acc,train_acc,train_loss_epoch,train_loss_step,val_acc\n\
            ,0.1,0,,,,,\n0,,3,,,,2.5,\n0,,9,,,,,0.25\n0,,9,,0.5,1.5,,\n,0.05,10,,,,,\n1,,13,,,,1.5,\n1,,19,,,,,nan\n\
            1,,19,,0.75,1.25,,\n2,,20,0.625,,,,\n");
        assert_eq!(values_of(&foreign, "lr"), [(1, 0.1), (2, 0.05)]);
        assert_eq!(values_of(&foreign, "loss"), [(1, 1.5), (2, 1.25)]);
        assert_eq!(values_of(&foreign, "test_acc"), [(2, 0.625)]);
        assert!(values_of(&foreign, "val_acc")[1].1.is_nan());
        assert!(!foreign.series.contains_key("train_loss_step"));
        let steps: Vec<_> = foreign.clock.iter().map(|(epoch, at)| (*epoch, at.step)).collect();
        assert_eq!(steps, [(1, Some(10)), (2, Some(20))]);
        assert_eq!(foreign.notes, Vec::<String>::new());
    }

    #[test]
    fn faulty_rows_and_cells_are_left_out_and_told() {
        let foreign = log("epoch,loss,run\n0,0.5,a\n1,0.25\n2,low,a\nx,0.5,b\n3,NA,b\n4,0.125,\"c,\n d\"\n5,0.0625");
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.5), (5, 0.125)]);
        let skipped = ["line 3 is skipped: 2 of 3 cells", "line 9 is skipped: 2 of 3 cells"];
        assert_eq!(foreign.notes[0], "the column `run` has no numbers: `a`");
        assert_eq!(foreign.notes[1..3], skipped);
        assert_eq!(foreign.notes[3..], ["line 4: `loss` is not a number: `low`", "1 more skipped"]);
    }

    #[test]
    fn epochs_without_a_0_stay_as_they_are_and_repeated_ones_are_told() {
        assert_eq!(values_of(&log("Epoch;Loss\r\n1;0,5\r\n2.0;0.25\r\n"), "loss"), [(1, 0.5), (2, 0.25)]);
        assert_eq!(values_of(&log(",loss\n0,0.5\n1,0.25\n"), "loss"), [(1, 0.5), (2, 0.25)]);
        let again = log("epoch,loss\n0,0.5\n1,0.25\n1,0.125\n");
        assert_eq!(values_of(&again, "loss"), [(1, 0.5), (2, 0.125)]);
        assert_eq!(again.notes, ["`loss` has 1 more value than epochs: the last value of each epoch is used"]);
        assert_eq!(log("epoch,loss\n7,0.5\n").notes, ["its first epoch is 7"]);
    }

    #[test]
    fn only_the_last_run_of_a_file_is_read() {
        let twice = log("epoch,loss,val_loss\n1,2,3\n2,1,2\n3,0.5,1\nepoch,loss,val_loss\n1,4,5\n2,3,4\n");
        assert_eq!(values_of(&twice, "val_loss"), [(1, 5.0), (2, 4.0)]);
        assert_eq!(
            twice.notes,
            ["epochs go back from 3 to 1 in line 6: another run starts there, and the rows above it are skipped"]
        );
        let resumed = log("epoch,loss\n0,8\n1,4\n2,2\n1,5\n");
        assert_eq!(values_of(&resumed, "loss"), [(1, 8.0), (2, 5.0)]);
        let other = log("epoch,loss\n0,8\n1,4\nepoch,loss,acc\n0,2,0.5\n");
        assert_eq!(values_of(&other, "loss"), [(1, 2.0)]);
        assert_eq!(other.notes, ["line 4 is another header: the table above it is skipped"]);
        // Lightning tests the best checkpoint once training is over
        let tested = log("epoch,step,train_loss,test_loss\n0,9,1,\n1,19,0.5,\n0,20,,0.75\n");
        assert_eq!(values_of(&tested, "loss").len(), 2);
        assert!(tested.series.contains_key("test_loss") && tested.notes.is_empty(), "{:?}", tested.notes);
    }

    #[test]
    fn a_resumed_run_keeps_its_numbering_where_the_header_tells_the_program() {
        let first = |header: &str| {
            let row = format!("{}{}", 5, ",0.5".repeat(header.matches(',').count()));
            let foreign = log(&format!("{header}\n{row}\n"));
            foreign.series.values().next().unwrap()[0].epoch
        };
        for keras in [
            "epoch,accuracy,loss",
            "epoch,loss,val_loss",
            "epoch,loss,mae,val_loss,val_mae",
            "epoch,loss,zz,val_loss,val_zz",
        ] {
            assert_eq!(first(keras), 6, "{keras}");
        }
        assert_eq!(first("epoch,train_loss,valid_loss,accuracy"), 6, "fastai");
        assert_eq!(first(",loss"), 6, "pandas");
        for other in ["epoch,loss", "epoch,val_loss,loss", "Epoch,accuracy,loss", "epoch,train_loss,val_loss"] {
            assert_eq!(first(other), 5, "{other}");
        }
        let note = log("epoch,accuracy,loss\n5,0.5,1\n").notes;
        assert_eq!(note, ["its first epoch is 6: it is written as 5, and Keras counts from 0"]);
        let steps = |text: &str| {
            let foreign = log(text);
            foreign.clock.iter().map(|(epoch, at)| (*epoch, at.step.unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(steps("epoch,step,val_loss\n1,19,0.5\n2,29,0.25\n"), [(2, 20), (3, 30)]);
        assert_eq!(steps("epoch,step,val_loss\n1,10,0.5\n2,20,0.25\n"), [(1, 10), (2, 20)], "counted from 1");
    }

    #[test]
    fn epochs_may_be_fractions_or_whole_floats() {
        let foreign = log("epoch,loss\n0.0,9\n0.5,4\n1.0,2\n1.5,1\n");
        assert_eq!(values_of(&foreign, "loss"), [(1, 2.0), (2, 1.0)]);
        assert_eq!(
            foreign.notes[0],
            "its epochs are fractions, such as 0.5: they are rounded up, and the last value of each epoch is used"
        );
        assert!(foreign.notes.contains(&"`loss` in epoch 0, before training".to_owned()), "{:?}", foreign.notes);
        assert_eq!(values_of(&log("epoch,loss\n5.0,4\n6.0,2\n"), "loss"), [(5, 4.0), (6, 2.0)]);
    }

    #[test]
    fn metrics_of_fastai_are_of_the_validation_rows() {
        let foreign = log("epoch,train_loss,valid_loss,accuracy,error_rate,time\n0,0.5,0.25,0.75,0.25,00:18\n");
        let names: Vec<&String> = foreign.series.keys().collect();
        assert_eq!(names, ["loss", "val_loss", "val_acc", "val_error_rate"]);
        assert_eq!(foreign.notes, ["the column `time` has no numbers: `00:18`"]);
    }

    #[test]
    fn printed_numbers_lone_carriage_returns_and_a_line_for_excel_are_understood() {
        let foreign = log("sep=;\repoch;loss;val_loss\r0;np.float32(0.5);1,5\r1;\"tensor(0.25, device='cuda:0')\";1\r");
        assert_eq!(values_of(&foreign, "loss"), [(1, 0.5), (2, 0.25)]);
        assert_eq!(values_of(&foreign, "val_loss"), [(1, 1.5), (2, 1.0)]);
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        let refused = [
            ("epoch,loss\n", "no rows"),
            ("loss,acc\n0.5,1\n", "no column `epoch`"),
            ("hello\n", "no column `epoch`"),
            ("epoch,loss\n0,\n", "no value of any metric"),
            ("epoch,loss\n0\n", "line 2 is skipped: 1 of 2 cells"),
            ("epoch,loss\n0,\"0.5\n1,0.25\n", "the column `loss` has no numbers"),
            ("epoch,variant,seed,loss\n1,a,0,0.5\n1,a,1,0.5\n", "2 trials"),
        ];
        for (text, why) in refused {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(format!("{error:#}").contains(why), "{text}: {error:#}");
            assert!(error.downcast_ref::<Hint>().is_some());
        }
    }
}
