//! Reading learning curves as a teacher would: underfitting, good, overfitting since epoch n, diverged, jumping about,
//! with the numbers that say so.
//!
//! The rules are plain and their thresholds stand here, in one place; they are tried in this order:
//!
//! 1. *diverged*: the loss left the finite numbers;
//! 2. *jumping about*: the training loss's rises add up to more than half of what it fell in all;
//! 3. *overfitting*: the validation loss ends more than 5 % above its lowest, two or more epochs after it, while the
//!    training loss fell on;
//! 4. *underfitting*: the training loss stays above half of what the best constant prediction gets;
//! 5. *good*: none of these.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::curves::Curves;

const JUMPING: f64 = 0.5;
const RISEN: f64 = 0.05;
const UNEXPLAINED: f64 = 0.5;

/// What the curves show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The network has learned little of what there is to learn.
    Underfitting,
    /// Nothing to object to.
    Good,
    /// The network memorizes the training rows.
    Overfitting,
    /// The loss left the finite numbers.
    Diverged,
    /// The loss goes up and down: the learning rate is too large, or the batches are too small.
    JumpingAbout,
}

/// A reading of the curves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// In a word.
    pub verdict: Verdict,
    /// In a sentence.
    pub sentence: String,
    /// The first epoch after the lowest validation loss, when the verdict is overfitting.
    pub overfits_from: Option<usize>,
    /// The validation loss at the end minus its lowest.
    pub gap: Option<f64>,
    /// The training accuracy minus the validation accuracy at the end.
    pub acc_gap: Option<f64>,
    /// The share of the constant prediction's loss that the network has taken away by its lowest training loss.
    pub explained: Option<f64>,
    /// The training loss's rises, added up, as a share of what it fell in all.
    pub rises: Option<f64>,
}

/// Reads the curves of one trial. `constant_loss` is the loss of the best constant prediction on the training rows.
///
/// Returns `None` when there is no epoch to read.
pub fn diagnose(curves: &Curves, constant_loss: f64) -> Option<Diagnosis> {
    let loss = curves.metric("loss")?;
    let (&first, &last) = (loss.first()?, loss.last()?);
    let val_loss = curves.metric("val_loss");
    let end = |name: &str| curves.metric(name).and_then(|values| values.last().copied());
    let lowest = loss.iter().copied().fold(f64::INFINITY, f64::min);
    let explained = (constant_loss > 0.0).then_some(1.0 - lowest / constant_loss).filter(|share| share.is_finite());
    let rises = rises(&loss);
    let mut diagnosis = Diagnosis {
        verdict: Verdict::Good,
        sentence: String::new(),
        overfits_from: None,
        gap: None,
        acc_gap: end("acc").zip(end("val_acc")).map(|(acc, val_acc)| acc - val_acc),
        explained,
        rises,
    };

    let all = || loss.iter().chain(val_loss.iter().flatten());
    if all().any(|value| !value.is_finite()) {
        let epoch = first_not_finite(curves).unwrap_or(curves.len());
        diagnosis.verdict = Verdict::Diverged;
        diagnosis.sentence =
            format!("diverged in epoch {epoch}: the loss is no longer a finite number; try a smaller learning rate");
        return Some(diagnosis);
    }

    let turn = val_loss.as_ref().and_then(|values| Turn::of(curves, values));
    diagnosis.gap = turn.as_ref().map(|turn| turn.last - turn.lowest);
    let overfits = turn.filter(|turn| {
        let training_fell_on = curves.at(turn.epoch, "loss").is_some_and(|there| last < there);
        turn.epochs_after >= 2 && turn.last > turn.lowest * (1.0 + RISEN) && training_fell_on
    });

    if let Some(rises) = rises.filter(|&rises| rises > JUMPING) {
        diagnosis.verdict = Verdict::JumpingAbout;
        diagnosis.sentence = format!(
            "jumping about: the training loss's rises add up to {:.0} % of its fall; try a smaller learning rate or larger batches",
            100.0 * rises
        );
    } else if let Some(turn) = overfits {
        diagnosis.verdict = Verdict::Overfitting;
        diagnosis.overfits_from = Some(turn.epoch + 1);
        diagnosis.sentence = format!(
            "overfitting from epoch {}: validation loss is lowest in epoch {} ({:.4}) and ends at {:.4}, while training loss falls to {last:.4}",
            turn.epoch + 1,
            turn.epoch,
            turn.lowest,
            turn.last
        );
    } else if let Some(explained) = explained.filter(|&explained| explained < 1.0 - UNEXPLAINED) {
        diagnosis.verdict = Verdict::Underfitting;
        diagnosis.sentence = format!(
            "underfitting: training loss ends at {last:.4}, and predicting the same for every row would get {constant_loss:.4} ({:.0} % explained)",
            100.0 * explained.max(0.0)
        );
    } else {
        let tail = if still_falling(&loss) { "; it is still falling, so more epochs may help" } else { "" };
        let validation =
            end("val_loss").map(|end| format!(", and validation loss ends at {end:.4}")).unwrap_or_default();
        diagnosis.sentence = format!("good: training loss falls from {first:.4} to {last:.4}{validation}{tail}");
    }
    Some(diagnosis)
}

