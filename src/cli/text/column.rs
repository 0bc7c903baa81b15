//! The figures that trials are listed and compared by.

use crate::cli::text::number_format;
use crate::compare::metric_name::is_metric;
use crate::history::{History, Status};
use crate::metrics::Metric;

/// Metrics that are the same at every threshold.
const WITHOUT_THRESHOLD: [&str; 3] = ["loss", "roc_auc", "ap"];

/// A figure of a trial. Metrics of training, validation and test rows are of the same weights, those that the trial keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A metric of training or validation rows, in the epoch whose weights are kept; at the default threshold.
    Kept(String),
    /// The validation loss of the last epoch minus its lowest.
    ValLossRise,
    /// A metric of the test rows, at the chosen threshold where there is one.
    Test(String),
    /// The threshold that was chosen.
    Threshold,
    /// A metric of the validation rows at the chosen threshold.
    ValidationAtThreshold(&'static str),
}

impl Figure {
    /// The figures that any of these trials has, in groups of what belongs together: losses, with the rise of the
    /// validation loss where it is wanted, then each metric of training, validation and test rows. Where a threshold was chosen, metrics of test rows
    /// that depend on it are left to [`Figure::at_threshold`].
    pub fn groups(trials: &[&History], with_rise: bool) -> Vec<Vec<Figure>> {
        let mut metrics: Vec<&str> = Vec::new();
        for name in trials.iter().flat_map(|history| history.history.series.keys()).filter(|name| is_metric(name)) {
            let name = name.strip_prefix("val_").unwrap_or(name);
            if !metrics.contains(&name) {
                metrics.push(name);
            }
        }
        let has_threshold = trials.iter().any(|history| Figure::Threshold.of_trial(history).is_some());
        let groups = metrics.into_iter().map(|metric| {
            let of_epoch = |name: String| Figure::Kept(name);
            let mut group = vec![of_epoch(metric.to_owned()), of_epoch(format!("val_{metric}"))];
            match metric {
                "loss" if with_rise => group.push(Figure::ValLossRise),
                "loss" => {}
                metric if has_threshold && !WITHOUT_THRESHOLD.contains(&metric) => {}
                _ => group.push(Figure::Test(metric.to_owned())),
            }
            group.retain(|figure| trials.iter().any(|history| figure.of_trial(history).is_some()));
            group
        });
        groups.filter(|group| !group.is_empty()).collect()
    }

