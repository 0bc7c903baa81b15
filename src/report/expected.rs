//! Sections with the experiment's expectations and their outcomes, and with reference values.

use std::collections::BTreeMap;

use crate::compare::group::Group;
use crate::compare::statistics::sample::Sample;
use crate::history::History;
use crate::history::expectation::Verified;
use crate::history::figure::Found;
use crate::history::number::{Number, brief};
use crate::report::markup::{Cell, Section, Table, text};
use crate::report::run;

/// Returns the expectations section; `None` if there are no expectations.
pub fn of(groups: &[Group]) -> Option<Section> {
    let histories: Vec<&History> =
        groups.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history()).collect();
    // An expectation is listed once for all trials of its experiment.
    let mut expected: BTreeMap<(usize, usize), Vec<(&History, &Verified)>> = BTreeMap::new();
    let mut experiments: Vec<&str> = Vec::new();
    for history in &histories {
        let experiment = experiments.iter().position(|known| *known == history.experiment).unwrap_or_else(|| {
            experiments.push(&history.experiment);
            experiments.len() - 1
        });
        for verified in &history.expectations {
            expected.entry((experiment, verified.number)).or_default().push((history, verified));
        }
    }
    if expected.is_empty() {
        return None;
    }
    let heads = [Cell::text("outcome"), Cell::text("claim"), Cell::text("expected"), Cell::text("found")];
    let (mut met, mut claim) = (0, None);
    let mut rows = Vec::new();
    for ((experiment, _), trials) in &expected {
        let verified = trials[0].1;
        let distinct = distinct(trials);
        let good = distinct.iter().filter(|(_, verified)| verified.met).count();
        let all = good == distinct.len();
        met += usize::from(all);
        let outcome =
            if all { "<span class=\"met\">✓ met</span>" } else { "<span class=\"missed\">✗ missed</span>" };
        let of = if experiments.len() > 1 { format!("{}: ", experiments[*experiment]) } else { String::new() };
        // A claim applies also to the expectations that follow it, and is shown once.
        let this = verified.claim.as_ref().map(|claim| format!("{of}{claim}"));
        let told = if this == claim { String::new() } else { this.clone().unwrap_or(of) };
        claim = this;
        rows.push([
            Cell::html(outcome.to_owned()),
            Cell::text(&told).of_class("words"),
            Cell::html(format!("<span class=\"code\">{}</span>", text(&verified.statement()))),
            Cell::text(&came(&distinct, good)).of_class("words"),
        ]);
    }
    let number = expected.len();
    let caption = match met == number {
        true => format!("All {number} expectations are met"),
        false => format!("{met} of {number} expectations are met"),
    };
    let mut table = Table::new(&caption, heads).with("id=\"expectations\"");
    rows.into_iter().for_each(|row| table.row(row));
    Some(Section { id: "expected", title: "Expectations", body: table.html_text() })
}

/// Keeps one entry per variant for a statistic over trials, which is the same for all of its trials.
fn distinct<'a>(trials: &[(&'a History, &'a Verified)]) -> Vec<(&'a History, &'a Verified)> {
    let mut distinct: Vec<(&History, &Verified)> = Vec::new();
    for (history, verified) in trials {
        let again = verified.over.is_some() && distinct.iter().any(|(other, _)| other.variant == history.variant);
        if !again {
            distinct.push((history, verified));
        }
    }
    distinct
}

/// Returns the outcome of an expectation in words.
fn came(trials: &[(&History, &Verified)], good: usize) -> String {
    match trials {
        [(_, one)] => match (&one.found, &one.against) {
            (None, _) => "not available".to_owned(),
            (Some(found), Some(against)) => format!("{}, against {}", figure(found), figure(against)),
            (Some(found), None) => figure(found),
        },
        several => {
            let what = if several[0].1.over.is_some() { "variants" } else { "trials" };
            let missed: Vec<String> = several
                .iter()
                .filter(|(_, verified)| !verified.met)
                .take(3)
                .map(|(history, verified)| {
                    let found = verified.found.as_ref().map_or("not available".to_owned(), figure);
                    format!("{}: {found}", history.stem())
                })
                .collect();
            let missed = if missed.is_empty() { String::new() } else { format!("; missed by {}", missed.join(", ")) };
            format!("{good} of {} {what}{missed}", several.len())
        }
    }
}

fn figure(found: &Found) -> String {
    match found {
        Found::Word(word) => word.clone(),
        Found::Number(Number(value)) if value.fract() == 0.0 && value.abs() < 1e9 => value.to_string(),
        Found::Number(Number(value)) => brief(*value),
    }
}

/// Returns the section that compares reference values with this run; `None` if there are none.
pub fn of_theirs(groups: &[Group]) -> Option<Section> {
    let several = groups.len() > 1;
    let mut heads = vec![Cell::text("figure"), Cell::text("theirs").of_class("n")];
    heads.extend([Cell::text("ours").of_class("n"), Cell::text("difference").of_class("n"), Cell::text("")]);
    let mut table = Table::new("What the walkthrough reports, and what came here; of several trials their mean", heads);
    for group in groups {
        let first =
            group.trials.iter().find_map(|trial| Some(&trial.history()?.theirs).filter(|theirs| !theirs.is_empty()));
        for reported in first.into_iter().flatten() {
            let ours = group.values(|trial| {
                let beside = trial
                    .history()?
                    .theirs
                    .iter()
                    .find(|beside| beside.value == reported.value && beside.theirs == reported.theirs)?;
                beside.ours.map(|ours| ours.0)
            });
            let ours = Sample::of(&ours);
            let name = if several { format!("{}/{}", group.label, reported.value) } else { reported.value.clone() };
            let difference = ours.as_ref().map_or("–".to_owned(), |ours| {
                let difference = ours.mean - reported.theirs;
                let sign = if difference > 0.0 { "+" } else { "" };
                format!("{sign}{}", brief(difference).replacen('-', "−", 1))
            });
            table.row([
                Cell::head(text(&name)),
                Cell::number(&brief(reported.theirs)),
                Cell::number(&ours.map_or("–".to_owned(), |ours| run::shown(&ours))),
                Cell::number(&difference),
                Cell::text(if reported.exact { "their run can be repeated exactly" } else { "" }),
            ]);
        }
    }
    (!table.is_empty()).then(|| Section { id: "theirs", title: "Theirs and ours", body: table.html_text() })
}
