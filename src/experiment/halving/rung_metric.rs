//! The metric that judges a configuration at a rung: its value in the epochs so far.

use crate::history::curves::Curves;

/// A metric path whose value is known at the end of each epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RungMetric {
    /// Epochs that the path is about: `best` by the monitored metric, `last` at the rung or when the trial has ended, or those
    /// with the lowest (`min`) or highest (`max`) value.
    over: String,
    name: String,
}

impl RungMetric {
    /// Returns the metric at a path; `None` if it is known at the end of training only, or is a time, which differs in
    /// each run.
    pub fn parse(path: &str) -> Option<RungMetric> {
        let (over, name) = path.split_once('.')?;
        let is_known = matches!(over, "best" | "last" | "min" | "max") && !matches!(name, "seconds" | "epoch");
        is_known.then(|| RungMetric { over: over.to_owned(), name: name.to_owned() })
    }

    /// Returns the value in the epochs up to `epoch`; `None` if there is none, or it is not finite. `monitor` is the metric
    /// that determines the best epoch, and whether higher is better.
    pub fn value(&self, curves: &Curves, epoch: usize, monitor: (&str, bool)) -> Option<f64> {
        let rows = curves.epoch.iter().filter(|number| **number <= epoch).count();
        let so_far = |name: &str| Some(curves.metric(name)?.into_iter().take(rows).collect::<Vec<f64>>());
        let values = so_far(&self.name)?;
        let value = match self.over.as_str() {
            "best" => values.get(best_row(&so_far(monitor.0)?, monitor.1)?).copied(),
            "last" => values.last().copied(),
            "min" => values.into_iter().reduce(f64::min),
            "max" => values.into_iter().reduce(f64::max),
            other => unreachable!("a rung has no metric `{other}`"),
        };
        value.filter(|value| value.is_finite())
    }
}

/// Returns the index of the first best finite value.
fn best_row(values: &[f64], higher_is_better: bool) -> Option<usize> {
    let better = |value: f64, best: f64| if higher_is_better { value > best } else { value < best };
    let mut found: Option<usize> = None;
    for (row, &value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        if found.is_none_or(|best| better(value, values[best])) {
            found = Some(row);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_epochs_so_far() {
        let mut curves = Curves::default();
        for (epoch, (loss, acc)) in [(3.0, 0.1), (2.0, 0.3), (2.5, 0.2), (1.0, 0.9)].into_iter().enumerate() {
            curves.push(epoch + 1, &[("val_loss", loss), ("val_acc", acc)]);
        }
        let value = |path: &str, epoch| RungMetric::parse(path)?.value(&curves, epoch, ("val_loss", false));
        assert_eq!(value("best.val_acc", 3), Some(0.3), "in the epoch with the lowest loss");
        assert_eq!(value("best.val_acc", 4), Some(0.9));
        assert_eq!(value("last.val_loss", 3), Some(2.5));
        assert_eq!(value("last.val_loss", 9), Some(1.0), "a trial that has ended keeps its value");
        assert_eq!([value("min.val_loss", 1), value("max.val_loss", 4)], [Some(3.0), Some(3.0)]);
        assert_eq!(value("best.val_f1", 3), None);
        for later in ["test.acc", "diagnosis.val_loss_rise", "first.loss", "epoch.3.loss", "status", "last.seconds"] {
            assert_eq!(RungMetric::parse(later), None, "{later}");
        }
    }

    #[test]
    fn a_value_that_is_not_finite_is_none_and_never_the_best() {
        let mut curves = Curves::default();
        for (epoch, loss) in [2.0, f64::NAN, 3.0, f64::INFINITY].into_iter().enumerate() {
            curves.push(epoch + 1, &[("loss", loss)]);
        }
        let value = |path: &str, epoch| RungMetric::parse(path)?.value(&curves, epoch, ("loss", false));
        assert_eq!((value("best.loss", 3), value("last.loss", 4)), (Some(2.0), None));
    }
}
