//! The rules of the diagnosis and their thresholds. They use smoothed losses, and differences must exceed the noise. Sentences
//! have the losses of the epochs themselves, as tables and plots show them.
//!
//! * *diverged*: a loss is NaN or infinite, or the training loss ends above twice its first value and no better than a
//!   constant prediction, or it had fallen below half of the constant prediction's loss and rose back to it;
//! * *overfitting*: the training loss ends at least 10 % below a constant prediction; the validation loss rises above its
//!   minimum by more than 5 % and by more than its noise, while the training loss does not rise; and validation is worse
//!   than training (by the loss, and not better by the accuracy);
//! * *unstable*: over the second half of the epochs the training or validation loss fluctuates, or the training loss ends
//!   25 % or more above its minimum;
//! * *underfitting*: the training loss never falls below half of the loss of a constant prediction, unless a rare class is ranked
//!   clearly above the others (training ROC AUC or AP): noisy labels allow no lower loss;
//! * *good*: none of these.

use crate::history::curves::Curves;
use crate::history::diagnosis::series::{self, jitter, lowest, median, noise_of_smoothed, smoothed};
use crate::history::diagnosis::verdict::{Diagnosis, Verdict};
use crate::history::number::brief;

/// Minimum ratio of the last to the first training loss of a diverged training.
const GROWN: f64 = 2.0;
/// A training loss above this share of the constant prediction's loss means that nothing was learned.
const LEARNED: f64 = 0.9;
/// A training loss above this share of the constant prediction's loss is underfitting.
const UNEXPLAINED: f64 = 0.5;
/// A constant prediction of two classes with a cross entropy below this has a rare class: its share is below 11 %.
const RARE: f64 = 0.35;
/// Minimum training ROC AUC of a network that finds a rare class.
const RANKED: f64 = 0.75;
/// Minimum training AP of a network that finds a rare class, as a multiple of the class's share, the AP of chance.
const RANKED_AP: f64 = 3.0;
/// Minimum rise of the validation loss above its minimum, relative to the minimum.
const RISEN: f64 = 0.05;
/// Minimum rise of the validation loss relative to the constant prediction's loss, for losses near 0.
const RISEN_OF_CONSTANT: f64 = 0.003;
/// Minimum rise of the validation loss in standard errors of its smoothed values: a minimum is low by chance too.
const RISEN_OF_NOISE: f64 = 4.0;
/// Minimum jitter of an unstable training loss. Noise of 6 % has a jitter of 0.05.
const JITTER: f64 = 0.055;
/// Minimum jitter of an unstable validation loss, which is noisier with few validation rows.
const VAL_JITTER: f64 = 0.12;
/// The jitter of losses below this share of the constant prediction's loss is relative to this share.
const LEVEL: f64 = 0.3;
/// Minimum rise of an unstable training loss above its minimum, relative to the minimum.
const CREPT: f64 = 0.25;
/// A constant prediction's loss below this share of the first loss is 0 up to rounding.
const NO_LOSS: f64 = 1e-24;

/// The losses of a trial, raw and smoothed.
struct Losses<'a> {
    curves: &'a Curves,
    training: Vec<f64>,
    validation: Option<Vec<f64>>,
    smooth: Vec<f64>,
    /// Loss of the best constant prediction on the training rows, if known.
    constant: Option<f64>,
}

