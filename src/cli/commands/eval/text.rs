//! What `runner eval` shows: the figures taken anew, those of the history, and whether they are the same.

use indexmap::IndexSet;

use crate::cli::commands::eval::evaluated::{Chosen, Evaluated, Found, Unfound, count};
use crate::cli::summary::classification;
use crate::cli::text::page::Page;
use crate::cli::text::table::Columns;
use crate::cli::text::{number_format, terminal};
use crate::device;
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::trial_data::Part;
use crate::experiment::verify::agreement::{Agreement, kept_epoch};
use crate::history::{History, Status};

/// The figures of all trials, one of which has some.
pub(crate) fn text(chosen: &Chosen, evaluated: &[Evaluated]) -> String {
    let parts = match evaluated {
        [Evaluated { trial, found: Ok(found) }] => {
            let classes = classification::of(&found.record, &trial.history.data, Page::of_output());
            let positive = classification::positive_class(&[&trial.history]).map(|line| wrapped(&line));
            [one(chosen, trial, found), classes, Vec::from_iter(positive)].concat()
        }
        trials => several(chosen, trials),
    };
    parts.join("\n\n")
}

/// Breaks a sentence into lines that fit the terminal.
fn wrapped(sentence: &str) -> String {
    Page::of_output().wrapped(sentence, 0)
}

/// A lone trial: its figures beside those of the history.
fn one(chosen: &Chosen, trial: &SavedTrial, found: &Found) -> Vec<String> {
    let epoch = kept_epoch(&trial.history, found.keep).filter(|_| trial.history.network.is_some());
    let heading = format!(
        "{}, trial {}: {}{}{}\n{}",
        terminal::bold(&trial.history.experiment),
        trial.stem(),
        found.model,
        epoch.map(|epoch| format!(", weights of epoch {epoch}")).unwrap_or_default(),
        at_threshold(trial, found, &|threshold| format!("threshold {}", number_format::metric(Some(threshold)))),
        wrapped(&format!("{}: {} {}", found.data, number_format::count(found.rows), chosen.name()))
    );
    let header: &[&str] =
        if found.stated.is_some() { &["figure", "evaluated", "history"] } else { &["figure", "evaluated"] };
    let mut table = Columns::new(header, 1..header.len());
    for (name, value) in &found.record.metrics {
        let mut row = vec![name.clone(), number_format::of(name, Some(value.0))];
        row.extend(found.stated.as_ref().map(|s| number_format::of(name, s.metrics.get(name).map(|value| value.0))));
        table.row(row);
    }
    let mut parts = vec![heading, table.text()];
    parts.push(wrapped(&match (&found.agreement, chosen.part()) {
        (Some(agreement), Some(part)) => {
            let sentence = wrapped(&format!("{}{}", verdict(agreement, part), elsewhere(agreement, trial, found)));
            parts.push(if agreement.is_same() && agreement.is_complete() { sentence } else { terminal::red(&sentence) });
            return parts;
        }
        (_, Some(Part::Training)) if trial.history.network.is_none() => {
            "nothing to compare with: the metrics of training rows in the history are those of the resampled rows".to_owned()
        }
        (_, Some(Part::Training)) => {
            "nothing to compare with: the metrics of training rows in the history are averages over each epoch, while the weights changed".to_owned()
        }
        (_, Some(part)) => format!("the history has no metrics of {} rows{}", part.name(), match trial.history.status {
            Status::Interrupted => ": the trial was interrupted",
            Status::Diverged => ": the trial diverged",
            Status::Completed | Status::EarlyStopped => "",
        }),
        (_, None) => return parts,
    }));
    parts
}

/// At which threshold metrics were taken, of a trial that has chosen one: `, threshold 0.4413`, or `, default threshold`.
fn at_threshold(trial: &SavedTrial, found: &Found, chosen: &dyn Fn(f64) -> String) -> String {
    let has_chosen = trial.history.test.as_ref().is_some_and(|test| test.threshold.is_some());
    match &found.record.threshold {
        Some(threshold) => format!(", {}", chosen(threshold.value)),
        None if has_chosen => ", default threshold".to_owned(),
        None => String::new(),
    }
}

