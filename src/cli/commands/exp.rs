//! `runner exp NAME`

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::anyhow;
use serde_json::json;

use crate::cli::args::experiments::{Experiments, Planned};
use crate::cli::args::log_args::{EventArgs, LogArgs};
use crate::cli::args::output_args::OutputArgs;
use crate::cli::args::run_args::{ExecutionConfig, RunArgs, listen};
use crate::cli::args::runs_dir::RunsDir;
use crate::cli::args::time_limit::TimeLimit;
use crate::cli::commands::exp_job::JobArgs;
use crate::cli::commands::resume;
use crate::cli::commands::worker_processes::{self, WorkerProcesses};
use crate::cli::dry_run;
use crate::cli::end_of_run::{finish_completed_run, finish_run};
use crate::cli::exit::Exit;
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::config::hint::hinted;
use crate::config::suggest;
use crate::data::store::cache::Cache;
use crate::experiment::dry_run::preview;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::run::{LoadedData, Options, run as run_study, start};
use crate::experiment::store::about::{About, parse_name, parse_note, parse_tag};
use crate::experiment::store::find::SavedRun;
use crate::experiment::store::pretrained;
use crate::io::atomic_write;
use crate::io::signals::Signals;
use crate::train::callback::Callback;
use crate::workers::coordinator::{self, OpenRun};

/// Arguments of `runner exp`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    run_args: RunArgs,
    /// More experiments; each becomes a run. Patterns such as `'ideas/*.toml'` are allowed
    #[arg(id = "experiments", value_name = "NAME|FILE")]
    more: Vec<String>,
    /// When to save a checkpoint: every N epochs (`5`), at a time interval (`30s`, `10m`), or `never`
    #[arg(long, value_name = "N|TIME", default_value = "30s", allow_hyphen_values = true)]
    checkpoint: CheckpointInterval,
    /// Resume the newest run with these settings; start one if there is none; do nothing if it is finished
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    processes: WorkerProcesses,
    /// Name of the run; commands accept it instead of the id. It must not look like an id: use at least one character
    /// other than 0–9 and a–f
    #[arg(long, value_name = "TEXT", value_parser = parse_name)]
    name: Option<String>,
    /// Tag of the run; repeatable
    #[arg(long = "tag", value_name = "TAG", value_parser = parse_tag)]
    tags: Vec<String>,
    /// Note about the run
    #[arg(long, value_name = "TEXT", value_parser = parse_note)]
    note: Option<String>,
    /// Write the time of each phase of training to FILE, as JSON
    #[arg(long, value_name = "FILE", hide = true)]
    phases: Option<PathBuf>,
    #[command(flatten)]
    out: RunsDir,
    #[command(flatten)]
    time_limit: TimeLimit,
    /// Check and show what would be trained, without training or writing
    #[arg(long, conflicts_with_all = ["resume", "log_file"])]
    dry_run: bool,
    #[command(flatten)]
    log_args: LogArgs,
    #[command(flatten)]
    event_args: EventArgs,
    #[command(flatten)]
    output_args: OutputArgs,
    #[command(flatten)]
    job_args: JobArgs,
}

const EXAMPLES: &str = "\
Examples:
  runner exp overfit_mnist
  runner exp overfit_mnist --seeds 0..4 --epochs 10
  runner exp digits_mlp --set train.optimizer.adam.lr=0.01 --set train.batch=8
  runner exp digits_mlp --set 'train.optimizer={ sgd = { lr = 0.1 } }'
  runner exp my/idea.toml --device cuda --out results
  runner exp digits_mlp 'ideas/*.toml'          several: all are checked first
  runner exp regularize_mnist --variant baseline,dropout
  runner exp digits_mlp --seeds 0..7 --stack 2 --workers 4
  runner exp my/idea.toml --dry-run
  runner exp my/idea.toml --slurm -- --time=4:00:00 --gres=gpu:1
  runner exp digits_mlp --json | jq '.histories[0].history.loss'

Ctrl-C or SIGTERM stops the run after the current step, and saves a checkpoint
and the histories; `runner resume` continues. SIGUSR1 saves a checkpoint.

