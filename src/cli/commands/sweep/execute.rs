//! Trains a sweep: starts workers, shows their progress, replaces those that die, and prints the results.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::json;
use tch::Device;

use crate::cli::args::run_args::listen;
use crate::cli::commands::sweep::confirm::text as confirmation_text;
use crate::cli::commands::sweep::progress::Progress;
use crate::cli::commands::sweep::ranking_text::{self, TOP};
use crate::cli::commands::sweep::status;
use crate::cli::commands::sweep::work::{check_is_same, confirm_command, pool, resume_command};
use crate::cli::commands::sweep::worker_args::WorkerArgs;
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::sweep::confirmation::{Confirmation, RankedBy};
use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::{SweepDir, extensions, stop_request};
use crate::sweep::record::SweepRecord;
use crate::sweep::results::expectations::SweepExpectationResult;
use crate::sweep::results::{Overview, Ranking, csv, expectations, failure_reasons, notes};
use crate::sweep::supervise::pool::Pool;

/// Time between two looks at the worker processes.
const LOOK: Duration = Duration::from_millis(20);

/// Time between two looks at the files.
const REFRESH: Duration = Duration::from_millis(500);

/// Number of times in a row that the state of the sweep may be unreadable.
const MOST_FAILED_READS: u32 = 30;

/// How a sweep is trained.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Devices of the workers, one each.
    pub devices: Vec<Device>,
    /// Options of the workers.
    pub worker_args: WorkerArgs,
    /// Whether only errors are printed.
    pub quiet: bool,
    /// Whether the results are printed as JSON.
    pub json: bool,
    /// Whether the results and failures are printed later, by another execution of the same sweep.
    pub is_silent: bool,
    /// Whether the results are those of a confirmation only.
    pub confirms: bool,
    /// Whether missed expectations set the exit code.
    pub strict: bool,
}

/// Trains the stacks of a sweep that have not ended, and prints the results.
///
/// # Errors
/// When the sweep is of another build or its data have changed, or the workers cannot be started.
pub fn train(dir: &SweepDir, record: &SweepRecord, execution: &Execution) -> anyhow::Result<Exit> {
    let (mut record, at_start) = (record.clone(), record.extensions.len());
    if !execution.worker_args.force {
        check_is_same(dir, &record)?;
    }
    let mut state = SweepState::read(dir, &record)?;
    if state.is_over() {
        if !execution.quiet {
            terminal::say(&format!("the sweep in `{}` is already complete", dir.path().display()));
        }
        if execution.worker_args.event_args.tensorboard.is_some() {
            let stack = quoted_path(&dir.path().join("stacks").join("S000"));
            terminal::warn(&format!(
                "no event files were written: nothing is left to train. To export a stack, such as the first one: `runner export {stack} --tensorboard`"
            ));
        }
        return finish(dir, &record, &state, execution);
    }
    let commands = pool::commands(dir, &execution.devices, &execution.worker_args)?;
    let signals = listen()?;
    signals.training.store(true, Ordering::SeqCst); // the first signal stops the workers, a second one this process
    let resume = match execution.confirms {
        true => confirm_command(dir.path()),
        false => resume_command(dir.path()),
    };
    signals.set_exit_message(format!("interrupted: continue with `{resume}`"));
    stop_request::withdraw(dir).context("failed to withdraw the request to stop")?;
    let mut progress = Progress::new(execution.quiet, &record, &state);
    progress.starting(dir, &record, &commands);
    execution.worker_args.event_args.hint().filter(|_| !execution.quiet).iter().for_each(|hint| terminal::say(hint));
    let mut workers = Pool::start(dir, commands)?;
    let (mut refreshed, mut failed_reads) = (Instant::now(), 0);
    let outcome = loop {
        let has_ended = workers.pass_on(&signals)?;
        if has_ended || refreshed.elapsed() >= REFRESH {
            refreshed = Instant::now();
            // the sweep may be extended in the meantime
            match extensions::read_new(dir.path(), &mut record).and_then(|_| state.update(dir, &record)) {
                Ok(()) => failed_reads = 0,
                // a file server may be away for a moment
                Err(_) if failed_reads < MOST_FAILED_READS => {
                    failed_reads += 1;
                    thread::sleep(REFRESH);
                    continue;
                }
                Err(error) => break Err(error),
            }
            match workers.replace_dead(&state) {
                Ok(deaths) => deaths.iter().for_each(|death| progress.died(death)),
                Err(error) => break Err(error),
            }
            progress.update(dir, &record, &state, workers.running());
        }
        if workers.running() == 0 {
            break Ok(());
        }
        thread::sleep(LOOK);
    };
    progress.end(&signals);
    outcome?;
    signals.clear_exit_message();
    extensions::read_new(dir.path(), &mut record)?;
    state.update_without_listing(dir, &record)?;
    if !state.is_over() {
        if signals.is_stopped() {
            terminal::say(&format!("interrupted; continue with `{resume}`"));
            return Ok(Exit::Interrupted(signals.signal()));
        }
        let Some(reason) = stop_request::reason(dir) else {
            if record.extensions.len() > at_start {
                return Ok(extended_meanwhile(dir, execution.strict));
            }
            return Err(anyhow!("the workers have left, but stacks have not ended"));
        };
        terminal::say(&format!("stopped ({reason}); continue with `{resume}`"));
        let has_failed = state.ended.values().any(|end| end.failure.is_some());
        return Ok(if has_failed { Exit::Failed } else { unchecked(execution.strict) });
    }
    finish(dir, &record, &state, execution)
}

