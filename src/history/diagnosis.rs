//! Reading learning curves as a teacher would: underfitting, good, overfitting since epoch n, diverged, jumping about,
//! with the numbers that say so.
//!
//! The rules are plain and their thresholds stand here, in one place; they are tried in this order:
//!
//! 1. *diverged*: the loss left the finite numbers, or ends at more than twice what it started at;
//! 2. *jumping about*: over the later half of the epochs, the training loss rises by more than a twentieth of its mean
//!    for each epoch, rises averaged over all of them;
//! 3. *overfitting*: the validation loss ends more than 5 % above its lowest, two or more epochs after it, while the
//!    training loss fell on;
//! 4. *underfitting*: the training loss stays above half of what the best constant prediction gets;
//! 5. *good*: none of these.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::curves::Curves;
use crate::history::number::brief;

const RISING: f64 = 2.0;
const JUMPING: f64 = 0.05;
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

impl Verdict {
    /// All of them, the most serious first.
    pub const ALL: [Verdict; 5] =
        [Verdict::Diverged, Verdict::JumpingAbout, Verdict::Overfitting, Verdict::Underfitting, Verdict::Good];

    /// In words, as sentences begin with it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Underfitting => "underfitting",
            Verdict::Good => "good",
            Verdict::Overfitting => "overfitting",
            Verdict::Diverged => "diverged",
            Verdict::JumpingAbout => "jumping about",
        }
    }
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
    /// How much the training loss rises in an epoch, falls counted as 0: the mean over the later half of the epochs, as
    /// a share of the mean loss there.
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

    if last > RISING * first {
        diagnosis.verdict = Verdict::Diverged;
        diagnosis.sentence = format!(
            "diverging: training loss rises from {} to {}; try a smaller learning rate",
            brief(first),
            brief(last)
        );
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
            "jumping about: the training loss goes up and down, rising by {:.0} % of its mean in an epoch; try a smaller learning rate or larger batches",
            100.0 * rises
        );
    } else if let Some(turn) = overfits {
        diagnosis.verdict = Verdict::Overfitting;
        diagnosis.overfits_from = Some(turn.epoch + 1);
        diagnosis.sentence = format!(
            "overfitting from epoch {}: validation loss is lowest in epoch {} ({}) and ends at {}, while training loss falls to {}",
            turn.epoch + 1,
            turn.epoch,
            brief(turn.lowest),
            brief(turn.last),
            brief(last)
        );
    } else if let Some(explained) = explained.filter(|&explained| explained < 1.0 - UNEXPLAINED) {
        diagnosis.verdict = Verdict::Underfitting;
        diagnosis.sentence = format!(
            "underfitting: training loss gets no lower than {}, and predicting the same for every row would get {} ({:.0} % explained)",
            brief(lowest),
            brief(constant_loss),
            100.0 * explained.max(0.0)
        );
    } else {
        let moves = if last < first { "falls" } else { "goes" };
        let tail = if still_falling(&loss) { "; it is still falling, so more epochs may help" } else { "" };
        let validation = end("val_loss").map(|end| format!(", and validation loss ends at {}", brief(end)));
        diagnosis.sentence = format!(
            "good: training loss {moves} from {} to {}{}{tail}",
            brief(first),
            brief(last),
            validation.unwrap_or_default()
        );
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

/// The mean rise of an epoch over the later half, as a share of the mean there; `None` for short curves and for a loss
/// of 0.
fn rises(loss: &[f64]) -> Option<f64> {
    let later = &loss[loss.len() / 2..];
    let steps = later.len().checked_sub(1).filter(|_| loss.len() >= 5)? as f64;
    let mean = later.iter().sum::<f64>() / later.len() as f64;
    let rises: f64 = later.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).sum();
    (mean > 0.0).then(|| rises / steps / mean).filter(|share| share.is_finite())
}

/// Whether the last tenth of the epochs still took more than 5 % off the loss, and more than a hundredth of it is left.
fn still_falling(loss: &[f64]) -> bool {
    let (tenth, end) = ((loss.len() / 10).max(1), loss.len() - 1);
    loss.len() > tenth && loss[end] < 0.95 * loss[end - tenth] && loss[end] > 0.01 * loss[0]
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
    fn a_noise_floor_is_not_jumping_about_however_long_the_run() {
        for epochs in [20, 100, 1000] {
            // falls, and then stays within 3 % of 0.1
            let loss: Vec<f64> =
                (0..epochs).map(|e| 0.1 * (1.0 + 0.03 * (e as f64 * 2.4).sin()) + 0.9 * (-(e as f64)).exp()).collect();
            assert_eq!(read(&loss, &[]).verdict, Verdict::Good, "{epochs} epochs");
        }
    }

    #[test]
    fn a_loss_that_rises_and_rises_is_diverging() {
        let loss: Vec<f64> = (0..12).map(|epoch| 1.09 * 4.0_f64.powi(epoch)).collect();
        let diagnosis = read(&loss, &[]);
        assert_eq!(diagnosis.verdict, Verdict::Diverged);
        assert!(diagnosis.sentence.contains("rises from 1.0900"));
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
