//! Text of `runner eval`: the computed metrics, those of the history, and whether they agree.

use indexmap::IndexSet;

use crate::cli::commands::eval::evaluation::{EvalRows, Evaluation, Failure, TrialResult};
use crate::cli::summary::classification;
use crate::cli::text::table::Columns;
use crate::cli::text::text_style::{TextStyle, wrapped};
use crate::cli::text::{number_format, terminal};
use crate::device;
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::trial_data::Part;
use crate::experiment::verify::agreement::{Agreement, kept_epoch};
use crate::history::{History, Status};

/// Returns the metrics of all trials. At least one trial must have been evaluated.
pub(crate) fn render(eval_rows: &EvalRows, results: &[TrialResult]) -> String {
    let parts = match results {
        [TrialResult { trial, outcome: Ok(evaluation) }] => {
            let rows = eval_rows.part().map_or("file", Part::word);
            let classes = classification::of(&evaluation.record, rows, &trial.history.data, TextStyle::of_output());
            let positive = classification::positive_class(&[&trial.history]).map(|line| wrapped(&line));
            [single_trial(eval_rows, trial, evaluation), classes, Vec::from_iter(positive)].concat()
        }
        trials => several_trials(eval_rows, trials),
    };
    parts.join("\n\n")
}

/// Returns the metrics of a single trial next to those of its history.
fn single_trial(eval_rows: &EvalRows, trial: &SavedTrial, evaluation: &Evaluation) -> Vec<String> {
    let epoch = kept_epoch(&trial.history, evaluation.keep).filter(|_| trial.history.network.is_some());
    let threshold = |threshold| format!("threshold {}", number_format::metric(Some(threshold)));
    let heading = format!(
        "{}, trial {}: {}{}{}\n{}",
        terminal::bold(&trial.history.experiment),
        trial.stem(),
        evaluation.model,
        epoch.map(|epoch| format!(", weights of epoch {epoch}")).unwrap_or_default(),
        at_threshold(trial, evaluation, &threshold),
        wrapped(&format!("{}: {} {}", evaluation.data, number_format::count(evaluation.rows), eval_rows.name()))
    );
    let header: &[&str] =
        if evaluation.stated.is_some() { &["metric", "evaluated", "history"] } else { &["metric", "evaluated"] };
    let mut table = Columns::new(header, 1..header.len());
    for (name, value) in &evaluation.record.metrics {
        let mut row = vec![name.clone(), number_format::of(name, Some(value.0))];
        row.extend(
            evaluation.stated.as_ref().map(|s| number_format::of(name, s.metrics.get(name).map(|value| value.0))),
        );
        table.row(row);
    }
    let mut parts = vec![heading, table.text()];
    parts.push(wrapped(&match (&evaluation.agreement, eval_rows.part()) {
        (Some(agreement), Some(part)) => {
            let sentence = wrapped(&format!("{}{}", verdict(agreement, part), device_note(agreement, trial, evaluation)));
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
            Status::TimeLimit => ": the time limit stopped the trial",
            Status::Diverged => ": the trial diverged",
            Status::Dropped => ": the trial was dropped before its last epoch",
            Status::Completed | Status::EarlyStopped => "",
        }),
        (_, None) => return parts,
    }));
    parts
}

/// Returns the threshold of the metrics, if the trial has chosen one: `, threshold 0.4413` or `, default threshold`.
fn at_threshold(trial: &SavedTrial, evaluation: &Evaluation, format: &dyn Fn(f64) -> String) -> String {
    let has_chosen = trial.history.test.as_ref().is_some_and(|test| test.threshold.is_some());
    match &evaluation.record.threshold {
        Some(threshold) => format!(", {}", format(threshold.value)),
        None if has_chosen => ", default threshold".to_owned(),
        None => String::new(),
    }
}

