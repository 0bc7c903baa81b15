//! What `runner data describe` says: shape and types, classes as bars, columns, and what to look out for.

use crate::cli::text::page::Page;
use crate::cli::text::table::Columns;
use crate::cli::text::{number_format, terminal};
use crate::config::suggest;
use crate::data::inspect::class_count::ClassCount;
use crate::data::inspect::describe::{ColumnDescription, Constant, Description, PartDescription};
use crate::data::store::manifest::Manifest;

/// The longest name of a class or column that is shown whole.
const LONGEST_NAME: usize = 24;

/// So many columns are named in a sentence.
const NAMED: usize = 8;

/// The whole description; a data set with a manifest has a title, a license and a citation.
pub(crate) fn text(manifest: Option<&Manifest>, description: &Description) -> String {
    let page = Page::of_output();
    let mut lines = match manifest {
        Some(m) => vec![
            terminal::bold(&page.wrapped(&m.title, 0)),
            page.wrapped(&format!("license: {}", m.license), 2),
            page.wrapped(&m.citation, 2),
        ],
        None => vec![terminal::bold(&description.name)],
    };
    for part in &description.parts {
        lines.push(String::new());
        lines.push(page.wrapped(&headline(part), 2));
        if let (Some(target), false) = (&part.target, part.classes.is_empty()) {
            lines.push(format!("\n{target}, to be predicted"));
        }
        lines.extend(bars(&part.classes, page));
        if !part.columns.is_empty() {
            lines.push(format!("\n{}", columns(&part.columns, page)));
        }
        let counted = |column: &&ColumnDescription| !column.values.is_empty() && !is_classes(part, column);
        for column in part.columns.iter().filter(counted) {
            lines.push(format!("\n{}", column.name));
            lines.extend(bars(&column.values, page));
        }
        let warnings = warnings(part);
        if !warnings.is_empty() {
            lines.push(String::new());
            lines.extend(warnings.iter().map(|warning| page.wrapped(warning, 2)));
        }
    }
    lines.join("\n")
}

/// Whether the column's values are shown as the classes already.
fn is_classes(part: &PartDescription, column: &ColumnDescription) -> bool {
    !part.classes.is_empty() && part.target.as_ref() == Some(&column.name)
}

fn headline(part: &PartDescription) -> String {
    let shape: Vec<String> = part.sample.iter().map(i64::to_string).collect();
    let (rows, shape) = (number_format::count(part.rows), shape.join("×"));
    match (part.min, part.max, part.mean) {
        (Some(min), Some(max), Some(mean)) => {
            format!("{}: {rows} rows of {shape} values, {min} to {max}, mean {mean:.4}", part.part)
        }
        _ => {
            let numbers = part.columns.iter().filter(|column| column.kind == "numbers").count();
            let kinds = match part.columns.len() - numbers {
                0 => "all numbers".to_owned(),
                text if numbers == 0 => format!("{text} of text"),
                text => format!("{numbers} of numbers, {text} of text"),
            };
            let missing: usize = part.columns.iter().map(|column| column.missing).sum();
            let missing = match missing {
                0 => "no value is missing".to_owned(),
                1 => "1 value is missing".to_owned(),
                several => format!("{} values are missing", number_format::count(several)),
            };
            format!("{}: {rows} rows of {shape} columns, {kinds}; {missing}", part.part)
        }
    }
}

