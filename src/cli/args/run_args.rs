//! Arguments of a run: the experiment, the changes to its settings, and the device and options it runs with.
//!
//! The commands that run experiments share them. All of them can affect the results, so the recorded command of a run
//! contains exactly these.

use std::sync::Arc;

use anyhow::Context;
use indexmap::IndexSet;
use tch::Device;

use crate::cli::args::compute_args::{ComputeArgs, ComputeModeArgs, RecordedComputeArgs};
use crate::cli::args::log_args::LogArgs;
use crate::cli::args::lookup::resolve_device;
use crate::cli::exit::Exit;
use crate::cli::slurm::at_exit;
use crate::cli::text::progress::progress_bar::Progress;
use crate::cli::text::shell_words::quoted;
use crate::cli::text::terminal;
use crate::config::hint::Hint;
use crate::data::store::cache::Cache;
use crate::device::compute_mode::ComputeMode;
use crate::device::precision::Precision;
use crate::device::{self, DeviceChoice};
use crate::experiment::plan::study::Study;
use crate::experiment::run::Options;
use crate::experiment::run::checkpointing::CheckpointInterval;
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::seeds::{self, Seeds};
use crate::experiment::spec::source_text::SpecError;
use crate::experiment::spec::{catalogue, overrides};
use crate::io::signals::{self, JobSignals, SIGUSR2, Signals};
use crate::slurm::job;
use crate::tensor::threads;
use crate::train::callback::Callback;

/// Arguments of a run.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// Name of an experiment, or path of its TOML file
    #[arg(value_name = "NAME|FILE")]
    pub experiment: String,
    /// Change a setting; repeatable
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Remove a setting; its default, if any, applies; repeatable
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// Run only these variants: names, or patterns such as `'lr_*'`; repeatable, or separated by commas
    #[arg(long = "variant", alias = "variants", value_name = "NAME", value_delimiter = ',')]
    pub variants: Vec<String>,
    /// The seed
    #[arg(long, value_name = "N", conflicts_with = "seeds", value_parser = parse_seed, allow_hyphen_values = true)]
    pub seed: Option<i64>,
    /// Seeds, trained together: `0..4` (both included) or `1,5,7`; `5` is seed 5 only, not five seeds
    #[arg(long, value_name = "SEEDS", value_parser = seeds::parse, allow_hyphen_values = true)]
    pub seeds: Option<Seeds>,
    /// Number of epochs
    #[arg(long, value_name = "N", value_parser = parse_epochs, allow_negative_numbers = true)]
    pub epochs: Option<usize>,
    /// Device and CPU threads.
    #[command(flatten)]
    pub compute_args: ComputeArgs,
    /// Maximum number of models (seeds, folds, variants) trained together as one stack [default: by the device and its
    /// free memory]
    #[arg(long, value_name = "N", value_parser = parse_positive, allow_negative_numbers = true)]
    pub stack: Option<usize>,
    /// Precision and determinism.
    #[command(flatten)]
    pub mode_args: ComputeModeArgs,
}

/// Device, threads and precision that a run uses.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionConfig {
    /// Device of the tensors.
    pub device: Device,
    /// Maximum number of CPU threads.
    pub threads: usize,
    /// Precision, and whether only deterministic algorithms are used.
    pub mode: ComputeMode,
}

impl ExecutionConfig {
    /// Returns the configuration recorded in a run; `device` and `threads` replace the recorded ones.
    ///
    /// # Errors
    /// If the device cannot be used.
    pub fn from_run(
        recorded: &RunOptions,
        device: Option<DeviceChoice>,
        threads: Option<usize>,
    ) -> anyhow::Result<ExecutionConfig> {
        let device = match device {
            Some(device) => resolve_device(device)?,
            None => {
                let device = recorded.device.parse::<DeviceChoice>().map_err(anyhow::Error::msg);
                let device =
                    device.with_context(|| format!("the run record has an invalid device `{}`", recorded.device))?;
                device::resolve(device).map_err(|error| {
                    anyhow::Error::new(error)
                        .context(format!("failed to use `{device}`, the recorded device"))
                        .context(Hint(other_device().to_owned()))
                })?
            }
        };
        Ok(ExecutionConfig { device, threads: threads.unwrap_or(recorded.threads), mode: recorded.mode() })
    }

    /// Applies the configuration to this process, including the limit on threads, and returns it.
    pub fn apply(self) -> ExecutionConfig {
        threads::set_limit(self.threads);
        threads::set_libtorch(self.threads);
        self.mode.apply();
        self
    }

