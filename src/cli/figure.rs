//! The figures that trials are listed and compared by.

use crate::cli::figures;
use crate::compare::trial::is_metric;
use crate::history::History;
use crate::metrics::Metric;

/// A figure of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A metric in the last epoch.
    Last(String),
    /// The validation loss at the end minus its lowest.
    Gap,
    /// A metric of the test rows.
    Test(String),
}

impl Figure {
    /// The figures that any of these trials has, in groups of what belongs together: losses, with the gap where it is
    /// wanted, then each metric of training, validation and test rows.
    pub fn groups(trials: &[&History], with_gap: bool) -> Vec<Vec<Figure>> {
        let mut metrics: Vec<&str> = Vec::new();
        for name in trials.iter().flat_map(|history| history.history.series.keys()).filter(|name| is_metric(name)) {
            let name = name.strip_prefix("val_").unwrap_or(name);
            if !metrics.contains(&name) {
                metrics.push(name);
            }
        }
        let groups = metrics.into_iter().map(|metric| {
            let of_epoch = |name: String| Figure::Last(name);
            let mut group = vec![of_epoch(metric.to_owned()), of_epoch(format!("val_{metric}"))];
            match metric {
                "loss" if with_gap => group.push(Figure::Gap),
                "loss" => {}
                _ => group.push(Figure::Test(metric.to_owned())),
            }
            group.retain(|figure| trials.iter().any(|history| figure.of_trial(history).is_some()));
            group
        });
        groups.filter(|group| !group.is_empty()).collect()
    }

    /// The loss of test rows, which stands apart from the other losses: it is shown where there is room.
    pub fn test_loss() -> Figure {
        Figure::Test("loss".to_owned())
    }

    /// The header of its column.
    pub fn name(&self) -> String {
        match self {
            Figure::Last(metric) => metric.clone(),
            Figure::Gap => "gap".to_owned(),
            Figure::Test(metric) => format!("test {metric}"),
        }
    }

    /// The figure of a trial, where it has it.
    pub fn of_trial(&self, history: &History) -> Option<f64> {
        match self {
            Figure::Last(metric) => history.history.at(*history.history.epoch.last()?, metric),
            Figure::Gap => history.diagnosis.as_ref()?.gap,
            Figure::Test(metric) => Some(history.test.as_ref()?.metrics.get(metric)?.0),
        }
    }

    /// The figure as it is shown.
    pub fn shown(&self, value: Option<f64>) -> String {
        figures::of(&self.name(), value)
    }

    /// Whether it is a loss, or taken from losses, and so means something else where another loss is minimized.
    pub fn is_loss(&self) -> bool {
        matches!(self.metric(), None | Some("loss"))
    }

    /// Whether a higher value is a better one, as the metric says; `None` where neither is, or it is none of these.
    pub fn higher_is_better(&self, metrics: &[Metric]) -> Option<bool> {
        match self.metric() {
            None | Some("loss") => Some(false),
            Some(name) => metrics.iter().find(|metric| metric.name() == name)?.higher_is_better(),
        }
    }

    /// The metric, without a word on the rows that it is of.
    fn metric(&self) -> Option<&str> {
        match self {
            Figure::Gap => None,
            Figure::Last(name) => Some(name.strip_prefix("val_").unwrap_or(name)),
            Figure::Test(name) => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::made_up;

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
        let history = made_up::history("a", 0, &series).tested(&[("loss", 0.7), ("r2", 0.15)]);
        let names: Vec<Vec<String>> =
            Figure::groups(&[&history.0], true).iter().map(|group| group.iter().map(Figure::name).collect()).collect();
        assert_eq!(names, [vec!["loss", "val_loss", "gap"], vec!["r2", "val_r2", "test r2"], vec!["mae"]]);
    }

    #[test]
    fn the_metric_says_which_way_is_better() {
        let metrics = [Metric::R2, Metric::Mae, Metric::Me];
        let better = |figure: Figure| figure.higher_is_better(&metrics);
        assert_eq!(better(Figure::Last("val_r2".to_owned())), Some(true));
        assert_eq!(better(Figure::Test("mae".to_owned())), Some(false));
        assert_eq!(better(Figure::Test("me".to_owned())), None);
        assert_eq!(better(Figure::Last("val_loss".to_owned())), Some(false));
        assert_eq!(better(Figure::Gap), Some(false));
        assert_eq!(better(Figure::Last("unknown".to_owned())), None);
    }
}
