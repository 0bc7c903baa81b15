//! Predicted probabilities of the rows of a run, for plots of scores.

use std::path::Path;

use tch::Device;

use crate::cli::args::lookup::find_run;
use crate::cli::commands::{eval, predict};
use crate::config::hint::hinted;
use crate::data::Rows;
use crate::experiment::predict::prediction::{Prediction, Predictions};
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::Part;
use crate::history::Status;
use crate::history::number::counted;
use crate::plot::draw::page::Page;

/// Number of rows that are predicted at once.
const CHUNK: usize = 2_048;

/// The predictions of a trial.
pub(crate) struct ScoredTrial {
    pub(crate) trial: SavedTrial,
    /// The part of the data.
    pub(crate) part: Part,
    pub(crate) classes: Vec<String>,
    /// Index of the positive class of two classes.
    pub(crate) positive: usize,
    pub(crate) are_probabilities: bool,
    pub(crate) predictions: Vec<Prediction>,
}

/// Returns a trial of a run by its name, or all trials that have not diverged.
///
/// # Errors
/// When there is no such trial.
pub(crate) fn trials(run: &str, out: &Path, trial: Option<&str>) -> anyhow::Result<Vec<SavedTrial>> {
    let mut run = find_run(run, out)?;
    match trial {
        Some(stem) => {
            let stem = predict::trial_by_name(&run, stem)?.stem();
            run.trials.retain(|trial| trial.stem() == stem);
        }
        None => {
            let some_are_sound = run.trials.iter().any(|trial| trial.history.status != Status::Diverged);
            run.trials.retain(|trial| !some_are_sound || trial.history.status != Status::Diverged);
        }
    }
    Ok(run.trials)
}

/// Predicts the first `count` rows.
pub(crate) fn predictions(saved: &TrainedModel, rows: &Rows, count: usize) -> Predictions {
    let mut predictions = Predictions { are_probabilities: true, rows: Vec::with_capacity(count) };
    for from in (0..count).step_by(CHUNK) {
        let chunk = rows.take(&(from..count.min(from + CHUNK)).collect::<Vec<_>>());
        let predicted = Predictions::new(saved, &chunk.features, Some(&chunk.targets));
        predictions.are_probabilities &= predicted.are_probabilities;
        predictions.rows.extend(predicted.rows);
    }
    predictions
}

impl ScoredTrial {
    /// Predicts rows with a trial; by default the test rows, else the validation rows.
    ///
    /// # Errors
    /// When there is no row, or files cannot be read.
    pub(crate) fn new(trial: SavedTrial, rows: Option<Part>) -> anyhow::Result<ScoredTrial> {
        let saved = TrainedModel::load(&trial, Device::Cpu)?;
        let data = predict::load_trial_data(&saved, &trial)?;
        if rows.is_none() && data.rows(Part::Test).is_none() && data.rows(Part::Validation).is_none() {
            let hint = "plot the training rows with `--rows train`";
            return Err(hinted("the run has neither test nor validation rows", hint));
        }
        let default = if data.rows(Part::Test).is_some() { Part::Test } else { Part::Validation };
        let part = rows.unwrap_or(default);
        let rows = eval::rows_of(&data, part)?;
        let Predictions { are_probabilities, rows: predictions } = predictions(&saved, rows, rows.len());
        if let Some(Prediction::Values(_)) = predictions.first() {
            let message = format!("`{}` predicts numbers, which have no probability", trial.history.experiment);
            return Err(hinted(message, "name a run that predicts classes"));
        }
        let classes = data.source.loaded.classes.clone();
        Ok(ScoredTrial { part, classes, positive: saved.positive, are_probabilities, predictions, trial })
    }

    /// Returns a page with what is plotted in its title, and the number of rows and of trials below.
    pub(crate) fn page(&self, what: &str, trials: usize) -> Page {
        let history = &self.trial.history;
        let title = history.config.get("title").and_then(|title| title.as_str()).unwrap_or(&history.experiment);
        let rows = counted(self.predictions.len(), &format!("{} row", self.part.name()));
        let mean = if trials > 1 { format!(" · mean of {}", counted(trials, "trial")) } else { String::new() };
        let subtitle = format!("{} on {} · {rows}{mean}", history.experiment, history.data.name);
        Page { title: format!("{title} – {what}"), subtitle, ..Page::default() }
    }

    /// Returns the scores of each class: of each row, the score and whether the row is of the class.
    pub(crate) fn by_class(&self) -> Vec<Vec<(f64, bool)>> {
        let scores = |prediction: &Prediction| -> Vec<(f64, bool)> {
            match prediction {
                Prediction::Class { shares, truth: Some(truth), .. } => {
                    shares.iter().enumerate().map(|(class, share)| (*share, class == *truth)).collect()
                }
                Prediction::Labels(labels) => {
                    labels.iter().map(|label| (label.share, label.truth.unwrap_or(false))).collect()
                }
                Prediction::Class { truth: None, .. } | Prediction::Values(_) => Vec::new(),
            }
        };
        let mut by_class = vec![Vec::new(); self.classes.len()];
        for row in self.predictions.iter().map(scores) {
            by_class.iter_mut().zip(row).for_each(|(class, score)| class.push(score));
        }
        by_class
    }

    /// Returns the probability of each prediction and whether it is right: of the positive class for two classes, of the
    /// predicted class for more, and of every label for labels.
    pub(crate) fn confidences(&self) -> Vec<(f64, bool)> {
        let of = |prediction: &Prediction| -> Vec<(f64, bool)> {
            match prediction {
                Prediction::Class { shares, truth: Some(truth), .. } if shares.len() == 2 => {
                    vec![(shares[self.positive], *truth == self.positive)]
                }
                Prediction::Class { shares, truth: Some(truth), .. } => {
                    let most = (0..shares.len()).max_by(|one, other| shares[*one].total_cmp(&shares[*other]));
                    most.map(|class| (shares[class], class == *truth)).into_iter().collect()
                }
                Prediction::Labels(labels) => {
                    labels.iter().filter_map(|label| Some((label.share, label.truth?))).collect()
                }
                Prediction::Class { truth: None, .. } | Prediction::Values(_) => Vec::new(),
            }
        };
        self.predictions.iter().flat_map(of).collect()
    }
}
