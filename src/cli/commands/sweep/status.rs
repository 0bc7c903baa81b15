//! `runner sweep status`, `stop` and `retry`: from the files, and of a sweep with jobs of Slurm also from their queue.

use anyhow::{Context, anyhow};
use serde_json::json;

use crate::cli::args::sweeps_dir::NamedSweep;
use crate::cli::commands::sweep::confirm::text as confirmation_text;
use crate::cli::commands::sweep::jobs_text;
use crate::cli::commands::sweep::ranking_text;
use crate::cli::commands::sweep::work::resume_command;
use crate::cli::exit::Exit;
use crate::cli::text::number_format::{count, counted, seconds};
use crate::cli::text::shell_words::quoted_path;
use crate::cli::text::terminal;
use crate::cli::text::text_style::TextStyle;
use crate::config::hint::Hint;
use crate::experiment::spec::seeds;
use crate::slurm::job_state;
use crate::sweep::confirmation::{Confirmation, RankedBy};
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::state::{RunningStack, SweepState};
use crate::sweep::dir::{SweepDir, ended, stop_request};
use crate::sweep::record::SweepRecord;
use crate::sweep::results::failure_reasons::{self, FailedStacks};
use crate::sweep::results::{Ranking, csv, notes};
use crate::sweep::trial_counts::Counts;

/// Arguments of `runner sweep status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    sweep: NamedSweep,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `runner sweep retry`.
#[derive(Debug, clap::Args)]
pub struct RetryArgs {
    #[command(flatten)]
    sweep: NamedSweep,
    /// Train the failed stacks again
    #[arg(long, required = true)]
    failed: bool,
}

