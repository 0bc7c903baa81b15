//! Text of `runner data describe`: shape and types, class counts as bars, columns, and warnings.

use crate::cli::text::table::{Columns, fitted};
use crate::cli::text::text_style::{TextStyle, together};
use crate::cli::text::{number_format, terminal};
use crate::cli::truncate::truncated;
use crate::config::suggest::list_at_most;
use crate::data::images::image_set::ImageFiles;
use crate::data::inspect::csv_section;
use crate::data::inspect::describe::{ArrayDescription, ColumnDescription, Constant, Description, PartDescription};
use crate::data::inspect::duplicates::ClassCount;
use crate::data::inspect::image_section::sides;
use crate::data::inspect::proposal::{Proposal, Role};
use crate::data::inspect::text_section::TextSection;
use crate::data::store::manifest::Manifest;

/// Maximum length of the name of a class or column; longer names are cut.
const MAX_NAME: usize = 24;

/// Maximum number of columns that a warning names.
const MAX_LISTED: usize = 8;

/// Returns the description as text. A data set with a manifest also has a title, a license and a citation.
pub(crate) fn render(manifest: Option<&Manifest>, description: &Description) -> String {
    let page = TextStyle::of_output();
    let mut lines = match manifest {
        Some(m) => vec![
            terminal::bold(&page.wrapped(&m.title, 0)),
            page.wrapped(&format!("license: {}", m.license), 2),
            page.wrapped(&m.citation, 2),
        ],
        None => vec![terminal::bold(&description.name)],
    };
    if !description.arrays.is_empty() {
        let mut table = Columns::new(["array", "shape", "type"], 3..3);
        for ArrayDescription { name, shape, dtype } in &description.arrays {
            let shape = shape.iter().map(i64::to_string).collect::<Vec<_>>().join("×");
            table.row([&truncated(name, MAX_NAME), &*shape, &truncated(dtype, MAX_NAME)]);
        }
        lines.push(format!("\n{}", table.text()));
    }
    if let Some(files) = &description.images {
        lines.push(format!("\n{}", image_files(files)));
    }
    for part in &description.parts {
        lines.push(String::new());
        lines.push(page.wrapped(&headline(part), 2));
        if let (Some(target), false) = (&part.target, part.classes.is_empty()) {
            lines.push(format!("\n{target} (target)"));
        }
        lines.extend(bars(&part.classes, page));
        if !part.columns.is_empty() {
            lines.push(format!("\n{}", column_table(&part.columns, page)));
        }
        let has_bars = |column: &&ColumnDescription| !column.values.is_empty() && !is_class_column(part, column);
        for column in part.columns.iter().filter(has_bars) {
            lines.push(format!("\n{}", column.name));
            lines.extend(bars(&column.values, page));
        }
        let warnings = warnings(part, &description.na_values);
        if !warnings.is_empty() {
            lines.push(String::new());
            lines.extend(warnings.iter().map(|warning| page.wrapped(warning, 2)));
        }
    }
    lines.join("\n")
}

/// Returns a line about the files of a directory of images.
fn image_files(files: &ImageFiles) -> String {
    let count = number_format::count(files.images);
    let colors = match files.grayscale {
        0 => String::new(),
        all if all == files.images => ", grayscale".to_owned(),
        some => format!(", {} of them grayscale", number_format::count(some)),
    };
    format!("files: {count} images of {}{colors}", sides(files))
}

/// Returns whether the column is the target whose classes are already shown.
fn is_class_column(part: &PartDescription, column: &ColumnDescription) -> bool {
    !part.classes.is_empty() && part.target.as_ref() == Some(&column.name)
}

/// Returns the settings of `[data.csv]` that fit a table; `path` is the path of the table as it is written.
pub(crate) fn proposed(proposal: &Proposal, path: &str, has_target: bool) -> String {
    let guess = if has_target { "" } else { "; the target is a guess" };
    let title = format!("settings for this table (`--toml` adds comments{guess}):");
    with_title(&title, &csv_section::section(proposal, path, false).join("\n"))
}

/// Returns the settings of `[data.text]` for a table with a column of texts and no other features.
pub(crate) fn proposed_texts(texts: &TextSection, has_target: bool) -> String {
    let guess = if has_target { "" } else { " (the target is a guess)" };
    with_title(&format!("settings for the texts in `{}`{guess}:", texts.column), &texts.toml)
}

