//! Converts MNIST from CSV to IDX files. The Python package in the manifest contains CSV.

use anyhow::ensure;

use crate::data::store::idx;
use crate::data::table::byte_table;

/// Height and width of an image.
pub const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;

/// Converts a CSV table, with the label and 784 pixels in each row, to the IDX files of images and labels.
///
/// # Errors
/// When the table has other columns or values.
pub fn idx_from_csv(csv: Vec<u8>) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let table = byte_table::read_bytes(csv, true)?;
    ensure!(table.columns == PIXELS + 1, "expected a label and {PIXELS} pixels, found {} columns", table.columns);
    let mut images = Vec::with_capacity(table.rows * PIXELS);
    let mut labels = Vec::with_capacity(table.rows);
    for row in table.values.chunks_exact(PIXELS + 1) {
        labels.push(row[0]);
        images.extend(&row[1..]);
    }
    Ok((idx::write(&[table.rows, SIDE, SIDE], &images), idx::write(&[table.rows], &labels)))
}