/// Prints the state of a sweep.
pub fn run(args: &StatusArgs) -> anyhow::Result<Exit> {
    let (dir, record, state) = args.sweep.read()?;
    let counts = Counts::new(&record, &state);
    let ranking = Ranking::new(&record, &state.ended, record.higher_is_better);
    let failed = || state.ended.values().filter_map(|end| Some((end, end.failure.as_ref()?)));
    let confirmation =
        Confirmation::read(&dir, &record, &state.ended, RankedBy::new(&record))?.filter(|found| found.is_over);
    let jobs = job_state::read(dir.path());
    if args.json {
        let running = state.running.iter().map(|running| {
            json!({
                "stack": running.stack, "generation": running.generation,
                "worker": running.claim.as_ref().map(|claim| &claim.worker), "epoch": running.progress.map(|p| p.0),
                "epochs": running.progress.map(|p| p.1), "silent_seconds": running.silence(&dir),
            })
        });
        let best = ranking.best().map(|best| {
            let metric = best.metric.as_ref();
            json!({ "configuration": best.configuration.name, "settings": best.configuration.set, "metric": metric })
        });
        terminal::json(&json!({
            "sweep": dir.path(), "metric": record.metric, "stop": stop_request::reason(&dir),
            "trials": { "all": counts.all, "done": counts.done, "running": counts.running, "failed": counts.failed },
            "configurations": { "all": record.all_configurations(), "chosen": record.configurations.len() },
            "stacks": { "all": record.stacks.len(), "ended": state.ended.len(), "waiting": state.waiting },
            "running": running.collect::<Vec<_>>(), "best": best, "notes": notes::notes(&record, &ranking),
            "confirmation": confirmation.as_ref().map(confirmation_text::json),
            "jobs": jobs_text::to_json(&jobs),
            "failures": failed().map(|(end, failure)| json!({ "stack": end.stack, "error": failure.error }))
                .collect::<Vec<_>>(),
        }));
        return Ok(Exit::Done);
    }
    let page = TextStyle::of_output();
    let confirmed: usize = record.extensions.iter().filter(|extension| extension.confirmation.is_some()).count();
    let confirmations = match confirmed {
        0 => String::new(),
        1 => ", and a confirmation".to_owned(),
        several => format!(", and {several} confirmations"),
    };
    let configurations = record.all_configurations();
    let (name, number, seeds) = (terminal::bold(&record.experiment), count(configurations), record.number_of_seeds());
    terminal::out(&format!("{name}: {number} configurations, {seeds}{confirmations}"));
    let mut lines = vec![("trials", counts.to_text())];
    let failed_stacks = match failed().count() {
        0 => String::new(),
        stacks => format!(", {} of them failed", count(stacks)),
    };
    let (ended, all) = (count(state.ended.len()), count(record.stacks.len()));
    lines.push(("stacks", format!("{ended} of {all} ended{failed_stacks}")));
    let further = record.extensions.iter().map(|extension| extension.on_further_seeds.len()).sum::<usize>();
    if further > 0 || state.lacking > 0 {
        let (number, seeds) = (counted(further + state.lacking, "configuration"), seeds::format(&record.further_seeds));
        lines.push(("seeds", format!("{number} on further seeds {seeds}")));
    }
    if let Some(rounds) = record.search.rounds {
        let (chosen, all) = (count(record.configurations.len()), count(configurations));
        lines.push(("rounds", format!("{chosen} of {all} configurations chosen, {} at a time", count(rounds.size))));
    }
    for running in &state.running {
        lines.push(("", format!("{}: {}", running.stack, describe(&dir, running))));
    }
    lines.extend(jobs_text::lines(&jobs).into_iter().map(|line| ("jobs", line)));
    let failures = failure_reasons::of_stacks(&state.ended);
    lines.extend(failures.iter().map(|failed| ("failed", failed_line(failed))));
    let best = ranking.best().map(|best| ranking_text::best_line(&record, best, &record.metric));
    lines.extend(best.map(|best| ("best", best)));
    let confirmed =
        |found: Confirmation| format!("on seeds {}: {}", seeds::format(&found.plan.seeds), found.conclusion());
    lines.extend(confirmation.map(|found| ("confirm", confirmed(found))));
    let notes = notes::notes(&record, &ranking);
    lines.extend(notes.into_iter().map(|note| ("note", note)));
    lines.extend(stop_request::reason(&dir).filter(|_| !state.is_over()).map(|reason| ("stopped", reason)));
    for (label, text) in lines {
        terminal::out(&page.wrapped(&format!("  {label:<9} {text}"), 12));
    }
    let is_silent = |running: &RunningStack| !running.is_alive(&dir);
    if !state.is_over() && state.running.iter().all(is_silent) && !jobs_text::has_queued(&jobs) {
        terminal::say(&format!("no worker is active; continue with `{}`", resume_command(dir.path())));
    }
    say_what_to_do(&dir, &failures);
    Ok(Exit::Done)
}

/// Returns the stacks of one cause, and their error, in a line.
fn failed_line(failed: &FailedStacks) -> String {
    const MOST: usize = 5;
    let mut stacks = failed.stacks[..failed.stacks.len().min(MOST)].join(", ");
    if failed.stacks.len() > MOST {
        stacks += &format!(" and {} more", failed.stacks.len() - MOST);
    }
    format!("{stacks}: {}", failed.error)
}

/// Prints why stacks failed.
pub(super) fn say_failures(dir: &SweepDir, failures: &[FailedStacks]) {
    let count: usize = failures.iter().map(|failed| failed.stacks.len()).sum();
    terminal::say(&format!("{count} {} failed", if count == 1 { "stack" } else { "stacks" }));
    failures.iter().for_each(|failed| terminal::say(&format!("  {}", failed_line(failed))));
    say_what_to_do(dir, failures);
}

/// Prints how many stacks have failed and where their errors are shown, and how many have ended; nothing if all are done.
pub(super) fn say_what_is_missing(dir: &SweepDir, record: &SweepRecord, state: &SweepState) {
    let failed = state.ended.values().filter(|end| end.failure.is_some()).count();
    if failed > 0 {
        let command = format!("runner sweep status {}", quoted_path(dir.path()));
        terminal::say(&format!("{} failed: `{command}` shows why", counted(failed, "stack")));
    }
    if !state.is_over() {
        terminal::say(&state.progress(record));
    }
}