/// Diagnoses the learning curves of one trial. `constant_loss` is the loss of the best constant prediction on the training
/// rows, or NaN if it is unknown, as in histories of other programs.
///
/// Returns `None` without a training loss, and for a single epoch, unless its loss is not finite.
pub fn diagnose(curves: &Curves, constant_loss: f64) -> Option<Diagnosis> {
    let training = curves.metric("loss")?;
    let end = |name: &str| curves.metric(name).and_then(|values| values.last().copied());
    let (_, least) = lowest(&training)?;
    let losses = Losses {
        curves,
        validation: curves.metric("val_loss").filter(|values| !values.is_empty()),
        smooth: smoothed(&training),
        constant: constant_loss.is_finite().then_some(constant_loss),
        training,
    };
    let is_finite = losses.first_not_finite().is_none();
    if losses.training.len() == 1 && is_finite {
        return None;
    }
    let (findings, overfits_from) = losses.findings();
    let (findings, clauses): (Vec<Verdict>, Vec<String>) = findings.into_iter().unzip();
    let last_loss = losses.training.last().copied();
    Some(Diagnosis {
        verdict: *findings.first()?,
        findings,
        sentence: clauses.join("; also "),
        overfits_from,
        val_loss_rise: losses.validation.as_ref().filter(|_| is_finite).and_then(|values| {
            let (_, least) = lowest(values)?;
            Some(values.last()? - least)
        }),
        generalization_gap: end("val_loss").zip(last_loss).map(|(val_loss, loss)| val_loss - loss),
        acc_gap: end("acc").zip(end("val_acc")).map(|(acc, val_acc)| acc - val_acc),
        explained: (constant_loss > 0.0).then_some(1.0 - least / constant_loss).filter(|share| share.is_finite()),
        rises: rises(&losses.training),
        jitter: jitter(&losses.training, LEVEL * losses.scale()).filter(|_| is_finite),
    })
}

