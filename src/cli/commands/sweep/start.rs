//! `runner sweep NAME|FILE`: plans a sweep and trains it.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use tch::Device;
use time::OffsetDateTime;

use crate::cli::args::compute_args::ComputeArgs;
use crate::cli::args::lookup::resolve_device;
use crate::cli::args::run_args::{ExecutionConfig, listen};
use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::args::user_defaults;
use crate::cli::commands::sweep::confirm::at_end::train_and_confirm;
use crate::cli::commands::sweep::dry_run;
use crate::cli::commands::sweep::execute::Execution;
use crate::cli::commands::sweep::plan_args::PlanArgs;
use crate::cli::commands::sweep::worker_args::ExecuteArgs;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::{Hint, in_a_line};
use crate::data::store::cache::Cache;
use crate::device::DeviceChoice;
use crate::experiment::run::Options;
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::catalogue;
use crate::io::signals::Signals;
use crate::sweep::dir::SweepDir;
use crate::sweep::estimate::{TimeEstimate, estimate};
use crate::sweep::plan::{self, PlannedSweep};
use crate::sweep::record::{self, SweepRecord};
use crate::sweep::supervise::devices::of_workers;
use crate::tensor::threads;

/// Arguments of `runner sweep NAME|FILE`.
#[derive(Clone, Debug, clap::Args)]
#[command(mut_arg("experiment", |argument| argument.value_name("NAME|FILE|DIR").help(EXPERIMENT)))]
pub struct StartArgs {
    /// What is trained.
    #[command(flatten)]
    pub plan_args: PlanArgs,
    /// How the sweep is trained.
    #[command(flatten)]
    pub execute_args: ExecuteArgs,
    /// Directory of the sweeps.
    #[command(flatten)]
    pub out: SweepsDir,
    /// Check all configurations; show them (of a long list, the first ones), memory and time, without writing; a few stacks
    /// are trained for a second each
    #[arg(long)]
    pub dry_run: bool,
    /// With `--dry-run`: list every configuration
    #[arg(long, requires = "dry_run")]
    pub all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Exit with code 1 if an expectation is missed or there is none
    #[arg(long)]
    pub strict: bool,
    /// Print errors only
    #[arg(long, short)]
    pub quiet: bool,
}

/// Help of the experiment.
const EXPERIMENT: &str =
    "Name of an experiment, or path of its TOML file; with `--resume` also the directory of a sweep";

impl StartArgs {
    /// Returns the devices of the workers of a new sweep, one each.
    ///
    /// # Errors
    /// If a device cannot be used.
    pub fn worker_devices(&self) -> anyhow::Result<Vec<Device>> {
        let ExecuteArgs { devices, workers, .. } = &self.execute_args;
        match &devices[..] {
            [] => Ok(vec![resolve_device(self.plan_args.compute_args.device)?; workers.unwrap_or(1)]),
            named => of_workers(named, *workers),
        }
    }

    /// Returns how a sweep with this record is trained.
    ///
    /// # Errors
    /// If a device cannot be used.
    fn execution(&self, record: &SweepRecord) -> anyhow::Result<Execution> {
        let ExecuteArgs { devices, workers, worker_args, resume } = self.execute_args.clone();
        let devices = match resume {
            true => devices_to_continue(record, &devices, workers)?,
            false => of_workers(&named_devices(record, &devices)?, workers)?,
        };
        let (quiet, json, strict) = (self.quiet, self.json, self.strict);
        Ok(Execution { devices, worker_args, quiet, json, is_silent: false, confirms: false, strict })
    }

    /// Returns the estimated duration of a sweep, or why it is unknown.
    fn duration(sweep: &PlannedSweep, workers: usize, signals: &Signals) -> Result<TimeEstimate, String> {
        let measured = || {
            let (recorded, cache) = (&sweep.record.options, Cache::for_user());
            let execution = ExecutionConfig::from_run(recorded, None, None)?.apply();
            let options = Options { narrows: true, ..execution.options(recorded.stack, &cache, signals) };
            estimate(sweep, &options, Path::new(user_defaults::out()), workers)
        };
        match measured() {
            Ok(estimated) => estimated.map_err(str::to_owned),
            Err(error) => Err(in_a_line(&error)),
        }
    }