    /// The figures at the threshold that was chosen on the validation rows, in groups; none where none was chosen.
    pub fn at_threshold(trials: &[&History]) -> Vec<Vec<Figure>> {
        let mut names = vec!["precision", "recall", "f1", "cost"];
        let tested = trials.iter().filter_map(|history| history.test.as_ref()).flat_map(|test| test.metrics.keys());
        for name in tested.map(String::as_str).filter(|name| !WITHOUT_THRESHOLD.contains(name)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let of = |metric: &str| {
            let scores = ["precision", "recall", "f1", "cost"];
            let of_validation = scores.into_iter().find(|score| *score == metric).map(Figure::ValidationAtThreshold);
            of_validation.into_iter().chain([Figure::Test(metric.to_owned())]).collect::<Vec<_>>()
        };
        let mut groups: Vec<Vec<Figure>> =
            std::iter::once(vec![Figure::Threshold]).chain(names.into_iter().map(of)).collect();
        let is_there = |figure: &Figure| trials.iter().any(|history| figure.of_trial(history).is_some());
        groups.iter_mut().for_each(|group| group.retain(is_there));
        groups.retain(|group| !group.is_empty());
        match groups.first() {
            Some(first) if first[0] == Figure::Threshold => groups,
            _ => Vec::new(),
        }
    }

    /// The loss of test rows, which stands apart from the other losses: it is shown where there is room.
    pub fn test_loss() -> Figure {
        Figure::Test("loss".to_owned())
    }

    /// The header of its column.
    pub fn name(&self) -> String {
        match self {
            Figure::Kept(metric) => metric.clone(),
            Figure::ValLossRise => "rise".to_owned(),
            Figure::Test(metric) => format!("test {metric}"),
            Figure::Threshold => "threshold".to_owned(),
            Figure::ValidationAtThreshold(metric) => format!("val_{metric}"),
        }
    }

    /// The figure of a trial, where it has it.
    pub fn of_trial(&self, history: &History) -> Option<f64> {
        match self {
            // how it diverged is what its last epoch shows
            Figure::Kept(metric) if history.status == Status::Diverged => {
                history.history.at(*history.history.epoch.last()?, metric)
            }
            Figure::Kept(metric) => history.history.at(history.kept_epoch()?, metric),
            Figure::ValLossRise => history.diagnosis.as_ref()?.val_loss_rise,
            Figure::Test(metric) => Some(history.test.as_ref()?.metrics.get(metric)?.0),
            Figure::Threshold => Some(history.test.as_ref()?.threshold.as_ref()?.value),
            Figure::ValidationAtThreshold(metric) => {
                let at = history.test.as_ref()?.threshold.as_ref()?.validation.as_ref()?;
                match *metric {
                    "precision" => at.scores.precision,
                    "recall" => at.scores.recall,
                    "f1" => at.scores.f1,
                    _ => at.cost,
                }
            }
        }
    }

    /// Whether trials are ranked by it: metrics of validation rows are what is chosen by, and those of training rows only
    /// where there are no validation rows and no trial's training rows were resampled. Test rows are for no choice.
    pub fn ranks(&self, has_validation: bool, is_resampled: bool) -> bool {
        match self {
            Figure::Kept(name) => name.starts_with("val_") || !(has_validation || is_resampled),
            Figure::ValLossRise | Figure::ValidationAtThreshold(_) => true,
            Figure::Test(_) | Figure::Threshold => false,
        }
    }

    /// The figure as it is shown.
    pub fn shown(&self, value: Option<f64>) -> String {
        number_format::of(&self.name(), value)
    }

    /// Whether it is a loss, or taken from losses, and so means something else where another loss is minimized.
    pub fn is_loss(&self) -> bool {
        matches!(self.metric(), None | Some("loss"))
    }

    /// Whether a higher value is a better one, as the metric says; `None` where neither is, or it is none of these.
    pub fn higher_is_better(&self, metrics: &[Metric]) -> Option<bool> {
        match self.metric() {
            None | Some("loss" | "cost") => Some(false),
            Some(_) if matches!(self, Figure::ValidationAtThreshold(_)) => Some(true),
            Some(name) => metrics.iter().find(|metric| metric.name() == name)?.higher_is_better(),
        }
    }

    /// The metric, without a word on the rows that it is of.
    fn metric(&self) -> Option<&str> {
        match self {
            Figure::ValLossRise | Figure::Threshold => None,
            Figure::Kept(name) => Some(name.strip_prefix("val_").unwrap_or(name)),
            Figure::Test(name) => Some(name),
            Figure::ValidationAtThreshold(name) => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures;

    #[test]
    fn figures_that_belong_together_stand_together() {
        let series = [
            ("loss", &[1.0, 0.5][..]),
            ("r2", &[0.1, 0.2]),
            ("mae", &[9.0, 8.0]),
            ("gradient_norm.0", &[1.0, 1.0]),
            ("val_loss", &[1.1, 0.6]),
            ("val_r2", &[0.0, 0.1]),
            ("lr", &[0.1, 0.1]),
        ];
        let history = fixtures::history("a", 0, &series).tested(&[("loss", 0.7), ("r2", 0.15)]);
        let names: Vec<Vec<String>> =
            Figure::groups(&[&history.0], true).iter().map(|group| group.iter().map(Figure::name).collect()).collect();
        assert_eq!(names, [vec!["loss", "val_loss", "rise"], vec!["r2", "val_r2", "test r2"], vec!["mae"]]);
    }

    #[test]
    fn the_metric_says_which_way_is_better() {
        let metrics = [Metric::R2, Metric::Mae, Metric::Me];
        let better = |figure: Figure| figure.higher_is_better(&metrics);
        assert_eq!(better(Figure::Kept("val_r2".to_owned())), Some(true));
        assert_eq!(better(Figure::Test("mae".to_owned())), Some(false));
        assert_eq!(better(Figure::Test("me".to_owned())), None);
        assert_eq!(better(Figure::Kept("val_loss".to_owned())), Some(false));
        assert_eq!(better(Figure::ValLossRise), Some(false));
        assert_eq!(better(Figure::Kept("unknown".to_owned())), None);
    }
}
