//! How a run ends: its pictures and summary, what has failed, what was missed, how to go on, and the exit code.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cli::args::run_args::quoted;
use crate::cli::exit::Exit;
use crate::cli::summary::{self, plots, write_errors};
use crate::cli::text::terminal;
use crate::experiment::plan::study::Study;
use crate::experiment::run::Finished;
use crate::experiment::store::find::SavedRun;
use crate::history::{History, Status};
use crate::io::signals::Signals;

/// What is shown of a run.
#[derive(Clone, Debug, clap::Args)]
pub struct OutputArgs {
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the histories as JSON instead of the summary
    #[arg(long)]
    pub json: bool,
    /// Exit with code 1 if an expectation is missed or none was checked
    #[arg(long)]
    pub strict: bool,
}

/// Tells how a run has ended.
pub fn close(study: &Study, finished: &Finished, requests: &Signals, closing: &OutputArgs) -> Exit {
    let Finished { folder, histories, failures, interrupted, checkpoint } = finished;
    let (drawn, warnings) = if histories.is_empty() { Default::default() } else { plots::write(finished) };
    if !closing.quiet {
        warnings.iter().for_each(|warning| terminal::warn(warning));
    }
    if closing.json {
        terminal::json(&json!({ "run": folder.path(), "pictures": drawn, "histories": histories }));
    } else if !closing.quiet && !histories.is_empty() {
        terminal::out(&summary::of(study, finished, &drawn));
    }
    let shown = quoted(&folder.path().display().to_string());
    failures.iter().for_each(terminal::error);
    let is_complete = write_errors::tell(folder, closing.quiet);
    if let Some(latest) = folder.latest_that_is_no_link().filter(|_| !closing.quiet) {
        let latest = latest.display();
        terminal::warn(&format!("`{latest}` is a folder and no link, so it does not lead to this run: remove it"));
    }
    if *interrupted {
        let (from, stopped) = (checkpoint.unwrap_or(0), epochs(histories));
        let lost = if from < stopped {
            format!(" from epoch {from}: no later checkpoint could be written")
        } else {
            String::new()
        };
        terminal::say(&format!("interrupted{}; continue with `runner resume {shown}`{lost}", at(stopped)));
        return Exit::Interrupted(requests.signal());
    }
    if !failures.is_empty() {
        let (done, of) = (histories.len(), study.trials());
        if done > 0 {
            terminal::say(&format!(
                "{done} of {of} trials are done, the others failed; `runner resume {shown}` tries them again"
            ));
        }
        return Exit::Failed;
    }
    if !is_complete {
        return Exit::Failed;
    }
    if closing.strict { judged(&histories.iter().collect::<Vec<_>>()) } else { Exit::Done }
}

/// How many epochs the trials have that were interrupted.
fn epochs(histories: &[History]) -> usize {
    let stopped = histories.iter().filter(|history| history.status == Status::Interrupted);
    stopped.map(|history| history.history.len()).max().unwrap_or_default()
}

/// Where they stand.
fn at(epochs: usize) -> String {
    match epochs {
        0 => String::new(),
        epochs => format!(" after epoch {epochs}"),
    }
}

/// Tells what a run has left that is finished already.
pub(crate) fn close_again(run: &SavedRun, closing: &OutputArgs) -> Exit {
    let histories: Vec<&History> = run.trials.iter().map(|trial| &trial.history).collect();
    if closing.json {
        terminal::json(&json!({ "run": run.folder, "pictures": [], "histories": histories }));
    }
    if !closing.quiet {
        terminal::say(&format!("the run in `{}` is already complete", run.folder.display()));
    }
    if closing.strict { judged(&histories) } else { Exit::Done }
}

/// Says under `--strict` what was missed, or that nothing was checked, and returns the exit code of it.
fn judged(histories: &[&History]) -> Exit {
    let said = match &missed(histories)[..] {
        [] => nothing_checked(histories),
        missed => Some(format!("missed: {}", missed.join("; "))),
    };
    said.map_or(Exit::Done, |said| {
        terminal::say(&said);
        Exit::Missed
    })
}

/// Says that no expectation was checked, and why; `None` where one was.
fn nothing_checked(histories: &[&History]) -> Option<String> {
    if histories.iter().any(|history| !history.expectations.is_empty()) {
        return None;
    }
    let first = histories.first()?;
    if first.config["expect"].as_array().is_none_or(Vec::is_empty) {
        return Some(format!("`{}` has no `[[expect]]`: `--strict` has nothing to check", first.experiment));
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

/// The expectations that were missed; each trial of a variant has the same statistic, which is told once.
fn missed(histories: &[&History]) -> Vec<String> {
    let mut missed: Vec<String> = Vec::new();
    for history in histories {
        for verified in history.expectations.iter().filter(|verified| !verified.met) {
            let of = if verified.over.is_some() { history.variant.clone() } else { history.stem() };
            missed.push(format!("{of}: {}", verified.statement_of(None)));
        }
    }
    let mut told = BTreeSet::new();
    missed.retain(|miss| told.insert(miss.clone()));
    missed
}
