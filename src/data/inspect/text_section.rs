//! Text of the `[data.text]` part of an experiment file, for a table with a column of texts.

use crate::data::inspect::csv_section::{FEWEST_TO_HOLD_OUT, quoted};
use crate::data::inspect::proposal::has_other_features;
use crate::data::inspect::text_column::{is_of_texts, words};
use crate::data::table::csv_table::Table;
use crate::data::table::values::Values;
use crate::io::separator::shown;

/// Largest number of distinct numbers in a target column that are classes.
const MOST_CLASSES: usize = 20;

/// The part `[data.text]` of an experiment file.
#[derive(Debug)]
pub struct TextSection {
    /// Name of the column with the texts.
    pub column: String,
    /// Name of the target column.
    pub target: String,
    /// Whether other columns are features for `[data.csv]`.
    pub has_other_features: bool,
    /// Text of the part.
    pub toml: String,
}

/// Returns the part `[data.text]` with the column that has the longest texts; `None` if no column has texts. `path` is the
/// path of the file as it is written, `target` the target column; without it, the column with the fewest distinct values
/// among those with at least two.
pub fn text_section(path: &str, table: &Table, target: Option<&str>, separator: char) -> Option<TextSection> {
    let candidates = table.columns.iter().filter(|column| Some(column.name.as_str()) != target);
    let text = candidates.filter(|column| is_of_texts(table, column)).max_by_key(|column| words(column))?;
    let mut lengths: Vec<usize> =
        (0..table.rows()).filter_map(|row| Some(text.text(row)?.split_whitespace().count())).collect();
    lengths.sort_unstable();
    let others = || table.columns.iter().filter(|column| column.name != text.name && column.distinct() > 1);
    let target = match target {
        Some(name) => table.column(name)?,
        None => others().min_by_key(|column| column.distinct())?,
    };
    let mut lines = vec!["[data.text]".to_owned(), format!("path = {}", quoted(path))];
    if text.name != "text" {
        lines.push(format!("text = {}", quoted(&text.name)));
    }
    lines.push(format!("target = {}", quoted(&target.name)));
    let are_classes = matches!(target.values, Values::Text { .. });
    if !are_classes && target.distinct() <= MOST_CLASSES {
        lines.push("task = \"classes\"".to_owned());
    }
    if separator != ',' {
        lines.push(format!("separator = {}", quoted(&shown(separator))));
    }
    let most = lengths[(lengths.len() - 1) * 95 / 100];
    lines.push(format!("# 95 % of the texts have at most {most} words; longer ones are cut\nlength = {}", most.max(1)));
    if table.rows() >= FEWEST_TO_HOLD_OUT {
        lines.push("# 20 % test, 20 % of the rest validation".to_owned());
        lines.push("split = { test = 0.2, validation = 0.2, random_state = 42 }".to_owned());
    }
    Some(TextSection {
        column: text.name.clone(),
        target: target.name.clone(),
        has_other_features: has_other_features(table, &target.name, &text.name),
        toml: lines.join("\n") + "\n",
    })
}