/// Returns settings with a title above them.
fn with_title(title: &str, settings: &str) -> String {
    let settings = settings.lines().map(|line| format!("  {line}\n")).collect::<String>();
    format!("{}\n{settings}", TextStyle::of_output().wrapped(title, 2))
}

/// Notes on stderr that a proposal leaves a column of texts out.
pub(crate) fn note_on_texts(texts: Option<&TextSection>, proposal: &Proposal) {
    let Some(TextSection { column, .. }) = texts else { return };
    let is_left_out = |(name, role): &(String, Role)| name == column && matches!(role, Role::Dropped(_));
    if proposal.columns.iter().any(is_left_out) {
        terminal::say(&format!("note: the texts in `{column}` are left out; to train on them, use `[data.text]`"));
    }
}

/// Returns one line about a part: its rows, columns and missing values.
fn headline(part: &PartDescription) -> String {
    let shape: Vec<String> = part.sample.iter().map(i64::to_string).collect();
    let (rows, shape) = (number_format::count(part.rows), shape.join("×"));
    match (part.min, part.max, part.mean) {
        (Some(min), Some(max), Some(mean)) => {
            let limit = |value: f64| match value.fract() == 0.0 && value.abs() < 1e6 {
                true => format!("{}", value as i64),
                false => number_format::metric(Some(value)),
            };
            let (min, mean, max) = (limit(min), number_format::metric(Some(mean)), limit(max));
            format!("{}: {rows} rows of {shape} values, {min} to {max}, mean {mean}", part.part)
        }
        _ => {
            let numeric = part.columns.iter().filter(|column| column.kind == "numbers").count();
            let kinds = match part.columns.len() - numeric {
                0 => "all numeric".to_owned(),
                text if numeric == 0 => format!("{text} text"),
                text => format!("{numeric} numeric, {text} text"),
            };
            let missing: usize = part.columns.iter().map(|column| column.missing).sum();
            let missing = match missing {
                0 => "no missing values".to_owned(),
                1 => "1 missing value".to_owned(),
                several => format!("{} missing values", number_format::count(several)),
            };
            format!("{}: {rows} rows of {shape} columns, {kinds}; {missing}", part.part)
        }
    }
}

