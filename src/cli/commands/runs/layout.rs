//! The list of runs as a table that fits the page.

use crate::cli::commands::runs::columns::{AGE, Fit, ListColumn};
use crate::cli::text::column::Column;
use crate::cli::text::column_layout::{self, Fitted, GAP};
use crate::cli::text::text_style::TextStyle;

/// Width of wrapped texts below which age and time are left out instead.
const COMFORTABLE: usize = 20;

/// Places at which texts may be broken, each with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaks {
    /// Between settings, in columns that are still wide then.
    Comfortable,
    /// Between the words of every text.
    Words,
    /// Between the items of a list, the parts of a path, and a key and its value.
    Parts,
    /// In names.
    Names,
}

/// Returns the table. If it is too wide, the columns after the age are left out first, then the age and the time if all
/// texts then stay on one line. Otherwise the longest texts continue on further lines, broken between words. Columns that
/// still have no room are in further tables. A word is broken only if it is too long for a table; nothing is cut.
pub(super) fn table(mut columns: Vec<ListColumn>, page: TextStyle) -> String {
    let excess = |columns: &[ListColumn]| width(columns).saturating_sub(page.width);
    while excess(&columns) > 0 && remove_last(&mut columns, AGE + 1) {}
    let mut choices = vec![columns.clone()];
    while remove_last(&mut columns, 0) {
        choices.push(columns.clone());
    }
    let fits = |columns: &Vec<ListColumn>| excess(columns) == 0;
    let chosen = choices.iter().find(|columns| fits(columns)).cloned();
    let chosen =
        chosen.or_else(|| choices.iter().map(|columns| wrapped(columns, Breaks::Comfortable, page)).find(fits));
    let at = |breaks: Breaks| wrapped(&columns, breaks, page);
    let chosen = chosen.or_else(|| Some(at(Breaks::Words)).filter(fits));
    let fit_alone = |columns: &[ListColumn]| {
        let labels = columns.first().map_or(0, |column| column.column.width() + GAP);
        columns.iter().skip(1).all(|column| labels + column.column.width() < page.width)
    };
    let tables = Some(at(Breaks::Words)).filter(|columns| chosen.is_none() && fit_alone(columns));
    let chosen = match tables {
        Some(_) => None,
        None => chosen.or_else(|| [Breaks::Parts, Breaks::Names].into_iter().map(at).find(fits)),
    };
    match chosen {
        Some(chosen) => {
            column_layout::text(&chosen.iter().map(|column| &column.column).collect::<Vec<&Column>>(), page)
        }
        None => {
            let mut columns = tables.unwrap_or_else(|| at(Breaks::Names));
            let labels = labels(&mut columns, page);
            let groups = columns.into_iter().map(|column| vec![column.column]).collect();
            Fitted::new(labels, groups).tables(page).join("\n\n")
        }
    }
}

/// Removes and returns the labels of several tables: the first column, with the name in the second one if both are short.
fn labels(columns: &mut Vec<ListColumn>, page: TextStyle) -> Column {
    let ids = columns.remove(0).column;
    let is_name = |names: &&ListColumn| names.fit == Fit::Name && names.column.texts().all(|name| !name.contains('\n'));
    let Some(names) = columns.first().filter(is_name) else { return ids };
    let width = ids.width() + GAP;
    let both = |id: &str, name: &str| format!("{id:<width$}{name}");
    let texts = ids.texts().zip(names.column.texts()).map(|(id, name)| both(id, name));
    let labels = Column::words(both(ids.header(), names.column.header()), texts);
    if labels.width() > page.width * 2 / 5 {
        return ids;
    }
    columns.remove(0);
    labels
}

/// Removes the least important column of at least this order; returns whether there was one.
fn remove_last(columns: &mut Vec<ListColumn>, from: usize) -> bool {
    let orders = columns.iter().enumerate().filter_map(|(place, column)| match column.fit {
        Fit::LeaveOut(order) if order >= from => Some((order, place)),
        Fit::LeaveOut(_) | Fit::Keep | Fit::Words | Fit::Name | Fit::Wrap(_) => None,
    });
    let last = orders.max();
    last.map(|(_, place)| columns.remove(place)).is_some()
}