/// Prints how failed stacks are trained after all.
fn say_what_to_do(dir: &SweepDir, failures: &[FailedStacks]) {
    if failures.is_empty() {
        return;
    }
    const MOST: usize = 5;
    let hints = failures.iter().flat_map(|failed| failed.hints.iter().take(MOST));
    hints.for_each(|hint| terminal::say(&format!("hint: {hint}")));
    let retry = format!("runner sweep retry --failed {}", quoted_path(dir.path()));
    let is_out_of_memory = failures.iter().any(|failed| failed.is_out_of_memory);
    let names_size = failures.iter().flat_map(|failed| &failed.hints).any(|hint| hint.contains("`--stack "));
    let or_else = if names_size { "" } else { "start a new sweep with a smaller `--stack`, or " };
    terminal::say(&match is_out_of_memory {
        true => format!(
            "the stacks of a sweep keep their size: {or_else}free memory before you train the failed stacks again with `{retry}`"
        ),
        false => format!("train the failed stacks again with `{retry}`"),
    });
}

/// Asks the workers of a sweep to stop.
pub fn run_stop(sweep: &NamedSweep) -> anyhow::Result<Exit> {
    let (dir, _, state) = sweep.read()?;
    if state.is_over() {
        terminal::say(&format!("the sweep in `{}` is already complete", dir.path().display()));
        jobs_text::cancel(&dir)?;
        return Ok(Exit::Done);
    }
    let is_new = stop_request::request(&dir, "`runner sweep stop`")
        .with_context(|| format!("failed to write to `{}`", dir.path().display()))?;
    let what = match (is_new, state.running.iter().any(|running| running.is_alive(&dir))) {
        (true, true) => "the workers save checkpoints and leave",
        (true, false) => "no worker is active, and none will start a stack",
        (false, _) => "the sweep is already asked to stop",
    };
    terminal::say(&format!("{what}; continue with `{}`", resume_command(dir.path())));
    jobs_text::cancel(&dir)?;
    Ok(Exit::Done)
}

/// Lets the failed stacks of a sweep be trained again.
pub fn run_retry(args: &RetryArgs) -> anyhow::Result<Exit> {
    let (dir, _, state) = args.sweep.read()?;
    let mut tried = 0;
    for end in state.ended.values().filter(|end| end.failure.is_some()) {
        let again = ended::try_again(&dir, end);
        tried += usize::from(again.with_context(|| format!("failed to rename the end of stack {}", end.stack))?);
    }
    if tried == 0 {
        let hint = Hint(format!("see `runner sweep status {}`", quoted_path(dir.path())));
        return Err(anyhow!("no stack of the sweep has failed").context(hint));
    }
    csv::remove(&dir);
    let stacks = if tried == 1 { "stack" } else { "stacks" };
    let resume = resume_command(dir.path());
    terminal::say(&format!("{tried} failed {stacks} can be trained again; continue with `{resume}`"));
    Ok(Exit::Done)
}

/// Describes the worker of a stack.
fn describe(dir: &SweepDir, running: &RunningStack) -> String {
    let worker = running.claim.as_ref().map_or("a worker", |claim| claim.worker.as_str());
    let epoch = running.progress.map(|(epoch, epochs)| format!(", epoch {epoch}/{epochs}")).unwrap_or_default();
    match &running.beat {
        Beat::Released => format!("left with a checkpoint by {worker}{epoch}"),
        Beat::Died(why) => format!("{worker} died ({why}){epoch}"),
        Beat::None | Beat::Count(_) => match running.silence(dir) {
            Some(silent) if running.is_alive(dir) => {
                format!("{worker}{epoch}, heartbeat {} ago", seconds(silent.max(0.001)))
            }
            Some(silent) => format!("{worker} is silent for {}{epoch}", seconds(silent)),
            None => format!("{worker}, no heartbeat yet"),
        },
    }
}
