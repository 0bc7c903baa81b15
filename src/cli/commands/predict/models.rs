//! The trained models that predict: the best trial of a run, a named one, or all trials of a variant.

use std::collections::HashSet;

use tch::{Device, Tensor};

use crate::cli::text::progress::progress_bar::Progress;
use crate::cli::text::text_style::wrapped;
use crate::cli::text::{number_format, terminal};
use crate::config::hint::{hinted, in_a_line};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::store::cache::Cache;
use crate::device::fault::catch_fault;
use crate::experiment::predict::prediction::Predictions;
use crate::experiment::run::error;
use crate::experiment::store::best_trial::{BestTrial, best_of};
use crate::experiment::store::find::{Damaged, SavedRun, SavedTrial};
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::{Part, TrialData};
use crate::history::Status;

/// Trials of a run, at least one.
pub(super) struct Chosen<'a> {
    pub(super) trials: Vec<&'a SavedTrial>,
    /// How they were chosen, as a sentence; `None` if nothing is to be said.
    note: Option<String>,
}

/// A trained model with its data.
pub(super) struct LoadedModel {
    pub(super) saved: TrainedModel,
    /// The rows of its data, if they are needed.
    rows: Option<TrialData>,
}

impl LoadedModel {
    /// Loads the model of a trial; with `needs_rows`, also the rows of its data.
    ///
    /// # Errors
    /// If its files or its data cannot be read.
    pub(super) fn load(trial: &SavedTrial, needs_rows: bool) -> anyhow::Result<LoadedModel> {
        let saved = TrainedModel::load(trial, Device::Cpu)?;
        // for rows of a file, the preprocessing stored in the run is enough
        let rows = if needs_rows || saved.data.is_none() { Some(load_trial_data(&saved, trial)?) } else { None };
        Ok(LoadedModel { saved, rows })
    }

    /// Returns the rows of its data.
    pub(super) fn rows(&self) -> &TrialData {
        self.rows.as_ref().expect("they are loaded for a part of the data")
    }

    /// Predicts preprocessed rows.
    ///
    /// # Errors
    /// If a row is no input of the network, such as a token id outside the vocabulary, or memory is not enough.
    pub(super) fn predict(&self, features: &Tensor, targets: Option<&Tensor>) -> anyhow::Result<Predictions> {
        catch_fault(|| Predictions::new(&self.saved, features, targets))
            .map_err(|fault| error::into_run_error(fault, "failed to predict the rows", None))
    }

    /// Returns columns, classes and preprocessing of its data.
    pub(super) fn data(&self) -> &FittedData {
        let of_rows = self.rows.as_ref().map(|rows| &rows.fitted);
        of_rows.or(self.saved.data.as_ref()).expect("the rows are loaded if the run has no preprocessing file")
    }
}

