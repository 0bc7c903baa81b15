//! Tables of all settings: those that differ between groups, and the others.

use indexmap::IndexMap;

use crate::cli::text::column::Column;
use crate::cli::text::column_layout::{self, Fitted, GAP};
use crate::cli::text::text_style::TextStyle;
use crate::compare::differing_settings::{Setting, differing, settings};
use crate::compare::group::Group;

/// Maximum number of groups that are shown as columns.
const MAX_COLUMNS: usize = 8;

/// Returns tables of all settings: those that differ, and those that are the same in all groups. For many groups, those
/// that differ are lists of their values.
pub(crate) fn render(groups: &[Group], page: TextStyle) -> Vec<String> {
    let (known, unknown): (Vec<_>, Vec<_>) = groups.iter().enumerate().partition(|(_, group)| group.config().is_some());
    let Some((first, _)) = known.first() else {
        return vec!["the settings of these runs are unknown".to_owned()];
    };
    let differing = differing(groups);
    let mut parts = match differing.len() {
        0 => Vec::new(),
        _ if known.len() <= MAX_COLUMNS => tables(&differing, &known, page),
        _ => vec![differing.iter().map(|setting| values_of(setting, &known, page)).collect::<Vec<_>>().join("\n")],
    };
    let same: Vec<Setting> = settings(groups).into_iter().filter(|setting| !differing.contains(setting)).collect();
    if !same.is_empty() {
        let header = if known.len() > 1 { "setting that is the same in all" } else { "setting" };
        let mut labels = Column::words(header, same.iter().map(|setting| setting.key.clone()));
        labels.wrap_to(page.width / 2);
        let mut values = Column::words("value", same.iter().map(|setting| value(setting, *first)));
        values.wrap_to(page.width.saturating_sub(labels.width() + GAP));
        parts.push(column_layout::text(&[&labels, &values], page));
    }
    if !unknown.is_empty() {
        let labels: Vec<&str> = unknown.iter().map(|(_, group)| group.label.as_str()).collect();
        parts.push(page.wrapped(&format!("settings are unknown for {}", labels.join(", ")), 2));
    }
    parts
}

/// Returns the value of a setting in a group.
fn value(setting: &Setting, group: usize) -> String {
    setting.values[group].clone().unwrap_or_else(|| "–".to_owned())
}

/// Returns tables with a row for each setting and a column for each group.
fn tables(settings: &[Setting], groups: &[(usize, &Group)], page: TextStyle) -> Vec<String> {
    let column = |(index, group): &(usize, &Group)| {
        let mut values = Column::words(group.label.as_str(), settings.iter().map(|setting| value(setting, *index)));
        values.wrap_to(page.width / 2);
        vec![values]
    };
    let mut labels = Column::words("setting", settings.iter().map(|setting| setting.key.clone()));
    labels.wrap_to(page.width * 2 / 5);
    Fitted::new(labels, groups.iter().map(column).collect()).tables(page)
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
        page.wrapped(&format!("\u{a0} {}: {labels}", value.unwrap_or("not set")), 4)
    };
    let others = by_value.iter().enumerate().filter(|(index, _)| Some(*index) != shared);
    let mut lines: Vec<String> = others.map(|(_, (value, labels))| line(value, &labels.join(", "))).collect();
    if let Some((value, labels)) = shared.and_then(|index| by_value.get_index(index)) {
        let all = if lines.is_empty() { "all".to_owned() } else { format!("the other {}", labels.len()) };
        lines.push(line(value, &all));
    }
    format!("{}\n{}", setting.key, lines.join("\n"))
}
