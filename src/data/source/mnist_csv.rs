//! MNIST as CSV, which the Python package carries in place of the IDX files.

use anyhow::ensure;

use crate::data::source::idx;
use crate::data::table::byte_table;

/// The height and width of an image.
pub(super) const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;

/// Rebuilds the IDX files of images and labels from a table of rows: the label, then 784 pixels.
///
/// # Errors
/// When the table is another's.
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
