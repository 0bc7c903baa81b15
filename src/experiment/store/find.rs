//! Finds the run that a command names and reads its histories.
//!
//! A run is named by its directory, by one of its files, by its id or name, or by its experiment, which means the newest
//! run. Other files in the directory are ignored.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::config::hint::{Hint, in_a_line};
use crate::config::suggest;
use crate::experiment::spec::Spec;
use crate::experiment::store::newest::{self, NewestRun, entries, folders_in, is_run};
use crate::experiment::store::run_id::{FoundRun, RunEntries};
use crate::experiment::store::run_name::{HOW_TO_NAME, experiment_directory, list_some, not_found_error, run_with_id};
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::{StackState, TrialName};
use crate::history::History;
use crate::io::bounded_file;

/// A stored run, or a single trial of it.
#[derive(Debug)]
pub struct SavedRun {
    /// The run directory.
    pub folder: PathBuf,
    /// The variant whose trials it has, if only one was named.
    pub variant: Option<String>,
    /// Its trials, at least one: variants in the experiment's order, then folds, then seeds.
    pub trials: Vec<SavedTrial>,
    /// Histories that are missing or unreadable.
    pub damaged: Vec<Damaged>,
    /// A newer, unfinished run of the named experiment.
    pub newer: Option<PathBuf>,
    /// A note on other runs with the same name.
    pub namesakes: Option<String>,
}

/// A history that is missing or unreadable.
#[derive(Debug)]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// The error, with the file's name.
    pub error: anyhow::Error,
}

/// A trial with a stored history.
#[derive(Debug)]
pub struct SavedTrial {
    /// The history.
    pub history: History,
    /// The file of the history.
    pub file: PathBuf,
}

impl SavedTrial {
    fn new(history: History, file: PathBuf) -> anyhow::Result<Self> {
        let (epochs, best) = (&history.history.epoch, history.best.as_ref().map(|best| best.epoch));
        if let Some(best) = best.filter(|best| !epochs.contains(best)) {
            let message =
                format!("`{}` states epoch {best} as the best, which is not one of its epochs", file.display());
            return Err(anyhow!(message).context(Hint("train again with `runner exp`: the file is damaged".to_owned())));
        }
        Ok(SavedTrial { history, file })
    }

    /// Name of the trial's files, without extension.
    pub fn stem(&self) -> String {
        stem_of(&self.file)
    }

    /// Path of its weights, which may be missing.
    pub fn weights(&self) -> PathBuf {
        self.file.with_extension("safetensors")
    }

    /// Path of its tree, which may be missing.
    pub fn tree(&self) -> PathBuf {
        self.file.with_extension("tree.json")
    }
}

/// File name without extension.
pub fn stem_of(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

impl SavedRun {
    /// Finds a run by its directory, a history, a weights file, the name of an experiment whose newest run is under `out`,
    /// or the id or name of a run under `out`; `RUN/VARIANT` has only the trials of one variant.
    ///
    /// # Errors
    /// When there is no such run, or none of its histories can be read.
    pub fn find(named: &str, out: &Path) -> anyhow::Result<SavedRun> {
        let run = SavedRun::find_whole(named, out)?.map_or_else(|| from_variant(named, out), |run| Ok(Some(run)))?;
        run.ok_or_else(|| not_found_error(named, Path::new(named), out))
    }

    /// Finds a run by any name but `RUN/VARIANT`; `None` if there is none.
    fn find_whole(named: &str, out: &Path) -> anyhow::Result<Option<SavedRun>> {
        let path = Path::new(named);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") if !path.is_dir() => from_history(path.to_path_buf()).map(Some),
            Some("safetensors") if !path.is_dir() => from_weights(path).map(Some),
            _ => {
                let directory = experiment_directory(named, out).or_else(|| path.is_dir().then(|| path.to_path_buf()));
                if let Some(directory) = directory {
                    return from_directory(&directory).map(Some);
                }
                let Some(FoundRun { folder, note }) = RunEntries::list(out).find(named)? else { return Ok(None) };
                Ok(Some(SavedRun { namesakes: note, ..from_directory(&folder)? }))
            }
        }
    }

    /// Returns a note if a newer run is unfinished and an older one was taken, or if other runs have the same name.
    pub fn note(&self) -> Option<String> {
        if self.namesakes.is_some() {
            return self.namesakes.clone();
        }
        let newer = self.newer.as_ref()?.display();
        Some(format!(
            "the newer run `{newer}` is unfinished: name its directory to use it, or resume it with `runner resume {newer}`"
        ))
    }

    /// Returns the trial with this name.
    ///
    /// # Errors
    /// When the run has no such trial, or its history cannot be read.
    pub fn trial(&self, stem: &str) -> anyhow::Result<&SavedTrial> {
        let wanted = stem.trim_end_matches(".json").trim_end_matches(".safetensors");
        self.trials.iter().find(|trial| trial.stem() == wanted).ok_or_else(|| {
            if let Some(Damaged { error, .. }) = self.damaged.iter().find(|damaged| stem_of(&damaged.file) == wanted) {
                return anyhow!(in_a_line(error)).context(Hint("choose another trial with `--trial NAME`".to_owned()));
            }
            let stems: Vec<String> = self.trials.iter().map(SavedTrial::stem).collect();
            anyhow!("the run in `{}` has no trial `{stem}`", self.folder.display())
                .context(Hint(suggest::hint(wanted, stems.iter().map(String::as_str))))
        })
    }
}

