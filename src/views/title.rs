//! Head of a report: title, questions of the experiments, and key facts.

use std::collections::BTreeSet;
use std::path::Path;

use indexmap::{IndexMap, IndexSet};

use crate::compare::group::{Group, union};
use crate::compare::trial::{Record, Trial};
use crate::experiment::store::run_record::RunRecord;
use crate::history::History;
use crate::history::number::{count, seconds};

/// Maximum number of names or values listed; with more, their number is shown.
const NAMED: usize = 3;

/// Returns the title, made of the experiments' titles.
pub fn title(groups: &[Group]) -> String {
    let titles = each(groups, |group| config(group, "title").or_else(|| group.experiment()).unwrap_or(&group.label));
    match &titles[..] {
        [one] => one.clone(),
        [first @ .., last] if titles.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        several => format!("{} runs", several.len()),
    }
}

/// Returns the names of the experiments, or the labels of groups without one.
fn names(groups: &[Group]) -> Vec<String> {
    each(groups, |group| group.experiment().unwrap_or(&group.label))
}

fn each<'a>(groups: &'a [Group], of: impl Fn(&'a Group) -> &'a str) -> Vec<String> {
    union(groups.iter().map(|group| vec![of(group)])).into_iter().map(str::to_owned).collect()
}

/// Returns a text of the experiment file, such as its `title` or `source`.
pub fn config<'a>(group: &'a Group, key: &str) -> Option<&'a str> {
    group.config()?.get(key)?.as_str().filter(|text| !text.trim().is_empty())
}

/// Returns the line above the title.
pub fn kicker(groups: &[Group]) -> String {
    match &names(groups)[..] {
        [one] => format!("Report of {one}"),
        several => format!("Report of {} runs", several.len()),
    }
}

/// Returns the questions of the experiments, each once.
pub fn questions(groups: &[Group]) -> Vec<String> {
    let several = names(groups).len() > 1;
    let question = |group: &Group| {
        let question = config(group, "question")?;
        Some(match several {
            true => format!("{}: {question}", group.experiment().unwrap_or(&group.label)),
            false => question.to_owned(),
        })
    };
    groups.iter().filter_map(question).collect::<IndexSet<String>>().into_iter().collect()
}

/// Returns the key facts: data, size, time, device, date.
pub fn facts(groups: &[Group]) -> Vec<(&'static str, String)> {
    let trials = || groups.iter().flat_map(|group| &group.trials);
    let histories = || trials().filter_map(Trial::history);
    let mut facts = Vec::new();
    let mut add = |name: &'static str, values: Vec<String>| {
        let distinct: IndexSet<String> = values.into_iter().collect();
        match &Vec::from_iter(distinct)[..] {
            [] => {}
            few if few.len() <= NAMED => facts.push((name, few.join(", "))),
            many => facts.push((name, format!("{} different values", many.len()))),
        }
    };
    add("data", histories().map(|history| history.data.name.clone()).collect());
    let number = trials().count();
    let of = match groups.len() {
        1 => String::new(),
        groups => format!(" of {groups} variants"),
    };
    add("trials", vec![format!("{}{of}", count(number))]);
    add("parameters", histories().filter_map(|history| Some(count(history.network.as_ref()?.parameters))).collect());
    let took = training_seconds(groups);
    if took > 0.0 {
        add("time", vec![seconds(took)]);
    }
    add("device", histories().map(|history| history.environment.device.clone()).collect());
    let days: BTreeSet<&str> = histories().filter_map(day).collect();
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        add("run on", vec![if first == last { (*first).to_owned() } else { format!("{first} to {last}") }]);
    }
    let foreign = trials().filter_map(|trial| match &trial.record {
        Record::Foreign(read) => Some(read.foreign.format.word().to_owned()),
        Record::Runner(_) => None,
    });
    add("read from", foreign.collect());
    facts
}

/// Returns the time of training in seconds: of each run the time that its workers trained in parallel, or else the sum over its
/// stacks.
fn training_seconds(groups: &[Group]) -> f64 {
    let mut runs: IndexMap<Option<&Path>, Vec<&History>> = IndexMap::new();
    for trial in groups.iter().flat_map(|group| &group.trials) {
        if let Some(history) = trial.history() {
            runs.entry(trial.file.parent()).or_default().push(history);
        }
    }
    let of_workers = |folder: Option<&Path>| RunRecord::read(folder?).ok()?.training_seconds;
    runs.into_iter()
        .map(|(folder, histories)| {
            of_workers(folder).unwrap_or_else(|| stacks(&histories).iter().map(|history| history.seconds).sum())
        })
        .sum()
}

/// Returns one history per stack: trials trained together have the same start and duration.
fn stacks<'a>(histories: &[&'a History]) -> Vec<&'a History> {
    let mut stacks: Vec<&History> = Vec::new();
    for history in histories {
        let same = |other: &&History| (&other.started, other.seconds) == (&history.started, history.seconds);
        if !stacks.iter().any(same) {
            stacks.push(history);
        }
    }
    stacks
}

/// Returns the date on which a trial started.
fn day(history: &History) -> Option<&str> {
    history.started.get(..10)
}
