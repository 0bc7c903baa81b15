//! A trained run, as its summary takes it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use indexmap::IndexSet;

use crate::device::{self, memory};
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::Finished;
use crate::experiment::store::find::SavedRun;
use crate::experiment::store::newest;
use crate::experiment::store::run_record::RunRecord;
use crate::history::History;
use crate::views::variants::variant::Variant;

/// A run with the histories of its trials, at least one.
#[derive(Debug)]
pub struct TrainedRun<'a> {
    /// The experiment's name.
    pub name: String,
    /// The run directory.
    pub folder: PathBuf,
    /// Names of the variants in order, also of those without a trial.
    pub variants: Vec<String>,
    /// Whether it has only the trials of one of several variants, which was named.
    pub is_part: bool,
    /// Histories of the trials: variants in order, then folds, then seeds.
    pub histories: Cow<'a, [History]>,
    /// Largest resident memory of the training process in bytes, if it is known.
    pub peak_memory: Option<u64>,
    /// Most bytes that tensors had on the GPU at once, if it was used.
    pub peak_gpu_memory: Option<u64>,
    /// Time that workers trained it in parallel, in seconds; `None` if its stacks were trained one after the other.
    pub seconds: Option<f64>,
    /// Number of planned trials of an unfinished run.
    pub planned: Option<usize>,
}

impl<'a> TrainedRun<'a> {
    /// Returns the run that this process has trained.
    pub fn of(study: &Study, finished: &'a Finished) -> TrainedRun<'a> {
        let planned = study.trials();
        let gpu_memory = |history: &History| memory::peak_of_gpu(device::gpu_with_name(&history.environment.device)?);
        TrainedRun {
            name: study.name.clone(),
            folder: finished.folder.path().to_path_buf(),
            variants: study.plans.iter().map(|plan| plan.variant.clone()).collect(),
            is_part: false,
            histories: Cow::Borrowed(&finished.histories),
            peak_memory: memory::peak_of_process(),
            peak_gpu_memory: finished.histories.first().and_then(gpu_memory),
            seconds: RunRecord::read(finished.folder.path()).ok().and_then(|record| record.training_seconds),
            planned: (finished.histories.len() < planned).then_some(planned),
        }
    }

    /// Returns a saved run.
    pub fn saved(run: SavedRun) -> TrainedRun<'static> {
        let record = RunRecord::read(&run.folder).ok();
        let unfinished = record.as_ref().filter(|record| !record.finished).and_then(|record| record.study().ok());
        let histories: Vec<History> = run.trials.into_iter().map(|trial| trial.history).collect();
        let is_named = |plan: &&Plan| run.variant.as_ref().is_none_or(|variant| plan.variant == *variant);
        let planned =
            unfinished.iter().flat_map(|study| &study.plans).filter(is_named).map(|plan| plan.variant.clone());
        let of_histories = histories.iter().map(|history| history.variant.clone());
        let variants: IndexSet<String> = planned.chain(of_histories).collect();
        let experiment = histories.first().map_or(String::new(), |history| history.experiment.clone());
        TrainedRun {
            name: run.variant.as_ref().map_or(experiment.clone(), |variant| format!("{experiment}/{variant}")),
            folder: run.folder,
            variants: variants.into_iter().collect(),
            is_part: run.variant.is_some(),
            histories: Cow::Owned(histories),
            peak_memory: record.as_ref().and_then(|record| record.peak_memory),
            peak_gpu_memory: record.as_ref().and_then(|record| record.peak_gpu_memory),
            seconds: record.filter(|_| run.variant.is_none()).and_then(|record| record.training_seconds),
            planned: unfinished.map(|study| match run.variant {
                Some(_) => study.trials() / study.plans.len().max(1),
                None => study.trials(),
            }),
        }
    }

    /// Returns the variants with their trials, in the experiment's order.
    pub fn variants(&self) -> Vec<Variant<'_>> {
        Variant::all(self.variants.iter().map(String::as_str), &self.histories)
    }

    /// Returns all trials.
    pub fn trials(&self) -> Vec<&History> {
        self.histories.iter().collect()
    }

    /// Returns the names of the plots in the run directory, sorted.
    pub fn plots(&self) -> Vec<String> {
        self.file_names().into_iter().filter(|name| name.ends_with(".svg")).collect()
    }

    /// Names of the files that are neither plots nor belong to a trial: the settings, the record of the run, the checkpoint,
    /// the preprocessing, and the copies of TorchScript modules. If one variant is shown, without the files of the others.
    pub fn other_files(&self) -> Vec<String> {
        let is_of_trial = |name: &str| {
            let is_after = |rest: &str| [".json", ".safetensors", ".tree.json"].contains(&rest);
            self.histories.iter().any(|history| name.strip_prefix(&history.stem()).is_some_and(is_after))
        };
        let is_of_hidden_variant = |name: &str| {
            let is_of = |start: &str| self.histories.iter().any(|history| history.stem().starts_with(start));
            name.find("-seed").is_some_and(|end| !is_of(&name[..end + "-seed".len()]))
        };
        let is_shown = |name: &str| !name.starts_with('.') && !name.ends_with(".svg") && !is_of_hidden_variant(name);
        let is_other = |name: &String| is_shown(name) && !is_of_trial(name);
        self.file_names().into_iter().filter(is_other).collect()
    }

    /// Names of all entries of the run directory, sorted.
    fn file_names(&self) -> Vec<String> {
        let names = newest::entries(&self.folder).unwrap_or_default();
        let names = names.iter().filter_map(|path| Some(Path::new(path.file_name()?).display().to_string()));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Returns whether a trial was interrupted or reached the time limit.
    pub fn is_interrupted(&self) -> bool {
        self.histories.iter().any(|history| history.status.is_unfinished())
    }

    /// Returns whether the experiment has expectations.
    pub fn has_expectations(&self) -> bool {
        let expect = |history: &History| history.config.get("expect")?.as_array().map(|expect| !expect.is_empty());
        self.histories.first().and_then(expect).unwrap_or_default()
    }
}
