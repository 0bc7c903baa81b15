//! The page of a run, or of several that are compared: state, curves as they grow, metrics and settings.

use serde_json::{Value, json};

use crate::compare::group::Group;
use crate::compare::settings::format_seeds;
use crate::report::frame::Head;
use crate::report::html;
use crate::report::{curves, payload};
use crate::serve::http::route::{Versions, version_of};
use crate::serve::pages::live_run::LiveRun;
use crate::serve::pages::shell::{self, Bundle};
use crate::views::document::block::{Block, Section};
use crate::views::document::table::{Cell, Table};
use crate::views::trials::Runs;
use crate::views::{data, expectations, metrics, settings, summary, title};

/// A run with the short id that the pages show.
pub struct Shown<'a> {
    /// The run.
    pub run: &'a LiveRun,
    /// Its short id.
    pub short_id: String,
}

/// Returns the page.
pub fn page(runs: &[Shown]) -> String {
    let groups = groups(runs);
    let mut payload = payload::of(&groups);
    payload["live"] = live(runs);
    payload["kind"] = json!("run");
    let sections = [vec![status_section(runs.len()), curves::live_section()], sections(runs)].concat();
    shell::page(&head(runs), &sections, &payload, Bundle::Runs)
}

/// Returns the data of the page as JSON: the states of the runs, and what has another version than the page has.
pub fn data(runs: &[Shown], has: Versions) -> String {
    let mut answer = live(runs);
    if has.data != answer["version"].as_u64() {
        answer["data"] = payload::of(&groups(runs));
    }
    if has.sections != answer["sections_version"].as_u64() {
        let sections: Vec<String> = sections(runs).iter().map(html::section).collect();
        answer["sections"] = json!(sections.join("\n"));
    }
    answer.to_string()
}

/// Returns the states of the runs, and the versions of their curves and histories.
fn live(runs: &[Shown]) -> Value {
    let version = |of: fn(&LiveRun) -> u64| version_of(&runs.iter().map(|shown| of(shown.run)).collect::<Vec<u64>>());
    let states: Vec<Value> = runs.iter().map(|shown| shown.run.state(&shown.short_id)).collect();
    json!({ "version": version(LiveRun::version), "sections_version": version(LiveRun::reads), "runs": states })
}

/// Returns the groups of all runs. With several runs, the labels name the run.
fn groups(runs: &[Shown]) -> Vec<Group> {
    let of_run = |shown: &Shown| {
        let mut groups = shown.run.groups();
        if runs.len() > 1 {
            let several = groups.len() > 1;
            groups.iter_mut().for_each(|group| group.label = label(shown, &group.label, several));
        }
        groups
    };
    runs.iter().flat_map(of_run).collect()
}

/// Returns the label of a variant of one of several runs: `digits 4e1f`, `digits 4e1f/wide`.
fn label(shown: &Shown, variant: &str, several: bool) -> String {
    let name = shown.run.run().and_then(|run| run.info.about.name.clone());
    let name = name.unwrap_or_else(|| format!("{} {}", shown.run.experiment(), shown.short_id));
    if several { format!("{name}/{variant}") } else { name }
}

/// Returns the groups with histories only: their tables do not change with each epoch.
fn finished(runs: &[Shown]) -> Vec<Group> {
    let mut groups = groups(runs);
    groups.iter_mut().for_each(|group| group.trials.retain(|trial| trial.history().is_some()));
    groups.retain(|group| !group.trials.is_empty());
    groups
}

fn head(runs: &[Shown]) -> Head {
    let [shown] = runs else {
        let short: Vec<&str> = runs.iter().map(|shown| shown.short_id.as_str()).collect();
        let facts = vec![("runs", short.join(", "))];
        let (kicker, title) = ("Comparison".to_owned(), format!("{} runs", runs.len()));
        return Head { kicker, title, questions: Vec::new(), facts };
    };
    let groups = finished(runs);
    let experiment = shown.run.experiment();
    let mut facts = vec![("id", shown.short_id.clone())];
    if groups.is_empty() {
        let started = shown.run.run().map(|run| run.info.started.clone()).filter(|started| !started.is_empty());
        facts.extend(started.map(|started| ("started", started)));
    } else {
        facts.extend(title::facts(&groups));
        let mut seeds: Vec<i64> = groups.iter().flat_map(Group::seeds).collect();
        seeds.sort_unstable();
        seeds.dedup();
        facts.push(("seeds", format_seeds(&seeds)));
    }
    Head {
        kicker: format!("Run of {experiment}"),
        title: shown.run.text("title").unwrap_or_else(|| experiment.to_owned()),
        questions: shown.run.text("question").into_iter().collect(),
        facts,
    }
}

/// Place of the state of the runs, which a script fills.
fn status_section(count: usize) -> Section {
    let html = "<div id=\"status\" class=\"status stack\"></div>\n<div id=\"now\" class=\"stack\"></div>".to_owned();
    let title = if count == 1 { "State" } else { "States" };
    Section { id: "state", title, blocks: vec![Block::Html(html)] }
}

/// Returns the sections below the curves.
fn sections(runs: &[Shown]) -> Vec<Section> {
    let groups = finished(runs);
    if groups.is_empty() {
        return settings_without_history(runs).into_iter().collect();
    }
    let first = groups.first().map(|group| group.label.as_str());
    let of_groups = Runs::of_groups(&groups);
    let shown = if runs.len() == 1 { settings::Shown::All } else { settings::Shown::Changed };
    let sections = [
        Some(summary::section(&groups, first)),
        Some(metrics::section(&groups)),
        expectations::section(&of_groups),
        settings::section(&groups, shown),
        data::section(&groups),
        data::environment(&groups),
    ];
    sections.into_iter().flatten().collect()
}

/// Returns the settings of runs without a history, as their files have them.
fn settings_without_history(runs: &[Shown]) -> Option<Section> {
    let mut blocks = Vec::new();
    for shown in runs {
        let mut table =
            Table::new(format!("Settings of {} {}", shown.run.experiment(), shown.short_id), ["setting", "value"], ..0);
        for (key, value) in shown.run.settings() {
            table.row([Cell::Code(key), Cell::Code(value)]);
        }
        blocks.extend(table.filled().map(Block::Table));
    }
    (!blocks.is_empty()).then_some(Section { id: "settings", title: "Settings", blocks })
}
