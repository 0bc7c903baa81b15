//! Tables in Markdown, and the tables that show each run of an experiment in a column.

use crate::compare::statistics::mean;
use crate::history::number::brief;
use crate::views::document::statistic::MISSING;
use crate::views::document::table::{Cell, Table};
use crate::views::trials::Runs;
use crate::views::{expectations, references};

/// Escapes text, so that names are no markup.
pub fn escaped(raw: &str) -> String {
    let mut escaped = String::with_capacity(raw.len());
    for character in raw.chars() {
        match character {
            '\\' | '*' | '[' | '|' | '<' | '#' => escaped.extend(['\\', character]),
            '&' => escaped.push_str("&amp;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns a name as code. A backtick in it would end the code.
pub fn code(raw: &str) -> String {
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    format!("`{}`", raw.replace('`', "'").chars().map(clean).collect::<String>())
}

/// Returns a table, its caption above it; empty if it has no rows.
pub fn table(table: &Table) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let line = |cells: Vec<String>| {
        let cells = cells.iter().map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") });
        format!("|{}", cells.collect::<String>())
    };
    let rule = table.columns.iter().map(|column| if column.is_number { "--:|" } else { "---|" });
    let mut lines = vec![
        line(table.columns.iter().map(|column| escaped(&column.head)).collect()),
        format!("|{}", rule.collect::<String>()),
    ];
    lines.extend(table.rows.iter().map(|row| line(row.cells.iter().map(cell).collect())));
    let caption = if table.caption.is_empty() { String::new() } else { format!("{}:\n\n", escaped(&table.caption)) };
    format!("{caption}{}", lines.join("\n"))
}

fn cell(cell: &Cell) -> String {
    // `|` ends a cell even within code
    let code = |words: &str| code(words).replace('|', "\\|");
    match cell {
        Cell::Ranked { text, is_best: true } => format!("**{}**", escaped(text)),
        Cell::Code(words) | Cell::Label(_, words) => code(words),
        Cell::Setting(value, origin) => format!("{} ({})", code(value), escaped(&origin.text)),
        Cell::Badges(badges) if badges.is_empty() => MISSING.to_owned(),
        plain => escaped(&plain.plain_text()),
    }
}

fn mark(is_met: bool) -> char {
    if is_met { '✓' } else { '✗' }
}

/// Returns the expectations, each claim beside the first of its expectations, with a column for each run; `None` if there
/// are none.
pub fn expectations(runs: &Runs) -> Option<Table> {
    let mut table = Table::new("", heads(&["claim", "metric", "expected"], runs, "found"), 0..0);
    let mut above = None;
    let rows = expectations::rows(runs, true);
    for row in &rows {
        let number = |value: f64| with_decimals(value, decimals(&row.bound));
        let claim = row.claim.as_ref().filter(|claim| above != Some(*claim));
        above = row.claim.as_ref();
        let found = row.outcomes.iter().map(|outcome| match outcome {
            Some(outcome) => {
                let range = outcome.range(&number).map(|range| format!(": {range}")).unwrap_or_default();
                format!("{} {}{range}", mark(outcome.is_met()), outcome.describe(&number))
            }
            None => MISSING.to_owned(),
        });
        let metric = match row.metric.split_once(" of ") {
            Some((statistic, metric)) => format!("{statistic} of `{metric}`"),
            None => format!("`{}`", row.metric),
        };
        // after `>` comes the name of another metric
        let bound = match row.bound.rsplit_once(' ') {
            Some((bound, metric)) if row.bound.contains('>') => format!("{bound} `{metric}`"),
            _ => row.bound.clone(),
        };
        table.row([claim.cloned().unwrap_or_default(), metric, bound].into_iter().chain(found));
    }
    table.filled()
}

/// Returns the reference values with a column for each run; `None` if there are none.
pub fn references(runs: &Runs) -> Option<Table> {
    let heads = heads(&["metric", "reference"], runs, "this run");
    let mut table = Table::new("", heads, 1..);
    let rows = references::rows(runs);
    let digits = rows.iter().map(|row| decimals(&row.published.to_string())).max()?;
    for row in &rows {
        let exact = match runs.labels.first() {
            Some(first) if row.is_exact => format!(" (exact, with {first})"),
            _ => String::new(),
        };
        let ours = row.ours.iter().map(|values| match values.is_empty() {
            true => "not available".to_owned(),
            false => with_decimals(mean(values), digits),
        });
        table.row([format!("`{}`{exact}", row.metric), row.published.to_string()].into_iter().chain(ours));
    }
    table.filled()
}

/// Returns column heads with the labels of the runs; with a single run, `alone` instead of its label.
fn heads(first: &[&str], runs: &Runs, alone: &str) -> Vec<String> {
    let labels = match &runs.labels[..] {
        [_] => vec![alone.to_owned()],
        labels => labels.to_vec(),
    };
    first.iter().map(|head| (*head).to_owned()).chain(labels).collect()
}

/// Returns the most decimals of any number in a text, between four and seven.
fn decimals(text: &str) -> usize {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).count();
    text.split('.').skip(1).map(digits).max().unwrap_or_default().clamp(4, 7)
}

/// Returns a number with this many decimals; a whole number without, and a power of ten if decimals would show nothing.
fn with_decimals(value: f64, decimals: usize) -> String {
    match value {
        value if !value.is_finite() => brief(value),
        value if value.fract() == 0.0 && value.abs() < 1e6 => value.to_string(),
        value if value.abs() < 5.0 * 10.0_f64.powi(-(decimals as i32)) || value.abs() >= 1e6 => format!("{value:.1e}"),
        value => format!("{value:.decimals$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_keeps_its_columns_whatever_is_in_it() {
        let mut content = Table::new("", ["a", "b", "c"], 2..);
        content.row(["x|y", "", "two\nlines"]);
        assert_eq!(table(&content), "| a | b | c |\n|---|---|--:|\n| x\\|y | | two lines |");
        assert_eq!(table(&Table::new("empty", ["a"], 0..0)), "");
    }

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("<img> *a* [b](c) # & val_loss"), "\\<img> \\*a\\* \\[b](c) \\# &amp; val_loss");
        assert_eq!(code("a`b"), "`a'b`");
    }

    #[test]
    fn numbers_have_the_decimals_of_the_bound() {
        assert_eq!((decimals("≥ 0.9"), decimals("2.4022679 ± 0.00001"), decimals("> last.loss")), (4, 7, 4));
        for (value, decimals, text) in [
            (0.123456, 4, "0.1235"),
            (2.40226794, 7, "2.4022679"),
            (1.0, 4, "1"),
            (0.00012, 4, "1.2e-4"),
            (1.5e9, 4, "1.5e9"),
            (f64::NAN, 4, "nan"),
        ] {
            assert_eq!(with_decimals(value, decimals), text);
        }
    }
}
