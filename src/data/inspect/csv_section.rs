//! Text of the `[data.csv]` part of an experiment file, with a comment for each choice.

use toml_edit::Value;

use crate::data::inspect::problem::Problem;
use crate::data::inspect::proposal::{Filling, Proposal, Role};
use crate::data::table::recognize::number_format::NumberFormat;
use crate::history::number::count;
use crate::io::separator;

/// Minimum number of rows of which some are held out for validation and test.
pub const FEWEST_TO_HOLD_OUT: usize = 20;

/// Maximum length of a line.
const LINE: usize = 78;

/// Returns the part `[data.csv]`; `path` is the path of the table as it is written.
pub fn csv_section(proposal: &Proposal, path: &str) -> String {
    section(proposal, path, true).join("\n") + "\n"
}

/// Returns the lines of the part `[data.csv]`, with comments on the choices if asked for.
pub fn section(proposal: &Proposal, path: &str, commented: bool) -> Vec<String> {
    let lines = ["[data.csv]".to_owned(), format!("path = {}", quoted(path))];
    lines.into_iter().chain(settings(proposal, commented)).collect()
}

/// Returns the lines of the settings, with a comment above each if asked for.
fn settings(proposal: &Proposal, commented: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |comment: &str, setting: String| {
        if commented && !comment.is_empty() {
            lines.extend(comment_lines(comment));
        }
        lines.push(setting);
    };
    let format = &proposal.detected.format;
    if format.separator != ',' {
        add("", format!("separator = {}", quoted(&separator::shown(format.separator))));
    }
    let NumberFormat { decimal, thousands } = format.numbers;
    if decimal != '.' {
        add("numbers are written as in 1,5", format!("decimal = {}", quoted(&decimal.to_string())));
    }
    if let Some(thousands) = thousands {
        add("", format!("thousands = {}", quoted(&thousands.to_string())));
    }
    add("the column to predict", format!("target = {}", quoted(&proposal.target)));
    if let Problem::Classes { stated: Some(why), .. } = &proposal.problem {
        add(why, "task = \"classes\"".to_owned());
    }
    let with = |is_of: fn(&Role) -> bool| -> Vec<&str> {
        proposal.columns.iter().filter(|(_, role)| is_of(role)).map(|(name, _)| name.as_str()).collect()
    };
    let dropped: Vec<(&str, &str)> = proposal
        .columns
        .iter()
        .filter_map(|(name, role)| match role {
            Role::Dropped(why) => Some((name.as_str(), why.as_str())),
            _ => None,
        })
        .collect();
    if !dropped.is_empty() {
        add(
            "columns that are left out; to use one, remove its line, and name it in `categories` if it has many different texts",
            list_with_reasons("drop", &dropped),
        );
    }
    let codes = with(|role| matches!(role, Role::Codes(_)));
    if !codes.is_empty() {
        add("codes, not numbers: each text is a category", list("categories", &codes));
    }
    let dates = with(|role| *role == Role::Dates);
    if !dates.is_empty() {
        add("dates become days since 1970-01-01; to leave one out, move it to `drop`", list("dates", &dates));
    }
    if !proposal.detected.na_values.is_empty() {
        let texts: Vec<&str> = proposal.detected.na_values.iter().map(String::as_str).collect();
        add("these texts count as missing, besides empty fields, NA, NaN and so on", list("na_values", &texts));
    }
    match proposal.filling {
        Filling::NotNeeded => {}
        Filling::Fill { .. } => add(&describe_filling(proposal).unwrap_or_default(), "missing = \"mean\"".to_owned()),
        Filling::Drop { .. } => add(&describe_filling(proposal).unwrap_or_default(), "missing = \"drop\"".to_owned()),
    }
    let text = with(|role| matches!(role, Role::Text | Role::Codes(_)));
    if !text.is_empty() {
        add(
            "text columns are one-hot encoded; \"label\" gives each category one number instead",
            "encode = \"one_hot\"".to_owned(),
        );
    }
    add(
        "scales each column to mean 0 and standard deviation 1 (training rows); \"min_max\" scales it to 0–1 instead",
        "scale = \"standard\"".to_owned(),
    );
    if commented && proposal.duplicates > 0 {
        let comment = format!(
            "{} rows equal an earlier row (training and test may share rows): pandas' drop_duplicates() removes them",
            count(proposal.duplicates)
        );
        lines.extend(comment_lines(&comment));
    }
    lines.extend(split(&proposal.problem, proposal.rows, commented));
    lines
}

