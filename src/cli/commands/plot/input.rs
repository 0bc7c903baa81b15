//! What pictures of rows are drawn from: a data set, or a run's model with its data.

use std::path::Path;

use anyhow::anyhow;
use tch::Device;

use crate::cli::args::lookup::find_run;
use crate::cli::commands::predict;
use crate::cli::text::progress_bar::Progress;
use crate::cli::text::terminal;
use crate::config::hint::{Hint, in_a_line};
use crate::config::suggest;
use crate::data::store::cache::Cache;
use crate::data::store::manifest::Manifest;
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::load_model::Saved;
use crate::experiment::store::trial_data::TrialData;

/// Whether a name is that of a data set or of a table, and no run's.
pub(crate) fn is_data(name: &str, out: &Path) -> bool {
    let is_table = [".csv", ".csv.gz", ".tsv"].iter().any(|ending| name.ends_with(ending));
    is_table || (Manifest::named(name).is_some() && !out.join(name).is_dir())
}

/// The last part of a path that says what it is.
pub(crate) fn base_of(name: &str) -> String {
    let parts: Vec<&str> = name.split(['/', std::path::MAIN_SEPARATOR]).filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [.., before, "latest"] => before.to_owned(),
        [.., last] => last.trim_end_matches(".gz").trim_end_matches(".csv").trim_end_matches(".json").to_owned(),
        [] => name.to_owned(),
    }
}

/// An error that no run was found, with what else the name could have been.
fn or_data(error: anyhow::Error, name: &str) -> anyhow::Error {
    if Path::new(name).exists() || name.contains(['/', std::path::MAIN_SEPARATOR]) {
        return error;
    }
    match suggest::nearest(name, Manifest::names()) {
        Some(near) => anyhow!(in_a_line(&error)).context(Hint(format!("did you mean the data set `{near}`?"))),
        None => error,
    }
}

/// A trial's model and its data.
pub(crate) struct Opened {
    pub(crate) trial: SavedTrial,
    pub(crate) saved: Saved,
    pub(crate) data: TrialData,
}

impl Opened {
    pub(crate) fn new(name: &str, out: &Path, trial: Option<&str>) -> anyhow::Result<Opened> {
        let mut run = find_run(name, out).map_err(|error| or_data(error, name))?;
        let stem = match trial {
            Some(stem) => predict::chosen(&run, stem)?.stem(),
            None => predict::first(&run).stem(),
        };
        let place = run.trials.iter().position(|trial| trial.stem() == stem).expect("it was just found");
        let trial = run.trials.swap_remove(place);
        let saved = Saved::load(&trial, Device::Cpu)?;
        let mut progress = Progress::new(false);
        let data = TrialData::load(&saved.plan, &trial, None, &Cache::of_user(), &mut progress);
        progress.end();
        let data = data?;
        data.difference(&trial.history).iter().for_each(|difference| terminal::warn(difference));
        Ok(Opened { trial, saved, data })
    }

    pub(crate) fn title(&self) -> String {
        let history = &self.trial.history;
        match history.variant.as_str() {
            "base" => history.experiment.clone(),
            variant => format!("{}/{variant}", history.experiment),
        }
    }

    pub(crate) fn subtitle(&self) -> String {
        let fold = self.trial.history.fold.map(|fold| format!(", fold {fold}")).unwrap_or_default();
        format!("{}{fold}", self.data.name())
    }
}
