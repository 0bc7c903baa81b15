//! A log as a table: Keras's `CSVLogger`, Lightning's `metrics.csv`, pandas' `to_csv` of `History.history`, and others
//! with a column `epoch`.
//!
//! Epochs: both loggers count from 0, and so does any table that has a 0 among its epochs; one without is taken as
//! it is. A first column without a name, as pandas writes the row numbers, stands in for a missing column `epoch`.
//! Lightning's rows are sparse, and have a column `step`, the number of the batch from 0: see [`logged`]. What an empty
//! cell, `NA`, `None` or `null` stands for is absent; `nan` and `inf` are values. A column of text is left out and told.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow, bail};

use crate::hint::Hint;
use crate::history::foreign::logged::{self, Logged};
use crate::history::foreign::points::Points;
use crate::history::foreign::{Foreign, Format};

const FORM: &str = "a CSV log has a header with a column `epoch`, and a row for each epoch or more";

/// Columns that say which trial a row is of, in what `runner export --csv` writes.
const OF_TRIALS: [&str; 4] = ["experiment", "variant", "seed", "fold"];

/// Reads such a table.
///
/// # Errors
/// When it has no column `epoch` or no row, is no table, or is one of several trials.
pub fn read(text: &[u8]) -> anyhow::Result<Foreign> {
    of(text).map_err(|error| match error.downcast_ref::<Hint>() {
        Some(_) => error,
        None => error.context(Hint(FORM.to_owned())),
    })
}

fn of(text: &[u8]) -> anyhow::Result<Foreign> {
    let text = std::str::from_utf8(text).ok().context("it is no text")?;
    let separator = separator(text.lines().next().unwrap_or_default());
    let mut rows = rows(text, separator);
    if rows.is_empty() {
        bail!("the file is empty");
    }
    let header = rows.remove(0);
    let column = |wanted: &str| header.cells.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted));
    let unnamed = || header.cells.first().filter(|name| name.trim().is_empty()).map(|_| 0);
    let Some(epoch) = column("epoch").or_else(unnamed) else {
        let names: Vec<&str> = header.cells.iter().map(|name| name.trim()).take(8).collect();
        return Err(anyhow!("its header has no column `epoch`: {}", shortened(&names.join(", "))));
    };
    if rows.is_empty() {
        bail!("it has a header and no row");
    }
    let mut points = Points::default();
    rows.retain(|row| {
        let is_whole = row.cells.len() == header.cells.len();
        if !is_whole {
            let (found, wanted) = (row.cells.len(), header.cells.len());
            points.leave_out(format!("line {} is left out: {found} of {wanted} cells", row.line));
        }
        is_whole
    });
    let is_of_trials = column("variant").is_some() && column("seed").is_some();
    if is_of_trials {
        one_trial(&rows, OF_TRIALS.into_iter().filter_map(column).collect())?;
    }
    let step = column("step").filter(|&step| step != epoch);
    let number_in = |row: &Row, column: usize| number(row.cells[column].trim(), separator);
    let mut metrics = Vec::new();
    for (column, name) in header.cells.iter().map(|name| name.trim()).enumerate() {
        if column == epoch || Some(column) == step || is_of_trials && OF_TRIALS.contains(&name) {
            continue;
        }
        let text = rows.iter().map(|row| row.cells[column].trim()).find(|cell| !is_absent(cell));
        if rows.iter().any(|row| number_in(row, column).is_some()) {
            metrics.push(column);
        } else if let Some(text) = text {
            points.notes.push(format!("the column `{name}` holds no number: `{}`", shortened(text)));
        }
    }
    let mut values = Vec::new();
    for row in &rows {
        let mut whole = |column: usize| {
            let cell = row.cells[column].trim();
            let found = whole_number(cell);
            if found.is_none() && !is_absent(cell) {
                let name = header.cells[column].trim();
                points.leave_out(format!("line {}: `{name}` is no whole number: `{}`", row.line, shortened(cell)));
            }
            found
        };
        let (at, step) = (whole(epoch), step.and_then(whole));
        if at.is_none() && step.is_none() {
            continue;
        }
        for &column in &metrics {
            let (name, cell) = (header.cells[column].trim(), row.cells[column].trim());
            match number_in(row, column) {
                Some(value) => {
                    let name = name.to_owned();
                    values.push(Logged { name, part: None, epoch: at, step, seconds: None, value });
                }
                None if is_absent(cell) => {}
                None => points.leave_out(format!("line {}: `{name}` is no number: `{}`", row.line, shortened(cell))),
            }
        }
    }
    logged::gather(values, &mut points);
    points.into_foreign(Format::CsvLog)
}

