//! `runner resume RUN`, and `runner exp … --resume`

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::args::compute_args::RecordedComputeArgs;
use crate::cli::args::log_args::{EventArgs, LogArgs};
use crate::cli::args::lookup::{find_run, sweep_instead_of};
use crate::cli::args::output_args::OutputArgs;
use crate::cli::args::run_args::{RunArgs, parse_epochs, signals_and_progress};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::args::time_limit::TimeLimit;
use crate::cli::commands::sweep::work::resume_command;
use crate::cli::commands::worker_processes;
use crate::cli::end_of_run::{finish_completed_run, finish_run};
use crate::cli::exit::Exit;
use crate::cli::text::progress::progress_bar::Progress;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::data::store::cache::Cache;
use crate::experiment::plan::study::Study;
use crate::experiment::run::checkpointing::continuation::{Continuation, ended_text};
use crate::experiment::run::checkpointing::{CheckpointInterval, RunCheckpoint};
use crate::experiment::run::progress::event_log::EventFiles;
use crate::experiment::run::{self, Finished, LoadedData, Options};
use crate::experiment::store::find::{self, SavedRun};
use crate::experiment::store::history_fields::Program;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::StackState;
use crate::experiment::store::{newest, pretrained, whole_run};
use crate::run_dir::{RunDir, latest};
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::train::callback::Callback;
use crate::workers::coordinator::{self, OpenRun, Workers};

/// Arguments of `runner resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, name or directory of a run, one of its files, or an experiment (its newest unfinished run; with
    /// `--epochs`, its newest finished run)
    #[arg(value_name = "RUN")]
    run: String,
    /// Continue a finished run up to N epochs in total, as a new run
    #[arg(long, value_name = "N", value_parser = parse_epochs, allow_negative_numbers = true)]
    epochs: Option<usize>,
    #[command(flatten)]
    compute_args: RecordedComputeArgs,
    /// When to save a checkpoint: every N epochs (`5`), at a time interval (`30s`, `10m`), or `never`
    #[arg(long, value_name = "N|TIME", default_value = "30s", allow_hyphen_values = true)]
    checkpoint: CheckpointInterval,
    #[command(flatten)]
    out: RunsDir,
    #[command(flatten)]
    time_limit: TimeLimit,
    #[command(flatten)]
    log_args: LogArgs,
    #[command(flatten)]
    event_args: EventArgs,
    #[command(flatten)]
    output_args: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner resume overfit_mnist
  runner resume runs/overfit_mnist/2026-11-28T090715Z-f69e03
  runner exp overfit_mnist --resume     resume, or start a new run
  runner resume overfit_mnist --epochs 100

Training continues from the last checkpoint, with the threads and the device
of the run. On a CPU the histories are then bitwise equal to those of a run
that was never interrupted.

`--epochs N` continues a finished run, in a new run directory; the finished
run is kept. The result is that of `runner exp … --epochs N` from the start.";

/// Resumes a run.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    whole_run::check(&args.run, &args.out, "resume")?;
    let events = args.event_args.files()?;
    if let Some(epochs) = args.epochs {
        return continue_run(args, epochs, events.as_ref());
    }
    let continue_it = |sweep: &Path| format!("continue the sweep: `{}`", resume_command(sweep));
    let path = find::run_to_resume(&args.run, &args.out)
        .map_err(|error| sweep_instead_of(&args.run, &args.out, continue_it).unwrap_or(error))?;
    if let Some(sweep) = SweepDir::of_stack(&path) {
        let message = format!("`{}` is a stack of a sweep, which its workers train", path.display());
        return Err(anyhow!(message).context(Hint(continue_it(&sweep))));
    }
    let folder = RunDir::open(&path)?;
    let record = RunRecord::read(&path)?;
    if record.is_complete(&path) {
        if let Some(newer) = newest::newer_unfinished(&path) {
            let newer = newer.display();
            terminal::say(&format!(
                "note: the newer run `{newer}` is unfinished: resume it with `runner resume {newer}`"
            ));
        }
        if let Some(sweep) = newer_unfinished_sweep(&args.run, &path) {
            let (shown, command) = (sweep.display(), resume_command(&sweep));
            terminal::say(&format!("note: the newer sweep `{shown}` is unfinished: continue it with `{command}`"));
        }
        return Ok(finish_completed_run(&SavedRun::find(&path.display().to_string(), &args.out)?, &args.output_args));
    }
    let mut study = record.study()?;
    pretrained::resolve(&mut study.plans, &args.out)?;
    let execution = args.compute_args.execution(&record.options)?;
    let mut devices = worker_processes::of_interrupted(&path)?;
    if args.compute_args.device.is_some() {
        devices.fill(execution.device);
    }
    let workers = if devices.is_empty() { None } else { Some(worker_processes::on(&devices, &args.out)?) };
    let (signals, mut progress) = signals_and_progress(args.output_args.quiet, &args.log_args)?;
    args.time_limit.start(&signals)?;
    args.event_args.hint().iter().for_each(|hint| progress.say(hint));
    study.notes.iter().for_each(|note| progress.note(note));
    let cache = Cache::for_user();
    let options = execution.options(record.options.stack, &cache, &signals);
    let options = Options { events: events.as_ref(), checkpoint_interval: args.checkpoint, ..options };
    let finished = resume_run(folder, record, &study, &options, workers.as_ref(), &mut progress);
    progress.end_run(&signals);
    Ok(finish_run(&study, &finished?, &signals, &args.output_args))
}

