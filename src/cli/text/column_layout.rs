//! Tables that fit the page: columns that do not fit go into further tables with the same labels.

use crate::cli::text::column::Column;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::views::document::statistic::UNBROKEN;

/// Blanks between two columns; the first of them is for a mark.
pub const GAP: usize = 2;

/// Columns for one or several tables.
#[derive(Debug)]
pub struct Fitted {
    /// Labels of the rows, first in every table; long words are cut.
    pub labels: Column,
    /// Columns in order; a group stays in one table if it fits.
    pub groups: Vec<Vec<Column>>,
    /// Columns that are left out if there is no room; each with its place in the first table.
    pub spare: Vec<(usize, Column)>,
    /// A column at the end of the first table.
    pub closing: Option<Column>,
}

impl Fitted {
    /// Returns columns without spare ones.
    pub fn new(labels: Column, groups: Vec<Vec<Column>>) -> Fitted {
        Fitted { labels, groups, spare: Vec::new(), closing: None }
    }

    /// Returns the tables.
    pub fn tables(mut self, page: TextStyle) -> Vec<String> {
        self.labels.cut_labels_to(page.width * 2 / 5);
        let packed = self.packed(page);
        let labels = || std::iter::once(&self.labels);
        packed.iter().map(|table| text(&labels().chain(table).collect::<Vec<_>>(), page)).collect()
    }

    /// Returns the tables, with a legend below the last.
    pub fn tables_with_legend(self, legend: &str, page: TextStyle) -> Vec<String> {
        let mut tables = self.tables(page);
        if let Some(last) = tables.last_mut() {
            last.push('\n');
            last.push_str(&page.wrapped(legend, 0).lines().map(terminal::dim).collect::<Vec<_>>().join("\n"));
        }
        tables
    }

    /// Returns the tables with their first rows only.
    pub fn first(self, rows: usize) -> Fitted {
        let first = |columns: Vec<Column>| columns.into_iter().map(|column| column.first(rows)).collect();
        Fitted {
            labels: self.labels.first(rows),
            groups: self.groups.into_iter().map(first).collect(),
            spare: self.spare.into_iter().map(|(place, column)| (place, column.first(rows))).collect(),
            closing: self.closing.map(|column| column.first(rows)),
        }
    }

    /// Returns whether a cell is marked as the best of its column.
    pub fn has_best(&self) -> bool {
        self.groups.iter().flatten().any(Column::has_best)
    }

    /// Returns whether one table holds everything except the spare columns.
    pub fn is_one(&self, page: TextStyle) -> bool {
        let closing = self.closing.as_ref().map_or(0, taken);
        self.groups.iter().flatten().map(taken).sum::<usize>() + closing <= self.room(page)
    }

    /// Returns the room beside the labels, without that of a mark at the end of the line.
    fn room(&self, page: TextStyle) -> usize {
        page.width.saturating_sub(self.labels.width() + usize::from(!page.styled))
    }

    fn packed(&mut self, page: TextStyle) -> Vec<Vec<Column>> {
        let full = self.room(page);
        let mut tables: Vec<(usize, Vec<Column>)> =
            vec![(full.saturating_sub(self.closing.as_ref().map_or(0, taken)), Vec::new())];
        for group in std::mem::take(&mut self.groups) {
            let needed: usize = group.iter().map(taken).sum();
            let (room, table) = tables.last().expect("never empty");
            if needed > *room && needed <= full && !table.is_empty() {
                tables.push((full, Vec::new()));
            }
            for column in group {
                let (room, table) = tables.last_mut().expect("never empty");
                if taken(&column) <= *room || table.is_empty() {
                    *room = room.saturating_sub(taken(&column));
                    table.push(column);
                } else {
                    tables.push((full.saturating_sub(taken(&column)), vec![column]));
                }
            }
        }
        for (place, spare) in self.spare.drain(..) {
            let with_room = tables.iter_mut().position(|(room, _)| taken(&spare) <= *room);
            if let Some(number) = with_room {
                let (room, table) = &mut tables[number];
                *room -= taken(&spare);
                let place = if number == 0 { place.min(table.len()) } else { table.len() };
                table.insert(place, spare);
            }
        }
        tables[0].1.extend(self.closing.take());
        tables.into_iter().map(|(_, table)| table).collect()
    }
}

/// Returns one table of the columns that fit beside the labels, and the places of those that do not. Each column has
/// its rank: columns of lower ranks are kept first.
pub(crate) fn fit(labels: &Column, columns: &[(usize, Column)], page: TextStyle) -> (String, Vec<usize>) {
    let mut room = page.width.saturating_sub(labels.width() + usize::from(!page.styled));
    let mut by_rank: Vec<usize> = (0..columns.len()).collect();
    by_rank.sort_by_key(|&place| columns[place].0);
    let mut is_kept = vec![false; columns.len()];
    for place in by_rank {
        let needed = taken(&columns[place].1);
        is_kept[place] = needed <= room;
        room -= if is_kept[place] { needed } else { 0 };
    }
    let (kept, left_out): (Vec<usize>, Vec<usize>) = (0..columns.len()).partition(|&place| is_kept[place]);
    let shown: Vec<&Column> = std::iter::once(labels).chain(kept.iter().map(|&place| &columns[place].1)).collect();
    (text(&shown, page), left_out)
}

/// Returns the width of a column beside others.
fn taken(column: &Column) -> usize {
    column.width() + GAP
}

