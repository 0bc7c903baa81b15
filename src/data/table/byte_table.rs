//! Tables of small integers, such as pixels, from CSV text read by polars.

use std::io::Cursor;

use anyhow::{Context, bail};
use memchr::{memchr, memchr_iter};
use polars::prelude::{Column, CsvReadOptions, DataFrame, SerReader};

/// A table of integers in 0–255, row by row.
#[derive(Debug, PartialEq, Eq)]
pub struct ByteTable {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Values, row by row.
    pub values: Vec<u8>,
}

/// Reads CSV text whose values are integers in 0–255.
///
/// # Errors
/// When the text is not CSV, or a value is missing or no integer in 0–255; the message names its column and row.
pub fn read_bytes(csv: Vec<u8>, has_header: bool) -> anyhow::Result<ByteTable> {
    // polars 0.55 panics on a field that is a single quote; integers need no quotes
    if let Some(quote) = memchr(b'"', &csv) {
        bail!("line {} has a quote, but whole numbers are expected", 1 + memchr_iter(b'\n', &csv[..quote]).count());
    }
    let table: DataFrame = CsvReadOptions::default()
        .with_has_header(has_header)
        .into_reader_with_file_handle(Cursor::new(csv))
        .finish()
        .context("failed to read the table as CSV")?;
    let (rows, columns) = table.shape();
    let mut values = vec![0_u8; rows * columns];
    for (number, column) in table.columns().iter().enumerate() {
        fill(&mut values[number..], columns, column)?;
    }
    Ok(ByteTable { rows, columns, values })
}

/// Writes one column into every `stride`-th value.
fn fill(values: &mut [u8], stride: usize, column: &Column) -> anyhow::Result<()> {
    let name = column.name();
    let numbers = column
        .as_materialized_series()
        .i64()
        .with_context(|| format!("column `{name}` has values that are not whole numbers"))?
        .clone();
    for (row, number) in numbers.iter().enumerate() {
        match number.map(u8::try_from) {
            Some(Ok(byte)) => values[row * stride] = byte,
            Some(Err(_)) => bail!("column `{name}`, row {row}: expected 0–255, found {}", number.unwrap_or_default()),
            None => bail!("column `{name}`, row {row}: the value is missing"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_in_order_with_and_without_a_header() {
        let table = read_bytes(b"a,b\n1,2\n3,255\n".to_vec(), true).unwrap();
        assert_eq!(table, ByteTable { rows: 2, columns: 2, values: vec![1, 2, 3, 255] });
        assert_eq!(read_bytes(b"1,2\n3,4\n".to_vec(), false).unwrap().rows, 2);
    }

    #[test]
    fn a_value_that_is_no_byte_is_named() {
        let error = read_bytes(b"a,b\n1,2\n3,256\n".to_vec(), true).unwrap_err();
        assert_eq!(error.to_string(), "column `b`, row 1: expected 0–255, found 256");
        assert!(read_bytes(b"a,b\n1,x\n".to_vec(), true).unwrap_err().to_string().contains("`b`"));
        assert!(read_bytes(b"a,b\n1,\n2,3\n".to_vec(), true).unwrap_err().to_string().contains("missing"));
        let error = read_bytes(b"a,b\n1,2\n\"".to_vec(), true).unwrap_err();
        assert_eq!(error.to_string(), "line 3 has a quote, but whole numbers are expected");
    }
}