    /// Returns the directory of the sweep that is named instead of an experiment. To resume, the directory of the sweeps of
    /// an experiment means the newest one, and so does the name of an experiment without a space of its own.
    pub fn named_sweep(&self) -> Option<PathBuf> {
        let name = self.plan_args.experiment.as_deref().unwrap_or_default();
        let path = Path::new(name);
        if path.join(record::FILE).is_file() {
            return Some(path.to_path_buf());
        }
        if !self.execute_args.resume {
            return None;
        }
        let has_space =
            || catalogue::find(name).and_then(|source| Ok(source.parse()?)).is_ok_and(|spec| spec.sweep.is_some());
        match path.is_dir() {
            true => SweepDir::all(path).pop(),
            false if self.plan_args.changes_plan() || has_space() => None,
            false => SweepDir::newest_of(name, &self.out),
        }
    }

    /// Checks that no option changes the plan of a sweep. `or_else` is what to do instead of omitting it.
    pub fn check_keeps_plan(&self, path: &Path, record: &SweepRecord, or_else: &str) -> anyhow::Result<()> {
        if !self.changes_plan(record) {
            return Ok(());
        }
        let hint = Hint(format!("omit options that change the sweep, such as `--space`, or {or_else}"));
        Err(anyhow!("the settings of the sweep in `{}` are fixed", path.display()).context(hint))
    }

    /// Whether there is an option that the plan of a sweep does not have. Options with the value of `runner.toml` are
    /// defaults.
    fn changes_plan(&self, record: &SweepRecord) -> bool {
        let ComputeArgs { device, threads } = self.plan_args.compute_args;
        let is_default_device = device.to_string() == user_defaults::device();
        let other_device = !is_default_device && record.options.device.parse() != Ok(device);
        let is_default_threads = threads.map(|threads| threads.to_string()).as_deref() == user_defaults::threads();
        let other_threads = !is_default_threads && threads.is_some_and(|threads| threads != record.options.threads);
        self.dry_run || self.plan_args.changes_plan() || other_device || other_threads
    }

    /// Returns the newest sweep under `--out` that was started with the same request as this record. Without `--threads`,
    /// `--stack` and `--round`, sweeps with any of them match.
    pub fn newest_matching(&self, record: &SweepRecord) -> Option<(SweepDir, SweepRecord)> {
        let is_same = |other: &SweepRecord| {
            let options = RunOptions {
                threads: self.plan_args.compute_args.threads.map_or(other.options.threads, |_| record.options.threads),
                stack: self.plan_args.stack.map_or(other.options.stack, |_| record.options.stack),
                ..record.options.clone()
            };
            let request = |record: &SweepRecord| {
                let SweepRecord { metric, halving, seeds, further_seeds, configurations, mut search, .. } =
                    record.clone();
                let SweepRecord { overrides, source, .. } = record.clone();
                if let (None, Some(rounds)) = (self.plan_args.round, &mut search.rounds) {
                    rounds.size = 0;
                }
                // rounds depend on more than the first configurations
                let search = search.rounds.is_some().then_some(search);
                (metric, halving, seeds, further_seeds, configurations, search, overrides, source)
            };
            other.options == options && request(other) == request(record)
        };
        let sweeps = SweepDir::all(&self.out.join(&record.experiment)).into_iter().rev();
        sweeps.filter_map(|path| SweepDir::open(&path).ok()).find(|(dir, other)| {
            // the request of a sweep that was extended is the one that started it, or one for all it has now
            let is_original = || SweepDir::open_original(dir.path()).is_ok_and(|(_, original)| is_same(&original));
            is_same(other) || (!other.extensions.is_empty() && is_original())
        })
    }
}

