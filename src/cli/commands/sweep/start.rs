//! `runner sweep NAME|FILE`: plans a sweep and trains it.

use anyhow::anyhow;

use crate::cli::args::compute_args::ComputeArgs;
use crate::cli::args::lookup::resolve_device;
use crate::cli::args::run_args::{parse_epochs, parse_positive, quoted};
use crate::cli::args::sweeps_dir::SweepsDir;
use crate::cli::commands::sweep::dry_run;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::device::{self, DeviceChoice};
use crate::experiment::spec::seeds::{self, Seeds};
use crate::experiment::spec::{catalogue, overrides};
use crate::experiment::store::run_record::RunOptions;
use crate::sweep::plan;
use crate::sweep::request::SweepRequest;
use crate::sweep::spec::Method;
use crate::tensor::threads;

/// Arguments of `runner sweep NAME|FILE`.
#[derive(Clone, Debug, clap::Args)]
pub struct StartArgs {
    /// Name of an experiment, or path of its TOML file
    #[arg(value_name = "NAME|FILE", required = true)]
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
    /// Number of worker processes [default: 1]
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
    /// Directory of the sweeps.
    #[command(flatten)]
    pub out: SweepsDir,
    /// Check and show all configurations, without training or writing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
        let device = resolve_device(self.compute_args.device)?;
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
                threads: self.threads_of_worker(),
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
        self.workers.unwrap_or(1)
    }

    /// Maximum number of threads of each worker: by default the workers share the cores.
    fn threads_of_worker(&self) -> usize {
        let available = threads::requested_or_available(None);
        self.compute_args.threads.unwrap_or_else(|| (available / self.worker_count()).max(1))
    }

    /// Returns the arguments after `runner sweep` that change the results, quoted for a shell. Defaults are omitted.
    fn shell_words(&self) -> Vec<String> {
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
        words.iter().map(|word| quoted(word)).collect()
    }
}

/// Plans a sweep, and prints the plan with `--dry-run`.
///
/// # Errors
/// If the space is invalid, a configuration cannot be trained, or the metric does not exist.
pub fn run(args: &StartArgs) -> anyhow::Result<Exit> {
    let sweep = plan::plan(&args.request()?)?;
    if !args.quiet {
        sweep.notes.iter().for_each(|note| terminal::say(&format!("note: {note}")));
    }
    if args.dry_run {
        dry_run::print(&sweep, args.worker_count(), args.json);
        return Ok(Exit::Done);
    }
    Err(anyhow!("training of sweeps is not part of this build").context(Hint("use `--dry-run`".to_owned())))
}
