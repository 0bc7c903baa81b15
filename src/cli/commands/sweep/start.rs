//! `runner sweep NAME|FILE`: plans a sweep and trains it.

use std::path::Path;

use anyhow::{anyhow, ensure};
use time::OffsetDateTime;

use crate::cli::args::compute_args::ComputeArgs;
use crate::cli::args::lookup::resolve_device;
use crate::cli::args::run_args::{ExecutionConfig, listen, parse_epochs, parse_positive, quoted};
use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::args::user_defaults;
use crate::cli::commands::sweep::dry_run;
use crate::cli::commands::sweep::execute::{self, Execution};
use crate::cli::commands::sweep::execute_args::ExecuteArgs;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::{Hint, in_a_line};
use crate::data::store::cache::Cache;
use crate::device::{self, DeviceChoice};
use crate::experiment::run::Options;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::spec::seeds::{self, Seeds};
use crate::experiment::spec::{catalogue, overrides};
use crate::experiment::store::run_record::RunOptions;
use crate::io::signals::Signals;
use crate::sweep::dir::SweepDir;
use crate::sweep::estimate::{TimeEstimate, estimate};
use crate::sweep::plan::request::SweepRequest;
use crate::sweep::plan::{self, PlannedSweep};
use crate::sweep::record::{self, SweepRecord};
use crate::sweep::spec::Method;
use crate::tensor::threads;

/// Arguments of `runner sweep NAME|FILE`.
#[derive(Clone, Debug, clap::Args)]
pub struct StartArgs {
    /// Name of an experiment, or path of its TOML file; with `--resume` also the directory of a sweep
    #[arg(value_name = "NAME|FILE|DIR", required = true)]
    pub experiment: Option<String>,
    /// Vary a setting; replaces its entry in the file's `[sweep]`; repeatable
    #[arg(long, value_name = "KEY=VALUES")]
    pub space: Vec<String>,
    /// Number of configurations [default: `trials` of the file, else all of at most 100]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub trials: Option<usize>,
    /// Seeds that each configuration is trained on: `0..4` (both included) or `1,5,7` [default: those of the file]
    #[arg(long, value_name = "SEEDS", value_parser = seeds::parse, allow_hyphen_values = true)]
    pub seeds: Option<Seeds>,
    /// How configurations are chosen [default: `method` of the file, else sobol]
    #[arg(long, value_enum)]
    pub method: Option<Method>,
    /// Metric of training or validation rows that ranks the configurations [default: `metric` of the file, else the
    /// monitored metric in the best epoch]
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// Seed of the search [default: `seed` of the file's `[sweep]`, else 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub search_seed: Option<u32>,
    /// Change a setting of all configurations; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Remove a setting of all configurations; its default, if any, applies; repeatable
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// Number of epochs
    #[arg(long, value_name = "N", value_parser = parse_epochs, allow_negative_numbers = true)]
    pub epochs: Option<usize>,
    /// Variant of the experiment that the configurations start from
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Device and CPU threads of each worker.
    #[command(flatten)]
    pub compute_args: ComputeArgs,
    /// Number of worker processes [default: 1; with `--resume`, as many as the threads of each leave room for]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub workers: Option<usize>,
    /// Maximum number of models (configurations × seeds) trained together as one stack [default: by the device]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub stack: Option<usize>,
    /// Allow TF32 in matrix products and convolutions on a GPU (faster, less precise)
    #[arg(long)]
    pub tf32: bool,
    /// Use only deterministic algorithms (matters on a GPU)
    #[arg(long)]
    pub deterministic: bool,
    /// How the sweep is trained.
    #[command(flatten)]
    pub execute_args: ExecuteArgs,
    /// Directory of the sweeps.
    #[command(flatten)]
    pub out: SweepsDir,
    /// Check and show all configurations, memory and time; nothing is written, and only a moment is trained
    #[arg(long)]
    pub dry_run: bool,
    /// List all configurations of `--dry-run`
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

impl StartArgs {
    /// Returns what the arguments ask of a sweep.
    ///
    /// # Errors
    /// If there is no such experiment, or the device cannot be used.
    pub fn request(&self) -> anyhow::Result<SweepRequest> {
        let source = catalogue::find(self.experiment.as_deref().unwrap_or_default())?;
        let mut overrides = self.set.clone();
        overrides.extend(self.unset.iter().map(|key| format!("{}{key}", overrides::UNSET)));
        overrides.extend(self.epochs.map(|epochs| format!("train.epochs={epochs}")));
        let device = self.execute_args.devices.first().copied().unwrap_or(self.compute_args.device);
        let device = resolve_device(device)?;
        Ok(SweepRequest {
            source,
            space: self.space.clone(),
            trials: self.trials,
            method: self.method,
            metric: self.metric.clone(),
            seeds: self.seeds.clone(),
            search_seed: self.search_seed,
            overrides,
            variant: self.variant.clone(),
            device,
            options: RunOptions {
                device: device::name(device),
                threads: self.threads(),
                stack: self.stack,
                tf32: self.tf32,
                deterministic: self.deterministic,
            },
            workers: self.worker_count(),
            command: Some(format!("runner sweep {}", self.shell_words().join(" "))),
        })
    }

