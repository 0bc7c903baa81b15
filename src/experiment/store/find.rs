//! Runs on disk: the histories of the run that a command names.
//!
//! A run is named by its folder, by one of its files, or by its experiment, whose newest run it is then. What a folder
//! holds beside histories and weights is passed over.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::config::hint::{Hint, in_a_line};
use crate::config::suggest;
use crate::experiment::spec::{Spec, catalogue};
use crate::experiment::store::newest::{self, Newest, entries, folders_in, is_run};
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::{StackState, TrialName};
use crate::history::History;
use crate::io::bounded_file;

/// A run, or one trial of it.
#[derive(Debug)]
pub struct SavedRun {
    /// Its folder.
    pub folder: PathBuf,
    /// Its trials: variants in the experiment's order, then folds, then seeds; one at least.
    pub trials: Vec<SavedTrial>,
    /// Histories beside them that cannot be read, or are gone.
    pub damaged: Vec<Damaged>,
    /// A newer run of the experiment that was named, which has not finished.
    pub newer: Option<PathBuf>,
}

/// A history that cannot be read or is gone, among others that can be read.
#[derive(Debug)]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// Why, with the file's name.
    pub error: anyhow::Error,
}

/// A trial that has left its history.
#[derive(Debug)]
pub struct SavedTrial {
    /// The history.
    pub history: History,
    /// The file that it was read from.
    pub file: PathBuf,
}

impl SavedTrial {
    fn read(file: PathBuf) -> anyhow::Result<Self> {
        let history = History::read(&file)?;
        Self::of(history, file)
    }

    fn of(history: History, file: PathBuf) -> anyhow::Result<Self> {
        let (epochs, best) = (&history.history.epoch, history.best.as_ref().map(|best| best.epoch));
        if let Some(best) = best.filter(|best| !epochs.contains(best)) {
            let message = format!("`{}` names epoch {best} as the best, which is none of its epochs", file.display());
            return Err(anyhow!(message).context(Hint("the file is damaged: train again with `runner exp`".to_owned())));
        }
        Ok(SavedTrial { history, file })
    }

    /// The name of the trial's files, without their endings.
    pub fn stem(&self) -> String {
        stem_of(&self.file)
    }

    /// The file of its weights, which may be missing.
    pub fn weights(&self) -> PathBuf {
        self.file.with_extension("safetensors")
    }

    /// The file of its tree, which may be missing.
    pub fn tree(&self) -> PathBuf {
        self.file.with_extension("tree.json")
    }
}

/// A file's name without its ending.
fn stem_of(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

impl SavedRun {
    /// Finds the run of this name: the path of its folder, of a history, or of weights, or the name of an experiment
    /// whose newest run lies under `out`.
    ///
    /// # Errors
    /// When there is no such run, or no history of it can be read.
    pub fn find(named: &str, out: &Path) -> anyhow::Result<SavedRun> {
        let path = Path::new(named);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") if !path.is_dir() => lone(path.to_path_buf()),
            Some("safetensors") if !path.is_dir() => of_weights(path),
            _ => {
                let of_experiment = out.join(named);
                let is_name = path.components().count() == 1 && !named.ends_with(std::path::MAIN_SEPARATOR);
                if is_name && of_experiment.is_dir() && !matches!(named, "." | "..") {
                    in_folder(&of_experiment)
                } else if path.is_dir() {
                    in_folder(path)
                } else {
                    Err(not_found(named, path, out))
                }
            }
        }
    }

    /// What is to be said where the newest run has not finished, and an older one was taken.
    pub fn note(&self) -> Option<String> {
        let newer = self.newer.as_ref()?.display();
        Some(format!("`{newer}` is newer, and has not finished: name its folder to use it, or `runner resume {newer}`"))
    }

    /// The trial of this name.
    ///
    /// # Errors
    /// When the run has none, or its history cannot be read.
    pub fn trial(&self, stem: &str) -> anyhow::Result<&SavedTrial> {
        let wanted = stem.trim_end_matches(".json").trim_end_matches(".safetensors");
        self.trials.iter().find(|trial| trial.stem() == wanted).ok_or_else(|| {
            if let Some(Damaged { error, .. }) = self.damaged.iter().find(|damaged| stem_of(&damaged.file) == wanted) {
                return anyhow!(in_a_line(error)).context(Hint("`--trial NAME` takes another".to_owned()));
            }
            let stems: Vec<String> = self.trials.iter().map(SavedTrial::stem).collect();
            anyhow!("the run in `{}` has no trial `{stem}`", self.folder.display())
                .context(Hint(suggest::hint(wanted, stems.iter().map(String::as_str))))
        })
    }
}

