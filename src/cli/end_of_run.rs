//! End of a run: plots, summary, errors, missed expectations, how to continue, and the exit code.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cli::args::output_args::OutputArgs;
use crate::cli::exit::Exit;
use crate::cli::summary::trained_run::TrainedRun;
use crate::cli::summary::{plots, write_errors};
use crate::cli::text::shell_words::{quoted, quoted_path};
use crate::cli::text::{log_file, terminal};
use crate::experiment::plan::study::Study;
use crate::experiment::run::Finished;
use crate::experiment::store::find::SavedRun;
use crate::history::History;
use crate::io::signals::Signals;
use crate::views::expectations::of_missing_variants;

/// Writes the plots of a run, prints its results and errors, and returns the exit code.
pub fn finish_run(study: &Study, finished: &Finished, signals: &Signals, output_args: &OutputArgs) -> Exit {
    let Finished { folder, histories, failures, interrupted, timed_out, checkpoint } = finished;
    let (plot_files, warnings) = if histories.is_empty() { Default::default() } else { plots::write(finished) };
    if !output_args.quiet {
        warnings.iter().for_each(|warning| terminal::warn(warning));
    }
    if output_args.json {
        output_args.print(&json!({ "run": folder.path(), "plots": plot_files, "histories": histories }));
    } else if !histories.is_empty() {
        let summary = output_args.summary(&TrainedRun::of(study, finished));
        log_file::append(&summary);
        if !output_args.quiet {
            terminal::out(&summary);
        }
    }
    let run = quoted_path(folder.path());
    failures.iter().for_each(terminal::error);
    let is_complete = write_errors::tell(folder, output_args.quiet);
    if let Some(latest) = folder.latest_directory().filter(|_| !output_args.quiet) {
        let latest = latest.display();
        terminal::warn(&format!("`{latest}` is a directory, not a link, so it does not point to this run: remove it"));
    }
    if *interrupted {
        let (resume_epoch, stop_epoch) = (checkpoint.unwrap_or(0), interrupted_epochs(histories));
        let lost = if resume_epoch < stop_epoch {
            format!(" from epoch {resume_epoch}: no later checkpoint could be written")
        } else {
            String::new()
        };
        let after = after_epoch(stop_epoch);
        // the summary in the terminal ends with the command
        let OutputArgs { json, quiet, verbose, .. } = output_args;
        let is_shown = !json && !quiet && !verbose && !histories.is_empty() && terminal::stdout_is_terminal();
        let resume =
            if is_shown && lost.is_empty() { String::new() } else { format!("; continue with `runner resume {run}`") };
        terminal::say(&format!("interrupted{after}{resume}{lost}"));
        return Exit::Interrupted(signals.signal());
    }
    if *timed_out && !output_args.quiet {
        let after = after_epoch(interrupted_epochs(histories));
        let untrained = match study.trials().saturating_sub(histories.len()) {
            0 => String::new(),
            untrained => format!("; {untrained} of {} trials were not started", study.trials()),
        };
        // the short summary ends with the command
        let has_command = !output_args.json && !output_args.verbose && !histories.is_empty();
        let command = if has_command { String::new() } else { format!("; continue with `runner resume {run}`") };
        terminal::say(&format!("time limit: stopped{after}{untrained}{command}"));
    }
    if !failures.is_empty() {
        let (done, total) = (histories.len(), study.trials());
        if done > 0 {
            terminal::say(&format!(
                "{done} of {total} trials are done, the others failed; retry them with `runner resume {run}`"
            ));
        }
        return Exit::Failed;
    }
    if !is_complete {
        return Exit::Failed;
    }
    if *timed_out && output_args.strict {
        terminal::say("`--strict` has nothing to check: expectations are checked when the run is finished");
        return Exit::Missed;
    }
    if output_args.strict { strict_exit(&histories.iter().collect::<Vec<_>>()) } else { Exit::Done }
}

/// Prints the results of a run that is already complete, and returns the exit code.
pub(crate) fn finish_completed_run(run: &SavedRun, output_args: &OutputArgs) -> Exit {
    let histories: Vec<&History> = run.trials.iter().map(|trial| &trial.history).collect();
    if output_args.json {
        output_args.print(&json!({ "run": run.folder, "plots": [], "histories": histories }));
    }
    if !output_args.quiet {
        let folder = run.folder.display().to_string();
        let is_network = histories.first().is_some_and(|history| history.network.is_some());
        let longer = format!("; to train longer: `runner resume {} --epochs N`", quoted(&folder));
        let longer = if is_network { longer } else { String::new() };
        terminal::say(&format!("the run in `{folder}` is already complete{longer}"));
    }
    if output_args.strict { strict_exit(&histories) } else { Exit::Done }
}

/// Returns the number of epochs that the interrupted trials have.
fn interrupted_epochs(histories: &[History]) -> usize {
    let interrupted = histories.iter().filter(|history| history.status.is_unfinished());
    interrupted.map(|history| history.history.len()).max().unwrap_or_default()
}

/// Returns ` after epoch 3`, or nothing before the first epoch.
fn after_epoch(epoch: usize) -> String {
    match epoch {
        0 => String::new(),
        epoch => format!(" after epoch {epoch}"),
    }
}

/// Prints, for `--strict`, which expectations were missed or why none was checked, and returns the exit code.
fn strict_exit(histories: &[&History]) -> Exit {
    let problem = match &missed_expectations(histories)[..] {
        [] => why_nothing_was_checked(histories),
        missed => Some(format!("missed: {}", missed.join("; "))),
    };
    problem.map_or(Exit::Done, |problem| {
        terminal::say(&problem);
        Exit::Missed
    })
}

/// Returns why no expectation was checked; `None` if at least one was.
fn why_nothing_was_checked(histories: &[&History]) -> Option<String> {
    if histories.iter().any(|history| !history.expectations.is_empty()) {
        return None;
    }
    let first = histories.first()?;
    if first.config["expect"].as_array().is_none_or(Vec::is_empty) {
        return Some(format!("`{}` has no `[[expect]]`: `--strict` has nothing to check", first.experiment));
    }
    if let Some(note) = of_missing_variants(histories.iter().copied()) {
        return Some(format!("{note}; `--strict` has nothing to check"));
    }
    let seeds: BTreeSet<i64> = histories.iter().map(|history| history.seed).collect();
    let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
    let seeds = match &seeds[..] {
        [] => return None,
        [seed] => format!("seed {seed}"),
        [others @ .., last] => format!("seeds {} and {last}", others.join(", ")),
    };
    Some(format!("no expectation applies to {seeds}: `--strict` has nothing to check"))
}

/// Returns the missed expectations. All trials of a variant share a statistic, so it is listed once.
fn missed_expectations(histories: &[&History]) -> Vec<String> {
    let mut missed: Vec<String> = Vec::new();
    for history in histories {
        for verified in history.expectations.iter().filter(|verified| !verified.met) {
            let subject = if verified.over.is_some() { history.variant.clone() } else { history.stem() };
            let statement = verified.statement_of(None).replacen(" is ", " must be ", 1);
            missed.push(format!("{subject}: {statement}"));
        }
    }
    let mut seen = BTreeSet::new();
    missed.retain(|miss| seen.insert(miss.clone()));
    missed
}
