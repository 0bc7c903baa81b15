//! Which variants end with a smaller rise of the validation loss than the baseline: how much smaller, and which of them
//! only learn less.
//!
//! The rise is the validation loss of the last epoch minus its lowest. It is named where the baseline, the first variant,
//! overfits: where it does not, there is nothing to remedy, and where it has diverged, nothing to compare with.

use crate::cli::summary::variant::Compared;
use crate::cli::text::number_format::metric;
use crate::cli::text::page::{Page, together};
use crate::history::diagnosis::Verdict;

/// A variant learns less when its lowest validation loss is above the baseline's by more than this share.
const WORSE: f64 = 0.05;

/// A variant's rise and lowest validation loss, means over its trials.
struct Rise<'a> {
    name: &'a str,
    rise: f64,
    lowest: f64,
}

/// The sentences, one below the other.
pub fn sentences(variants: &[Compared], page: Page) -> Option<String> {
    let (first, others) = variants.split_first().filter(|(first, others)| overfits(first) && !others.is_empty())?;
    let baseline = Rise::of(first)?;
    let comparable = others.iter().filter(|other| other.is_whole() && other.minimizes_as(first));
    let mut rises: Vec<Rise> = comparable.filter_map(Rise::of).collect();
    rises.sort_by(|a, b| a.rise.total_cmp(&b.rise));
    let (smaller, others): (Vec<Rise>, Vec<Rise>) = rises.into_iter().partition(|other| other.rise < baseline.rise);
    let named = |rises: &[Rise]| rises.iter().map(|other| other.beside(&baseline)).collect::<Vec<_>>().join(", ");
    let (rise, name, lowest) = (metric(Some(baseline.rise)), baseline.name, metric(Some(baseline.lowest)));
    let mut lines = vec![format!("{name} overfits: its validation loss ends {rise} above its lowest, {lowest}")];
    match smaller.is_empty() {
        true => lines.push("no variant has a smaller rise".to_owned()),
        false => lines.push(format!("smaller rises: {}", named(&smaller))),
    }
    let less: Vec<String> = smaller
        .iter()
        .filter(|other| other.lowest > baseline.lowest * (1.0 + WORSE))
        .map(|other| format!("{} (lowest validation loss {})", other.name, metric(Some(other.lowest))))
        .collect();
    if !less.is_empty() {
        lines.push(format!("but less learned: {}", less.join(", ")));
    }
    if !others.is_empty() && !smaller.is_empty() {
        lines.push(format!("no smaller: {}", named(&others)));
    }
    Some(lines.iter().map(|line| page.wrapped(line, 2)).collect::<Vec<_>>().join("\n"))
}

/// Whether half of the trials overfit, or more.
fn overfits(variant: &Compared) -> bool {
    let count = variant.trials.iter().filter(|history| history.finds(Verdict::Overfitting)).count();
    count > 0 && 2 * count >= variant.trials.len()
}

impl<'a> Rise<'a> {
    fn of(variant: &Compared<'a>) -> Option<Rise<'a>> {
        let rise = variant.mean(|history| history.diagnosis.as_ref()?.val_loss_rise)?;
        let lowest = variant.mean(|history| history.history.metric("val_loss")?.into_iter().reduce(f64::min))?;
        Some(Rise { name: variant.variant(), rise, lowest })
    }

    /// `l2 0.0027 (−97 %)`.
    fn beside(&self, baseline: &Rise) -> String {
        let change = 100.0 * (self.rise / baseline.rise - 1.0);
        let sign = if change < 0.0 { '−' } else { '+' };
        together(&format!("{} {} ({sign}{:.0} %)", self.name, metric(Some(self.rise)), change.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{self, PLAIN, history, width};
    use crate::history::{History, Status};

    const OVERFITS: [f64; 6] = [0.9, 0.5, 0.3, 0.2, 0.1, 0.05];
    const LOSS: [f64; 6] = [0.9, 0.5, 0.3, 0.2, 0.15, 0.12];

    fn trial(variant: &str, loss: &[f64], val_loss: &[f64]) -> History {
        history(variant, 0, &[("loss", loss), ("val_loss", val_loss)]).0
    }

    /// What is said of a baseline that overfits by 0.2 above 0.4, beside these variants.
    fn said(others: &[(&str, &[f64])]) -> Option<String> {
        let mut names = vec![("baseline", "")];
        names.extend(others.iter().map(|(name, _)| (*name, "")));
        let study = fixtures::study(&names);
        let mut histories = vec![trial("baseline", &OVERFITS, &[0.8, 0.5, 0.4, 0.45, 0.5, 0.6])];
        histories.extend(others.iter().map(|(name, val_loss)| trial(name, &LOSS, val_loss)));
        sentences(&Compared::of(&study, &histories), PLAIN)
    }

    #[test]
    fn remedies_are_named_in_order_with_how_much_and_those_that_learn_less_are_told() {
        let said = said(&[
            ("fewer_units", &[0.9, 0.8, 0.7, 0.7, 0.7, 0.7]),
            ("fewer_rows", &[0.9, 0.6, 0.5, 0.6, 0.7, 0.9]),
            ("dropout", &[0.8, 0.5, 0.4, 0.38, 0.39, 0.4]),
            ("l2", &[0.8, 0.5, 0.41, 0.41, 0.41, 0.45]),
        ])
        .unwrap();
        assert_eq!(
            said,
            "baseline overfits: its validation loss ends 0.2000 above its lowest, 0.4000\n\
             smaller rises: fewer_units 0.0000 (−100 %), dropout 0.0200 (−90 %),\n  l2 0.0400 (−80 %)\n\
             but less learned: fewer_units (lowest validation loss 0.7000)\n\
             no smaller: fewer_rows 0.4000 (+100 %)"
        );
        assert!(width(&said) <= 80);
    }

    #[test]
    fn where_nothing_helps_it_is_said() {
        let said = said(&[("b", &[0.8, 0.5, 0.4, 0.5, 0.6, 0.8])]).unwrap();
        assert!(said.ends_with("\nno variant has a smaller rise"), "{said}");
    }

    #[test]
    fn nothing_is_said_of_a_baseline_that_does_not_overfit_or_has_diverged() {
        let study = fixtures::study(&[("a", ""), ("b", "")]);
        let b = || trial("b", &OVERFITS, &[0.8, 0.5, 0.4, 0.45, 0.5, 0.6]);
        let good = trial("a", &LOSS, &[0.8, 0.5, 0.4, 0.4, 0.4, 0.4]);
        assert_eq!(sentences(&Compared::of(&study, &[good, b()]), PLAIN), None);
        let mut burst = trial("a", &[1.0, f64::NAN], &[1.0, f64::NAN]);
        burst.status = Status::Diverged;
        assert_eq!(sentences(&Compared::of(&study, &[burst, b()]), PLAIN), None);
    }

    #[test]
    fn what_diverged_or_minimizes_another_loss_is_no_remedy() {
        let variants = [("a", ""), ("b", "\"train.loss\" = { cross_entropy = { label_smoothing = 0.1 } }"), ("c", "")];
        let study = fixtures::study(&variants);
        let low = [0.8, 0.5, 0.4, 0.4, 0.4, 0.4];
        let mut diverged = trial("c", &LOSS, &low);
        diverged.status = Status::Diverged;
        let histories = [trial("a", &OVERFITS, &[0.8, 0.5, 0.4, 0.45, 0.5, 0.6]), trial("b", &LOSS, &low), diverged];
        let said = sentences(&Compared::of(&study, &histories), PLAIN).unwrap();
        assert!(said.ends_with("no variant has a smaller rise"), "{said}");
    }
}
