//! A trial's model with its data, and whether a name is that of a data set, for plots of rows.

use std::path::Path;

use tch::Device;

use crate::cli::args::lookup::find_run;
use crate::cli::commands::predict;
use crate::config::hint::{hinted, in_a_line};
use crate::config::suggest;
use crate::data::store::manifest::Manifest;
use crate::experiment::store::about::About;
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::TrialData;

/// Returns whether a name is a data set or a table, not a run.
pub(crate) fn is_data_set(name: &str, out: &Path) -> bool {
    let is_table = [".csv", ".csv.gz", ".tsv"].iter().any(|ending| name.ends_with(ending));
    is_table || (Manifest::named(name).is_some() && !out.join(name).is_dir())
}

/// Returns the last part of a path, without extension; of `RUN/latest`, the part before `latest`.
pub(crate) fn base_name(name: &str) -> String {
    let parts: Vec<&str> = name.split(['/', std::path::MAIN_SEPARATOR]).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [.., parent, "latest"] => parent.to_owned(),
        [.., last] => last.trim_end_matches(".gz").trim_end_matches(".csv").trim_end_matches(".json").to_owned(),
        [] => name.to_owned(),
    }
}

/// Returns the name of a run in the names of files: that which the user gave it, or as it was named on the command line.
pub(crate) fn file_name_of(named: &str, trial: &SavedTrial) -> String {
    let base = base_name(named);
    let run = trial.file.parent().and_then(|folder| About::read(folder).ok()?.name);
    match run {
        Some(run) if base == trial.history.variant => format!("{run}-{base}"),
        Some(run) => run,
        None => base,
    }
}

/// Adds the nearest name of a data set to the error that no run was found.
fn suggest_data_set(error: anyhow::Error, name: &str) -> anyhow::Error {
    if Path::new(name).exists() || name.contains(['/', std::path::MAIN_SEPARATOR]) {
        return error;
    }
    match suggest::nearest(name, Manifest::names()) {
        Some(near) => hinted(in_a_line(&error), format!("did you mean the data set `{near}`?")),
        None => error,
    }
}

/// A trial with its model and data.
pub(crate) struct LoadedTrial {
    pub(crate) trial: SavedTrial,
    pub(crate) saved: TrainedModel,
    pub(crate) data: TrialData,
}

impl LoadedTrial {
    /// Loads a trial of the run `name`: the one with the given name, or the first that did not diverge.
    ///
    /// # Errors
    /// If there is no such trial, or if its files or data cannot be read.
    pub(crate) fn load(name: &str, out: &Path, trial: Option<&str>) -> anyhow::Result<LoadedTrial> {
        let run = find_run(name, out).map_err(|error| suggest_data_set(error, name))?;
        let stem = match trial {
            Some(stem) => predict::trial_by_name(&run, stem)?.stem(),
            None => predict::first_usable_trial(&run).stem(),
        };
        let trial = run.trials.into_iter().find(|trial| trial.stem() == stem).expect("the trial was found above");
        let saved = TrainedModel::load(&trial, Device::Cpu)?;
        let data = predict::load_trial_data(&saved, &trial)?;
        Ok(LoadedTrial { trial, saved, data })
    }

    /// Returns the experiment, or `EXPERIMENT/VARIANT`.
    pub(crate) fn title(&self) -> String {
        let history = &self.trial.history;
        match history.variant.as_str() {
            "base" => history.experiment.clone(),
            variant => format!("{}/{variant}", history.experiment),
        }
    }

    /// Returns the data set and the fold.
    pub(crate) fn subtitle(&self) -> String {
        let fold = self.trial.history.fold.map(|fold| format!(", fold {fold}")).unwrap_or_default();
        format!("{}{fold}", self.data.name())
    }
}