/// Returns the exit code of a sweep that has not ended, whose expectations are not checked.
fn unchecked(is_strict: bool) -> Exit {
    if is_strict {
        terminal::say("`--strict`: the expectations are checked when all stacks have ended");
        return Exit::Missed;
    }
    Exit::Done
}

/// Says that a sweep has got further trials when its workers had left, and returns the exit code.
fn extended_meanwhile(dir: &SweepDir, is_strict: bool) -> Exit {
    let resume = resume_command(dir.path());
    terminal::say(&format!("the sweep was extended when its workers had left; continue with `{resume}`"));
    unchecked(is_strict)
}

/// Writes the table of a sweep that has ended, and prints the results.
fn finish(dir: &SweepDir, record: &SweepRecord, state: &SweepState, execution: &Execution) -> anyhow::Result<Exit> {
    let Some(path) = csv::write(dir, record)? else { return Ok(extended_meanwhile(dir, execution.strict)) };
    let ranking = Ranking::new(record, &state.ended, record.higher_is_better);
    let overview = Overview::new(record, ranking, &record.metric, record.higher_is_better);
    let (ranking, expected) = (&overview.ranking, expectations::verify(&overview));
    let confirmation = Confirmation::read(dir, record, &state.ended, RankedBy::new(record))?;
    if execution.json {
        let result = |result: &crate::sweep::results::ConfigurationResult| {
            let (status, error) = csv::status(&result.outcome);
            json!({
                "configuration": result.configuration.name, "settings": result.configuration.set,
                "metric": result.metric, "trials": result.done, "epochs": result.epochs, "status": status, "error": error,
                "rung": record.halving.and_then(|halving| csv::rung(&result.outcome, halving)),
            })
        };
        let results: Vec<_> = ranking.results.iter().map(result).collect();
        terminal::json(&json!({
            "sweep": dir.path(), "metric": record.metric, "results": results, "expectations": expected,
            "notes": notes::notes(record, ranking),
            "confirmation": confirmation.as_ref().map(|found| confirmation_text::json(found)),
        }));
    } else if !execution.quiet {
        let page = TextStyle::of_output();
        if !execution.confirms {
            let option = format!("runner sweep table {} --top", quoted_path(dir.path()));
            terminal::out(&ranking_text::table(record, ranking, &record.metric, (TOP, &option), page));
            if !expected.is_empty() {
                terminal::out(&format!("\n{}", expectation_lines(&expected, page)));
            }
        }
        if let Some(found) = &confirmation {
            let line = if execution.confirms { "" } else { "\n" };
            terminal::out(&format!("{line}{}", confirmation_text::table(found, page)));
        }
        terminal::say(&format!("all configurations: {}", path.display()));
    }
    let failures = failure_reasons::of_stacks(&state.ended);
    if !failures.is_empty() {
        if !execution.is_silent {
            status::say_failures(dir, &failures);
        }
        return Ok(Exit::Failed);
    }
    Ok(if execution.strict { strict_exit(record, &expected) } else { Exit::Done })
}

/// Returns a line with a mark for each expectation.
fn expectation_lines(expected: &[SweepExpectationResult], page: TextStyle) -> String {
    let line = |result: &SweepExpectationResult| {
        page.marked(result.met, &format!("{}: found {}", result.statement(), result.found_text()))
    };
    expected.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Prints which expectations were missed, or that there is none, and returns the exit code.
fn strict_exit(record: &SweepRecord, expected: &[SweepExpectationResult]) -> Exit {
    let missed: Vec<String> = expected.iter().filter(|one| !one.met).map(SweepExpectationResult::statement).collect();
    let problem = match (expected.len(), &missed[..]) {
        (0, _) => {
            format!("`{}` has no `[[sweep.expect]]`: `--strict` has nothing to check", record.experiment)
        }
        (_, []) => return Exit::Done,
        (_, missed) => format!("missed: {}", missed.join("; ")),
    };
    terminal::say(&problem);
    Exit::Missed
}