/// Returns the named devices, or the one of the sweep.
fn named_devices(record: &SweepRecord, named: &[DeviceChoice]) -> anyhow::Result<Vec<DeviceChoice>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let of_sweep = record.options.device.parse::<DeviceChoice>().map_err(anyhow::Error::msg);
    Ok(vec![of_sweep.context("the record of the sweep has an invalid device")?])
}

/// Returns the devices of the workers that continue a sweep, one each: by default as many on the CPU as the threads of a worker
/// leave room for.
///
/// # Errors
/// If a device cannot be used.
pub fn devices_to_continue(
    record: &SweepRecord,
    named: &[DeviceChoice],
    workers: Option<usize>,
) -> anyhow::Result<Vec<Device>> {
    let devices = of_workers(&named_devices(record, named)?, workers)?;
    let threads = record.options.threads.max(1);
    Ok(match devices[..] {
        [Device::Cpu] if workers.is_none() => vec![Device::Cpu; (threads::cores() / threads).max(1)],
        _ => devices,
    })
}

/// Plans a sweep and trains it, or continues one with `--resume`; with `--dry-run` prints the plan.
///
/// # Errors
/// If the space is invalid, a configuration cannot be trained, the metric does not exist, or the sweep cannot be trained.
pub fn run(args: &StartArgs) -> anyhow::Result<Exit> {
    args.execute_args.worker_args.event_args.files()?;
    if let Some(path) = args.named_sweep() {
        let (dir, record) = SweepDir::open(&path)?;
        ensure!(
            args.execute_args.resume,
            anyhow!("`{}` is a sweep", path.display()).context(Hint("add `--resume` to continue it".to_owned()))
        );
        ensure!(
            !args.dry_run,
            anyhow!("a sweep that has started has no dry run")
                .context(Hint(format!("see what is left to train: `runner sweep status {}`", path.display())))
        );
        args.check_keeps_plan(&path, &record, "start another sweep")?;
        return train_and_confirm(&dir, &record, &args.execution(&record)?);
    }
    let devices = args.worker_devices()?;
    let sweep = plan::plan(&args.plan_args.request(&devices)?)?;
    if !args.quiet {
        sweep.notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
        let (stacks, models) = (sweep.stacks.stacks.len(), sweep.stacks.replicas.iter().sum::<usize>());
        if devices.len() > stacks && models > stacks {
            let (s, are) = if stacks == 1 { ("", "is") } else { ("s", "are") };
            terminal::say(&format!(
                "note: there {are} {stacks} stack{s} for {} workers: use smaller stacks, such as `--stack {}`",
                devices.len(),
                (models / devices.len()).max(1)
            ));
        }
    }
    if args.dry_run {
        let signals = listen()?;
        let duration = StartArgs::duration(&sweep, devices.len(), &signals);
        if signals.is_stopped() {
            return Ok(Exit::Interrupted(signals.signal()));
        }
        match args.json {
            true => terminal::json(&dry_run::to_json(&sweep, devices.len(), &duration)),
            false => dry_run::print(&sweep, devices.len(), &duration, args.all),
        }
        return Ok(Exit::Done);
    }
    let existing = if args.execute_args.resume { args.newest_matching(&sweep.record) } else { None };
    if args.execute_args.resume && existing.is_none() && !args.quiet {
        terminal::say("no sweep to resume: starting a new one");
    }
    let (dir, record) = match existing {
        // these may change while a sweep is trained
        Some((dir, record)) => {
            let SweepRecord { expectations, confirm, .. } = sweep.record;
            (dir, SweepRecord { expectations, confirm, ..record })
        }
        None => {
            let started = OffsetDateTime::now_utc();
            (SweepDir::create(&args.out, &sweep.record, &sweep.experiment, started)?, sweep.record)
        }
    };
    train_and_confirm(&dir, &record, &args.execution(&record)?)
}