/// A bar for each class or value.
fn bars(classes: &[ClassCount], page: Page) -> Vec<String> {
    let most = classes.iter().map(|class| class.rows).max().unwrap_or(1).max(1);
    let names: Vec<String> = classes.iter().map(|class| shortened(&class.class, LONGEST_NAME)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let bar = page.width.saturating_sub(width + 25).clamp(8, 40);
    let line = |(class, name): (&ClassCount, &String)| {
        let bar = "█".repeat((class.rows * bar).div_ceil(most));
        let (rows, share) = (number_format::count(class.rows), 100.0 * class.share);
        format!("  {name:>width$}  {rows:>7}  {share:>8.4} %  {bar}").trim_end().to_owned()
    };
    classes.iter().zip(&names).map(line).collect()
}

/// A name in little room: so many characters.
fn shortened(name: &str, longest: usize) -> String {
    match name.chars().count() <= longest {
        true => name.to_owned(),
        false => name.chars().take(longest - 1).chain(['…']).collect(),
    }
}

/// A line for each column; names give way where the numbers need their room.
fn columns(columns: &[ColumnDescription], page: Page) -> String {
    let whole = table(columns, LONGEST_NAME);
    let width = whole.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    match width.saturating_sub(page.width) {
        0 => whole,
        excess => {
            let longest = columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
            table(columns, longest.min(LONGEST_NAME).saturating_sub(excess).max(8))
        }
    }
}

fn table(columns: &[ColumnDescription], longest_name: usize) -> String {
    let mut table = Columns::new(["column", "type", "missing", "distinct", "min", "mean", "max"], 2..7);
    for column in columns {
        let [min, mean, max] = [column.min, column.mean, column.max].map(number_format::metric);
        let (missing, distinct) = (number_format::count(column.missing), number_format::count(column.distinct));
        table.row([&shortened(&column.name, longest_name), column.kind, &missing, &distinct, &min, &mean, &max]);
    }
    table.text()
}

/// What to look out for before training on these rows.
fn warnings(part: &PartDescription) -> Vec<String> {
    let mut warnings = Vec::new();
    let columns = |which: &dyn Fn(&ColumnDescription) -> bool| {
        part.columns.iter().filter(|column| which(column)).map(|column| column.name.as_str()).collect::<Vec<_>>()
    };
    let some_missing = columns(&|column| column.missing > 0 && column.distinct > 0);
    if !some_missing.is_empty() {
        warnings.push(format!(
            "missing values in {}: `missing = \"drop\"` leaves such rows out, `\"mean\"` and `\"most_frequent\"` fill them in",
            listed(&some_missing)
        ));
    }
    let as_text = |column: &ColumnDescription| {
        let cell = column.missing_as.as_ref().filter(|_| column.kind == "text")?;
        let name = &column.name;
        Some(format!(
            "`{cell}` counts as missing in `{name}`: if it is none, state those that are: `missing_values = [\"\"]`"
        ))
    };
    warnings.extend(part.columns.iter().filter_map(as_text));
    let all_missing = columns(&|column| column.distinct == 0);
    if !all_missing.is_empty() {
        warnings.push(format!("no value in any row: {}; `drop` leaves columns out", listed(&all_missing)));
    }
    warnings.extend(part.columns.iter().filter_map(|column| column.look_out.clone()));
    match &part.constant {
        Constant::Count(0) => {}
        Constant::Count(count) => warnings.push(format!("{count} of the features have the same value in every row")),
        Constant::Columns(_) => {
            let names = columns(&|column| column.distinct == 1);
            if !names.is_empty() {
                warnings.push(format!("the same value in every row that has one: {}", listed(&names)));
            }
        }
    }
    if part.duplicate_rows > 0 {
        warnings.push(match part.duplicate_rows {
            1 => "1 row is the same as an earlier one: a split may put them on both sides".to_owned(),
            many => {
                let rows = number_format::count(many);
                format!("{rows} rows are the same as an earlier one: a split may put them on both sides")
            }
        });
        warnings.extend(rarest(&part.classes));
    }
    match part.contradictory_rows {
        None | Some(0) => {}
        Some(rows) => {
            let rows = number_format::count(rows);
            warnings.push(format!("{rows} rows have the features of a row of another class: nothing tells them apart"));
        }
    }
    warnings
}

/// How many rows of the rarest class differ from each other, where some do not.
fn rarest(classes: &[ClassCount]) -> Option<String> {
    let rarest = classes.iter().min_by_key(|class| class.rows)?;
    let distinct = rarest.distinct.filter(|&distinct| distinct < rarest.rows)?;
    let (rows, distinct) = (number_format::count(rarest.rows), number_format::count(distinct));
    Some(format!(
        "of the {rows} rows of the rarest class, `{}`, {distinct} are distinct",
        shortened(&rarest.class, LONGEST_NAME)
    ))
}

/// The first few of these names.
fn listed(names: &[&str]) -> String {
    match names.len() {
        0..=NAMED => suggest::list(names),
        all => format!("{} and {} more", suggest::list(&names[..NAMED]), all - NAMED),
    }
}
