//! The list of runs as a table that fits the page.

use crate::cli::commands::runs::columns::{AGE, Fit, ListColumn};
use crate::cli::text::column_layout::{self, Column, GAP};
use crate::cli::text::text_style::TextStyle;

/// Returns the table. If it is too wide, the columns after the age are left out first; then the longest texts are cut, and
/// then the age and the time are left out.
pub(super) fn table(mut columns: Vec<ListColumn>, page: TextStyle) -> String {
    /// Characters of a cut text, as long as a column can be left out instead of cutting further.
    const COMFORTABLE: usize = 14;
    loop {
        let excess = width(&columns).saturating_sub(page.width);
        if excess == 0 {
            break;
        }
        let widest_to = |least: usize, columns: &[ListColumn]| {
            let width_to_cut = |column: &ListColumn| match column.fit {
                Fit::Cut(most) if column.column.width() > most.max(least) => Some(column.column.width()),
                Fit::Cut(_) | Fit::Keep | Fit::LeaveOut(_) => None,
            };
            let widths = columns.iter().enumerate().filter_map(|(place, column)| Some((width_to_cut(column)?, place)));
            widths.max().map(|(_, place)| place)
        };
        let least_important = columns.iter().enumerate().filter_map(|(place, column)| match column.fit {
            Fit::LeaveOut(order) => Some((order, place)),
            Fit::Keep | Fit::Cut(_) => None,
        });
        let least_important = least_important.max().map(|(_, place)| place);
        let is_further = |place: &usize| matches!(columns[*place].fit, Fit::LeaveOut(order) if order > AGE);
        if let Some(place) = least_important.filter(is_further) {
            columns.remove(place);
        } else if let Some(place) = widest_to(COMFORTABLE, &columns) {
            let column = &mut columns[place].column;
            column.cut_to(column.width().saturating_sub(excess).max(COMFORTABLE));
        } else if let Some(place) = least_important {
            columns.remove(place);
        } else if let Some(place) = widest_to(0, &columns) {
            let Fit::Cut(least) = columns[place].fit else { break };
            let column = &mut columns[place].column;
            column.cut_to(column.width().saturating_sub(excess).max(least));
        } else {
            break;
        }
    }
    column_layout::text(&columns.iter().map(|column| &column.column).collect::<Vec<&Column>>(), page)
}

fn width(columns: &[ListColumn]) -> usize {
    columns.iter().map(|column| column.column.width() + GAP).sum::<usize>().saturating_sub(GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(header: &str, text: &str, fit: Fit) -> ListColumn {
        ListColumn { column: Column::words(header, [text.to_owned()]), fit }
    }

    #[test]
    fn texts_are_cut_before_columns_are_left_out_and_the_id_is_never_cut() {
        let columns = |changed: &str| {
            vec![
                column("id", "0123abc", Fit::Keep),
                column("changed", changed, Fit::Cut(7)),
                column("time", "12 s", Fit::LeaveOut(1)),
                column("age", "3 h", Fit::LeaveOut(2)),
            ]
        };
        let long = "lr=0.1 epochs=200 seeds=0..4";
        let page = |width| TextStyle { width, styled: false };
        assert!(table(columns(long), page(80)).contains(long));
        let cut = table(columns(long), page(40));
        assert!(cut.contains("0123abc  lr=0.1 epochs=200 s…") && cut.contains("age"), "{cut}");
        let narrow = table(columns(long), page(30));
        assert!(narrow.contains("0123abc  lr=0.1 epochs") && !narrow.contains("age"), "{narrow}");
        let narrowest = table(columns(long), page(17));
        assert!(narrowest.contains("0123abc  lr=0.1") && !narrowest.contains("time"), "{narrowest}");
        for (width, text) in [(40, &cut), (30, &narrow), (17, &narrowest)] {
            assert!(text.contains('…') && text.lines().all(|line| line.chars().count() <= width), "{text}");
        }
    }
}
