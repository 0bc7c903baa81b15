//! Tables for people: columns without lines, numbers to the right.

use comfy_table::{CellAlignment, Table, presets};

/// A table under this header; the columns in `numbers` are aligned to the right.
#[derive(Debug)]
pub struct Columns {
    table: Table,
    numbers: Vec<usize>,
}

impl Columns {
    /// An empty table.
    pub fn new<S: ToString>(header: impl IntoIterator<Item = S>, numbers: impl IntoIterator<Item = usize>) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(header.into_iter().map(|cell| cell.to_string()));
        Columns { table, numbers: numbers.into_iter().collect() }
    }

    /// Adds a row.
    pub fn row<S: ToString>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.table.add_row(cells.into_iter().map(|cell| cell.to_string()));
    }

    /// The lines, without blanks around them.
    pub fn text(mut self) -> String {
        for number in self.numbers {
            if let Some(column) = self.table.column_mut(number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self.table.column_mut(0).into_iter().for_each(|column| {
            column.set_padding((0, 1));
        });
        self.table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}