    /// Number of worker processes.
    pub fn worker_count(&self) -> usize {
        self.workers.unwrap_or_else(|| self.execute_args.devices.len().max(1))
    }

    /// Returns how the sweep is trained.
    fn execution(&self) -> Execution {
        let ExecuteArgs { devices, worker_args, resume } = self.execute_args.clone();
        // a sweep that continues has as many workers as its threads leave room for
        let workers = self.workers.or((!resume && devices.is_empty()).then_some(1));
        Execution { devices, workers, worker_args, quiet: self.quiet, json: self.json, strict: self.strict }
    }

    /// Returns the estimated duration of a sweep, or why it is unknown.
    fn duration(&self, sweep: &PlannedSweep, signals: &Signals) -> Result<TimeEstimate, String> {
        let measured = || {
            let execution = ExecutionConfig::from_run(&sweep.record.options, None, None)?;
            execution.apply();
            let options = Options {
                device: execution.device,
                threads: execution.threads,
                stack: sweep.record.options.stack,
                checkpoint_interval: CheckpointInterval::Never,
                cache: &Cache::for_user(),
                signals,
            };
            estimate(sweep, &options, Path::new(user_defaults::out()), self.worker_count())
        };
        match measured() {
            Ok(estimated) => estimated.map_err(str::to_owned),
            Err(error) => Err(in_a_line(&error)),
        }
    }

