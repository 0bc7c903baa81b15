//! Section with all metrics by variant (first, best and last epoch; test rows in a separate table), and a table of all
//! trials.

use crate::compare::group::{Group, tested_with};
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::{Record, Trial};
use crate::history::number::{of_name, seconds};
use crate::report::markup::{Cell, Section, Table, by_group, folded, key, note, text};
use crate::report::run;

/// Returns the section.
pub fn of(groups: &[Group]) -> Section {
    let mut parts: Vec<(String, String)> = Vec::new();
    for group in groups {
        if let Some(table) = metrics(group) {
            parts.push((group.label.clone(), table));
        }
    }
    let mut body = if parts.is_empty() { note("There are no figures yet.") } else { by_group(&parts) };
    let trials: usize = groups.iter().map(|group| group.trials.len()).sum();
    let table = each_trial(groups);
    if trials > 1 {
        body.push_str(&folded(&format!("Each of the {trials} trials"), &table));
    } else {
        body.push_str(&table);
    }
    Section { id: "figures", title: "Figures", body }
}

/// Returns the tables of a group's metrics; `None` if there are none.
fn metrics(group: &Group) -> Option<String> {
    let n = group.trials.len();
    let sample = |figure: String| Sample::of(&group.values(|trial| trial.figure(&figure)));
    let is_at_once = group.trials.iter().all(|trial| trial.epochs() <= 1);
    let epoch = |figure: &str| {
        sample(figure.to_owned()).map(|epochs| match epochs.min == epochs.max {
            true => format!(" ({})", epochs.min),
            false => format!(" ({}–{})", epochs.min, epochs.max),
        })
    };
    let last = group.trials.iter().map(Trial::epochs);
    let last = last.clone().min().zip(last.max()).map(|(low, high)| match low == high {
        true => format!(" ({low})"),
        false => format!(" ({low}–{high})"),
    });
    let has_best = group.trials.iter().any(|trial| trial.best().is_some());
    let mut columns: Vec<(&str, String)> = Vec::new();
    if is_at_once {
        columns.push(("last", "of training and validation rows".to_owned()));
    } else {
        columns.push(("first", "first epoch".to_owned()));
        if has_best {
            columns.push(("best", format!("best epoch{}", epoch("best.epoch").unwrap_or_default())));
        }
        columns.push(("last", format!("last epoch{}", last.unwrap_or_default())));
    }
    let of = if n > 1 { format!(", mean ± standard deviation over {n} trials") } else { String::new() };
    let table = |caption: &str, columns: &[(&str, String)], names: &[&str]| {
        let heads = std::iter::once(Cell::text("metric"));
        let heads = heads.chain(columns.iter().map(|(_, head)| Cell::text(head).of_class("n")));
        let mut table = Table::new(caption, heads);
        for name in names {
            let cells = columns.iter().map(|(when, _)| {
                let samples = sample(format!("{when}.{name}"));
                let unsound = || group.trials.iter().find_map(|trial| trial.figure(&format!("{when}.{name}")));
                let shown =
                    samples.map(|sample| run::shown(&sample)).or_else(|| unsound().map(|value| of_name(name, value)));
                Cell::number(shown.as_deref().unwrap_or("–"))
            });
            table.row(std::iter::once(Cell::head(text(name))).chain(cells.collect::<Vec<_>>()));
        }
        (!table.is_empty()).then(|| table.html_text())
    };
    let tests = || group.trials.iter().filter_map(|trial| trial.history()?.test.as_ref());
    let threshold = sample("test.threshold.value".to_owned());
    let default = if threshold.is_some() { "; at the default threshold" } else { "" };
    let weights = tests().next().filter(|_| !is_at_once);
    let weights = weights.map_or(String::new(), |test| format!(", weights of the {} epoch", test.weights));
    let threshold = threshold.map(|threshold| format!(", at the chosen threshold ({})", run::shown(&threshold)));
    let of_test = format!("{}: test rows{weights}{}{of}", group.label, threshold.unwrap_or_default());
    let tables = [
        table(&format!("{}{of}{default}", group.label), &columns, &group.metrics()),
        table(&of_test, &[("test", "test rows".to_owned())], &group.tested()),
    ];
    let tables: Vec<String> = tables.into_iter().flatten().collect();
    (!tables.is_empty()).then(|| tables.join("\n"))
}

/// Returns a table with a row for each trial.
fn each_trial(groups: &[Group]) -> String {
    let main =
        ["test.acc", "test.f1", "test.r2", "test.loss", "best.val_acc", "best.val_loss", "last.acc", "last.loss"];
    let figures: Vec<&str> = main
        .into_iter()
        .filter(|name| groups.iter().flat_map(|group| &group.trials).any(|trial| trial.figure(name).is_some()))
        .take(4)
        .collect();
    // Test metrics belong to the saved weights, which may be of another epoch, and to a threshold; do not mix them with
    // others.
    let is_tested = figures.first().is_some_and(|name| name.starts_with("test."));
    let figures: Vec<&str> = figures.into_iter().filter(|name| name.starts_with("test.") == is_tested).collect();
    let mut heads = vec![
        Cell::text("trial"),
        Cell::text("ended"),
        Cell::text("epochs").of_class("n"),
        Cell::text("best").of_class("n"),
    ];
    heads.extend(figures.iter().map(|name| Cell::text(&name.replacen('.', " ", 1)).of_class("n")));
    heads.extend([Cell::text("time").of_class("n"), Cell::text("reading"), Cell::text("file")]);
    let several = groups.len() > 1;
    let of = if is_tested { format!("; test rows: {}", tested_with(groups)) } else { String::new() };
    let mut table = Table::new(&format!("Every trial{of}"), heads).tall();
    for (place, group) in groups.iter().enumerate() {
        for trial in &group.trials {
            let name = match (several, group.trials.len()) {
                (true, 1) => group.label.clone(),
                (true, _) => format!("{}, {}", group.label, trial.name()),
                (false, _) => trial.name(),
            };
            let history = trial.history();
            let ended = match &trial.record {
                Record::Ours(history) => history.status.word().to_owned(),
                Record::Foreign(read) => read.foreign.format.word().to_owned(),
            };
            let mut cells = vec![
                Cell::head(if several { key(place, &name) } else { text(&name) }),
                Cell::text(&ended),
                Cell::number(&trial.epochs().to_string()),
                Cell::number(&trial.best().map_or("–".to_owned(), |best| best.epoch.to_string())),
            ];
            let shown = |figure: &&str| trial.figure(figure).map_or("–".to_owned(), |value| of_name(figure, value));
            cells.extend(figures.iter().map(|figure| Cell::number(&shown(figure))));
            cells.push(Cell::number(&history.map_or("–".to_owned(), |history| seconds(history.seconds))));
            cells.push(Cell::html(run::badge(trial)));
            cells.push(Cell::html(format!("<span class=\"code\">{}</span>", text(&file(trial)))));
            table.row(cells);
        }
    }
    table.html_text()
}

/// Returns the path of a trial's file within its run; parent folders are private and left out.
fn file(trial: &Trial) -> String {
    let path = trial.file.canonicalize().unwrap_or_else(|_| trial.file.clone());
    let parts: Vec<String> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let kept = if trial.history().is_some() { 3 } else { 2 };
    parts[parts.len().saturating_sub(kept)..].join("/")
}