/// Where the validation loss turns.
struct Turn {
    epoch: usize,
    lowest: f64,
    last: f64,
    epochs_after: usize,
}

impl Turn {
    fn of(curves: &Curves, val_loss: &[f64]) -> Option<Turn> {
        let (row, &lowest) = val_loss.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
        let (&last, &epoch) = (val_loss.last()?, curves.epoch.get(row)?);
        Some(Turn { epoch, lowest, last, epochs_after: val_loss.len() - 1 - row })
    }
}

fn first_not_finite(curves: &Curves) -> Option<usize> {
    let finite =
        |epoch: usize| ["loss", "val_loss"].iter().all(|name| curves.at(epoch, name).is_none_or(f64::is_finite));
    curves.epoch.iter().copied().find(|&epoch| !finite(epoch))
}

/// The rises of a curve as a share of its fall; `None` for short curves and for those that hardly move.
fn rises(loss: &[f64]) -> Option<f64> {
    let (first, lowest) = (*loss.first()?, loss.iter().copied().fold(f64::INFINITY, f64::min));
    let rises: f64 = loss.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).sum();
    let range = (first - lowest).max(rises / loss.len() as f64);
    let moves = range.is_finite() && range > 1e-3 * first.abs() && rises.is_finite();
    (loss.len() >= 5 && moves).then(|| rises / range)
}

/// Whether the last tenth of the epochs still took more than 5 % off the loss.
fn still_falling(loss: &[f64]) -> bool {
    let tenth = (loss.len() / 10).max(1);
    loss.len() > tenth && loss[loss.len() - 1] < 0.95 * loss[loss.len() - 1 - tenth]
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(diagnosis.verdict, Verdict::Overfitting);
        assert_eq!(diagnosis.overfits_from, Some(4));
        assert!((diagnosis.gap.unwrap() - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_validation_loss_that_stays_low_is_good() {
        let diagnosis = read(&[0.9, 0.5, 0.3, 0.2, 0.19, 0.19], &[0.8, 0.5, 0.4, 0.39, 0.4, 0.4]);
        assert_eq!(diagnosis.verdict, Verdict::Good);
        assert_eq!(diagnosis.overfits_from, None);
    }

    #[test]
    fn a_loss_near_the_constant_predictions_is_underfitting() {
        assert_eq!(read(&[1.2, 1.1, 1.05, 1.0, 0.99, 0.98], &[]).verdict, Verdict::Underfitting);
    }

    #[test]
    fn a_loss_that_goes_up_and_down_is_jumping_about() {
        assert_eq!(read(&[0.9, 0.2, 0.8, 0.1, 0.7, 0.2, 0.9], &[]).verdict, Verdict::JumpingAbout);
    }

    #[test]
    fn a_loss_that_is_not_finite_has_diverged_and_the_epoch_is_named() {
        let diagnosis = read(&[0.9, 5.0, f64::NAN], &[]);
        assert_eq!(diagnosis.verdict, Verdict::Diverged);
        assert!(diagnosis.sentence.contains("epoch 3"));
    }

    #[test]
    fn no_epoch_is_no_reading() {
        assert_eq!(diagnose(&Curves::default(), 1.0), None);
    }
}