`--slurm` writes a script to `slurm/` in the run directory, submits it as a
job, and returns. If the time limit is reached or another job takes its place,
the job saves a checkpoint, returns to the queue, and continues from there.
`runner runs` shows its progress; its log is beside the script.

With several experiments, `--json` prints one line for each run, and the exit
code is the highest of all.";

impl Args {
    /// Returns the name, the tags and the note. They do not change the results, so the recorded command does not contain them.
    fn about(&self) -> About {
        let note = self.note.clone().filter(|note| !note.is_empty());
        let mut about = About { name: self.name.clone(), note, ..About::default() };
        self.tags.iter().for_each(|tag| about.add_tag(tag));
        about
    }
}

/// Trains experiments, or resumes their latest matching runs with `--resume`.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    args.job_args.check()?;
    let names: Vec<&String> = std::iter::once(&args.run_args.experiment).chain(&args.more).collect();
    let run_args = args.processes.with_device(&args.run_args)?;
    let Experiments { planned, mut errors, notes } = Experiments::plan(&run_args, &names);
    if !args.output_args.quiet {
        notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    }
    let named = |one: Planned| Planned { study: one.study.with_about(args.about()), ..one };
    let planned: Vec<Planned> = planned.into_iter().map(named).collect();
    match (&planned[..], errors.len()) {
        (_, 1) => Err(errors.remove(0)),
        (_, 2..) => {
            errors.iter().for_each(terminal::error);
            Ok(Exit::Failed)
        }
        ([one], 0) if args.job_args.slurm => {
            args.job_args.submit(one, &args.out, args.checkpoint, &args.event_args, &args.output_args)
        }
        (several, 0) if args.job_args.slurm => {
            let message = format!("`--slurm` is for a single experiment, found {}", several.len());
            Err(hinted(message, "call `runner exp NAME --slurm` for each of them"))
        }
        ([one], 0) => {
            let signals = listen()?;
            args.time_limit.start(&signals)?;
            run_one(args, one, &args.output_args, &signals)
        }
        (planned, 0) => run_all(args, planned),
    }
}

/// Trains several experiments, one after the other, and prints how many succeeded.
fn run_all(args: &Args, planned: &[Planned]) -> anyhow::Result<Exit> {
    if args.phases.is_some() {
        return Err(anyhow!("`--phases` is for a single experiment, found {}", planned.len()));
    }
    args.event_args.files()?;
    let output_args = OutputArgs { json_lines: true, ..args.output_args.clone() };
    let say = |text: &str| {
        if !args.output_args.quiet {
            terminal::say(text);
        }
    };
    let signals = listen()?;
    args.time_limit.start(&signals)?;
    let (mut failed, mut missed) = (Vec::new(), Vec::new());
    for (number, one) in planned.iter().enumerate() {
        let name = one.run_args.experiment.as_str();
        let space = if number > 0 { "\n" } else { "" };
        say(&format!("{space}[{}/{}] {name}", number + 1, planned.len()));
        signals.set_exit_message(format!("interrupted; {}", not_started(&planned[number..])));
        signals.training.store(false, Ordering::Relaxed); // until there is something to save
        let exit = run_one(args, one, &output_args, &signals).unwrap_or_else(|error| {
            terminal::error(&error);
            Exit::Failed
        });
        match exit {
            Exit::Done => {}
            Exit::Missed => missed.push(name),
            Exit::Failed => failed.push(name),
            Exit::Interrupted(_) => {
                let left = &planned[number + 1..];
                if !left.is_empty() {
                    say(&not_started(left));
                }
                return Ok(exit);
            }
        }
        if signals.has_timed_out() && number + 1 < planned.len() {
            say(&not_started(&planned[number + 1..]));
            break;
        }
    }
    let named = |what: &str, names: &[&str]| match names {
        [] => String::new(),
        names => format!("; {what}: {}", suggest::list(names)),
    };
    let succeeded = planned.len() - failed.len() - missed.len();
    say(&format!(
        "\n{succeeded} of {} experiments succeeded{}{}",
        planned.len(),
        named("expectations missed", &missed),
        named("failed", &failed)
    ));
    Ok(match (failed.is_empty(), missed.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Missed,
        (true, true) => Exit::Done,
    })
}