    /// Returns the options of a run without checkpoints and event files. `stack` is the maximum number of models in a stack;
    /// without it, stacks that run out of memory are trained in smaller ones.
    pub fn options<'a>(self, stack: Option<usize>, cache: &'a Cache, signals: &'a Signals) -> Options<'a> {
        let ExecutionConfig { device, threads, .. } = self;
        let (narrows, checkpoint_interval, events) = (stack.is_none(), CheckpointInterval::Never, None);
        Options { device, threads, stack, narrows, checkpoint_interval, events, cache, signals }
    }
}

impl RecordedComputeArgs {
    /// Applies the configuration of a saved run, with the device and the threads that are named, and returns it.
    ///
    /// # Errors
    /// If the device cannot be used.
    pub fn execution(&self, recorded: &RunOptions) -> anyhow::Result<ExecutionConfig> {
        Ok(ExecutionConfig::from_run(recorded, self.device, self.threads)?.apply())
    }
}

/// Returns what to do if the recorded device cannot be used.
fn other_device() -> &'static str {
    match job::is_in_job() {
        true => {
            "see what a job sees: `runner doctor --slurm --probe -- --gres=gpu:1`; or start again with `--device cpu`"
        }
        false => "use `--device cpu`; metrics will differ",
    }
}

/// Starts to listen for signals and to show progress, and returns both.
///
/// # Errors
/// If the log file cannot be opened or the signal handlers cannot be installed.
pub fn signals_and_progress(quiet: bool, log_args: &LogArgs) -> anyhow::Result<(Arc<Signals>, Progress)> {
    let progress = log_args.progress(quiet)?;
    Ok((listen()?, progress))
}

/// Starts to listen for signals.
///
/// # Errors
/// If the signal handlers cannot be installed.
pub fn listen() -> anyhow::Result<Arc<Signals>> {
    let signals = Arc::new(Signals::default());
    let job = job::is_in_job().then_some(JobSignals { exit_code: exit_code_of_job });
    signals::listen(&signals, terminal::say, job).context("failed to install the handler for Ctrl-C")?;
    Ok(signals)
}

/// Puts the job of this process into the queue again, and returns the exit code.
fn exit_code_of_job() -> i32 {
    i32::from(at_exit::after(Exit::Interrupted(SIGUSR2)).code())
}

impl RunArgs {
    /// Returns the experiment with the changes from the command line.
    ///
    /// # Errors
    /// If there is no such experiment, or if it is invalid.
    pub fn study(&self) -> anyhow::Result<Study> {
        let source = catalogue::find(&self.experiment)?;
        let mut changes = self.set.clone();
        changes.extend(self.unset.iter().map(|key| format!("{}{key}", overrides::UNSET)));
        let seeds = self.seeds.clone().or(self.seed.map(|seed| vec![seed]));
        changes.extend(seeds.map(|seeds| format!("seeds={seeds:?}")));
        changes.extend(self.epochs.map(|epochs| format!("train.epochs={epochs}")));
        let study = Study::new(&source, &changes).map_err(|error| self.with_option_names(error))?;
        overrides::check_distinct(&study.changes).map_err(|error| self.with_option_names(error))?;
        let study = study.with_variants(&self.variants)?;
        Ok(study.with_command(&format!("runner exp {}", self.shell_words().join(" "))))
    }

    /// Returns an error that names `--epochs` and `--seeds` instead of the settings that they change.
    fn with_option_names(&self, error: SpecError) -> SpecError {
        let epochs = self.epochs.map(|epochs| (format!("--set train.epochs={epochs}"), format!("--epochs {epochs}")));
        let seeds = self.seeds.as_ref();
        let seeds = seeds.map(|list| (format!("--set seeds={list:?}"), format!("--seeds {}", seeds::format(list))));
        let names: Vec<(String, String)> = epochs.into_iter().chain(seeds).collect();
        let rename = |text: String| names.iter().fold(text, |text, (setting, option)| text.replace(setting, option));
        SpecError { message: rename(error.message), hint: error.hint.map(rename) }
    }

    /// Returns whether a run with the recorded options matches these arguments. Without `--threads` and `--device`, any
    /// number of threads and any device match.
    pub fn matches(&self, recorded: &RunOptions) -> bool {
        (recorded.stack, recorded.mode()) == (self.stack, self.mode_args.mode())
            && self.compute_args.threads.is_none_or(|threads| threads == recorded.threads)
            && (self.compute_args.device == DeviceChoice::Auto
                || recorded.device.parse() == Ok(self.compute_args.device))
    }

    /// Returns the device, threads and precision that these arguments choose.
    ///
    /// # Errors
    /// If the device cannot be used.
    pub fn execution_config(&self) -> anyhow::Result<ExecutionConfig> {
        Ok(ExecutionConfig {
            device: resolve_device(self.compute_args.device)?,
            threads: threads::requested_or_available(self.compute_args.threads),
            mode: self.mode_args.mode(),
        })
    }