/// Returns the lines of columns beside each other.
pub fn text(columns: &[&Column], page: TextStyle) -> String {
    let rows = columns.first().map_or(0, |column| column.rows());
    let widths: Vec<usize> = columns.iter().map(|column| column.width()).collect();
    let line = |row: usize, line: usize| {
        let cells = columns.iter().zip(&widths).map(|(column, width)| column.padded(row, line, *width, page));
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP - 1)).trim_end().to_owned()
    };
    let lines = (0..=rows).flat_map(|row| {
        let height = columns.iter().map(|column| column.row(row).lines().count()).max().unwrap_or_default().max(1);
        (0..height).map(move |number| (row, number))
    });
    lines.map(|(row, number)| line(row, number)).collect::<Vec<_>>().join("\n").replace(UNBROKEN, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::text::column::Cell;

    const PLAIN: TextStyle = TextStyle { width: 40, styled: false };

    fn numbers(header: &str, cells: [&str; 2], best: Option<usize>) -> Column {
        let cells = cells.into_iter().enumerate();
        Column::numbers(header, cells.map(|(row, text)| Cell { text: text.to_owned(), is_best: best == Some(row) }))
    }

    fn fitted(groups: &[&[&str]]) -> Fitted {
        let column = |header: &&str| numbers(header, ["0.1234", "12.5"], Some(0));
        Fitted {
            labels: Column::words("variant", ["one".to_owned(), "another".to_owned()]),
            groups: groups.iter().map(|group| group.iter().map(column).collect()).collect(),
            spare: Vec::new(),
            closing: None,
        }
    }

    #[test]
    fn the_best_has_a_star_without_bold_and_numbers_stay_aligned() {
        let tables = fitted(&[&["loss", "val_loss"]]).tables(PLAIN);
        assert_eq!(
            tables,
            ["variant    loss  val_loss\none      0.1234*   0.1234*\nanother    12.5      12.5".to_owned()]
        );
    }

    #[test]
    fn the_best_is_bold_on_a_terminal_and_takes_no_more_room() {
        let tables = fitted(&[&["loss", "val_loss"]]).tables(TextStyle { styled: true, ..PLAIN });
        assert_eq!(
            tables,
            ["variant    loss  val_loss\none      \u{1b}[1m0.1234\u{1b}[0m    \u{1b}[1m0.1234\u{1b}[0m\n\
              another    12.5      12.5"]
        );
    }

    #[test]
    fn a_group_that_does_not_fit_has_a_table_of_its_own_under_the_same_labels() {
        let mut two = fitted(&[&["loss", "val_loss"], &["mae", "val_mae"]]);
        two.closing = Some(Column::words("reading", ["good".to_owned(), "overfits".to_owned()]));
        two.spare = vec![(1, numbers("spare", ["1", "2"], None))];
        assert!(!two.is_one(PLAIN));
        let tables = two.tables(PLAIN);
        let headers: Vec<&str> = tables.iter().map(|table| table.lines().next().unwrap()).collect();
        assert_eq!(headers, ["variant    loss  val_loss  reading", "variant     mae  val_mae  spare"]);
    }

    #[test]
    fn no_line_is_wider_than_the_page_however_many_columns_there_are() {
        let headers: Vec<String> = (0..12).map(|number| format!("metric_{number}")).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let mut many = fitted(&[&headers]);
        many.labels = Column::words("variant", ["a name that is far too long for a table".to_owned(), "b".to_owned()]);
        let tables = many.tables(PLAIN);
        assert!(tables.len() > 1);
        let widest = tables.iter().flat_map(|table| table.lines()).map(|line| line.chars().count()).max();
        assert!(widest <= Some(40), "{tables:#?}");
        assert!(tables[0].contains("a name that is…"), "{tables:#?}");
        assert_eq!(tables.iter().map(|table| table.matches("metric_").count()).sum::<usize>(), 12);
    }

    #[test]
    fn wrapped_cells_have_several_lines() {
        let mut column = Column::words("changed", ["lr=0.1 batch=8", "–"].map(str::to_owned));
        column.wrap_to(8);
        let table = text(&[&column, &numbers("n", ["1", "2"], Some(0))], PLAIN);
        assert_eq!(table, "changed  n\nlr=0.1   1*\nbatch=8\n–        2");
    }

    #[test]
    fn columns_that_do_not_fit_are_left_out_by_rank() {
        let labels = Column::words("", ["A".to_owned(), "B".to_owned()]);
        let columns: Vec<(usize, Column)> = [(2, "a_wide_header"), (0, "needed"), (1, "another_header"), (3, "n")]
            .map(|(rank, header)| (rank, numbers(header, ["1", "2"], None)))
            .to_vec();
        let (table, left_out) = fit(&labels, &columns, PLAIN);
        assert_eq!(table, "   needed  another_header  n\nA       1               1  1\nB       2               2  2");
        assert_eq!(left_out, [0]);
    }

    #[test]
    fn what_is_spare_opens_no_table_of_its_own() {
        let mut full = fitted(&[&["loss", "val_loss"]]);
        full.spare = vec![(0, numbers("one that is too wide", ["1", "2"], None)), (1, numbers("n", ["1", "2"], None))];
        let tables = full.tables(PLAIN);
        assert_eq!(tables.len(), 1);
        assert!(tables[0].starts_with("variant    loss  n  val_loss"), "{tables:#?}");
        assert!(!tables[0].contains("one that is too wide"));
    }
}
