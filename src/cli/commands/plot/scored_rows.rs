//! Predicted probabilities of the rows of a run, for plots of scores.

use std::path::Path;

use anyhow::anyhow;
use tch::Device;

use crate::cli::args::lookup::find_run;
use crate::cli::commands::{eval, predict};
use crate::config::hint::Hint;
use crate::experiment::predict::prediction::{Prediction, Predictions};
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::load_model::TrainedModel;
use crate::experiment::store::trial_data::Part;
use crate::history::Status;

/// Number of rows that are predicted at once.
const CHUNK: usize = 2_048;

/// The trials and rows of a plot of scores.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) run: &'a str,
    pub(crate) out: &'a Path,
    pub(crate) trial: Option<&'a str>,
    pub(crate) rows: Option<Part>,
}

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

impl Selection<'_> {
    /// Returns the selected trial, or all trials that have not diverged.
    ///
    /// # Errors
    /// When there is no such trial.
    pub(crate) fn trials(&self) -> anyhow::Result<Vec<SavedTrial>> {
        let mut run = find_run(self.run, self.out)?;
        match self.trial {
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

    /// Predicts the rows with each trial; by default the test rows, else the validation rows.
    ///
    /// # Errors
    /// When there is no row, or files cannot be read.
    pub(crate) fn predict(&self, trials: Vec<SavedTrial>) -> anyhow::Result<Vec<ScoredTrial>> {
        trials.into_iter().map(|trial| self.predict_trial(trial)).collect()
    }

    fn predict_trial(&self, trial: SavedTrial) -> anyhow::Result<ScoredTrial> {
        let saved = TrainedModel::load(&trial, Device::Cpu)?;
        let data = predict::load_trial_data(&saved, &trial)?;
        if self.rows.is_none() && data.rows(Part::Test).is_none() && data.rows(Part::Validation).is_none() {
            return Err(anyhow!("the run has neither test nor validation rows")
                .context(Hint("plot the training rows with `--rows train`".to_owned())));
        }
        let default = if data.rows(Part::Test).is_some() { Part::Test } else { Part::Validation };
        let part = self.rows.unwrap_or(default);
        let rows = eval::rows_of(&data, part)?;
        let mut predictions = Vec::with_capacity(rows.len());
        let mut are_probabilities = true;
        for from in (0..rows.len()).step_by(CHUNK) {
            let chunk = rows.take(&(from..rows.len().min(from + CHUNK)).collect::<Vec<_>>());
            let predicted = Predictions::new(&saved, &chunk.features, Some(&chunk.targets));
            are_probabilities &= predicted.are_probabilities;
            predictions.extend(predicted.rows);
        }
        if let Some(Prediction::Values(_)) = predictions.first() {
            let hint = Hint("name a run that predicts classes".to_owned());
            return Err(
                anyhow!("`{}` predicts numbers, which have no probability", trial.history.experiment).context(hint)
            );
        }
        let classes = data.source.loaded.classes.clone();
        Ok(ScoredTrial { part, classes, positive: saved.positive, are_probabilities, predictions, trial })
    }
}

impl ScoredTrial {
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