/// Finds the run directory to resume, with or without histories: by its path, by the path of a file in it, by its id or
/// name, or by the name of an experiment, which means its newest unfinished run.
///
/// # Errors
/// When there is no such run.
pub fn run_to_resume(named: &str, out: &Path) -> anyhow::Result<PathBuf> {
    let path = Path::new(named);
    let parent = || path.parent().map(Path::to_path_buf).unwrap_or_default();
    let folder = match experiment_directory(named, out) {
        Some(directory) => directory,
        None if path.is_dir() => path.to_path_buf(),
        None if path.is_file() && is_run(&parent()) => parent(),
        None => run_with_id(named, path, out)?.folder,
    };
    if is_run(&folder) {
        return Ok(folder);
    }
    let newest = match newest::unfinished(&folder)? {
        Some(unfinished) => Some(unfinished),
        None => NewestRun::find(&folder)?.map(|newest| newest.run),
    };
    newest.filter(|newest| is_run(newest)).ok_or_else(|| no_history_error(&folder, missing_history_hint(&folder)))
}

/// Splits `RUN/VARIANT`; `None` if the part before the last slash is not a run.
pub(super) fn run_and_variant<'a>(named: &'a str, out: &Path) -> Option<(&'a str, &'a str, SavedRun)> {
    let (run, variant) = named.rsplit_once('/').filter(|(run, variant)| !run.is_empty() && !variant.is_empty())?;
    if newest::is_stamped(Path::new(variant)) {
        return None; // a run directory that does not exist
    }
    Some((run, variant, SavedRun::find_whole(run, out).ok()??))
}

/// Reads the trials of one variant, for `RUN/VARIANT`; `None` if there is no run before the last slash.
fn from_variant(named: &str, out: &Path) -> anyhow::Result<Option<SavedRun>> {
    let Some((_, variant, mut run)) = run_and_variant(named, out) else { return Ok(None) };
    let mut variants: Vec<String> = run.trials.iter().map(|trial| trial.history.variant.clone()).collect();
    variants.dedup();
    run.trials.retain(|trial| trial.history.variant == variant);
    if run.trials.is_empty() {
        let message = format!("the run in `{}` has no variant `{variant}`", run.folder.display());
        return Err(anyhow!(message).context(Hint(suggest::hint(variant, variants.iter().map(String::as_str)))));
    }
    run.variant = Some(variant.to_owned());
    run.damaged.retain(|damaged| stem_of(&damaged.file).starts_with(&format!("{variant}-")));
    Ok(Some(run))
}