/// Returns whether the metrics agree with the history, as a sentence.
fn verdict(agreement: &Agreement, part: Part) -> String {
    let part = part.name();
    if agreement.is_same() && agreement.is_complete() {
        return format!("{part} metrics agree with the history{}", rounding(agreement.largest()));
    }
    if agreement.is_same() {
        let same = match agreement.differences.is_empty() {
            true => String::new(),
            false => format!("the other {part} metrics agree with the history{}; ", rounding(agreement.largest())),
        };
        return format!("{same}{}", not_compared(agreement));
    }
    let mut differing: Vec<String> = agreement
        .differing
        .iter()
        .map(|name| format!("{name} by {}", number_format::metric(Some(agreement.differences[name]))))
        .collect();
    if agreement.moved > 0 {
        differing.push(format!("{} predicted differently", number_format::counted(agreement.moved as usize, "row")));
    }
    format!("{part} metrics differ from the history: {}", differing.join(", "))
}

/// Returns which metrics could not be compared with the history.
pub(crate) fn not_compared(agreement: &Agreement) -> String {
    let side = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")));
    let sides = [
        agreement.differences.is_empty().then(|| "no metric could be compared".to_owned()),
        side("not in the history", &agreement.not_stated),
        side("only in the history", &agreement.not_found),
    ];
    sides.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Returns the devices, if the metrics differ and were computed on different devices.
fn device_note(agreement: &Agreement, trial: &SavedTrial, evaluation: &Evaluation) -> String {
    let (here, there) = (device::name(evaluation.device), &trial.history.environment.device);
    match agreement.is_same() || here == *there {
        true => String::new(),
        false => format!(" (evaluated on {here}, trained on {there})"),
    }
}

/// Returns how exactly the metrics agree.
fn rounding(largest: f64) -> String {
    match largest {
        0.0 => ", to the last digit".to_owned(),
        largest => format!(", up to rounding (largest difference {largest:.1e})"),
    }
}

/// Returns a table of several trials, and whether all of them agree with their histories.
fn several_trials(eval_rows: &EvalRows, results: &[TrialResult]) -> Vec<String> {
    let evaluations = || results.iter().filter_map(|trial| trial.outcome.as_ref().ok());
    let rows = || evaluations().map(|evaluation| evaluation.rows);
    let rows = match (rows().min(), rows().max()) {
        (Some(fewest), Some(most)) if fewest < most => {
            format!("{} to {}", number_format::count(fewest), number_format::count(most))
        }
        (_, most) => number_format::count(most.unwrap_or(0)), // folds may differ by one row
    };
    let experiment = terminal::bold(&results[0].trial.history.experiment);
    let data = evaluations().next().map(|evaluation| evaluation.data).unwrap_or_default();
    let threshold = results.iter().find_map(|TrialResult { trial, outcome }| {
        let evaluation = outcome.as_ref().ok()?;
        Some(at_threshold(trial, evaluation, &|_| "at the threshold of each trial".to_owned()))
    });
    let heading = wrapped(&format!("{data}: {rows} {}{}", eval_rows.name(), threshold.unwrap_or_default()));
    let heading = format!("{experiment}: {} trials\n{heading}", results.len());
    let names: Vec<&str> =
        evaluations().next().map_or(Vec::new(), |f| f.record.metrics.keys().map(String::as_str).collect());
    let has_history = results.iter().any(|TrialResult { outcome, .. }| match outcome {
        Ok(evaluation) => evaluation.agreement.is_some(),
        Err(Failure::Failed(_)) => true,
        Err(Failure::Diverged) => false,
    });
    let mut parts = vec![heading, widest_that_fits(&names, results, has_history)];
    let histories: Vec<&History> = results.iter().map(|trial| &trial.trial.history).collect();
    parts.extend(classification::positive_class(&histories).map(|line| wrapped(&line)));
    parts.extend(
        evaluations().any(|evaluation| evaluation.agreement.is_some()).then(|| shared_verdict(eval_rows, results)),
    );
    parts
}

/// Returns the table with as many metrics as fit the terminal. A line below names the others.
fn widest_that_fits(names: &[&str], results: &[TrialResult], has_history: bool) -> String {
    let fits = |text: &String| text.lines().all(|line| line.chars().count() <= terminal::width());
    let tables = (1..=names.len()).rev().map(|count| (count, table(&names[..count], results, has_history)));
    let Some((count, text)) = tables.into_iter().find(|(count, text)| fits(text) || *count == 1) else {
        return table(names, results, has_history);
    };
    match &names[count..] {
        [] => text,
        left_out => format!("{text}\n{}", terminal::dim(&format!("not shown: {} (see `--json`)", left_out.join(", ")))),
    }
}

/// Returns a table with a line for each trial. A variant with several trials also has the mean and standard deviation.
fn table(names: &[&str], results: &[TrialResult], has_history: bool) -> String {
    let mut header = vec!["trial"];
    header.extend(names);
    let numbers = 1..header.len();
    header.extend(has_history.then_some("history"));
    let mut table = Columns::new(header, numbers);
    let variants: IndexSet<&str> = results.iter().map(|trial| trial.trial.history.variant.as_str()).collect();
    for variant in variants {
        let of_variant = || results.iter().filter(|trial| trial.trial.history.variant == variant);
        for TrialResult { trial, outcome } in of_variant() {
            let mut row = vec![trial.stem()];
            let metric =
                |name: &str| outcome.as_ref().ok().and_then(|evaluation| Some(evaluation.record.metrics.get(name)?.0));
            row.extend(names.iter().map(|name| number_format::of(name, metric(name))));
            row.extend(has_history.then(|| agreement_word(outcome).to_owned()));
            table.row(row);
        }
        let evaluations: Vec<&Evaluation> = of_variant().filter_map(|trial| trial.outcome.as_ref().ok()).collect();
        if evaluations.len() > 1 {
            let (mut mean, mut std) = (vec![format!("  mean of {}", evaluations.len())], vec!["  ± std".to_owned()]);
            for name in names {
                let values = evaluations.iter().filter_map(|evaluation| Some(evaluation.record.metrics.get(*name)?.0));
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

/// Returns how the metrics of a trial agree with its history, in one or two words.
fn agreement_word(outcome: &Result<Evaluation, Failure>) -> &'static str {
    match outcome.as_ref().map(|evaluation| &evaluation.agreement) {
        Err(Failure::Diverged) => "diverged",
        Err(Failure::Failed(_)) => "failed",
        Ok(None) => "–",
        Ok(Some(agreement)) if !agreement.is_same() => "differs",
        Ok(Some(agreement)) if !agreement.is_complete() => "incomplete",
        Ok(Some(_)) => "the same",
    }
}

/// Returns whether all trials agree with their histories, as a sentence.
fn shared_verdict(eval_rows: &EvalRows, results: &[TrialResult]) -> String {
    let compared =
        || results.iter().filter_map(|trial| Some((trial.trial, trial.outcome.as_ref().ok()?.agreement.as_ref()?)));
    let stems = |trials: &[(&SavedTrial, &Agreement)]| {
        trials.iter().map(|(trial, _)| trial.stem()).collect::<Vec<_>>().join(", ")
    };
    let differing: Vec<_> = compared().filter(|(_, agreement)| !agreement.is_same()).collect();
    let incomplete: Vec<_> = compared().filter(|(_, agreement)| !agreement.is_complete()).collect();
    let part = eval_rows.part().map_or("given", Part::name);
    let fault = match (&differing[..], &incomplete[..]) {
        ([], []) => {
            let largest = compared().map(|(_, agreement)| agreement.largest()).fold(0.0, f64::max);
            return wrapped(&format!("{part} metrics agree with the histories{}", rounding(largest)));
        }
        ([], [(_, first), ..]) => {
            format!("some metrics of {} could not be compared: {}", stems(&incomplete), not_compared(first))
        }
        _ => format!("{part} metrics differ from the histories in {}", stems(&differing)),
    };
    terminal::red(&wrapped(&fault))
}