impl<'a> Chosen<'a> {
    /// Returns the trial with this name, or the best one.
    ///
    /// # Errors
    /// If there is no trial of this name, or it diverged and another one did not.
    pub(super) fn one(run: &'a SavedRun, stem: Option<&str>) -> anyhow::Result<Chosen<'a>> {
        if let Some(stem) = stem {
            return Ok(Chosen { trials: vec![trial_by_name(run, stem)?], note: None });
        }
        let BestTrial { trial, by } = best(run);
        let count = run.trials.len();
        let which = match by {
            Some((metric, value)) => {
                format!("the best of {count} trials by {metric}, {}", number_format::of(&metric, Some(value)))
            }
            None if trial.stem() == run.trials[0].stem() => format!("the first of {count} trials"),
            None => format!("the first trial that did not diverge, of {count}"),
        };
        let note = (count > 1).then(|| format!("{which}; choose another with `--trial NAME`"));
        Ok(Chosen { trials: vec![trial], note })
    }

    /// Returns all trials of the best trial's variant that did not diverge.
    ///
    /// # Errors
    /// If it has one such trial only.
    pub(super) fn ensemble(run: &'a SavedRun) -> anyhow::Result<Chosen<'a>> {
        let BestTrial { trial: best, by } = best(run);
        let variant = &best.history.variant;
        let is_usable =
            |trial: &&SavedTrial| trial.history.variant == *variant && trial.history.status != Status::Diverged;
        let trials: Vec<&SavedTrial> = run.trials.iter().filter(is_usable).collect();
        if trials.len() < 2 {
            let found = if trials.is_empty() { "none" } else { "only one" };
            let message = format!(
                "`--ensemble` needs at least two trials, but `{variant}` has {found} (diverged trials do not count)"
            );
            return Err(hinted(message, "train more seeds: `runner exp … --seeds 0..4`"));
        }
        let others = run.trials.iter().any(|trial| trial.history.variant != *variant);
        let by = by.map(|(metric, _)| format!(" by {metric}")).unwrap_or_default();
        let which = if others { format!(", the best variant{by}") } else { String::new() };
        let note = Some(format!("mean of the {} trials of `{variant}`{which}", trials.len()));
        Ok(Chosen { trials, note })
    }

    /// Checks that all trials have the same rows in a part of their data: each fold has its own training and validation rows.
    ///
    /// # Errors
    /// If they do not.
    pub(super) fn check_same_rows(&self, part: Part) -> anyhow::Result<()> {
        let folds = self.trials.iter().map(|trial| trial.history.fold).collect::<HashSet<_>>().len();
        if part == Part::Test || folds < 2 {
            return Ok(());
        }
        let message =
            format!("`--ensemble` needs the same rows for all models, but each fold has its own {} rows", part.name());
        Err(hinted(message, "predict test rows or a file, or choose one trial with `--trial NAME`"))
    }

    /// Returns the experiment, the trial, and how it was chosen.
    pub(super) fn heading(&self) -> String {
        let experiment = terminal::bold(&self.trials[0].history.experiment);
        let which = match &self.trials[..] {
            [one] => format!("trial {}", one.stem()),
            _ => "ensemble".to_owned(),
        };
        let note = self.note.as_ref().map(|note| format!("\n{}", wrapped(note))).unwrap_or_default();
        format!("{experiment}, {which}{note}")
    }
}

/// Returns the best trial of a run. Warns of trials that cannot be read.
fn best(run: &SavedRun) -> BestTrial<'_> {
    warn_of_damaged(run);
    best_of(run.trials.iter()).expect("a run has a trial")
}

/// Loads the data of a trial. Warns if they have changed since training.
pub(crate) fn load_trial_data(saved: &TrainedModel, trial: &SavedTrial) -> anyhow::Result<TrialData> {
    let data = Progress::during(|p| TrialData::load(&saved.plan, trial, None, &Cache::for_user(), p))?;
    data.difference(&trial.history).iter().for_each(|difference| terminal::warn(difference));
    Ok(data)
}

/// Returns the trial with this name.
///
/// # Errors
/// If there is none, or if it diverged and another trial did not.
pub(crate) fn trial_by_name<'a>(run: &'a SavedRun, stem: &str) -> anyhow::Result<&'a SavedTrial> {
    let trial = run.trial(stem)?;
    match run.trials.iter().find(|trial| trial.history.status != Status::Diverged) {
        Some(usable) if trial.history.status == Status::Diverged => {
            let hint = format!("choose one that did not diverge: `--trial {}`", usable.stem());
            Err(hinted(format!("trial `{}` diverged: its weights are unusable", trial.stem()), hint))
        }
        _ => Ok(trial),
    }
}

/// Returns the first trial that did not diverge; if all did, the first trial.
pub(crate) fn first_usable_trial(run: &SavedRun) -> &SavedTrial {
    warn_of_damaged(run);
    run.trials.iter().find(|trial| trial.history.status != Status::Diverged).unwrap_or(&run.trials[0])
}

/// Warns of the trials that cannot be read.
fn warn_of_damaged(run: &SavedRun) {
    for Damaged { error, .. } in &run.damaged {
        terminal::warn(&format!("skipped a trial: {}", in_a_line(error)));
    }
}
