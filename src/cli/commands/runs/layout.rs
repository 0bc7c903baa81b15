//! The list of runs as a table that fits the page.

use crate::cli::commands::runs::columns::{AGE, Fit, ListColumn};
use crate::cli::text::column_layout::{self, Column, GAP};
use crate::cli::text::text_style::TextStyle;

/// Width of wrapped texts below which age and time are left out instead. They are left out before words are broken, too.
const COMFORTABLE: usize = 20;

/// Returns the table. If it is too wide, the columns after the age are left out first, then the age and the time if all
/// texts then stay on one line. Otherwise the longest texts continue on further lines; nothing is cut.
pub(super) fn table(mut columns: Vec<ListColumn>, page: TextStyle) -> String {
    let excess = |columns: &[ListColumn]| width(columns).saturating_sub(page.width);
    while excess(&columns) > 0 && remove_last(&mut columns, AGE + 1) {}
    let mut choices = vec![columns.clone()];
    while remove_last(&mut columns, 0) {
        choices.push(columns.clone());
    }
    let wrapped = |columns: &[ListColumn], is_comfortable: bool| {
        let mut columns = columns.to_vec();
        loop {
            let too_wide = excess(&columns);
            if too_wide == 0 || !wrap_widest(&mut columns, too_wide, is_comfortable) {
                return columns;
            }
        }
    };
    let fits = |columns: &Vec<ListColumn>| excess(columns) == 0;
    let chosen = choices.iter().find(|columns| fits(columns)).cloned();
    let chosen = chosen.or_else(|| choices.iter().map(|columns| wrapped(columns, true)).find(fits));
    let chosen = chosen.unwrap_or_else(|| wrapped(&columns, false));
    column_layout::text(&chosen.iter().map(|column| &column.column).collect::<Vec<&Column>>(), page)
}

/// Removes the least important column of at least this order; returns whether there was one.
fn remove_last(columns: &mut Vec<ListColumn>, from: usize) -> bool {
    let orders = columns.iter().enumerate().filter_map(|(place, column)| match column.fit {
        Fit::LeaveOut(order) if order >= from => Some((order, place)),
        Fit::LeaveOut(_) | Fit::Keep | Fit::Wrap(_) => None,
    });
    let last = orders.max();
    last.map(|(_, place)| columns.remove(place)).is_some()
}

/// Wraps the widest column that can be narrower; returns whether there was one.
fn wrap_widest(columns: &mut [ListColumn], excess: usize, is_comfortable: bool) -> bool {
    let least = |column: &ListColumn| match column.fit {
        Fit::Wrap(least) if is_comfortable => Some(least.max(COMFORTABLE).max(column.column.longest_word())),
        Fit::Wrap(least) => Some(least),
        Fit::Keep | Fit::LeaveOut(_) => None,
    };
    let can_be_narrower = |column: &ListColumn| least(column).is_some_and(|least| column.column.width() > least);
    let widest = columns.iter_mut().filter(|column| can_be_narrower(column)).max_by_key(|column| column.column.width());
    let Some(widest) = widest else { return false };
    let (before, least) = (widest.column.width(), least(widest).unwrap_or_default());
    widest.column.wrap_to(before.saturating_sub(excess).max(least));
    widest.column.width() < before
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
    fn age_and_time_are_left_out_before_texts_are_wrapped_and_nothing_is_cut() {
        let columns = |changed: &str| {
            vec![
                column("id", "0123abc", Fit::Keep),
                column("changed", changed, Fit::Wrap(7)),
                column("time", "12 s", Fit::LeaveOut(1)),
                column("age", "3 h", Fit::LeaveOut(2)),
            ]
        };
        let long = "lr=0.1 epochs=200 seeds=0..4";
        let page = |width| TextStyle { width, styled: false };
        let whole = table(columns(long), page(80));
        assert!(whole.contains(long) && whole.contains("age"), "{whole}");
        let without_age = table(columns(long), page(44));
        assert!(without_age.contains(long) && without_age.contains("time") && !without_age.contains("age"));
        let without_both = table(columns(long), page(40));
        assert!(without_both.contains(long) && !without_both.contains("time"), "{without_both}");
        let wrapped = table(columns(long), page(36));
        assert_eq!(wrapped, "id       changed            time\n0123abc  lr=0.1 epochs=200  12 s\n         seeds=0..4");
        let narrowest = table(columns(long), page(17));
        let lines = [
            "id       changed",
            "0123abc  lr=0.1",
            "         epochs=",
            "           200",
            "         seeds=",
            "           0..4",
        ];
        assert_eq!(narrowest, lines.join("\n"));
    }
}
