//! Table of the settings that differ between groups, or of all settings.

use indexmap::IndexMap;

use crate::cli::text::column_layout::{Column, Fitted};
use crate::cli::text::number_format;
use crate::cli::text::text_style::TextStyle;
use crate::cli::truncate::truncated;
use crate::compare::group::Group;
use crate::compare::settings::{Setting, differing, settings};

/// Maximum number of groups that are shown as columns.
const MAX_COLUMNS: usize = 3;

/// Returns tables of the settings; for many groups, a list of the values of each setting. If nothing differs, a sentence.
pub(crate) fn render(groups: &[Group], all: bool, page: TextStyle) -> Vec<String> {
    let all_settings = settings(groups);
    let shown = if all { all_settings.clone() } else { differing(groups) };
    let (known, unknown): (Vec<_>, Vec<_>) = groups.iter().enumerate().partition(|(_, group)| group.config().is_some());
    if known.is_empty() {
        return vec!["the settings of these runs are unknown".to_owned()];
    }
    if let ([(_, group)], 1..) = (&known[..], unknown.len()) {
        return match all {
            true => tables(&shown, &known, page),
            false => vec![format!("settings are known only for {} (shown with `--all`)", group.label)],
        };
    }
    let mut parts = match shown.len() {
        0 => vec!["no setting differs".to_owned()],
        _ if known.len() <= MAX_COLUMNS => tables(&shown, &known, page),
        _ => vec![shown.iter().map(|setting| values_of(setting, &known, page)).collect::<Vec<_>>().join("\n")],
    };
    let mut remarks = Vec::new();
    if let same @ 1.. = all_settings.len() - shown.len() {
        let are = if same == 1 { "setting is" } else { "settings are" };
        remarks.push(format!("{} {are} the same (shown with `--all`)", number_format::count(same)));
    }
    if !unknown.is_empty() {
        let labels: Vec<&str> = unknown.iter().map(|(_, group)| group.label.as_str()).collect();
        remarks.push(page.wrapped(&format!("settings are unknown for {}", labels.join(", ")), 2));
    }
    if let (Some(last), false) = (parts.last_mut(), remarks.is_empty()) {
        *last = format!("{last}\n{}", remarks.join("\n"));
    }
    parts
}

/// Returns tables with a row for each setting and a column for each group.
fn tables(settings: &[Setting], groups: &[(usize, &Group)], page: TextStyle) -> Vec<String> {
    let column = |(index, group): &(usize, &Group)| {
        let cell = |setting: &Setting| truncated(setting.values[*index].as_deref().unwrap_or("–"), page.width / 2);
        vec![Column::words(truncated(&group.label, 30), settings.iter().map(cell))]
    };
    let fitted = Fitted {
        labels: Column::words("setting", settings.iter().map(|setting| setting.key.clone())),
        groups: groups.iter().map(column).collect(),
        spare: Vec::new(),
        closing: None,
    };
    fitted.tables(page)
}

/// Returns the values of a setting, each with the groups that have it.
fn values_of(setting: &Setting, groups: &[(usize, &Group)], page: TextStyle) -> String {
    let mut by_value: IndexMap<Option<&str>, Vec<&str>> = IndexMap::new();
    for (index, group) in groups {
        by_value.entry(setting.values[*index].as_deref()).or_default().push(&group.label);
    }
    // the value that most groups share comes last, without their names
    let most_groups = by_value.values().map(Vec::len).max().filter(|count| *count > MAX_COLUMNS).unwrap_or(usize::MAX);
    let shared = by_value.values().position(|labels| labels.len() == most_groups);
    let line = |value: &Option<&str>, labels: &str| {
        let value = truncated(value.unwrap_or("not set"), page.width * 3 / 4);
        page.wrapped(&format!("\u{a0} {value}: {labels}"), 4)
    };
    let others = by_value.iter().enumerate().filter(|(index, _)| Some(*index) != shared);
    let mut lines: Vec<String> = others.map(|(_, (value, labels))| line(value, &labels.join(", "))).collect();
    if let Some((value, labels)) = shared.and_then(|index| by_value.get_index(index)) {
        let all = if lines.is_empty() { "all".to_owned() } else { format!("the other {}", labels.len()) };
        lines.push(line(value, &all));
    }
    format!("{}\n{}", setting.key, lines.join("\n"))
}