/// The folder of the run to resume, whether it holds a history or not: the path of its folder or of a file in it, or the
/// name of an experiment, whose newest run that has not finished is meant.
///
/// # Errors
/// When there is no such run.
pub fn to_resume(named: &str, out: &Path) -> anyhow::Result<PathBuf> {
    let path = Path::new(named);
    let is_name = path.components().count() == 1 && !named.ends_with(std::path::MAIN_SEPARATOR);
    let of_experiment = out.join(named);
    let folder = match () {
        () if is_name && of_experiment.is_dir() && !matches!(named, "." | "..") => of_experiment,
        () if path.is_dir() => path.to_path_buf(),
        () if path.is_file() => path.parent().map(Path::to_path_buf).unwrap_or_default(),
        () => return Err(not_found(named, path, out)),
    };
    if is_run(&folder) {
        return Ok(folder);
    }
    let newest = match newest::unfinished(&folder)? {
        Some(unfinished) => Some(unfinished),
        None => Newest::find(&folder)?.map(|newest| newest.run),
    };
    newest.filter(|newest| is_run(newest)).ok_or_else(|| no_history(&folder, without_trials(&folder)))
}

/// The run of one history.
fn lone(file: PathBuf) -> anyhow::Result<SavedRun> {
    if !file.exists() {
        let hint = match nearest_beside(&file) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "a run is named by its folder, one of its files, or its experiment".to_owned(),
        };
        return Err(anyhow!("there is no file `{}`", file.display()).context(Hint(hint)));
    }
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    Ok(SavedRun { folder, trials: vec![SavedTrial::read(file)?], damaged: Vec::new(), newer: None })
}

/// The run of one file of weights, by the history beside it.
fn of_weights(weights: &Path) -> anyhow::Result<SavedRun> {
    let history = weights.with_extension("json");
    if weights.exists() && !history.exists() {
        let message = format!("`{}` has no history: `{}` does not exist", weights.display(), history.display());
        let hint = "keep the weights and the history together: the history holds the network's settings";
        return Err(anyhow!(message).context(Hint(hint.to_owned())));
    }
    lone(if weights.exists() { history } else { weights.to_path_buf() })
}

/// The run of a folder; of an experiment's folder, its newest.
fn in_folder(folder: &Path) -> anyhow::Result<SavedRun> {
    if let Some(run) = run_in(folder)? {
        return Ok(run);
    }
    if let Some(Newest { run, newer }) = Newest::find(folder)? {
        let found = run_in(&run)?.ok_or_else(|| no_history(&run, without_trials(&run)))?;
        return Ok(SavedRun { newer, ..found });
    }
    let inner = folders_in(folder)?;
    let experiments: Vec<&str> = inner
        .iter()
        .filter(|inner| folders_in(inner).is_ok_and(|runs| runs.iter().any(|run| is_run(run))))
        .filter_map(|inner| inner.file_name()?.to_str())
        .collect();
    Err(no_history(
        folder,
        match &experiments[..] {
            [] => without_trials(folder),
            names => format!("name an experiment, it holds runs of {}", some(names)),
        },
    ))
}

fn no_history(folder: &Path, hint: String) -> anyhow::Error {
    anyhow!("there is no history in `{}`", folder.display()).context(Hint(hint))
}

/// Why a folder may hold no history.
fn without_trials(folder: &Path) -> String {
    match is_run(folder) {
        true => "the run is still training, or it stopped before its first trial ended",
        false => "a run is named by its folder, one of its files, or its experiment",
    }
    .to_owned()
}

