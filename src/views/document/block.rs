//! Sections of a report as plain data: text, tables and the like, without HTML or Markdown.

use crate::views::classes::confusion::ConfusionMatrix;
use crate::views::document::badge::Badge;
use crate::views::document::table::Table;

/// A section of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The ID, used in links.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its content in order.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading within the section.
    Heading(&'static str),
    /// A paragraph.
    Paragraph(String),
    /// A less prominent paragraph.
    Note(String),
    /// A note about the charts, which only a page with charts shows.
    ChartNote(String),
    /// A box with a heading and a list of messages.
    Callout {
        /// Whether the messages are about a fault.
        is_fault: bool,
        /// The heading.
        heading: String,
        /// The messages.
        items: Vec<String>,
    },
    /// What the curves show: badges with text before and after them.
    Diagnosis(String, Vec<Badge>, String),
    /// Single values.
    Tiles(Vec<Tile>),
    /// A table.
    Table(Table),
    /// A confusion matrix.
    Confusion(ConfusionMatrix),
    /// A command line to copy, and its place among those of the page.
    Command(usize, String),
    /// Content that is collapsed until the reader opens it.
    Folded(String, Vec<Block>),
    /// Content of each group, by the group's label.
    ByGroup(Vec<(String, Vec<Block>)>),
    /// HTML that only the HTML report holds: places of interactive charts.
    Html(String),
}

/// A value with its name and a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The note; may be empty.
    pub note: String,
}

/// Returns a box with messages; `None` if there are none.
pub fn callout(is_fault: bool, heading: &str, items: Vec<String>) -> Option<Block> {
    (!items.is_empty()).then(|| Block::Callout { is_fault, heading: heading.to_owned(), items })
}