/// Returns the path of the newest sweep of an experiment if it is newer than its run and unfinished.
fn newer_unfinished_sweep(experiment: &str, run: &Path) -> Option<PathBuf> {
    let path = SweepDir::newest_of(experiment, &SweepsDir::default())?;
    let is_newer = path.file_name() > latest::resolve_link(run).file_name(); // names begin with the time
    let (sweep, record) = SweepDir::open(&path).ok().filter(|_| is_newer)?;
    (!SweepState::read(&sweep, &record).ok()?.is_over()).then_some(path)
}

/// Continues a finished run up to this number of epochs in total, in a new run directory next to it.
fn continue_run(args: &Args, epochs: usize, events: Option<&EventFiles>) -> anyhow::Result<Exit> {
    let from = latest::resolve_link(&find_run(&args.run, &args.out)?.folder);
    let record = RunRecord::read(&from)?;
    let execution = args.compute_args.execution(&record.options)?;
    let (signals, mut progress) = signals_and_progress(args.output_args.quiet, &args.log_args)?;
    args.time_limit.start(&signals)?;
    let cache = Cache::for_user();
    let options = execution.options(record.options.stack, &cache, &signals);
    let options = Options { events, checkpoint_interval: args.checkpoint, ..options };
    let continuation = Continuation::new(&from, &record, epochs, options.record())?;
    let study = &continuation.study;
    study.notes.iter().for_each(|note| progress.note(note));
    progress.say(&format!("continuing `{}` up to epoch {epochs}, as a new run", from.display()));
    if !continuation.ended.is_empty() {
        progress.note(&format!("{}: more epochs do not change them", ended_text(&continuation.ended)));
    }
    let differences = record.program.differences(&Program::this());
    if !differences.is_empty() {
        let differences = differences.join("; ");
        progress.note(&format!("{differences}; metrics may differ from those of a run from the start"));
    }
    let is_in_its_experiment = from.parent().and_then(Path::file_name) == Some(study.name.as_ref());
    let out = from.parent().and_then(Path::parent).filter(|_| is_in_its_experiment).unwrap_or(&args.out);
    let record = continuation.record.clone();
    let finished =
        continuation.create(out).and_then(|folder| run::resume(folder, record, study, &options, None, &mut progress));
    progress.end_run(&signals);
    Ok(finish_run(study, &finished?, &signals, &args.output_args))
}

/// Resumes the run in this folder, in processes if there are `workers`. Prints the epoch it resumes from, and what differs from
/// the first start.
pub(crate) fn resume_run(
    folder: RunDir,
    record: RunRecord,
    study: &Study,
    options: &Options,
    workers: Option<&Workers>,
    progress: &mut Progress,
) -> anyhow::Result<Finished> {
    let checkpoint = RunCheckpoint::read(&folder)?;
    let is_needed =
        |found: &RunCheckpoint| record.stacks().any(|s| s.state != StackState::Done && found.is_of(&s.trials));
    let start = match checkpoint.as_ref().filter(|found| is_needed(found)) {
        Some(checkpoint) => format!("from the checkpoint of epoch {}", checkpoint.epoch()),
        None if workers.is_some() => "each stack from its checkpoint".to_owned(),
        None if record.done() == 0 => "no checkpoint yet: starting at epoch 1".to_owned(),
        None => "the remaining trials have no checkpoint: starting them at epoch 1".to_owned(),
    };
    let done = match record.done() {
        0 => String::new(),
        done => format!("; {done} of {} trials are done", study.trials()),
    };
    progress.say(&format!("resuming `{}`", folder.path().display()));
    progress.say(&format!("{start}{done}"));
    let now = options.record();
    let mut differences = record.program.differences(&Program::this());
    let other_device = |device: &str, when: &str| {
        (device != now.device).then(|| format!("device {device} {when}, {} now", now.device))
    };
    let other_threads = |threads: usize, when: &str| {
        (threads != now.threads).then(|| format!("threads {threads} {when}, {} now", now.threads))
    };
    differences.extend(other_device(&record.options.device, "then"));
    differences.extend(other_threads(record.options.threads, "then"));
    // an earlier resume may have used another device or number of threads
    if let Some(last) = checkpoint.as_ref().map(|found| &found.environment).filter(|_| differences.is_empty()) {
        differences.extend(other_threads(last.threads, "up to the checkpoint"));
        differences.extend(other_device(&last.device, "up to the checkpoint"));
    }
    if !differences.is_empty() {
        progress.note(&format!(
            "the environment has changed: {}; metrics may differ from those of an uninterrupted run",
            differences.join("; ")
        ));
    }
    match workers {
        Some(workers) => {
            let run = OpenRun { folder, record, loaded: LoadedData::default() };
            coordinator::train(study, run, workers, options, progress)
        }
        None => run::resume(folder, record, study, options, checkpoint, progress),
    }
}

/// Returns the newest run of this study under `out` that matches the arguments, or `None`. Without `--threads` and
/// `--device`, runs with any number of threads and any device match.
///
/// # Errors
/// If another process is writing to the run.
pub(crate) fn newest_matching(
    study: &Study,
    out: &Path,
    run_args: &RunArgs,
) -> anyhow::Result<Option<(RunDir, RunRecord)>> {
    let experiment_folder = out.join(&study.name);
    let folders = if experiment_folder.is_dir() { newest::runs_in(&experiment_folder)? } else { Vec::new() };
    for path in folders.iter().rev().filter(|path| RunRecord::is_in(path)) {
        let Ok(record) = RunRecord::read(path) else { continue };
        if record.is_of(study) && run_args.matches(&record.options) {
            let folder = RunDir::open(path)?;
            return Ok(Some((folder, RunRecord::read(path)?))); // read again: now no other process writes to it
        }
    }
    Ok(None)
}