/// Whether the figures are those of the history.
fn verdict(agreement: &Agreement, part: Part) -> String {
    let part = part.name();
    if agreement.is_same() && agreement.is_complete() {
        return format!("{part} metrics equal to the history{}", rounding(agreement.largest()));
    }
    if agreement.is_same() {
        let same = match agreement.differences.is_empty() {
            true => String::new(),
            false => format!("the other {part} metrics are equal to the history{}; ", rounding(agreement.largest())),
        };
        return format!("{same}{}", not_compared(agreement));
    }
    let mut differing: Vec<String> = agreement
        .differing
        .iter()
        .map(|name| format!("{name} by {}", number_format::metric(Some(agreement.differences[name]))))
        .collect();
    if agreement.moved > 0 {
        differing.push(format!("{} predicted differently", count(agreement.moved as usize)));
    }
    format!("{part} metrics differ from the history: {}", differing.join(", "))
}

/// What could not be compared with the history.
pub(crate) fn not_compared(agreement: &Agreement) -> String {
    let side = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")));
    let sides = [
        agreement.differences.is_empty().then(|| "no metric could be compared".to_owned()),
        side("not in the history", &agreement.not_stated),
        side("only in the history", &agreement.not_found),
    ];
    sides.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Where figures that differ were taken, if not in the same place.
fn elsewhere(agreement: &Agreement, trial: &SavedTrial, found: &Found) -> String {
    let (here, there) = (device::name(found.device), &trial.history.environment.device);
    match agreement.is_same() || here == *there {
        true => String::new(),
        false => format!(" (these were taken on {here}, and those on {there})"),
    }
}

/// How exact an agreement is.
fn rounding(largest: f64) -> String {
    match largest {
        0.0 => ", to the last digit".to_owned(),
        largest => format!(", to rounding (largest difference {largest:.1e})"),
    }
}

/// Several trials: a table, and whether all of them agree with their histories.
fn several(chosen: &Chosen, evaluated: &[Evaluated]) -> Vec<String> {
    let found = || evaluated.iter().filter_map(|trial| trial.found.as_ref().ok());
    let rows = match (found().map(|found| found.rows).min(), found().map(|found| found.rows).max()) {
        (Some(least), Some(most)) if least < most => {
            format!("{} to {}", number_format::count(least), number_format::count(most))
        }
        (_, most) => number_format::count(most.unwrap_or(0)), // folds may differ by a row
    };
    let experiment = terminal::bold(&evaluated[0].trial.history.experiment);
    let data = found().next().map(|found| found.data).unwrap_or_default();
    let threshold = evaluated.iter().find_map(|Evaluated { trial, found }| {
        let found = found.as_ref().ok()?;
        Some(at_threshold(trial, found, &|_| "at the threshold of each trial".to_owned()))
    });
    let heading = wrapped(&format!("{data}: {rows} {}{}", chosen.name(), threshold.unwrap_or_default()));
    let heading = format!("{experiment}: {} trials\n{heading}", evaluated.len());
    let names: Vec<&str> = found().next().map_or(Vec::new(), |f| f.record.metrics.keys().map(String::as_str).collect());
    let is_held = evaluated.iter().any(|Evaluated { found, .. }| match found {
        Ok(found) => found.agreement.is_some(),
        Err(Unfound::Failed(_)) => true,
        Err(Unfound::Diverged) => false,
    });
    let mut parts = vec![heading, widest_that_fits(&names, evaluated, is_held)];
    let histories: Vec<&History> = evaluated.iter().map(|trial| &trial.trial.history).collect();
    parts.extend(classification::positive_class(&histories).map(|line| wrapped(&line)));
    parts.extend(found().any(|found| found.agreement.is_some()).then(|| shared_verdict(chosen, evaluated)));
    parts
}

/// The table with as many figures as the terminal has room for; which are left out is said below it.
fn widest_that_fits(names: &[&str], evaluated: &[Evaluated], is_held: bool) -> String {
    let fits = |text: &String| text.lines().all(|line| line.chars().count() <= terminal::width());
    let tables = (1..=names.len()).rev().map(|count| (count, table(&names[..count], evaluated, is_held)));
    let Some((count, text)) = tables.into_iter().find(|(count, text)| fits(text) || *count == 1) else {
        return table(names, evaluated, is_held);
    };
    match &names[count..] {
        [] => text,
        left_out => format!("{text}\n{}", terminal::dim(&format!("`--json` has {} too", left_out.join(", ")))),
    }
}

/// A line for each trial, and for each variant with several the mean and standard deviation.
fn table(names: &[&str], evaluated: &[Evaluated], is_held: bool) -> String {
    let mut header = vec!["trial"];
    header.extend(names);
    let numbers = 1..header.len();
    header.extend(is_held.then_some("history"));
    let mut table = Columns::new(header, numbers);
    let variants: IndexSet<&str> = evaluated.iter().map(|trial| trial.trial.history.variant.as_str()).collect();
    for variant in variants {
        let of_variant = || evaluated.iter().filter(|trial| trial.trial.history.variant == variant);
        for Evaluated { trial, found } in of_variant() {
            let mut row = vec![trial.stem()];
            let figure = |name: &str| found.as_ref().ok().and_then(|found| Some(found.record.metrics.get(name)?.0));
            row.extend(names.iter().map(|name| number_format::of(name, figure(name))));
            row.extend(is_held.then(|| word(found).to_owned()));
            table.row(row);
        }
        let found: Vec<&Found> = of_variant().filter_map(|trial| trial.found.as_ref().ok()).collect();
        if found.len() > 1 {
            let (mut mean, mut std) = (vec![format!("  mean of {}", found.len())], vec!["  ± std".to_owned()]);
            for name in names {
                let values = found.iter().filter_map(|found| Some(found.record.metrics.get(*name)?.0));
                let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
                let both = number_format::mean_and_std(&values);
                mean.push(number_format::metric(both.map(|(mean, _)| mean)));
                std.push(number_format::metric(both.map(|(_, std)| std)));
            }
            table.row(mean);
            table.row(std);
        }
    }
    table.text()
}

/// How a trial's figures agree with its history, in a word or two.
fn word(found: &Result<Found, Unfound>) -> &'static str {
    match found.as_ref().map(|found| &found.agreement) {
        Err(Unfound::Diverged) => "diverged",
        Err(Unfound::Failed(_)) => "failed",
        Ok(None) => "–",
        Ok(Some(agreement)) if !agreement.is_same() => "differs",
        Ok(Some(agreement)) if !agreement.is_complete() => "incomplete",
        Ok(Some(_)) => "the same",
    }
}

