//! Decides all rungs of a stack again from the curves of its trials.

use crate::experiment::halving::decision::{Rung, RungTrial};
use crate::experiment::halving::rule::HalvingRule;
use crate::experiment::halving::rung_metric::RungMetric;
use crate::history::Status;
use crate::history::curves::Curves;

/// A trial of a stack that has ended.
#[derive(Clone, Copy, Debug)]
pub struct StackTrial<'a> {
    /// Name of its configuration.
    pub configuration: &'a str,
    /// Its seed.
    pub seed: i64,
    /// How it ended.
    pub status: Status,
    /// Its metrics by epoch.
    pub curves: &'a Curves,
    /// Metric that determines its best epoch, and whether higher is better.
    pub monitor: (&'a str, bool),
}

impl<'a> StackTrial<'a> {
    /// Returns the trial as it was at a rung.
    pub fn at(&self, metric: &RungMetric, epoch: usize) -> RungTrial<'a> {
        let has_diverged = self.status == Status::Diverged && self.curves.len() <= epoch;
        let value = metric.value(self.curves, epoch, self.monitor).filter(|_| !has_diverged);
        RungTrial { configuration: self.configuration, seed: self.seed, value }
    }

    /// Whether it could have trained more epochs at the end of an epoch.
    fn is_training(&self, epoch: usize) -> bool {
        self.curves.len() > epoch || (self.curves.len() == epoch && self.status == Status::Dropped)
    }
}

/// Returns the rungs of a stack whose trials had this number of epochs to train.
pub fn replay(rule: &HalvingRule, metric: &RungMetric, epochs: usize, trials: &[StackTrial]) -> Vec<Rung> {
    let mut rungs: Vec<Rung> = Vec::new();
    for epoch in rule.halving().rungs(epochs) {
        let open = |trial: &&StackTrial| rungs.iter().all(|rung| rung.keeps(trial.configuration));
        let open: Vec<&StackTrial> = trials.iter().filter(open).collect();
        if !open.iter().any(|trial| trial.is_training(epoch)) {
            break;
        }
        let at_rung: Vec<RungTrial> = open.iter().map(|trial| trial.at(metric, epoch)).collect();
        rungs.push(Rung::decide(rule, epoch, &at_rung));
    }
    rungs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(losses: &[f64]) -> Curves {
        let mut curves = Curves::default();
        losses.iter().enumerate().for_each(|(epoch, loss)| curves.push(epoch + 1, &[("loss", *loss)]));
        curves
    }

    #[test]
    fn rungs_are_decided_with_what_was_known_at_them() {
        let rule = HalvingRule { first: 1, keep: 0.5, metric: "last.loss".to_owned(), higher_is_better: false };
        let metric = RungMetric::parse(&rule.metric).unwrap();
        let curves = [curve(&[4.0, 3.0, 2.0, 1.0, 0.5]), curve(&[3.0, 3.5]), curve(&[5.0]), curve(&[6.0])];
        let statuses = [Status::Completed, Status::Dropped, Status::Dropped, Status::Diverged];
        let names = ["a", "b", "c", "d"];
        let trials: Vec<StackTrial> = (0..4)
            .map(|place| StackTrial {
                configuration: names[place],
                seed: 0,
                status: statuses[place],
                curves: &curves[place],
                monitor: ("loss", false),
            })
            .collect();
        let rungs = replay(&rule, &metric, 5, &trials);
        let kept = |rung: &Rung| names.map(|name| rung.keeps(name));
        assert_eq!(rungs.iter().map(|rung| rung.epoch).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(kept(&rungs[0]), [true, true, false, false], "at epoch 1 `b` is better than `a`");
        assert_eq!(rungs[0].configurations[0].name, "b");
        assert_eq!(kept(&rungs[1]), [true, false, false, false]);
        assert_eq!(kept(&rungs[2]), [true, false, false, false], "alone");
        // nothing trains after the first epoch
        let ended: Vec<StackTrial> = trials[3..].to_vec();
        assert!(replay(&rule, &metric, 5, &ended).is_empty());
    }
}