impl Losses<'_> {
    /// Returns all findings, the most important first, each with a clause that has its numbers, and the epoch from which the
    /// network overfits.
    fn findings(&self) -> (Vec<(Verdict, String)>, Option<usize>) {
        if let Some(clause) = self.diverged() {
            return (vec![(Verdict::Diverged, clause)], None);
        }
        let (overfits_from, overfits) = self.overfits().unzip();
        let found = [
            (Verdict::Overfitting, overfits),
            (Verdict::Unstable, self.unstable()),
            (Verdict::Underfitting, self.underfits()),
        ];
        let found: Vec<_> = found.into_iter().filter_map(|(verdict, clause)| Some((verdict, clause?))).collect();
        (if found.is_empty() { vec![(Verdict::Good, self.good())] } else { found }, overfits_from)
    }

    /// Returns the constant prediction's loss, or the first training loss if it is unknown.
    fn scale(&self) -> f64 {
        self.constant.filter(|&constant| constant > 0.0).unwrap_or(self.training[0])
    }

    /// Returns the number of the epoch at this index.
    fn epoch(&self, row: usize) -> usize {
        self.curves.epoch.get(row).copied().unwrap_or(row + 1)
    }

    /// Returns the last smoothed training loss.
    fn end(&self) -> f64 {
        self.smooth[self.smooth.len() - 1]
    }

    /// Returns the last training loss.
    fn last(&self) -> f64 {
        self.training[self.training.len() - 1]
    }

    /// Returns the index of the first epoch with a loss that is not finite.
    fn first_not_finite(&self) -> Option<usize> {
        let broken = |values: &[f64]| values.iter().position(|value| !value.is_finite());
        [broken(&self.training), self.validation.as_deref().and_then(broken)].into_iter().flatten().min()
    }

    fn diverged(&self) -> Option<String> {
        if let Some(row) = self.first_not_finite() {
            let epoch = self.epoch(row);
            return Some(format!(
                "diverged in epoch {epoch}: the loss is NaN or infinite; try a smaller learning rate"
            ));
        }
        let (first, length) = (self.training[0], self.training.len());
        // a single spike in the last epoch is not a divergence
        let last = median(&self.training[if length < series::SHORT { length - 1 } else { length - 3 }..]);
        if last > GROWN * first && self.constant.is_none_or(|constant| last > LEARNED * constant) {
            return Some(format!(
                "diverged: training loss rises from {} to {}; try a smaller learning rate",
                brief(first),
                brief(self.last())
            ));
        }
        let constant = self.constant.filter(|&constant| constant > 0.0)?;
        let (row, least) = lowest(&self.smooth)?;
        let is_lost = least < UNEXPLAINED * constant && self.end() > LEARNED * constant;
        let (_, lowest) = lowest_near(&self.training, row)?;
        is_lost.then(|| {
            format!(
                "diverged: training loss had fallen to {} and ends at {}, no better than a constant prediction ({}); \
                 try a smaller learning rate",
                brief(lowest),
                brief(self.last()),
                brief(constant)
            )
        })
    }

    fn overfits(&self) -> Option<(usize, String)> {
        let raw = self.validation.as_ref()?;
        let smooth = smoothed(raw);
        let (turn, least) = lowest(&smooth)?;
        let (end, rows_after) = (*smooth.last()?, smooth.len() - 1 - turn);
        let allowed =
            (RISEN * least).max(RISEN_OF_CONSTANT * self.scale()).max(RISEN_OF_NOISE * noise_of_smoothed(raw));
        let has_learned = self.end() < LEARNED * self.scale();
        let training_rises =
            self.end() > *self.smooth.get(turn)? + RISEN_OF_NOISE / 2.0 * noise_of_smoothed(&self.training);
        let is_overfitting = has_learned
            && rows_after >= 2
            && end - least > allowed
            && !training_rises
            && end > self.end()
            && !self.validates_better();
        // the best epoch; if noise makes that the last one, the minimum near the minimum of the smoothed values
        let (row, lowest) = match lowest(raw)? {
            (row, _) if row + 1 == raw.len() => lowest_near(raw, turn)?,
            best => best,
        };
        let epoch = self.epoch(row);
        let clause = || {
            format!(
                "overfitting from epoch {}: validation loss is lowest in epoch {epoch} ({}) and ends at {}, while training \
                 loss ends at {}",
                epoch + 1,
                brief(lowest),
                brief(raw[raw.len() - 1]),
                brief(self.last())
            )
        };
        is_overfitting.then(|| (epoch + 1, clause()))
    }

    /// Returns whether the smoothed validation accuracy ends above the training accuracy, as with dropout.
    fn validates_better(&self) -> bool {
        let end = |name: &str| self.curves.metric(name).and_then(|values| smoothed(&values).last().copied());
        end("acc").zip(end("val_acc")).is_some_and(|(acc, val_acc)| acc < val_acc)
    }

    fn unstable(&self) -> Option<String> {
        let jumps = |what: &str, jitter: f64, more: &str| {
            let share = percent(jitter);
            Some(format!("unstable: {what} loss fluctuates by {share}; try a smaller learning rate or {more}"))
        };
        let least = LEVEL * self.scale();
        if let Some(jitter) = jitter(&self.training, least).filter(|&jitter| jitter > JITTER) {
            return jumps("training", jitter, "larger batches");
        }
        let of_validation = self.validation.as_ref().and_then(|values| jitter(values, least));
        if let Some(jitter) = of_validation.filter(|&jitter| jitter > VAL_JITTER) {
            return jumps("validation", jitter, "more validation rows");
        }
        let (turn, smallest) = lowest(&self.smooth)?;
        let allowed = (CREPT * smallest.max(least)).max(RISEN_OF_NOISE * noise_of_smoothed(&self.training));
        let creeps = self.end() - smallest > allowed && self.training.len() >= series::SHORT;
        let (row, lowest) = lowest_near(&self.training, turn)?;
        creeps.then(|| {
            format!(
                "unstable: training loss rises again from {} in epoch {} to {}; try a smaller learning rate",
                brief(lowest),
                self.epoch(row),
                brief(self.last())
            )
        })
    }

    fn underfits(&self) -> Option<String> {
        let constant = self.constant?;
        if constant <= NO_LOSS * self.training[0] {
            let why = "the target is the same in every training row, so there is nothing to learn";
            return Some(format!("underfitting: {why}"));
        }
        let (_, smallest) = lowest(&self.smooth)?;
        let still_falls = still_falls(&self.smooth) && !self.curves.ends_with_small_lr();
        let (_, lowest) = lowest(&self.training)?;
        let below = match lowest < constant {
            true => format!("{} below", percent(1.0 - lowest / constant)),
            false => "no better than".to_owned(),
        };
        let more = if still_falls { "; it is still falling: train longer" } else { "" };
        (smallest > UNEXPLAINED * constant && !self.finds_rare_class(constant)).then(|| {
            format!(
                "underfitting: training loss gets no lower than {}, {below} a constant prediction ({}){more}",
                brief(lowest),
                brief(constant)
            )
        })
    }

    /// Returns whether the training rows of a rare class are ranked clearly above the others. If such a class is noisy, even the
    /// best possible loss is near that of a constant prediction, which is no underfitting.
    fn finds_rare_class(&self, constant: f64) -> bool {
        let end = |name: &str| self.curves.metric(name).and_then(|values| smoothed(&values).last().copied());
        constant < RARE
            && (end("roc_auc").is_some_and(|auc| auc >= RANKED)
                || end("ap").is_some_and(|ap| ap >= RANKED_AP * share_of(constant)))
    }

    fn good(&self) -> String {
        let (first, last) = (self.training[0], self.last());
        let moves = if last < first { "falls" } else { "goes" };
        let validation = self.validation.as_ref().and_then(|values| values.last());
        let validation = validation.map(|end| format!(", and validation loss ends at {}", brief(*end)));
        let still_improves = !self.curves.ends_with_small_lr()
            && match &self.validation {
                Some(validation) => is_best_at_the_end(validation),
                None => still_falls(&self.training),
            };
        format!(
            "good: training loss {moves} from {} to {}{}{}",
            brief(first),
            brief(last),
            validation.unwrap_or_default(),
            if still_improves { "; still improving at the last epoch: train longer" } else { "" }
        )
    }
}

