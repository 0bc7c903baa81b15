//! Arguments of a sweep that decide what is trained.

use anyhow::Context;
use tch::Device;

use crate::cli::args::compute_args::{ComputeArgs, ComputeModeArgs};
use crate::cli::args::run_args::{parse_epochs, parse_positive};
use crate::cli::text::shell_words::quoted_words;
use crate::device::{DeviceChoice, memory};
use crate::experiment::halving::rule::HalvingChoice;
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::{catalogue, overrides};
use crate::sweep::plan::request::SweepRequest;
use crate::sweep::spec::Method;
use crate::sweep::supervise::devices::sharing;
use crate::sweep::sweep_seeds::SweepSeeds;
use crate::tensor::threads;

/// Arguments of a sweep that decide what is trained.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// Name of an experiment, or path of its TOML file
    #[arg(value_name = "NAME|FILE", required = true)]
    pub experiment: Option<String>,
    /// Vary a setting; replaces its entry in the file's `[sweep.space]`; repeatable
    #[arg(long, value_name = "KEY=VALUES")]
    pub space: Vec<String>,
    /// Number of configurations [default: `trials` of the file, else all configurations if
    /// there are at most 100]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub trials: Option<usize>,
    /// Seeds that each configuration is trained on: `0..4` (both included) or `1,5,7`; with `--halving` also
    /// `first=1,then=3`: one seed each, and three for configurations that are trained to the end [default: those of the file]
    #[arg(long, value_name = "SEEDS", allow_hyphen_values = true)]
    pub seeds: Option<SweepSeeds>,
    /// How configurations are chosen [default: `method` of the file, else sobol]
    #[arg(long, value_enum)]
    pub method: Option<Method>,
    /// Number of configurations that `--method tpe` or `gp` chooses at a time [default: `round` of the file, else 4 with
    /// `gp`, 8 with `tpe`, 16 with `tpe` and halving]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub round: Option<usize>,
    /// Metric of training or validation rows that ranks the configurations [default: `metric` of the file, else the
    /// monitored metric in the best epoch]
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// Drop configurations early: after N, N/SHARE, … epochs only the best SHARE of each stack continues. `first=3` means
    /// `first=3,keep=0.33`; `none` drops none [default: `halving` of the file, else none]
    #[arg(long, value_name = "first=N,keep=SHARE")]
    pub halving: Option<HalvingChoice>,
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
    /// Maximum number of models (configurations × seeds) trained together as one stack [default: by the device]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub stack: Option<usize>,
    /// Precision and determinism.
    #[command(flatten)]
    pub mode_args: ComputeModeArgs,
}

impl PlanArgs {
    /// Returns what the arguments ask of a sweep whose workers have these devices, one each.
    ///
    /// # Errors
    /// If there is no such experiment, or there is no device.
    pub fn request(&self, devices: &[Device]) -> anyhow::Result<SweepRequest> {
        let source = catalogue::find(self.experiment.as_deref().unwrap_or_default())?;
        let mut overrides = self.set.clone();
        overrides.extend(self.unset.iter().map(|key| format!("{}{key}", overrides::UNSET)));
        overrides.extend(self.epochs.map(|epochs| format!("train.epochs={epochs}")));
        let device = *devices.first().context("no device is named")?;
        // an explicit size of the stacks needs no memory
        let free_memory = match self.stack {
            Some(_) => 0,
            None => memory::free_without_context(device) / sharing(devices) as u64,
        };
        Ok(SweepRequest {
            source,
            space: self.space.clone(),
            trials: self.trials,
            method: self.method,
            round: self.round,
            metric: self.metric.clone(),
            halving: self.halving,
            seeds: self.seeds.clone(),
            search_seed: self.search_seed,
            overrides,
            variant: self.variant.clone(),
            device,
            options: RunOptions::new(device, self.threads(devices.len()), self.stack, self.mode_args.mode()),
            free_memory,
            command: Some(format!("runner sweep {}", quoted_words(&self.arguments()))),
        })
    }

    /// Maximum number of threads of each of the workers: by default they share the cores.
    fn threads(&self, workers: usize) -> usize {
        let available = threads::requested_or_available(None);
        self.compute_args.threads.unwrap_or_else(|| (available / workers.max(1)).max(1))
    }

    /// Whether there is an option for the plan of a sweep, apart from the device and the threads.
    pub fn changes_plan(&self) -> bool {
        let compute_args = ComputeArgs { device: DeviceChoice::Auto, threads: None };
        !PlanArgs { experiment: None, compute_args, ..self.clone() }.arguments().is_empty()
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
        option("round", self.round.map(|round| round.to_string()));
        option("seeds", self.seeds.as_ref().map(SweepSeeds::to_string));
        option("metric", self.metric.clone());
        option("halving", self.halving.map(|halving| halving.to_string()));
        option("search-seed", self.search_seed.map(|seed| seed.to_string()));
        self.set.iter().for_each(|change| option("set", Some(change.clone())));
        self.unset.iter().for_each(|key| option("unset", Some(key.clone())));
        option("epochs", self.epochs.map(|epochs| epochs.to_string()));
        option("variant", self.variant.clone());
        let device = self.compute_args.device;
        option("device", (device != DeviceChoice::Auto).then(|| device.to_string()));
        option("threads", self.compute_args.threads.map(|threads| threads.to_string()));
        option("stack", self.stack.map(|stack| stack.to_string()));
        words.extend(self.mode_args.arguments());
        words
    }
}
