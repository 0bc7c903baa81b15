//! Reads tables that hold nothing but numbers, with a thread for each processor.
//!
//! polars reads the fields, some thousand records at a time. Its own reader would look for the records first, on one
//! thread and for as long as all else takes; here they are known, since [`CsvText`] has counted their fields.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use polars::io::prelude::_csv_read_internal::read_chunk;
use polars::prelude::{CsvParseOptions, DataType, Field, Schema};

use crate::data::csv_text::CsvText;

/// So many records are read at a time: what is read of them stays near.
const AT_A_TIME: usize = 4096;

/// The columns below the header where every field is a finite number; `None` where any is not, or there is no row.
/// 0 has no sign.
pub(super) fn plain_numbers(checked: &CsvText, separator: u8) -> Option<Vec<Vec<f64>>> {
    let rows = checked.lines.len() - 1;
    if rows == 0 {
        return None;
    }
    let names = (0..checked.fields).map(|number| Field::new(format!("{number}").into(), DataType::Float64));
    let (schema, options) = (names.collect::<Schema>(), CsvParseOptions::default().with_separator(separator));
    // each made anew: copies of one would be written twice
    let mut columns: Vec<Vec<f64>> = (0..checked.fields).map(|_| vec![0.0; rows]).collect();
    let mut parts: Vec<Vec<&mut [f64]>> = (0..rows.div_ceil(AT_A_TIME)).map(|_| Vec::new()).collect();
    for column in &mut columns {
        parts.iter_mut().zip(column.chunks_mut(AT_A_TIME)).for_each(|(part, rows)| part.push(rows));
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(parts.len());
    let (parts, fails) = (Mutex::new(parts.into_iter().enumerate()), AtomicBool::new(false));
    let read_parts = || {
        while !fails.load(Ordering::Relaxed) {
            let next = parts.lock().expect("no thread panics while it takes a part").next();
            let Some((number, part)) = next else { break };
            let text = checked.records(1 + number * AT_A_TIME, AT_A_TIME);
            if read_part(text, part, &options, &schema).is_none() {
                fails.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(read_parts)));
        read_parts();
    });
    (!fails.load(Ordering::Relaxed)).then_some(columns)
}

/// Reads records into a part of each column; `None` where a field is no finite number.
fn read_part(text: &[u8], part: Vec<&mut [f64]>, options: &CsvParseOptions, schema: &Schema) -> Option<()> {
    let rows = part[0].len();
    let all: Vec<usize> = (0..part.len()).collect();
    let frame = read_chunk(text, options, schema, false, &all, 0, rows, None, rows, text.len(), Some(0)).ok()?;
    if frame.height() != rows {
        return None;
    }
    for (column, numbers) in frame.columns().iter().zip(part) {
        let read = column.as_materialized_series().f64().ok()?;
        if read.null_count() > 0 {
            return None;
        }
        for (number, read) in numbers.iter_mut().zip(read.into_no_null_iter()) {
            *number = read + 0.0;
            if !read.is_finite() {
                return None;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<Vec<f64>>> {
        plain_numbers(&CsvText::check(text.as_bytes(), b',').unwrap(), b',')
    }

    #[test]
    fn rows_of_many_parts_stay_in_their_order() {
        let rows: Vec<usize> = (0..2 * AT_A_TIME + 3).collect();
        let text: String = rows.iter().map(|row| format!("{row},\"-{row}.5\"\n")).collect();
        let columns = read(&format!("a,b\n{text}")).unwrap();
        assert_eq!(columns[0], rows.iter().map(|&row| row as f64).collect::<Vec<_>>());
        assert_eq!(columns[1], rows.iter().map(|&row| -(row as f64) - 0.5).collect::<Vec<_>>());
    }

    #[test]
    fn one_field_that_is_no_number_is_found_in_any_part() {
        for row in [0, AT_A_TIME - 1, AT_A_TIME, 2 * AT_A_TIME + 2] {
            let line = |number: usize| if number == row { "1,x\n" } else { "1,2\n" };
            let text: String = (0..2 * AT_A_TIME + 3).map(line).collect();
            assert_eq!(read(&format!("a,b\n{text}")), None);
        }
        assert_eq!(read("a,b\n"), None);
    }
}