fn shared_verdict(chosen: &Chosen, evaluated: &[Evaluated]) -> String {
    let held = evaluated.iter().filter_map(|trial| Some((trial.trial, trial.found.as_ref().ok()?.agreement.as_ref()?)));
    let held: Vec<(&SavedTrial, &Agreement)> = held.collect();
    let differing: Vec<String> =
        held.iter().filter(|(_, agreement)| !agreement.is_same()).map(|(trial, _)| trial.stem()).collect();
    let incomplete: Vec<String> =
        held.iter().filter(|(_, agreement)| !agreement.is_complete()).map(|(trial, _)| trial.stem()).collect();
    let part = chosen.part().map_or("given", Part::name);
    match &differing[..] {
        [] if !incomplete.is_empty() => {
            let first = held.iter().find(|(_, agreement)| !agreement.is_complete()).map(|(_, agreement)| *agreement);
            let what = first.map(not_compared).unwrap_or_default();
            terminal::red(&wrapped(&format!("not all could be compared in {}: {what}", incomplete.join(", "))))
        }
        [] => {
            let largest = held.iter().map(|(_, agreement)| agreement.largest()).fold(0.0, f64::max);
            wrapped(&format!("{part} metrics equal to the histories{}", rounding(largest)))
        }
        stems => terminal::red(&wrapped(&format!("{part} metrics differ from the histories in {}", stems.join(", ")))),
    }
}