/// Returns what happens to missing values; `None` if there are none.
fn describe_filling(proposal: &Proposal) -> Option<String> {
    let all = proposal.detected.table.rows();
    match proposal.filling {
        Filling::NotNeeded => None,
        Filling::Fill { values, without_target } => {
            let values =
                if values == 1 { "1 missing value".to_owned() } else { format!("{} missing values", count(values)) };
            let fills = format!("fills in {values}: the mean, in text columns the most frequent text");
            Some(match dropped_rows(proposal) {
                Some(dropped) if without_target > 0 => format!("{fills}; {dropped}"),
                _ => format!("{fills}; \"drop\" leaves these rows out instead"),
            })
        }
        Filling::Drop { without_target, rows } if rows > without_target => Some(format!(
            "drops {} of {} rows, {} of them without a target; \"mean\" fills in the others",
            count(rows),
            count(all),
            count(without_target)
        )),
        Filling::Drop { .. } => dropped_rows(proposal),
    }
}

/// Returns the number of rows that an experiment on the table does not use, and why; `None` if it uses all.
pub fn dropped_rows(proposal: &Proposal) -> Option<String> {
    let all = count(proposal.detected.table.rows());
    match proposal.filling {
        Filling::NotNeeded | Filling::Fill { without_target: 0, .. } => None,
        Filling::Drop { without_target, rows } if rows > without_target => {
            Some(format!("drops {} of {all} rows, which have missing values", count(rows)))
        }
        Filling::Drop { without_target, .. } | Filling::Fill { without_target, .. } => {
            Some(format!("drops {} of {all} rows, which have no target", count(without_target)))
        }
    }
}

/// Returns the setting `split` of a table, or a comment if it has too few rows.
fn split(problem: &Problem, rows: usize, commented: bool) -> Vec<String> {
    if rows < FEWEST_TO_HOLD_OUT {
        let comment = format!("# {rows} rows are too few to hold some out for validation and test");
        return commented.then_some(comment).into_iter().collect();
    }
    let (comment, stratify) = match problem {
        Problem::Classes { .. } if problem.can_be_stratified() => (
            "20 % test, 20 % of the rest validation, the same class shares in each part; for cross-validation: { test = 0.2, folds = 5, random_state = 42, stratify = true }",
            ", stratify = true",
        ),
        Problem::Classes { .. } => {
            ("20 % test, 20 % of the rest validation; the rarest class has too few rows for `stratify = true`", "")
        }
        Problem::Values { .. } => (
            "20 % test, 20 % of the rest validation; for cross-validation: { test = 0.2, folds = 5, random_state = 42 }",
            "",
        ),
    };
    let setting = format!("split = {{ test = 0.2, validation = 0.2, random_state = 42{stratify} }}");
    let comment = if commented { comment_lines(comment) } else { Vec::new() };
    comment.into_iter().chain([setting]).collect()
}

/// Returns a text as a TOML string.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Returns `key = ["a", "b"]`, in several lines if it is long.
fn list(key: &str, texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    let line = format!("{key} = [{}]", quoted.join(", "));
    if line.chars().count() <= LINE { line } else { format!("{key} = [\n    {},\n]", quoted.join(",\n    ")) }
}

/// Returns a list with a line and a comment for each text.
fn list_with_reasons(key: &str, texts: &[(&str, &str)]) -> String {
    let quoted: Vec<String> = texts.iter().map(|(text, _)| quoted(text) + ",").collect();
    let width = quoted.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let lines = |(text, (_, why)): (&String, &(&str, &str))| {
        let comment = wrapped(why, LINE.saturating_sub(width + 8).max(LINE / 2));
        let line = |(number, comment): (usize, &String)| {
            let text = if number == 0 { text.as_str() } else { "" };
            format!("    {text:<width$}  # {comment}\n")
        };
        comment.iter().enumerate().map(line).collect::<String>()
    };
    format!("{key} = [\n{}]", quoted.iter().zip(texts).map(lines).collect::<String>())
}

/// Returns the lines of a comment.
pub fn comment_lines(text: &str) -> Vec<String> {
    wrapped(text, LINE - 2).iter().map(|line| format!("# {line}")).collect()
}

/// Returns a text in lines of at most `most` characters, broken between words.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
