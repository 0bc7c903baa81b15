//! `runner resume RUN`, and `runner exp … --resume`

use std::path::{Path, PathBuf};

use crate::cli::args::output_args::{OutputArgs, close, close_again};
use crate::cli::args::run_args::{ExecutionConfig, RunArgs, watched};
use crate::cli::exit::Exit;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::terminal;
use crate::data::store::cache::Cache;
use crate::device::DeviceChoice;
use crate::experiment::plan::study::Study;
use crate::experiment::run::checkpointing::{Found, Pace};
use crate::experiment::run::{self, Finished, Options};
use crate::experiment::store::find::{self, SavedRun};
use crate::experiment::store::newest;
use crate::experiment::store::run_record::{Program, RunRecord};
use crate::experiment::store::stack_record::StackState;
use crate::run_dir::RunDir;
use crate::train::report::Watch;

/// Arguments of `runner resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Run directory, one of its files, or an experiment (its newest unfinished run)
    #[arg(value_name = "RUN")]
    run: String,
    /// cpu, cuda or cuda:N [default: the device of the run]
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// Maximum number of CPU threads [default: as in the run]
    #[arg(long, value_name = "N", value_parser = crate::tensor::threads::parse, allow_negative_numbers = true)]
    threads: Option<usize>,
    /// When to save a checkpoint: every N epochs (`5`), at a time interval (`30s`, `10m`), or `never`
    #[arg(long, value_name = "N|TIME", default_value = "30s", allow_hyphen_values = true)]
    checkpoint: Pace,
    /// Directory of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    #[command(flatten)]
    closing: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner resume overfit_mnist
  runner resume runs/overfit_mnist/2026-11-28T090715Z-f69e03
  runner exp overfit_mnist --resume     resume, or start a new run

Training continues from the last checkpoint, with the threads and the device of
the run. On a CPU the histories are then bitwise equal to those of a run that was
never interrupted.";

/// Goes on with a run.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let path = find::to_resume(&args.run, &args.out)?;
    let folder = RunDir::open(&path)?;
    let record = RunRecord::read(&path)?;
    if record.is_whole(&path) {
        if let Some(newer) = newest::newer_unfinished(&path) {
            let newer = newer.display();
            terminal::say(&format!("note: `{newer}` is newer, and has not finished: `runner resume {newer}`"));
        }
        return Ok(close_again(&SavedRun::find(&path.display().to_string(), &args.out)?, &args.closing));
    }
    let study = record.study()?;
    let ground = ExecutionConfig::of_run(&record.options, args.device, args.threads)?;
    ground.put_into_use();
    let (requests, mut progress) = watched(args.closing.quiet)?;
    study.notes.iter().for_each(|note| progress.note(note));
    let options = Options {
        device: ground.device,
        threads: ground.threads,
        stack: record.options.stack,
        pace: args.checkpoint,
        cache: &Cache::of_user(),
        requests: &requests,
    };
    let finished = go_on(folder, record, &study, &options, &mut progress);
    progress.end();
    Ok(close(&study, &finished?, &requests, &args.closing))
}

/// Goes on with the run in this folder, and says where it stands.
pub(crate) fn go_on(
    folder: RunDir,
    record: RunRecord,
    study: &Study,
    options: &Options,
    progress: &mut Progress,
) -> anyhow::Result<Finished> {
    let found = Found::read(&folder)?;
    let waits = |found: &Found| record.stacks().any(|s| s.state != StackState::Done && found.is_of(&s.trials));
    let stands = match found.as_ref().filter(|found| waits(found)) {
        Some(found) => format!("from the checkpoint of epoch {}", found.epoch()),
        None => "from the start: there is no checkpoint of the remaining trials".to_owned(),
    };
    let done = match record.done() {
        0 => String::new(),
        done => format!("; {done} of {} trials are done", study.trials()),
    };
    progress.say(&format!("going on with `{}`", folder.path().display()));
    progress.say(&format!("{stands}{done}"));
    let now = options.record();
    let mut differs = record.program.differences(&Program::this());
    let then = &record.options;
    differs.extend((then.device != now.device).then(|| format!("device {} then, {} now", then.device, now.device)));
    let threads = then.threads != now.threads;
    differs.extend(threads.then(|| format!("threads {} then, {} now", then.threads, now.threads)));
    // it may have gone on otherwise before
    if let Some(last) = found.as_ref().map(|found| &found.environment).filter(|_| differs.is_empty()) {
        let threads = last.threads != now.threads;
        differs.extend(threads.then(|| format!("threads {} up to the checkpoint, {} now", last.threads, now.threads)));
        let device = last.device != now.device;
        differs.extend(device.then(|| format!("device {} up to the checkpoint, {} now", last.device, now.device)));
    }
    if !differs.is_empty() {
        progress.note(&format!(
            "its start differs: {}; metrics may differ from those of an uninterrupted run",
            differs.join("; ")
        ));
    }
    run::resume(folder, record, study, options, found, progress)
}

/// The newest run of this study under `out`; `None` where there is none. Threads and device may be others than those
/// that are asked for now, where they are not asked for by name.
///
/// # Errors
/// When another process goes on with it.
pub(crate) fn newest(study: &Study, out: &Path, asking: &RunArgs) -> anyhow::Result<Option<(RunDir, RunRecord)>> {
    let of_experiment = out.join(&study.name);
    let folders = if of_experiment.is_dir() { newest::runs_in(&of_experiment)? } else { Vec::new() };
    for path in folders.iter().rev().filter(|path| RunRecord::is_in(path)) {
        let Ok(record) = RunRecord::read(path) else { continue };
        if record.is_of(study) && asking.agrees_with(&record.options) {
            let folder = RunDir::open(path)?;
            return Ok(Some((folder, RunRecord::read(path)?))); // as it stands now that nobody else writes to it
        }
    }
    Ok(None)
}
