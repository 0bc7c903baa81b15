//! Sections about the data, the environment, and the command that reproduces the run.

use std::path::Path;

use crate::compare::group::Group;
use crate::compare::trial::Trial;
use crate::history::number::count;
use crate::history::{DataRecord, Environment, History};
use crate::report::markup::{Cell, Section, Table, boxed, note, text};

/// Returns the distinct values, each with the labels of the groups that have it.
fn alike<'a, T: PartialEq>(groups: &'a [Group], of: impl Fn(&'a History) -> T) -> Vec<(T, Vec<&'a str>)> {
    let mut found: Vec<(T, Vec<&str>)> = Vec::new();
    for group in groups {
        for history in group.trials.iter().filter_map(Trial::history) {
            let this = of(history);
            let place = found.iter().position(|(other, _)| *other == this).unwrap_or_else(|| {
                found.push((this, Vec::new()));
                found.len() - 1
            });
            if !found[place].1.contains(&group.label.as_str()) {
                found[place].1.push(&group.label);
            }
        }
    }
    found
}

fn of_groups(labels: &[&str], all: usize) -> String {
    if labels.len() == all { "all".to_owned() } else { labels.join(", ") }
}

/// Returns the data section; `None` if no group was trained by runner.
pub fn of(groups: &[Group]) -> Option<Section> {
    let found = alike(groups, |history| &history.data);
    if found.is_empty() {
        return None;
    }
    let mut body = String::new();
    let leaks: Vec<String> = found.iter().filter_map(|(data, _)| data.resample.as_ref()?.leak.clone()).collect();
    if let Some(leak) = leaks.first() {
        body.push_str(&boxed("bad", "The test leaks into training", std::slice::from_ref(leak)));
    }
    let several = groups.len() > 1;
    let mut heads: Vec<Cell> = several.then(|| Cell::text("of")).into_iter().collect();
    heads.extend([
        Cell::text("data set"),
        Cell::text("training rows").of_class("n"),
        Cell::text("validation rows").of_class("n"),
        Cell::text("test rows").of_class("n"),
        Cell::text("classes"),
        Cell::text("resampled"),
        Cell::text("SHA-256"),
    ]);
    let mut table = Table::new("What was trained on", heads);
    for (data, labels) in &found {
        let mut cells: Vec<Cell> =
            several.then(|| Cell::head(text(&of_groups(labels, groups.len())))).into_iter().collect();
        cells.push(if several { Cell::text(&data.name) } else { Cell::head(text(&data.name)) });
        cells.extend(
            [data.rows.train, data.rows.validation, data.rows.test]
                .map(|rows| Cell::number(&if rows == 0 { "none".to_owned() } else { count(rows) })),
        );
        cells.push(Cell::text(&classes(data)).of_class("words"));
        cells.push(Cell::text(&resampled(data)).of_class("words"));
        let short: String = data.sha256.chars().take(16).collect();
        cells.push(Cell::html(format!(
            "<span class=\"code\" title=\"{}\">{}…</span>",
            text(&data.sha256),
            text(&short)
        )));
        table.row(cells);
    }
    body.push_str(&table.html_text());
    let sums = alike(groups, |history| (history.data.name.as_str(), history.data.sha256.as_str()));
    for ((name, sha256), _) in sums.iter().filter(|((_, sum), _)| !sum.is_empty()) {
        body.push_str(&note(&format!("SHA-256 over the files of {name}: {sha256}")));
    }
    Some(Section { id: "data", title: "Data", body })
}

fn classes(data: &DataRecord) -> String {
    const SHOWN: usize = 12;
    match data.classes.len() {
        0 => "–".to_owned(),
        few if few <= SHOWN => data.classes.join(", "),
        many => format!("{many}: {}, …", data.classes[..SHOWN].join(", ")),
    }
}

fn resampled(data: &DataRecord) -> String {
    let Some(resample) = &data.resample else { return "no".to_owned() };
    let when = if resample.before_split { "all rows, before the split" } else { "training rows" };
    let counts = |counts: &[u64]| counts.iter().map(|&c| count(c as usize)).collect::<Vec<_>>().join(" / ");
    format!("{}, {when}: {} → {}", resample.method.replace('_', " "), counts(&resample.from), counts(&resample.to))
}

/// Returns the device, with its precision and determinism settings if they are not the defaults.
fn device(environment: &Environment) -> String {
    let tf32 = environment.precision.as_deref().filter(|precision| *precision != "float32");
    let deterministic = environment.deterministic.unwrap_or(false).then_some("deterministic");
    let words: Vec<&str> = [environment.device.as_str()].into_iter().chain(tf32).chain(deterministic).collect();
    words.join(", ")
}

/// Returns the section with the environment and the command that runs it again; `None` if no group was trained by
/// runner.
pub fn of_environment(groups: &[Group]) -> Option<Section> {
    let environments = alike(groups, |history| &history.environment);
    if environments.is_empty() {
        return None;
    }
    let mut body = String::from("<h3>Run it again</h3>\n");
    let commands = alike(groups, |history| command(history, groups));
    for (number, (command, labels)) in commands.iter().enumerate() {
        let of = if commands.len() > 1 {
            format!("<p class=\"note\">{}</p>", text(&of_groups(labels, groups.len())))
        } else {
            String::new()
        };
        body.push_str(&format!(
            "{of}<div class=\"command\"><pre><code id=\"command-{number}\">{}</code></pre>\
             <button type=\"button\" class=\"needs-js\" data-copy=\"command-{number}\" aria-label=\"Copy the command\">Copy</button></div>\n",
            text(command)
        ));
    }
    let unknown = alike(groups, |history| asked_for(history).is_none()).iter().any(|(unknown, _)| *unknown);
    if unknown {
        body.push_str(&note("An older version of runner wrote a history, without the command: the run's own experiment.toml has all of its settings."));
    }
    let heads =
        ["of", "runner", "commit", "libtorch", "device", "threads", "system", "trained together"].map(Cell::text);
    let several = environments.len() > 1;
    let mut table = Table::new("What it ran on", heads.into_iter().skip(usize::from(!several)));
    for (environment, labels) in &environments {
        let mut cells: Vec<Cell> =
            several.then(|| Cell::head(text(&of_groups(labels, groups.len())))).into_iter().collect();
        let words = [
            environment.runner.clone(),
            environment.commit.clone(),
            environment.libtorch.clone(),
            device(environment),
            environment.threads.to_string(),
            environment.os.clone(),
            environment.replicas.to_string(),
        ];
        cells.extend(words.iter().map(|word| Cell::text(word)));
        table.row(cells);
    }
    body.push_str(&table.html_text());
    Some(Section { id: "environment", title: "Run it again", body: body.replacen("<h3>Run it again</h3>\n", "", 1) })
}

fn asked_for(history: &History) -> Option<&str> {
    history.asked.as_ref()?.command.as_deref()
}

/// Returns the command that runs it again; if the history lacks it, one that uses the run's `experiment.toml`.
fn command(history: &History, groups: &[Group]) -> String {
    if let Some(command) = asked_for(history) {
        return command.to_owned();
    }
    let trials = groups.iter().flat_map(|group| &group.trials);
    let file = trials.into_iter().find(|trial| trial.history().is_some_and(|other| std::ptr::eq(other, history)));
    let folder = file.and_then(|trial| trial.file.parent()).unwrap_or(Path::new("."));
    format!("runner exp {}", folder.join("experiment.toml").display())
}
