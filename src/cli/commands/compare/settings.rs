//! The settings that differ, or all of them.

use indexmap::IndexMap;

use crate::cli::text::column_layout::{Column, Fitted};
use crate::cli::text::number_format;
use crate::cli::text::page::Page;
use crate::compare::group::Group;
use crate::compare::settings::{Setting, differing, settings};

/// Up to so many groups have a column each.
const COLUMNS: usize = 3;

/// The tables, or for many groups who has which value; a sentence where no setting differs.
pub(crate) fn text(groups: &[Group], all: bool, page: Page) -> Vec<String> {
    let every = settings(groups);
    let shown = if all { every.clone() } else { differing(groups) };
    let (known, unknown): (Vec<_>, Vec<_>) = groups.iter().enumerate().partition(|(_, group)| group.config().is_some());
    if known.is_empty() {
        return vec!["no settings are known".to_owned()];
    }
    if let ([(_, group)], 1..) = (&known[..], unknown.len()) {
        return match all {
            true => tables(&shown, &known, page),
            false => vec![format!("settings are known of {} alone (--all)", group.label)],
        };
    }
    let mut parts = match shown.len() {
        0 => vec!["no setting differs".to_owned()],
        _ if known.len() <= COLUMNS => tables(&shown, &known, page),
        _ => vec![shown.iter().map(|setting| values(setting, &known, page)).collect::<Vec<_>>().join("\n")],
    };
    let mut remarks = Vec::new();
    if let same @ 1.. = every.len() - shown.len() {
        let are = if same == 1 { "setting is" } else { "settings are" };
        remarks.push(format!("{} {are} the same (--all)", number_format::count(same)));
    }
    if !unknown.is_empty() {
        let labels: Vec<&str> = unknown.iter().map(|(_, group)| group.label.as_str()).collect();
        remarks.push(page.wrapped(&format!("settings are not known of {}", labels.join(", ")), 2));
    }
    if let (Some(last), false) = (parts.last_mut(), remarks.is_empty()) {
        *last = format!("{last}\n{}", remarks.join("\n"));
    }
    parts
}

/// A row for each setting, a column for each group.
fn tables(settings: &[Setting], groups: &[(usize, &Group)], page: Page) -> Vec<String> {
    let column = |(place, group): &(usize, &Group)| {
        let cell = |setting: &Setting| cut(setting.values[*place].as_deref().unwrap_or("–"), page.width / 2);
        vec![Column::words(cut(&group.label, 30), settings.iter().map(cell))]
    };
    let fitted = Fitted {
        labels: Column::words("setting", settings.iter().map(|setting| setting.key.clone())),
        groups: groups.iter().map(column).collect(),
        spare: Vec::new(),
        closing: None,
    };
    fitted.tables(page)
}

/// The values of a setting, and which groups have each.
fn values(setting: &Setting, groups: &[(usize, &Group)], page: Page) -> String {
    let mut by_value: IndexMap<Option<&str>, Vec<&str>> = IndexMap::new();
    for (place, group) in groups {
        by_value.entry(setting.values[*place].as_deref()).or_default().push(&group.label);
    }
    // what many share is told last, and without their names
    let most = by_value.values().map(Vec::len).max().filter(|most| *most > COLUMNS).unwrap_or(usize::MAX);
    let shared = by_value.values().position(|labels| labels.len() == most);
    let line = |value: &Option<&str>, labels: &str| {
        let value = cut(value.unwrap_or("not set"), page.width * 3 / 4);
        page.wrapped(&format!("\u{a0} {value}: {labels}"), 4)
    };
    let told = by_value.iter().enumerate().filter(|(place, _)| Some(*place) != shared);
    let mut lines: Vec<String> = told.map(|(_, (value, labels))| line(value, &labels.join(", "))).collect();
    if let Some((value, labels)) = shared.and_then(|place| by_value.get_index(place)) {
        let all = if lines.is_empty() { "all".to_owned() } else { format!("the other {}", labels.len()) };
        lines.push(line(value, &all));
    }
    format!("{}\n{}", setting.key, lines.join("\n"))
}

/// A text of at most so many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.chars().count() <= most {
        true => text.to_owned(),
        false => format!("{}…", text.chars().take(most.saturating_sub(1)).collect::<String>().trim_end()),
    }
}
