//! Tables as plain data, which the terminal, the HTML report and the Markdown report lay out.

use std::ops::RangeBounds;

use crate::views::document::badge::Badge;

/// A table with a caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What the table shows; may be empty.
    pub caption: String,
    /// The columns in order.
    pub columns: Vec<Column>,
    /// The rows in order.
    pub rows: Vec<Row>,
    /// The element's ID in HTML; may be empty.
    pub id: &'static str,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub head: String,
    /// Whether it holds numbers, which are aligned to the right.
    pub is_number: bool,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One cell for each column.
    pub cells: Vec<Cell>,
    /// What sets the row apart.
    pub kind: RowKind,
}

/// What sets a row apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Nothing.
    Plain,
    /// It is the variant that the others are compared with.
    Baseline,
    /// It is a setting of this origin: `set`, `default` or `unknown`.
    Setting(&'static str),
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Text or a number.
    Text(String),
    /// A key, a value or a file name, in a monospaced font.
    Code(String),
    /// A metric in a column that marks the best ones.
    Ranked {
        /// The metric.
        text: String,
        /// Whether it is the best of its column.
        is_best: bool,
    },
    /// The label of a group, and the index of its line in charts.
    Label(usize, String),
    /// A share in 0–1, shown as a bar.
    Share(f64),
    /// Short labels, such as diagnoses.
    Badges(Vec<Badge>),
    /// A setting's value and its origin.
    Setting(String, Badge),
    /// Whether an expectation is met.
    Met(bool),
}

impl Cell {
    /// Returns the content as text without marks.
    pub fn plain_text(&self) -> String {
        match self {
            Cell::Text(text) | Cell::Code(text) | Cell::Ranked { text, .. } | Cell::Label(_, text) => text.clone(),
            Cell::Setting(value, _) => value.clone(),
            Cell::Share(share) => format!("{:.1} %", 100.0 * share),
            Cell::Badges(badges) => badges.iter().map(|badge| badge.text.as_str()).collect::<Vec<_>>().join(", "),
            Cell::Met(is_met) => if *is_met { "✓" } else { "✗" }.to_owned(),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl Table {
    /// Returns an empty table with these column heads; the columns in `numbers` hold numbers.
    pub fn new<S: Into<String>>(
        caption: impl Into<String>,
        heads: impl IntoIterator<Item = S>,
        numbers: impl RangeBounds<usize>,
    ) -> Table {
        let column = |(place, head): (usize, S)| Column { head: head.into(), is_number: numbers.contains(&place) };
        let columns = heads.into_iter().enumerate().map(column).collect();
        Table { caption: caption.into(), columns, rows: Vec::new(), id: "" }
    }

    /// Returns the table with this ID.
    pub fn with_id(self, id: &'static str) -> Table {
        Table { id, ..self }
    }

    /// Adds a row.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.row_of(RowKind::Plain, cells);
    }

    /// Adds a row of this kind.
    pub fn row_of<C: Into<Cell>>(&mut self, kind: RowKind, cells: impl IntoIterator<Item = C>) {
        self.rows.push(Row { cells: cells.into_iter().map(Into::into).collect(), kind });
    }

    /// Returns the table; `None` if it has no rows.
    pub fn filled(self) -> Option<Table> {
        (!self.rows.is_empty()).then_some(self)
    }
}