    /// Prints a note for each option that has no effect on this run, and the notes about the data.
    pub fn note_unused_options(&self, study: &Study, device: Device, progress: &mut Progress) {
        let has_tree = study.plans.iter().any(|plan| plan.network().is_none());
        let lone_seed = match (self.seeds.as_deref(), study.source.number_at("seeds"), &study.spec.seeds[..]) {
            (Some([seed @ 2..=1000]), ..) => Some((*seed, "--seeds ", "")),
            (_, Some(seed @ 2..=1000), [only]) if seed == *only => Some((seed, "seeds = ", "\"")),
            _ => None,
        };
        if let Some((seed, key, quote)) = lone_seed {
            let range = format!("{key}{quote}0..{}{quote}", seed - 1);
            progress.say(&format!("note: `{key}{seed}` is the one seed {seed}; for {seed} seeds write `{range}`"));
        }
        let notes = [
            (self.stack.is_some() && has_tree, "`--stack` has no effect on trees: they are fitted one by one"),
            (
                has_tree && study.plans.iter().any(|plan| plan.network().is_none() && plan.spec.seeds.len() > 1),
                "the seed of a tree decides only between equally good splits: the trees of several seeds are often equal",
            ),
            (
                self.mode_args.mode().precision == Precision::Tf32 && !device.is_cuda(),
                "`--precision tf32` has no effect on the CPU, which computes in float32",
            ),
        ];
        notes.into_iter().filter(|(applies, _)| *applies).for_each(|(_, note)| progress.note(note));
        let data_notes: IndexSet<&String> = study.plans.iter().flat_map(|plan| &plan.info.notes).collect();
        data_notes.into_iter().for_each(|note| progress.note(note)); // variants share their data
    }

    /// Returns the arguments after `runner exp`, quoted for a shell.
    pub fn shell_words(&self) -> Vec<String> {
        self.arguments().iter().map(|word| quoted(word)).collect()
    }

    /// Returns the arguments after `runner exp`, without quotes. Defaults are omitted.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = vec![self.experiment.clone()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        self.set.iter().for_each(|change| option("--set", change.clone()));
        self.unset.iter().for_each(|key| option("--unset", key.clone()));
        if !self.variants.is_empty() {
            option("--variant", self.variants.join(","));
        }
        self.seed.iter().for_each(|seed| option("--seed", seed.to_string()));
        self.seeds.iter().for_each(|seeds| option("--seeds", seeds::format(seeds)));
        self.epochs.iter().for_each(|epochs| option("--epochs", epochs.to_string()));
        if self.compute_args.device != DeviceChoice::Auto {
            option("--device", self.compute_args.device.to_string());
        }
        self.compute_args.threads.iter().for_each(|threads| option("--threads", threads.to_string()));
        self.stack.iter().for_each(|stack| option("--stack", stack.to_string()));
        words.extend(self.mode_args.arguments());
        words
    }
}

pub(crate) fn parse_epochs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(epochs @ 1..=1_000_000) => Ok(epochs),
        _ => Err("expected a whole number, at least 1 and at most 1,000,000".to_owned()),
    }
}

/// Parses a whole number of at least 1.
///
/// # Errors
/// If `text` is anything else.
pub(crate) fn parse_positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("expected a whole number, at least 1".to_owned()),
    }
}

/// Parses one seed.
fn parse_seed(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| match seeds::parse(text) {
        Ok(_) => format!("expected one seed\nhint: use `--seeds {text}` for several"),
        Err(_) => "expected a whole number".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_has_all_arguments_that_change_the_results() {
        use clap::Parser;
        #[derive(Parser)]
        struct TestArgs {
            #[command(flatten)]
            run_args: RunArgs,
        }
        let command =
            |words: &[&str]| TestArgs::parse_from([&["runner"], words].concat()).run_args.shell_words().join(" ");
        let long = ["my idea.toml", "--set", "train.optimizer={ sgd = {} }", "--seeds", "3..5"];
        assert_eq!(command(&long), "'my idea.toml' --set 'train.optimizer={ sgd = {} }' --seeds 3..5");
        let devices = ["digits_mlp", "--seeds", "1,5", "--epochs", "2", "--device", "cpu", "--threads", "1"];
        assert_eq!(command(&devices), "digits_mlp --seeds 1,5 --epochs 2 --device cpu --threads 1");
        assert_eq!(command(&["a", "--unset", "train.clip"]), "a --unset train.clip");
        let machine = ["a", "--stack", "8", "--precision", "bf16", "--deterministic"];
        assert_eq!(command(&machine), "a --stack 8 --precision bf16 --deterministic");
        assert_eq!(command(&["a", "--tf32"]), "a --precision tf32");
        assert_eq!(command(&["o'clock", "--seed", "-1"]), r"'o'\''clock' --seed -1");
    }
}