/// The run whose files lie in a folder, its trials in the order in which they were run; `None` where it holds no history.
fn run_in(folder: &Path) -> anyhow::Result<Option<SavedRun>> {
    let mut files = entries(folder)?;
    files.retain(|path| newest::may_be_history(path));
    files.sort();
    let mut trials = Vec::new();
    let mut damaged = Vec::new();
    for file in files {
        let read = History::read_if_one(&file)
            .and_then(|history| history.map(|history| SavedTrial::of(history, file.clone())).transpose());
        match read {
            Ok(trial) => trials.extend(trial),
            Err(error) => damaged.push(Damaged { file, error }),
        }
    }
    damaged.extend(missing_in(folder).iter().map(|trial| missing(folder, trial)));
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
    Ok(Some(SavedRun { folder: folder.to_path_buf(), trials, damaged, newer: None }))
}

/// The trials that are done by a run's record, and whose histories are gone.
pub fn missing_in(folder: &Path) -> Vec<TrialName> {
    let Ok(record) = RunRecord::read(folder) else { return Vec::new() };
    let done = record.stacks().filter(|stack| stack.state == StackState::Done).flat_map(|stack| &stack.trials);
    done.filter(|trial| history_of(folder, trial).symlink_metadata().is_err()).cloned().collect()
}

/// Where the history of a trial lies.
fn history_of(folder: &Path, trial: &TrialName) -> PathBuf {
    folder.join(format!("{}.json", trial.stem()))
}

/// A history that is gone.
pub fn missing(folder: &Path, trial: &TrialName) -> Damaged {
    let file = history_of(folder, trial);
    let error = anyhow!("the history of trial `{}` is missing: there is no `{}`", trial.stem(), file.display());
    let hint = format!("`runner resume {}` trains it again", folder.display());
    Damaged { file, error: error.context(Hint(hint)) }
}

/// The names of the variants in their order; none where the experiment has none, or cannot be read.
fn variants(folder: &Path) -> Vec<String> {
    let text =
        bounded_file::read_to_string(&folder.join("experiment.toml"), bounded_file::EXPERIMENT).unwrap_or_default();
    let spec = toml_edit::de::from_str::<Spec>(&text);
    spec.map(|spec| spec.variants.into_iter().map(|variant| variant.name).collect()).unwrap_or_default()
}

/// The path of a file beside this one with nearly its name.
fn nearest_beside(file: &Path) -> Option<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = file.file_name()?.to_string_lossy().into_owned();
    let there = entries(folder).ok()?;
    let names = there.iter().filter_map(|path| path.file_name()?.to_str());
    let near =
        suggest::nearest(&wanted, names.filter(|name| name.ends_with(".json") || name.ends_with(".safetensors")))?;
    Some(file.with_file_name(near).display().to_string())
}

/// The first few of these names.
fn some(names: &[&str]) -> String {
    const MOST: usize = 8;
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", suggest::list(&names[..names.len().min(MOST)]))
}

fn not_found(named: &str, path: &Path, out: &Path) -> anyhow::Error {
    let runs = folders_in(out).unwrap_or_default();
    let names: Vec<&str> = runs.iter().filter_map(|folder| folder.file_name()?.to_str()).collect();
    let is_experiment = || catalogue::all().0.iter().any(|experiment| experiment.name == named);
    let hint = match suggest::nearest(named, names.iter().copied()) {
        _ if path.components().count() > 1 => {
            "a run is named by its folder, one of its files, or its experiment".to_owned()
        }
        _ if is_experiment() => format!("`runner exp {named}` makes one; `--out` names another folder of runs"),
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "`runner exp NAME` makes a run; `--out` names another folder of runs".to_owned(),
        None => format!("there are runs of {}", some(&names)),
    };
    let message = match path.components().count() {
        1 => format!("no run of `{named}` in `{}`", out.display()),
        _ => format!("there is no run `{named}`"),
    };
    anyhow!(message).context(Hint(hint))
}