/// Refuses a table of more trials than one.
fn one_trial(rows: &[Row], columns: Vec<usize>) -> anyhow::Result<()> {
    let trial = |row: &Row| columns.iter().map(|&column| row.cells[column].clone()).collect::<Vec<_>>();
    let trials: BTreeSet<Vec<String>> = rows.iter().map(trial).collect();
    match trials.len() {
        0 | 1 => Ok(()),
        several => Err(anyhow!("it holds {several} trials, and a history is of one").context(Hint(
            "name the run's folder, or a table of one trial: `runner export RUN --csv --trial NAME`".to_owned(),
        ))),
    }
}

/// A row, and the line that it begins in, from 1.
struct Row {
    line: usize,
    cells: Vec<String>,
}

/// The rows that are not empty. A cell in quotes may hold separators, line ends, and doubled quotes.
fn rows(text: &str, separator: char) -> Vec<Row> {
    let (mut rows, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begins, mut in_quotes) = (1, 1, false);
    let mut letters = text.chars().chain((!text.ends_with('\n')).then_some('\n')).peekable();
    while let Some(letter) = letters.next() {
        line += usize::from(letter == '\n');
        match letter {
            '"' if in_quotes && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if in_quotes || cell.trim().is_empty() => in_quotes = !in_quotes,
            '\n' if !in_quotes || letters.peek().is_none() => {
                cells.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                let cells = std::mem::take(&mut cells);
                if cells.iter().any(|cell| !cell.trim().is_empty()) {
                    rows.push(Row { line: begins, cells });
                }
                begins = line;
            }
            letter if letter == separator && !in_quotes => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    rows
}

/// What stands between the cells: the most frequent in the header of comma, semicolon and tab.
fn separator(header: &str) -> char {
    let count = |separator: char| header.matches(separator).count();
    [';', '\t'].into_iter().fold(',', |most, other| if count(other) > count(most) { other } else { most })
}

/// Whether a cell says that there is no value.
fn is_absent(cell: &str) -> bool {
    cell.is_empty() || ["na", "n/a", "none", "null", "-"].iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// The number in a cell; where no comma separates cells, it may stand before the decimals.
fn number(cell: &str, separator: char) -> Option<f64> {
    let with_comma = || Some(cell).filter(|_| separator != ',')?.replacen(',', ".", 1).parse().ok();
    cell.parse().ok().or_else(with_comma)
}

/// A whole number, which may be written as `3.0`.
fn whole_number(cell: &str) -> Option<u64> {
    let is_whole = |value: &f64| value.fract() == 0.0 && (0.0..1e15).contains(value);
    cell.parse().ok().filter(is_whole).map(|value| value as u64)
}

/// The beginning of a text.
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
    use crate::history::foreign::logged::values_for_tests as values_of;

    fn log(text: &str) -> Foreign {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn sparse_rows_are_gathered_into_epochs() {
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
        let told = ["line 3 is left out: 2 of 3 cells", "line 9 is left out: 2 of 3 cells"];
        assert_eq!(foreign.notes[0], "the column `run` holds no number: `a`");
        assert_eq!(foreign.notes[1..3], told);
        assert_eq!(foreign.notes[3..], ["line 4: `loss` is no number: `low`", "1 more like these is left out"]);
    }

    #[test]
    fn epochs_without_a_0_stay_as_they_are_and_repeated_ones_are_told() {
        assert_eq!(values_of(&log("Epoch;Loss\r\n1;0,5\r\n2.0;0.25\r\n"), "loss"), [(1, 0.5), (2, 0.25)]);
        assert_eq!(values_of(&log(",loss\n0,0.5\n1,0.25\n"), "loss"), [(1, 0.5), (2, 0.25)]);
        let again = log("epoch,loss\n0,0.5\n1,0.25\n0,0.125\n");
        assert_eq!(values_of(&again, "loss"), [(1, 0.125), (2, 0.25)]);
        assert_eq!(again.notes, ["`loss` has 1 more value than epochs: an epoch's last one counts"]);
        assert_eq!(log("epoch,loss\n7,0.5\n").notes, ["its first epoch is 7"]);
    }

    #[test]
    fn what_is_no_log_is_refused_with_the_reason() {
        let refused = [
            ("epoch,loss\n", "no row"),
            ("loss,acc\n0.5,1\n", "no column `epoch`"),
            ("hello\n", "no column `epoch`"),
            ("epoch,loss\n0,\n", "no value of any metric"),
            ("epoch,loss\n0\n", "line 2 is left out: 1 of 2 cells"),
            ("epoch,loss\n0,\"0.5\n1,0.25\n", "the column `loss` holds no number"),
            ("epoch,variant,seed,loss\n1,a,0,0.5\n1,a,1,0.5\n", "2 trials"),
        ];
        for (text, why) in refused {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(format!("{error:#}").contains(why), "{text}: {error:#}");
            assert!(error.downcast_ref::<Hint>().is_some());
        }
    }
}
