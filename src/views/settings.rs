//! Section with all settings and their origins: first those that differ between variants, then those that were set,
//! then the defaults.

use crate::compare::differing_settings::{Setting, differing, key_in, settings};
use crate::compare::group::Group;
use crate::history::provenance::{Origin, Provenance};
use crate::views::document::badge::Badge;
use crate::views::document::block::{Block, Section};
use crate::views::document::statistic::MISSING;
use crate::views::document::table::{Cell, RowKind, Table};

/// Which settings a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of them.
    All,
    /// Those that differ, and those that are not at their defaults.
    Changed,
}

/// Returns the section; `None` if no group was trained by runner.
pub fn section(groups: &[Group], shown: Shown) -> Option<Section> {
    let all = settings(groups);
    if all.is_empty() {
        return None;
    }
    let mut blocks = Vec::new();
    let differ = if groups.len() > 1 { differing(groups) } else { Vec::new() };
    if !differ.is_empty() {
        blocks.push(Block::Table(differing_table(&differ, groups)));
    } else if groups.len() > 1 {
        blocks.push(Block::Note("All settings are the same.".to_owned()));
    }
    let same = all.iter().filter(|setting| !differ.contains(setting));
    let mut rows: Vec<(&Setting, Option<Origin>)> =
        same.map(|setting| (setting, shared_origin(groups, &setting.key))).collect();
    rows.retain(|(_, origin)| shown == Shown::All || *origin != Some(Origin::Default));
    rows.sort_by_key(|(_, origin)| origin.unwrap_or(Origin::Default));
    let caption = match (shown, differ.is_empty()) {
        (Shown::Changed, _) => "Settings that are not at their defaults",
        (Shown::All, true) => "All settings",
        (Shown::All, false) => "Settings that are the same everywhere",
    };
    let mut table = Table::new(caption, ["setting", "value", "set by"], 0..0).with_id("all-settings");
    for (setting, origin) in rows {
        let value = setting.values.iter().flatten().next().cloned().unwrap_or_default();
        let kind = RowKind::Setting(match origin {
            Some(Origin::Default) => "default",
            Some(_) => "set",
            None => "unknown",
        });
        let cells = [Cell::Code(setting.key.clone()), Cell::Code(value), Cell::Badges(vec![badge(origin)])];
        table.row_of(kind, cells);
    }
    if let Some(table) = table.filled() {
        blocks.push(Block::Html("<div class=\"controls needs-js\" id=\"settings-controls\"></div>".to_owned()));
        blocks.push(Block::Table(table));
    }
    let known = groups.iter().filter_map(asked).count();
    if known < groups.iter().filter(|group| group.config().is_some()).count() {
        let note = "The origin of settings is unknown if an older version of runner wrote the history.";
        blocks.push(Block::Note(note.to_owned()));
    }
    Some(Section { id: "settings", title: "Settings", blocks })
}

fn differing_table(differ: &[Setting], groups: &[Group]) -> Table {
    let heads = std::iter::once("setting").chain(groups.iter().map(|group| group.label.as_str()));
    let mut table = Table::new("Settings that differ", heads, 0..0).with_id("differing");
    for setting in differ {
        let values = setting.values.iter().zip(groups).map(|(value, group)| match value {
            Some(value) => Cell::Setting(value.clone(), badge(origin(group, &setting.key))),
            None => MISSING.into(),
        });
        table.row(std::iter::once(Cell::Code(setting.key.clone())).chain(values));
    }
    table
}

fn asked(group: &Group) -> Option<&Provenance> {
    group.trials.first()?.history()?.asked.as_ref()
}

/// Returns the origin of a group's setting; `None` if the history does not record it.
fn origin(group: &Group, key: &str) -> Option<Origin> {
    Some(asked(group)?.origin(&key_in(group, key)))
}

/// Returns the origin of a setting that is the same in all groups: the one with the highest precedence.
fn shared_origin(groups: &[Group], key: &str) -> Option<Origin> {
    groups.iter().filter_map(|group| origin(group, key)).min()
}

fn badge(origin: Option<Origin>) -> Badge {
    let class = match origin {
        Some(Origin::CommandLine) => "origin command",
        Some(Origin::Variant) => "origin variant",
        Some(Origin::File) => "origin file",
        Some(Origin::Default) | None => "origin",
    };
    Badge::new(class, origin.map_or("unknown", Origin::words))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compare::trial::Trial;
    use crate::history::{History, trial_for_tests};
    use serde_json::json;

    fn group(label: &str, lr: f64, asked: Option<Provenance>) -> Group {
        let config = json!({ "seeds": [0], "train": { "epochs": 3, "batch": 8, "lr": lr } });
        let history = History { config, asked, ..trial_for_tests(label, 0, 1.0) };
        Group { label: label.to_owned(), trials: vec![Trial::from_history(history, PathBuf::new())] }
    }

    fn tables(section: Section) -> Vec<Table> {
        let table = |block| if let Block::Table(table) = block { Some(table) } else { None };
        section.blocks.into_iter().filter_map(table).collect()
    }

    fn row(key: &str, value: &str, class: &'static str, origin: &str) -> Vec<Cell> {
        let badge = Badge::new(class, origin);
        vec![Cell::Code(key.to_owned()), Cell::Code(value.to_owned()), Cell::Badges(vec![badge])]
    }

    #[test]
    fn settings_that_differ_come_first_and_defaults_last_each_with_its_origin() {
        let asked = |varied: &[&str]| {
            let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
            Some(Provenance {
                set_by_command_line: keys(&["train.epochs"]),
                set_by_variant: keys(varied),
                ..Provenance::default()
            })
        };
        let groups = [group("a", 0.1, asked(&[])), group("b", 0.2, asked(&["train.lr"]))];
        let [differ, same] = &tables(section(&groups, Shown::All).unwrap())[..] else { panic!("two tables") };
        let value = |value: &str, class, origin: &str| Cell::Setting(value.to_owned(), Badge::new(class, origin));
        assert_eq!(
            differ.rows[0].cells,
            [
                Cell::Code("train.lr".to_owned()),
                value("0.1", "origin", "default"),
                value("0.2", "origin variant", "variant")
            ]
        );
        assert_eq!(same.rows[0].cells, row("train.epochs", "3", "origin command", "command line"));
        assert!(same.rows.iter().any(|other| other.cells == row("train.batch", "8", "origin", "default")));
        let [_, changed] = &tables(section(&groups, Shown::Changed).unwrap())[..] else { panic!("two tables") };
        assert_eq!(changed.rows.len(), 1, "defaults are left out");
    }

    #[test]
    fn the_origin_of_settings_in_older_histories_is_unknown() {
        let section = section(&[group("a", 0.1, None)], Shown::All).unwrap();
        assert!(
            section.blocks.iter().any(|block| matches!(block, Block::Note(note) if note.contains("older version")))
        );
        assert_eq!(tables(section)[0].rows[0].kind, RowKind::Setting("unknown"));
    }
}