/// Reads the run of one history.
fn from_history(file: PathBuf) -> anyhow::Result<SavedRun> {
    if !file.exists() {
        let hint = similar_file(&file).map_or(HOW_TO_NAME.to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(anyhow!("there is no file `{}`", file.display()).context(Hint(hint)));
    }
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let trials = vec![SavedTrial::new(History::read(&file)?, file)?];
    Ok(SavedRun { folder, variant: None, trials, damaged: Vec::new(), newer: None, namesakes: None })
}

/// Reads the run of one weights file, using the history with the same name.
fn from_weights(weights: &Path) -> anyhow::Result<SavedRun> {
    let history = weights.with_extension("json");
    if weights.exists() && !history.exists() {
        let message = format!("`{}` has no history: `{}` does not exist", weights.display(), history.display());
        let hint = "keep the weights and the history together: the history holds the network's settings";
        return Err(anyhow!(message).context(Hint(hint.to_owned())));
    }
    from_history(if weights.exists() { history } else { weights.to_path_buf() })
}

/// Reads the run in a run directory, or the newest run in an experiment's directory.
fn from_directory(folder: &Path) -> anyhow::Result<SavedRun> {
    if let Some(run) = read_run(folder)? {
        return Ok(run);
    }
    if let Some(NewestRun { run, newer }) = NewestRun::find(folder)? {
        let found = read_run(&run)?.ok_or_else(|| no_history_error(&run, missing_history_hint(&run)))?;
        return Ok(SavedRun { newer, ..found });
    }
    let inner = folders_in(folder)?;
    let experiments: Vec<&str> = inner
        .iter()
        .filter(|inner| folders_in(inner).is_ok_and(|runs| runs.iter().any(|run| is_run(run))))
        .filter_map(|inner| inner.file_name()?.to_str())
        .collect();
    Err(no_history_error(
        folder,
        match &experiments[..] {
            [] => missing_history_hint(folder),
            names => format!("name an experiment: there are runs of {}", list_some(names)),
        },
    ))
}

fn no_history_error(folder: &Path, hint: String) -> anyhow::Error {
    anyhow!("there is no history in `{}`", folder.display()).context(Hint(hint))
}

/// Returns a hint why a directory may hold no history.
fn missing_history_hint(folder: &Path) -> String {
    match is_run(folder) {
        true => "the run is still training, or it stopped before its first trial ended",
        false => HOW_TO_NAME,
    }
    .to_owned()
}

/// Reads the run in a directory, with its trials in training order; `None` if there is no history.
fn read_run(folder: &Path) -> anyhow::Result<Option<SavedRun>> {
    let mut trials = Vec::new();
    let mut damaged = Vec::new();
    for file in newest::histories_in(folder)? {
        let read = History::read_if_history(&file)
            .and_then(|history| history.map(|history| SavedTrial::new(history, file.clone())).transpose());
        match read {
            Ok(trial) => trials.extend(trial),
            Err(error) => damaged.push(Damaged { file, error }),
        }
    }
    let missing = RunRecord::read(folder).map(|record| missing_trials_of(&record, folder)).unwrap_or_default();
    damaged.extend(missing.iter().map(|trial| missing_history(folder, trial)));
    if trials.is_empty() {
        return damaged.into_iter().next().map_or(Ok(None), |Damaged { error, .. }| Err(error));
    }
    let variants = variants(folder);
    trials.sort_by_cached_key(|SavedTrial { history, file }| {
        let variant = variants.iter().position(|name| *name == history.variant).unwrap_or(variants.len());
        let seeds = history.config.get("seeds").and_then(serde_json::Value::as_array);
        let seed = seeds.and_then(|seeds| seeds.iter().position(|seed| *seed == history.seed));
        (variant, history.variant.clone(), history.fold, seed.unwrap_or(usize::MAX), history.seed, file.clone())
    });
    let folder = folder.to_path_buf();
    Ok(Some(SavedRun { folder, variant: None, trials, damaged, newer: None, namesakes: None }))
}

/// Returns the trials that are done according to this record of the run, but whose histories are missing.
pub fn missing_trials_of(record: &RunRecord, folder: &Path) -> Vec<TrialName> {
    let done = record.stacks().filter(|stack| stack.state == StackState::Done).flat_map(|stack| &stack.trials);
    done.filter(|trial| history_path(folder, trial).symlink_metadata().is_err()).cloned().collect()
}

/// Path of the history of a trial.
fn history_path(folder: &Path, trial: &TrialName) -> PathBuf {
    folder.join(format!("{}.json", trial.stem()))
}

/// Returns the error about a missing history.
pub fn missing_history(folder: &Path, trial: &TrialName) -> Damaged {
    let file = history_path(folder, trial);
    let error = anyhow!("the history of trial `{}` is missing: there is no `{}`", trial.stem(), file.display());
    let hint = format!("train it again with `runner resume {}`", folder.display());
    Damaged { file, error: error.context(Hint(hint)) }
}

/// Names of the variants in order; empty if the experiment has none or cannot be read.
fn variants(folder: &Path) -> Vec<String> {
    let text =
        bounded_file::read_to_string(&folder.join("experiment.toml"), bounded_file::EXPERIMENT).unwrap_or_default();
    let spec = toml_edit::de::from_str::<Spec>(&text);
    spec.map(|spec| spec.variants.into_iter().map(|variant| variant.name).collect()).unwrap_or_default()
}

/// Returns the path of a file in the same directory with a similar name.
fn similar_file(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = file.file_name()?.to_string_lossy().into_owned();
    let there = entries(folder).ok()?;
    let names = there.iter().filter_map(|path| path.file_name()?.to_str());
    let near =
        suggest::nearest(&wanted, names.filter(|name| name.ends_with(".json") || name.ends_with(".safetensors")))?;
    Some(file.with_file_name(near).display().to_string())
}
