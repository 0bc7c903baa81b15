//! Plain tables: columns without lines, numbers aligned to the right.

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::column_layout;
use crate::cli::text::text_style::TextStyle;
use crate::views::document::table;

/// A table with a header; the columns in `numbers` are aligned to the right.
#[derive(Debug)]
pub struct Columns {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    numbers: Vec<usize>,
}

impl Columns {
    /// Returns an empty table.
    pub fn new<S: ToString>(header: impl IntoIterator<Item = S>, numbers: impl IntoIterator<Item = usize>) -> Self {
        let header = header.into_iter().map(|cell| cell.to_string()).collect();
        Columns { header, rows: Vec::new(), numbers: numbers.into_iter().collect() }
    }

    /// Adds a row.
    pub fn row<S: ToString>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| cell.to_string()).collect());
    }

    /// Returns the lines, without blanks at their ends.
    pub fn text(self) -> String {
        let Columns { header, rows, numbers } = self;
        let column = |(place, head): (usize, String)| {
            let cells = rows.iter().map(|row| row.get(place).cloned().unwrap_or_default());
            match numbers.contains(&place) {
                true => Column::numbers(head, cells.map(Cell::plain)),
                false => Column::words(head, cells),
            }
        };
        let columns: Vec<Column> = header.into_iter().enumerate().map(column).collect();
        column_layout::text(&columns.iter().collect::<Vec<_>>(), TextStyle { width: usize::MAX, styled: false })
    }
}

/// Returns a table, with shorter names if it is wider than `width`. `table` builds it with names of at most the given number of
/// characters; `longest` is the length of the longest name.
pub fn fitted(width: usize, longest: usize, table: impl Fn(usize) -> String) -> String {
    const LEAST: usize = 8;
    let full = table(longest);
    match full.lines().map(|line| line.chars().count()).max().unwrap_or(0).saturating_sub(width) {
        0 => full,
        excess => table(longest.saturating_sub(excess).max(LEAST)),
    }
}

impl From<table::Table> for Columns {
    fn from(table: table::Table) -> Columns {
        let numbers = table.columns.iter().enumerate().filter(|(_, column)| column.is_number).map(|(place, _)| place);
        let numbers = numbers.collect::<Vec<_>>();
        let mut columns = Columns::new(table.columns.into_iter().map(|column| column.head), numbers);
        table.rows.iter().for_each(|row| columns.row(row.cells.iter().map(table::Cell::plain_text)));
        columns
    }
}