/// Formats a share as `12 %`.
fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// Returns the index and value of the minimum near an index that was found in the smoothed values.
fn lowest_near(values: &[f64], place: usize) -> Option<(usize, f64)> {
    let half = series::window(values.len()) / 2;
    let from = place.saturating_sub(half);
    lowest(&values[from..values.len().min(place + half + 1)]).map(|(near, value)| (from + near, value))
}

/// Returns the share of the rarer of two classes whose constant prediction has this cross entropy.
fn share_of(constant: f64) -> f64 {
    let entropy = |share: f64| -share * share.ln() - (1.0 - share) * (1.0 - share).ln();
    let (mut low, mut high) = (1e-9, 0.5);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if entropy(middle) < constant { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Returns whether the last of several values is lower than all others.
fn is_best_at_the_end(values: &[f64]) -> bool {
    matches!(values, [others @ .., last] if !others.is_empty() && others.iter().all(|other| last < other))
}

/// Returns the mean increase per epoch over the second half, relative to the mean there. `None` for short curves and for a
/// loss of 0.
fn rises(loss: &[f64]) -> Option<f64> {
    let later = &loss[loss.len() / 2..];
    let mean = series::mean(later).filter(|&mean| mean > 0.0)?;
    let steps: Vec<f64> = later.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).collect();
    let rise = series::mean(&steps).filter(|_| loss.len() >= series::SHORT)?;
    Some(rise / mean).filter(|share| share.is_finite())
}

/// Returns whether the loss fell by more than 5 % over the last tenth of the epochs, and is above 1 % of the first loss.
fn still_falls(loss: &[f64]) -> bool {
    let (tenth, end) = ((loss.len() / 10).max(1), loss.len() - 1);
    loss.len() > tenth && loss[end] < 0.95 * loss[end - tenth] && loss[end] > 0.01 * loss[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::diagnosis::verdict::Verdict;

    fn read(loss: &[f64], val_loss: &[f64]) -> Diagnosis {
        let mut curves = Curves::default();
        for (row, &loss) in loss.iter().enumerate() {
            let mut values = vec![("loss", loss)];
            values.extend(val_loss.get(row).map(|&value| ("val_loss", value)));
            curves.push(row + 1, &values);
        }
        diagnose(&curves, 1.0).unwrap()
    }

    #[test]
    fn a_validation_loss_that_turns_up_is_overfitting_from_the_next_epoch() {
        let diagnosis = read(&[0.9, 0.5, 0.3, 0.2, 0.1, 0.05], &[0.8, 0.5, 0.4, 0.45, 0.5, 0.6]);
        assert_eq!(diagnosis.findings, [Verdict::Overfitting]);
        assert_eq!(diagnosis.overfits_from, Some(4));
        assert!((diagnosis.val_loss_rise.unwrap() - 0.2).abs() < 1e-12);
        assert!((diagnosis.generalization_gap.unwrap() - 0.55).abs() < 1e-12);
    }

    #[test]
    fn a_validation_loss_that_stays_low_is_good() {
        let diagnosis = read(&[0.9, 0.5, 0.3, 0.2, 0.19, 0.19], &[0.8, 0.5, 0.4, 0.39, 0.4, 0.4]);
        assert_eq!(diagnosis.findings, [Verdict::Good]);
        assert_eq!(diagnosis.overfits_from, None);
    }

    #[test]
    fn a_good_fit_that_is_best_in_the_last_epoch_is_to_be_trained_longer() {
        let advice = "; still improving at the last epoch: train longer";
        let falls = [0.9, 0.5, 0.3, 0.2, 0.19, 0.189];
        let improving = read(&falls, &[0.8, 0.5, 0.4, 0.39, 0.38, 0.37]);
        assert_eq!((improving.verdict, improving.sentence.ends_with(advice)), (Verdict::Good, true));
        assert!(!read(&falls, &[0.8, 0.5, 0.4, 0.37, 0.38, 0.38]).sentence.contains(advice));
        assert!(!read(&falls, &[]).sentence.contains(advice), "the training loss has converged");
    }

    #[test]
    fn a_validation_loss_that_rises_below_the_training_loss_is_no_overfitting() {
        let diagnosis = read(&[0.9, 0.7, 0.5, 0.45, 0.4, 0.38], &[0.8, 0.5, 0.2, 0.23, 0.26, 0.3]);
        assert_eq!(diagnosis.verdict, Verdict::Good);
    }

    #[test]
    fn a_loss_near_the_constant_predictions_is_underfitting() {
        let diagnosis = read(&[1.2, 1.1, 1.05, 1.0, 0.99, 0.98], &[]);
        assert_eq!(diagnosis.verdict, Verdict::Underfitting);
        assert!(diagnosis.sentence.contains("2 % below a constant prediction"), "{}", diagnosis.sentence);
        let worse = read(&[1.4, 1.3, 1.2, 1.2], &[1.1, 1.2, 1.3, 1.4]);
        assert_eq!(worse.findings, [Verdict::Underfitting], "nothing was learned, so nothing was overfitted");
        assert!(worse.sentence.contains("no better than a constant prediction (1.0000)"), "{}", worse.sentence);
    }

    #[test]
    fn a_rare_noisy_class_that_is_ranked_well_is_no_underfitting() {
        // 4.56 % of the rows: a constant prediction has the loss 0.1852
        let of = |metric: &str, value: f64| {
            let mut curves = Curves::default();
            for (epoch, loss) in [(1, 0.18), (2, 0.16), (3, 0.15), (4, 0.145), (5, 0.1441), (6, 0.144)] {
                curves.push(epoch, &[("loss", loss), (metric, value)]);
            }
            diagnose(&curves, 0.1852).unwrap()
        };
        assert!((share_of(0.1852) - 0.0456).abs() < 2e-4);
        assert_eq!((of("roc_auc", 0.82).verdict, of("ap", 0.32).verdict), (Verdict::Good, Verdict::Good));
        assert_eq!(
            (of("roc_auc", 0.55).verdict, of("ap", 0.06).verdict),
            (Verdict::Underfitting, Verdict::Underfitting)
        );
        assert!(of("acc", 0.95).sentence.contains("gets no lower than 0.1440"));
    }

    #[test]
    fn sentences_have_the_losses_of_the_epochs_and_the_best_epoch() {
        // the smoothed validation loss is lowest in epoch 4, the validation loss itself in epoch 8
        let loss = [0.9, 0.6, 0.4, 0.3, 0.25, 0.2, 0.17, 0.15, 0.13, 0.11, 0.1, 0.09];
        let val_loss = [0.9, 0.6, 0.5, 0.49, 0.5, 0.53, 0.56, 0.48, 0.62, 0.66, 0.7, 0.75];
        let overfitted = read(&loss, &val_loss);
        assert_eq!((overfitted.verdict, overfitted.overfits_from), (Verdict::Overfitting, Some(9)));
        assert!(
            overfitted.sentence.contains("lowest in epoch 8 (0.4800) and ends at 0.7500"),
            "{}",
            overfitted.sentence
        );
        let flat = read(&[1.0, 0.9, 0.86, 0.8, 0.86, 0.85, 0.87, 0.86], &[]);
        assert!(flat.sentence.contains("no lower than 0.8000"), "{}", flat.sentence);
    }

    #[test]
    fn a_constant_target_is_underfitting() {
        let mut curves = Curves::default();
        for (epoch, loss) in [(1, 12.0), (2, 0.3), (3, 1e-5)] {
            curves.push(epoch, &[("loss", loss), ("val_loss", loss)]);
        }
        for constant in [0.0, 1e-30] {
            let diagnosis = diagnose(&curves, constant).unwrap();
            assert_eq!(diagnosis.verdict, Verdict::Underfitting);
            assert!(diagnosis.sentence.contains("the same in every training row"));
        }
    }

    #[test]
    fn a_loss_that_goes_up_and_down_is_unstable() {
        let diagnosis = read(&[0.9, 0.2, 0.8, 0.1, 0.7, 0.2, 0.9], &[]);
        assert_eq!(diagnosis.findings, [Verdict::Unstable]);
        assert!(diagnosis.jitter.unwrap() > 0.5);
    }

    #[test]
    fn overfitting_and_instability_are_both_found_and_overfitting_comes_first() {
        let loss: Vec<f64> =
            (0..30).map(|epoch| 0.1 + f64::from(epoch % 3) * 0.2 + 0.5 / f64::from(epoch + 1)).collect();
        let val_loss: Vec<f64> = (0..30).map(|epoch| 0.5 + 0.02 * (f64::from(epoch) - 6.0).abs()).collect();
        let diagnosis = read(&loss, &val_loss);
        assert_eq!(diagnosis.findings, [Verdict::Overfitting, Verdict::Unstable]);
        assert!(diagnosis.sentence.starts_with("overfitting from epoch 8"), "{}", diagnosis.sentence);
        assert!(diagnosis.sentence.contains("; also unstable: training loss fluctuates"), "{}", diagnosis.sentence);
    }

    #[test]
    fn a_noise_floor_is_not_instability() {
        for epochs in [20, 100, 1000] {
            // falls, and then stays within 3 % of 0.1
            let loss: Vec<f64> =
                (0..epochs).map(|e| 0.1 * (1.0 + 0.03 * (e as f64 * 2.4).sin()) + 0.9 * (-(e as f64)).exp()).collect();
            assert_eq!(read(&loss, &[]).verdict, Verdict::Good, "{epochs} epochs");
        }
    }

    #[test]
    fn a_loss_that_rises_and_rises_has_diverged() {
        let loss: Vec<f64> = (0..12).map(|epoch| 1.09 * 4.0_f64.powi(epoch)).collect();
        let diagnosis = read(&loss, &[]);
        assert_eq!(diagnosis.verdict, Verdict::Diverged);
        assert!(diagnosis.sentence.contains("rises from 1.0900"));
    }

    #[test]
    fn a_loss_that_falls_back_to_chance_has_diverged() {
        let diagnosis = read(&[0.9, 0.5, 0.3, 0.2, 0.2, 1.0, 1.0, 1.0, 1.0, 1.0], &[]);
        assert_eq!(diagnosis.verdict, Verdict::Diverged);
        assert!(diagnosis.sentence.contains("had fallen to 0.2000 and ends at 1.0000"), "{}", diagnosis.sentence);
    }

    #[test]
    fn a_nan_loss_has_diverged_and_the_epoch_is_named() {
        let diagnosis = read(&[0.9, 5.0, f64::NAN], &[]);
        assert_eq!(diagnosis.findings, [Verdict::Diverged]);
        assert!(diagnosis.sentence.contains("epoch 3"));
        assert_eq!(diagnosis.jitter, None);
    }

    #[test]
    fn without_epochs_there_is_no_diagnosis() {
        assert_eq!(diagnose(&Curves::default(), 1.0), None);
    }
}