/// Returns a bar for each class or value, with its number and share of rows.
fn bars(classes: &[ClassCount], page: TextStyle) -> Vec<String> {
    let most = classes.iter().map(|class| class.rows).max().unwrap_or(1).max(1);
    let names: Vec<String> = classes.iter().map(|class| truncated(&class.class, MAX_NAME)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let bar = page.width.saturating_sub(width + 23).clamp(8, 40);
    let line = |(class, name): (&ClassCount, &String)| {
        let bar = "█".repeat((class.rows * bar).div_ceil(most));
        let (rows, share) = (number_format::count(class.rows), percent(100.0 * class.share));
        format!("  {name:>width$}  {rows:>7}  {share:>6} %  {bar}").trim_end().to_owned()
    };
    classes.iter().zip(&names).map(line).collect()
}

/// Returns a percentage with two digits, or four if it is below 0.1.
fn percent(share: f64) -> String {
    if share < 0.1 { format!("{share:.4}") } else { format!("{share:.2}") }
}

/// Returns a table with a line for each column. On a narrow page the names are cut.
fn column_table(columns: &[ColumnDescription], page: TextStyle) -> String {
    let longest = columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
    fitted(page.width, longest.min(MAX_NAME), |max_name| {
        let mut table = Columns::new(["column", "type", "missing", "distinct", "min", "mean", "max"], 2..7);
        for column in columns {
            let [min, mean, max] = [column.min, column.mean, column.max].map(number_format::metric);
            let [missing, distinct] = [column.missing, column.distinct].map(number_format::count);
            table.row([&truncated(&column.name, max_name), column.kind, &missing, &distinct, &min, &mean, &max]);
        }
        table.text()
    })
}

/// Returns warnings about these rows: missing values, constant columns, duplicates, contradictions.
fn warnings(part: &PartDescription, na_values: &[String]) -> Vec<String> {
    let listed = |names: &[&str]| list_at_most(names, MAX_LISTED);
    let mut warnings = Vec::new();
    if !na_values.is_empty() {
        let texts: Vec<&str> = na_values.iter().map(String::as_str).collect();
        let setting = together(&format!("`na_values = {texts:?}`"));
        let looks = match texts.len() {
            1 => "looks like a missing value and is counted as one here",
            _ => "look like missing values and are counted as such here",
        };
        warnings.push(format!("{} {looks}: write {setting}", listed(&texts)));
    }
    let columns = |which: &dyn Fn(&ColumnDescription) -> bool| {
        part.columns.iter().filter(|column| which(column)).map(|column| column.name.as_str()).collect::<Vec<_>>()
    };
    let is_target = |column: &ColumnDescription| part.target.as_ref() == Some(&column.name);
    let [mean, drop] = ["`missing = \"mean\"`", "`missing = \"drop\"`"].map(together);
    let some_missing = columns(&|column| column.missing > 0 && column.distinct > 0 && !is_target(column));
    if !some_missing.is_empty() {
        warnings.push(format!(
            "missing values in {}; write: {mean} (fills in the mean, or the most frequent text) or {drop} (drops these rows)",
            listed(&some_missing)
        ));
    }
    let target_missing = columns(&|column| column.missing > 0 && column.distinct > 0 && is_target(column));
    if !target_missing.is_empty() {
        warnings.push(format!(
            "missing values in the target {}; write: {mean} or {drop} (both drop the rows without a target)",
            listed(&target_missing[..1])
        ));
    }
    let as_text = |column: &ColumnDescription| {
        let cell = column.missing_as.as_ref().filter(|cell| column.kind == "text" && !na_values.contains(cell))?;
        let name = &column.name;
        Some(format!(
            "`{cell}` counts as missing in `{name}`; if it is a valid value, write: {}",
            together("`missing_values = [\"\"]`")
        ))
    };
    warnings.extend(part.columns.iter().filter_map(as_text));
    let all_missing = columns(&|column| column.distinct == 0 && !is_target(column));
    if !all_missing.is_empty() {
        warnings.push(format!("no value in any row: {}; write: `drop = {all_missing:?}`", listed(&all_missing)));
    }
    warnings.extend(part.columns.iter().find(|column| is_target(column) && column.distinct < 2).map(constant_target));
    warnings.extend(part.columns.iter().filter_map(|column| column.look_out.clone()));
    match &part.constant {
        Constant::Count(0) => {}
        Constant::Count(count) => warnings.push(format!("{count} of the features have the same value in every row")),
        Constant::Columns(_) => {
            let names = columns(&|column| column.distinct == 1 && !is_target(column));
            if !names.is_empty() {
                warnings.push(format!("constant columns: {}; write: `drop = {names:?}`", listed(&names)));
            }
        }
    }
    if part.duplicate_rows > 0 {
        let rows = match part.duplicate_rows {
            1 => "1 row is a duplicate of an earlier row".to_owned(),
            many => format!("{} rows are duplicates of earlier rows", number_format::count(many)),
        };
        warnings.push(format!("{rows}: a split may put one into training and the other into test"));
        warnings.extend(rarest(&part.classes));
    }
    if let Some(rows @ 1..) = part.contradictory_rows {
        let rows = number_format::count(rows);
        warnings.push(format!(
            "{rows} rows have the same features as a row of another class: no model can tell them apart"
        ));
    }
    warnings
}

/// Returns the warning about a target with fewer than two distinct values.
fn constant_target(target: &ColumnDescription) -> String {
    match target.values.first() {
        Some(value) => format!(
            "the target `{}` is always `{}`, so there is nothing to predict: choose another column, or add rows with \
             other values",
            target.name,
            truncated(&value.class, MAX_NAME)
        ),
        None => format!("the target `{}` has no value in any row: choose another column", target.name),
    }
}

/// Returns the number of distinct rows of the rarest class, if it has duplicates.
fn rarest(classes: &[ClassCount]) -> Option<String> {
    let rarest = classes.iter().min_by_key(|class| class.rows)?;
    let distinct = rarest.distinct.filter(|&distinct| distinct < rarest.rows)?;
    let [rows, distinct] = [rarest.rows, distinct].map(number_format::count);
    let class = truncated(&rarest.class, MAX_NAME);
    Some(format!("of the {rows} rows of the rarest class, `{class}`, {distinct} are distinct"))
}