/// Returns the columns with texts that are wrapped until the table fits, as far as they can be broken; the widest first.
fn wrapped(columns: &[ListColumn], breaks: Breaks, page: TextStyle) -> Vec<ListColumn> {
    let least: Vec<Option<usize>> = columns.iter().map(|column| narrowest(column, breaks)).collect();
    let mut wrapped = columns.to_vec();
    loop {
        let excess = width(&wrapped).saturating_sub(page.width);
        let can_be_narrower = |&place: &usize| least[place].is_some_and(|least| wrapped[place].column.width() > least);
        let widest = (0..columns.len()).filter(can_be_narrower).max_by_key(|&place| wrapped[place].column.width());
        let Some(widest) = widest.filter(|_| excess > 0) else { return wrapped };
        let goal = wrapped[widest].column.width().saturating_sub(excess.div_ceil(4));
        let mut column = columns[widest].column.clone(); // wrapped texts cannot be wrapped again
        column.wrap_to(goal.max(least[widest].unwrap_or_default()));
        wrapped[widest].column = column;
    }
}

/// Returns the width that a column needs if its texts are broken at these places; `None` if they are not broken.
fn narrowest(ListColumn { column, fit }: &ListColumn, breaks: Breaks) -> Option<usize> {
    let least = match (fit, breaks) {
        (Fit::Keep | Fit::LeaveOut(_), _) | (Fit::Words, Breaks::Comfortable) => None,
        (Fit::Words, _) | (Fit::Name, Breaks::Words) => Some(column.longest_word()),
        (Fit::Name | Fit::Wrap(_), Breaks::Comfortable) => Some(COMFORTABLE.max(column.longest_word())),
        (Fit::Name, Breaks::Parts) => Some(column.longest_part(false)),
        (Fit::Name, Breaks::Names) => Some(column.longest_part(true)),
        (Fit::Wrap(least), Breaks::Words) => Some(column.longest_word().max(*least)),
        (Fit::Wrap(least), Breaks::Parts) => Some(column.longest_part(false).max(*least)),
        (Fit::Wrap(least), Breaks::Names) => Some(column.longest_part(true).max(*least)),
    };
    least.map(|least| least.max(console::measure_text_width(column.header())))
}

fn width(columns: &[ListColumn]) -> usize {
    columns.iter().map(|column| column.column.width() + GAP).sum::<usize>().saturating_sub(GAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::text::text_style::together;

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

    #[test]
    fn lines_fit_the_page_and_names_settings_and_metrics_stay_whole() {
        let columns = || {
            vec![
                column("id", "0123", Fit::Keep),
                column("experiment", "softmax_regression_digits", Fit::Name),
                column("changed", "stratify=true epochs=1", Fit::Wrap(7)),
                column("best", &together("val_loss 0.6959"), Fit::Words),
            ]
        };
        let page = |width| TextStyle { width, styled: false };
        let lines = [
            "id    experiment                 changed        best",
            "0123  softmax_regression_digits  stratify=true  val_loss 0.6959",
            "                                 epochs=1",
        ];
        assert_eq!(table(columns(), page(63)), lines.join("\n"));
        for width in 40..72 {
            let text = table(columns(), page(width));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}\n{text}");
            for whole in ["softmax_regression_digits", "stratify=true", "val_loss 0.6959"] {
                assert!(text.contains(whole), "{width}\n{text}");
            }
        }
        let narrow = table(columns(), page(24));
        assert!(narrow.lines().all(|line| line.chars().count() <= 24), "a long name is broken\n{narrow}");
        let wide = ["status", "best", "test", "lr"].map(|header| column(header, "twenty-one characters", Fit::Keep));
        let named = [column("id", "0123", Fit::Keep), column("experiment", "digits", Fit::Name)];
        let text = table(named.into_iter().chain(wide).collect(), page(80));
        assert_eq!(text.matches("0123  digits  ").count(), 2, "each table has the name\n{text}");
        let many: Vec<ListColumn> = (0..9).map(|_| column("header", "value", Fit::Keep)).collect();
        let text = table(many, page(40));
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert_eq!(text.matches("header").count(), 10, "the first column is in both tables\n{text}");
    }
}
