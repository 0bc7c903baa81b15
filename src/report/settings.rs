//! Section with all settings and their origins: first those that differ between variants, then those that were set,
//! then the defaults.

use crate::compare::group::Group;
use crate::compare::settings::{Setting, differing, settings};
use crate::history::asked::{Asked, Origin};
use crate::report::markup::{Cell, Section, Table, note, text};

/// Returns the section; `None` if no group was trained by runner.
pub fn of(groups: &[Group]) -> Option<Section> {
    let all = settings(groups);
    if all.is_empty() {
        return None;
    }
    let mut body = String::new();
    let differ = if groups.len() > 1 { differing(groups) } else { Vec::new() };
    if !differ.is_empty() {
        let heads = std::iter::once(Cell::text("setting")).chain(groups.iter().map(|group| Cell::text(&group.label)));
        let mut table = Table::new("Settings that differ", heads).with("id=\"differing\"");
        for setting in &differ {
            let cells = setting.values.iter().zip(groups).map(|(value, group)| {
                Cell::html(match value {
                    Some(value) => format!("{}<br>{}", code(value), badge(origin(group, &setting.key))),
                    None => "–".to_owned(),
                })
                .of_class("value")
            });
            table.row(std::iter::once(Cell::head(code(&setting.key))).chain(cells.collect::<Vec<_>>()));
        }
        body.push_str(&table.html_text());
    } else if groups.len() > 1 {
        body.push_str(&note("All settings are the same."));
    }
    let known = groups.iter().filter_map(asked).count();
    let ours = groups.iter().filter(|group| group.config().is_some()).count();
    let same: Vec<&Setting> = all.iter().filter(|setting| !differ.contains(setting)).collect();
    if !same.is_empty() {
        let caption = if differ.is_empty() { "All settings" } else { "Settings that are the same everywhere" };
        let heads = [Cell::text("setting"), Cell::text("value"), Cell::text("set by")];
        let mut table = Table::new(caption, heads).with("id=\"all-settings\"").tall();
        let mut rows: Vec<(&Setting, Option<Origin>)> =
            same.into_iter().map(|setting| (setting, shared(groups, &setting.key))).collect();
        rows.sort_by_key(|(_, origin)| origin.map_or(Origin::Default, |origin| origin));
        for (setting, origin) in rows {
            let value = setting.values.iter().flatten().next().map_or(String::new(), |value| code(value));
            let name = match origin {
                Some(Origin::Default) => "default",
                Some(_) => "set",
                None => "unknown",
            };
            let cells =
                [Cell::head(code(&setting.key)), Cell::html(value).of_class("value"), Cell::html(badge(origin))];
            table.row_with(&format!("data-origin=\"{name}\""), cells);
        }
        body.push_str("<div class=\"controls needs-js\" id=\"settings-controls\"></div>\n");
        body.push_str(&table.html_text());
    }
    if known < ours {
        body.push_str(&note("Who set a setting is unknown where an older version of runner wrote the history."));
    }
    Some(Section { id: "settings", title: "Settings", body })
}

/// Returns a key or value as code that may wrap after dots.
fn code(value: &str) -> String {
    format!("<span class=\"code\">{}</span>", text(value).replace('.', ".<wbr>"))
}

fn asked(group: &Group) -> Option<&Asked> {
    group.trials.first()?.history()?.asked.as_ref()
}

/// Returns the origin of a group's setting; `None` if the history does not record it.
fn origin(group: &Group, key: &str) -> Option<Origin> {
    Some(asked(group)?.origin(key))
}

/// Returns the origin of a setting that is the same in all groups: the one with the highest precedence.
fn shared(groups: &[Group], key: &str) -> Option<Origin> {
    groups.iter().filter_map(|group| origin(group, key)).min()
}

fn badge(origin: Option<Origin>) -> String {
    let (class, words) = match origin {
        Some(origin @ Origin::CommandLine) => (" command", origin.words()),
        Some(origin @ Origin::Variant) => (" variant", origin.words()),
        Some(origin @ Origin::File) => (" file", origin.words()),
        Some(origin @ Origin::Default) => ("", origin.words()),
        None => ("", "unknown"),
    };
    format!("<span class=\"origin{class}\">{words}</span>")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compare::trial::Trial;
    use crate::history::{History, trial_for_tests};
    use serde_json::json;

    fn group(label: &str, lr: f64, asked: Option<Asked>) -> Group {
        let config = json!({ "seeds": [0], "train": { "epochs": 3, "batch": 8, "lr": lr } });
        let history = History { config, asked, ..trial_for_tests(label, 0, 1.0) };
        Group { label: label.to_owned(), trials: vec![Trial::ours(history, PathBuf::new())] }
    }

    fn place(html: &str, what: &str) -> usize {
        html.find(what).unwrap_or_else(|| panic!("no `{what}` in {html}"))
    }

    #[test]
    fn what_differs_stands_first_and_defaults_last_each_with_who_set_it() {
        let asked = |varied: &[&str]| {
            let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
            Some(Asked { changed: keys(&["train.epochs"]), varied: keys(varied), ..Asked::default() })
        };
        let html = of(&[group("a", 0.1, asked(&[])), group("b", 0.2, asked(&["train.lr"]))]).unwrap().body;
        let differing = &html[..place(&html, "Settings that are the same")];
        assert!(differing.contains("0.<wbr>1</span><br><span class=\"origin\">default"), "{differing}");
        assert!(differing.contains("0.<wbr>2</span><br><span class=\"origin variant\">variant"), "{differing}");
        let same = &html[differing.len()..];
        let epochs = place(
            same,
            "train.<wbr>epochs</span></th><td class=\"value\"><span class=\"code\">3</span></td><td><span class=\"origin command\">command line",
        );
        assert!(
            epochs
                < place(
                    same,
                    "train.<wbr>batch</span></th><td class=\"value\"><span class=\"code\">8</span></td><td><span class=\"origin\">default"
                )
        );
        assert!(!html.contains("unknown"));
    }

    #[test]
    fn of_older_histories_the_origin_is_unknown() {
        let html = of(&[group("a", 0.1, None)]).unwrap().body;
        assert!(html.contains("<span class=\"origin\">unknown</span>"));
        assert!(html.contains("an older version of runner wrote the history"));
    }
}