/// Returns which experiments an interrupted command has left, and the command that runs them.
fn not_started(left: &[Planned]) -> String {
    let names: Vec<&str> = left.iter().map(|one| one.run_args.experiment.as_str()).collect();
    let options = left[0].run_args.shell_words().into_iter().skip(1);
    let words: Vec<String> = names.iter().map(|name| quoted(name)).chain(options).collect();
    format!("not started: {}; run with `runner exp {}`", suggest::list(&names), words.join(" "))
}

/// Trains an experiment, or resumes its latest matching run with `--resume`.
fn run_one(args: &Args, planned: &Planned, output_args: &OutputArgs, signals: &Signals) -> anyhow::Result<Exit> {
    let Planned { run_args, study } = planned;
    let mut study = study.clone();
    let events = args.event_args.files()?;
    let existing = if args.resume { resume::newest_matching(&study, &args.out, run_args)? } else { None };
    let about = args.about();
    if let Some((folder, _)) = existing.as_ref().filter(|_| !about.is_empty()) {
        let mut known = About::read(folder.path())?;
        known.merge(&about);
        known.write(folder.path())?;
    }
    if let Some((folder, record)) = existing.as_ref().filter(|(folder, record)| record.is_complete(folder.path())) {
        record.check_data_of(&study)?;
        let run = SavedRun::find(&folder.path().display().to_string(), &args.out)?;
        return Ok(finish_completed_run(&run, output_args));
    }
    if let Some((_, record)) = &existing {
        record.set_initial_weights(&mut study);
    }
    pretrained::resolve(&mut study.plans, &args.out)?;
    let mut devices = args.processes.devices(run_args.compute_args.device)?;
    let execution = match &existing {
        Some((folder, record)) => {
            let recorded = worker_processes::of_interrupted(folder.path())?;
            devices = if devices.is_empty() { recorded } else { devices };
            let device = devices.first().map(|device| worker_processes::choice_of(*device));
            ExecutionConfig::from_run(&record.options, device, None)?
        }
        None => worker_processes::share(run_args.execution_config()?, &devices, run_args.compute_args.threads),
    };
    let workers = match &existing {
        _ if devices.is_empty() => None,
        None if devices.len() == 1 => None,
        // the last epoch of the run that it continues is not in the directories of stacks
        Some((_, record)) if record.continued_from.is_some() => None,
        _ => Some(worker_processes::on(&devices, &args.out)?),
    };
    execution.apply();
    let mut progress = args.log_args.progress(output_args.quiet)?;
    let cache = Cache::for_user();
    let options = execution.options(run_args.stack, &cache, signals);
    let options = Options { checkpoint_interval: args.checkpoint, events: events.as_ref(), ..options };
    study.notes.iter().for_each(|note| progress.note(note));
    run_args.note_unused_options(&study, execution.device, &mut progress);
    if args.dry_run {
        let groups = preview(&study, &args.out, &options, &mut progress)?;
        progress.end();
        let processes = workers.as_ref().map_or(1, |_| devices.len());
        dry_run::print(&study, &groups, &args.out, &options, processes, output_args);
        return Ok(Exit::Done);
    }
    if args.resume && existing.is_none() {
        progress.say("no run to resume: starting a new one");
    }
    args.event_args.hint().iter().for_each(|hint| progress.say(hint));
    let finished = match (existing, &workers) {
        (Some((folder, record)), workers) => {
            resume::resume_run(folder, record, &study, &options, workers.as_ref(), &mut progress)
        }
        (None, None) => run_study(&study, &args.out, &options, &mut progress),
        (None, Some(workers)) => {
            let mut loaded = LoadedData::default();
            start(&study, &args.out, &options, &mut loaded, &mut progress).and_then(|(folder, record)| {
                progress.end();
                let run = OpenRun { folder, record, loaded };
                coordinator::train(&study, run, workers, &options, &mut progress)
            })
        }
    };
    progress.end_run(signals);
    let finished = finished?;
    if let Some(file) = &args.phases {
        let epochs = finished.histories.first().map_or(0, |history| history.history.len());
        let phases = json!({ "phases": progress.phases(), "epochs": epochs }).to_string();
        atomic_write::write_whole(file, phases.as_bytes())?;
    }
    Ok(finish_run(&study, &finished, signals, output_args))
}
