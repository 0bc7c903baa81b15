//! Which variants have a smaller rise of the validation loss than the baseline, and which of them only learn less.
//!
//! The rise is the validation loss of the last epoch minus its lowest. It is reported if the baseline, the first variant,
//! overfits.

use crate::history::diagnosis::Verdict;
use crate::history::number::brief;
use crate::views::document::statistic::unbroken;
use crate::views::variants::variant::Variant;

/// A variant learns less if its lowest validation loss is above the baseline's by more than this share.
const WORSE: f64 = 0.05;

/// A variant's rise and lowest validation loss, means over its trials.
struct Rise<'a> {
    name: &'a str,
    rise: f64,
    lowest: f64,
}

/// Returns sentences about the rise of the validation loss; none if the baseline does not overfit.
pub fn sentences(variants: &[Variant]) -> Vec<String> {
    let Some((first, others)) = variants.split_first().filter(|(first, others)| overfits(first) && !others.is_empty())
    else {
        return Vec::new();
    };
    let Some(baseline) = Rise::new(first) else { return Vec::new() };
    let comparable = others.iter().filter(|other| other.is_complete() && other.minimizes_as(first));
    let mut rises: Vec<Rise> = comparable.filter_map(Rise::new).collect();
    rises.sort_by(|a, b| a.rise.total_cmp(&b.rise));
    let (smaller, others): (Vec<Rise>, Vec<Rise>) = rises.into_iter().partition(|other| other.rise < baseline.rise);
    let named = |rises: &[Rise]| rises.iter().map(|other| other.beside(&baseline)).collect::<Vec<_>>().join(", ");
    let (rise, name, lowest) = (brief(baseline.rise), baseline.name, brief(baseline.lowest));
    let mut lines = vec![format!("{name} overfits: its validation loss ends {rise} above its lowest, {lowest}")];
    match smaller.is_empty() {
        true => lines.push("no variant has a smaller rise".to_owned()),
        false => lines.push(format!("smaller rises: {}", named(&smaller))),
    }
    let less = smaller.iter().filter(|other| other.lowest > baseline.lowest * (1.0 + WORSE));
    let less: Vec<String> =
        less.map(|other| format!("{} (lowest validation loss {})", other.name, brief(other.lowest))).collect();
    if !less.is_empty() {
        lines.push(format!("but higher best val loss: {}", less.join(", ")));
    }
    if !others.is_empty() && !smaller.is_empty() {
        lines.push(format!("not reduced: {}", named(&others)));
    }
    lines
}

/// Returns whether at least half of the trials overfit.
fn overfits(variant: &Variant) -> bool {
    let count = variant.trials.iter().filter(|history| history.finds(Verdict::Overfitting)).count();
    count > 0 && 2 * count >= variant.trials.len()
}

impl<'a> Rise<'a> {
    fn new(variant: &Variant<'a>) -> Option<Rise<'a>> {
        let rise = variant.mean(|history| history.diagnosis.as_ref()?.val_loss_rise)?;
        let lowest = variant.mean(|history| history.history.metric("val_loss")?.into_iter().reduce(f64::min))?;
        Some(Rise { name: variant.name, rise, lowest })
    }

    /// Returns the rise beside the baseline's: `l2 0.0027 (−97 %)`.
    fn beside(&self, baseline: &Rise) -> String {
        let change = 100.0 * (self.rise / baseline.rise - 1.0);
        let sign = if change < 0.0 { '−' } else { '+' };
        unbroken(&format!("{} {} ({sign}{:.0} %)", self.name, brief(self.rise), change.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{History, Status};
    use crate::views::fixtures::history;

    const OVERFITS: [f64; 6] = [0.9, 0.5, 0.3, 0.2, 0.1, 0.05];
    const LOSS: [f64; 6] = [0.9, 0.5, 0.3, 0.2, 0.15, 0.12];

    fn trial(variant: &str, loss: &[f64], val_loss: &[f64]) -> History {
        history(variant, 0, &[("loss", loss), ("val_loss", val_loss)])
    }

    fn baseline() -> History {
        trial("baseline", &OVERFITS, &[0.8, 0.5, 0.4, 0.45, 0.5, 0.6])
    }

    /// Returns the sentences about these trials, each of its own variant.
    fn of_trials(trials: &[History]) -> Vec<String> {
        sentences(&Variant::all(trials.iter().map(|trial| trial.variant.as_str()), trials))
    }

    /// Returns the sentences about a baseline that overfits by 0.2 above 0.4, beside these variants.
    fn beside(others: &[(&str, &[f64])]) -> Vec<String> {
        let others = others.iter().map(|(name, val_loss)| trial(name, &LOSS, val_loss));
        of_trials(&std::iter::once(baseline()).chain(others).collect::<Vec<_>>())
    }

    #[test]
    fn smaller_rises_are_named_in_order_and_those_that_learn_less_are_too() {
        let sentences = beside(&[
            ("fewer_units", &[0.9, 0.8, 0.7, 0.7, 0.7, 0.7]),
            ("fewer_rows", &[0.9, 0.6, 0.5, 0.6, 0.7, 0.9]),
            ("dropout", &[0.8, 0.5, 0.4, 0.38, 0.39, 0.4]),
            ("l2", &[0.8, 0.5, 0.41, 0.41, 0.41, 0.45]),
        ]);
        assert_eq!(
            sentences.join("\n").replace('\u{a0}', " "),
            "baseline overfits: its validation loss ends 0.2000 above its lowest, 0.4000\n\
             smaller rises: fewer_units 0.0000 (−100 %), dropout 0.0200 (−90 %), l2 0.0400 (−80 %)\n\
             but higher best val loss: fewer_units (lowest validation loss 0.7000)\n\
             not reduced: fewer_rows 0.4000 (+100 %)"
        );
    }

    #[test]
    fn if_nothing_helps_a_sentence_says_so() {
        let sentences = beside(&[("b", &[0.8, 0.5, 0.4, 0.5, 0.6, 0.8])]);
        assert_eq!(sentences.last().unwrap(), "no variant has a smaller rise");
    }

    #[test]
    fn there_is_no_sentence_about_a_baseline_that_does_not_overfit_or_has_diverged() {
        let b = || trial("b", &OVERFITS, &[0.8, 0.5, 0.4, 0.45, 0.5, 0.6]);
        let good = trial("a", &LOSS, &[0.8, 0.5, 0.4, 0.4, 0.4, 0.4]);
        assert!(of_trials(&[good, b()]).is_empty());
        let mut diverged = trial("a", &[1.0, f64::NAN], &[1.0, f64::NAN]);
        diverged.status = Status::Diverged;
        assert!(of_trials(&[diverged, b()]).is_empty());
    }

    #[test]
    fn variants_that_diverged_or_minimize_another_loss_are_left_out() {
        let low = [0.8, 0.5, 0.4, 0.4, 0.4, 0.4];
        let (mut other_loss, mut diverged) = (trial("b", &LOSS, &low), trial("c", &LOSS, &low));
        other_loss.config["train"]["loss"] = "mae".into();
        diverged.status = Status::Diverged;
        assert_eq!(of_trials(&[baseline(), other_loss, diverged]).last().unwrap(), "no variant has a smaller rise");
    }
}