    /// Returns the newest sweep under `--out` that was started with the same request as this record. Without `--threads`
    /// and `--stack`, sweeps with any of them match.
    fn newest_matching(&self, record: &SweepRecord) -> Option<(SweepDir, SweepRecord)> {
        let is_same = |other: &SweepRecord| {
            let options = RunOptions {
                threads: self.compute_args.threads.map_or(other.options.threads, |_| record.options.threads),
                stack: self.stack.map_or(other.options.stack, |_| record.options.stack),
                ..record.options.clone()
            };
            let request = |record: &SweepRecord| {
                let SweepRecord { metric, seeds, configurations, overrides, source, .. } = record.clone();
                (metric, seeds, configurations, overrides, source)
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

    /// Maximum number of threads of each worker: by default the workers share the cores.
    fn threads(&self) -> usize {
        let available = threads::requested_or_available(None);
        self.compute_args.threads.unwrap_or_else(|| (available / self.worker_count()).max(1))
    }

    /// Whether there is an option for the plan of a sweep.
    fn changes_plan(&self) -> bool {
        let has_lists = [&self.space, &self.set, &self.unset].into_iter().any(|options| !options.is_empty());
        let has_numbers = [self.trials, self.epochs, self.stack].iter().any(Option::is_some);
        let has_names = [&self.metric, &self.variant].into_iter().any(Option::is_some);
        let has_choices = self.seeds.is_some() || self.method.is_some() || self.search_seed.is_some();
        self.dry_run || has_lists || has_numbers || has_names || has_choices
    }

    /// Returns the arguments after `runner sweep` that change the results, quoted for a shell.
    fn shell_words(&self) -> Vec<String> {
        self.arguments().iter().map(|word| quoted(word)).collect()
    }

    /// Returns the arguments after `runner sweep` that change the results, without quotes. Defaults are omitted.
    pub fn arguments(&self) -> Vec<String> {
        let mut words: Vec<String> = self.experiment.iter().cloned().collect();
        let mut option = |name: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [format!("--{name}"), value]));
        };
        self.space.iter().for_each(|entry| option("space", Some(entry.clone())));
        option("trials", self.trials.map(|trials| trials.to_string()));
        option("method", self.method.map(|method| method.name().to_owned()));
        option("seeds", self.seeds.as_deref().map(seeds::format));
        option("metric", self.metric.clone());
        option("search-seed", self.search_seed.map(|seed| seed.to_string()));
        self.set.iter().for_each(|change| option("set", Some(change.clone())));
        self.unset.iter().for_each(|key| option("unset", Some(key.clone())));
        option("epochs", self.epochs.map(|epochs| epochs.to_string()));
        option("variant", self.variant.clone());
        let device = self.compute_args.device;
        option("device", (device != DeviceChoice::Auto).then(|| device.to_string()));
        option("threads", self.compute_args.threads.map(|threads| threads.to_string()));
        option("stack", self.stack.map(|stack| stack.to_string()));
        words.extend(self.tf32.then(|| "--tf32".to_owned()));
        words.extend(self.deterministic.then(|| "--deterministic".to_owned()));
        words
    }
}

/// Plans a sweep and trains it, or continues one with `--resume`; with `--dry-run` prints the plan.
///
/// # Errors
/// If the space is invalid, a configuration cannot be trained, the metric does not exist, or the sweep cannot be trained.
pub fn run(args: &StartArgs) -> anyhow::Result<Exit> {
    let named = Path::new(args.experiment.as_deref().unwrap_or_default());
    if named.join(record::FILE).is_file() {
        let (dir, record) = SweepDir::open(named)?;
        ensure!(
            args.execute_args.resume,
            anyhow!("`{}` is a sweep", named.display()).context(Hint("add `--resume` to continue it".to_owned()))
        );
        ensure!(
            !args.changes_plan(),
            anyhow!("`{}` is a sweep with a plan, which cannot be changed or shown again", named.display()).context(
                Hint("omit all options but `--resume`, `--workers` and `--devices`, or start another sweep".to_owned())
            )
        );
        return execute::train(&dir, &record, &args.execution());
    }
    let sweep = plan::plan(&args.request()?)?;
    if !args.quiet {
        sweep.notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    }
    if args.dry_run {
        let signals = listen()?;
        let duration = args.duration(&sweep, &signals);
        if signals.is_stopped() {
            return Ok(Exit::Interrupted(signals.signal()));
        }
        match args.json {
            true => dry_run::print_json(&sweep, args.worker_count(), &duration),
            false => dry_run::print(&sweep, args.worker_count(), &duration, args.all),
        }
        return Ok(Exit::Done);
    }
    let existing = if args.execute_args.resume { args.newest_matching(&sweep.record) } else { None };
    if args.execute_args.resume && existing.is_none() && !args.quiet {
        terminal::say("no sweep to resume: starting a new one");
    }
    let (dir, record) = match existing {
        // expectations may change while a sweep is trained
        Some((dir, record)) => (dir, SweepRecord { expectations: sweep.record.expectations, ..record }),
        None => {
            let started = OffsetDateTime::now_utc();
            (SweepDir::create(&args.out, &sweep.record, &sweep.experiment, started)?, sweep.record)
        }
    };
    execute::train(&dir, &record, &args.execution())
}
