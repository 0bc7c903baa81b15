//! Metrics that tables of trials and variants have a column for.

use indexmap::IndexSet;

use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::is_metric;
use crate::history::number::of_name;
use crate::history::{History, Status};
use crate::views::document::statistic::MISSING;

/// Metrics that are the same at every threshold.
const WITHOUT_THRESHOLD: [&str; 3] = ["loss", "roc_auc", "ap"];

/// A metric of a trial. Training, validation and test metrics are of the same weights, the saved ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricColumn {
    /// Metric of training or validation rows, in the epoch whose weights are saved; at the default threshold.
    Kept(String),
    /// Validation loss of the last epoch minus its lowest.
    ValLossRise,
    /// Metric of the test rows, at the chosen threshold if there is one.
    Test(String),
    /// The chosen threshold.
    Threshold,
    /// Metric of the validation rows at the chosen threshold.
    ValidationAtThreshold(&'static str),
}

impl MetricColumn {
    /// Returns the metrics that any of these trials has, in groups: the losses, with the rise of the validation loss if
    /// `with_rise`, then each metric of training, validation and test rows. Test metrics at a chosen threshold are left to
    /// [`MetricColumn::at_threshold`].
    pub fn groups(trials: &[&History], with_rise: bool) -> Vec<Vec<MetricColumn>> {
        let names = trials.iter().flat_map(|history| history.history.series.keys()).filter(|name| is_metric(name));
        let metrics: IndexSet<&str> = names.map(|name| name.strip_prefix("val_").unwrap_or(name)).collect();
        let has_threshold = trials.iter().any(|history| MetricColumn::Threshold.value(history).is_some());
        let groups = metrics.into_iter().map(|metric| {
            let mut group = vec![MetricColumn::Kept(metric.to_owned()), MetricColumn::Kept(format!("val_{metric}"))];
            match metric {
                "loss" if with_rise => group.push(MetricColumn::ValLossRise),
                "loss" => {}
                metric if has_threshold && !WITHOUT_THRESHOLD.contains(&metric) => {}
                _ => group.push(MetricColumn::Test(metric.to_owned())),
            }
            group.retain(|column| trials.iter().any(|history| column.value(history).is_some()));
            group
        });
        groups.filter(|group| !group.is_empty()).collect()
    }

    /// Returns the metrics at the threshold that was chosen on validation rows, in groups; none if there is no threshold.
    pub fn at_threshold(trials: &[&History]) -> Vec<Vec<MetricColumn>> {
        const SCORES: [&str; 4] = ["precision", "recall", "f1", "cost"];
        let tested = trials.iter().filter_map(|history| history.test.as_ref()).flat_map(|test| test.metrics.keys());
        let tested = tested.map(String::as_str).filter(|name| !WITHOUT_THRESHOLD.contains(name));
        let names: IndexSet<&str> = SCORES.into_iter().chain(tested).collect();
        let of = |metric: &str| {
            let of_validation =
                SCORES.into_iter().find(|score| *score == metric).map(MetricColumn::ValidationAtThreshold);
            of_validation.into_iter().chain([MetricColumn::Test(metric.to_owned())]).collect::<Vec<_>>()
        };
        let mut groups: Vec<Vec<MetricColumn>> =
            std::iter::once(vec![MetricColumn::Threshold]).chain(names.into_iter().map(of)).collect();
        let is_there = |column: &MetricColumn| trials.iter().any(|history| column.value(history).is_some());
        groups.iter_mut().for_each(|group| group.retain(is_there));
        groups.retain(|group| !group.is_empty());
        match groups.first() {
            Some(first) if first[0] == MetricColumn::Threshold => groups,
            _ => Vec::new(),
        }
    }

    /// Returns whether a metric is the same at every threshold.
    pub fn is_without_threshold(metric: &str) -> bool {
        WITHOUT_THRESHOLD.contains(&metric)
    }

    /// Returns the loss of test rows, which is shown if there is room.
    pub fn test_loss() -> MetricColumn {
        MetricColumn::Test("loss".to_owned())
    }

    /// Returns the head of the column.
    pub fn name(&self) -> String {
        match self {
            MetricColumn::Kept(metric) => metric.clone(),
            MetricColumn::ValLossRise => "rise".to_owned(),
            MetricColumn::Test(metric) => format!("test {metric}"),
            MetricColumn::Threshold => "threshold".to_owned(),
            MetricColumn::ValidationAtThreshold(metric) => format!("val_{metric}"),
        }
    }

    /// Returns the value of a trial; `None` if it has none.
    pub fn value(&self, history: &History) -> Option<f64> {
        match self {
            // the last epoch shows how it diverged
            MetricColumn::Kept(metric) if history.status == Status::Diverged => {
                history.history.at(*history.history.epoch.last()?, metric)
            }
            MetricColumn::Kept(metric) => history.history.at(history.kept_epoch()?, metric),
            MetricColumn::ValLossRise => history.diagnosis.as_ref()?.val_loss_rise,
            MetricColumn::Test(metric) => Some(history.test.as_ref()?.metrics.get(metric)?.0),
            MetricColumn::Threshold => Some(history.test.as_ref()?.threshold.as_ref()?.value),
            MetricColumn::ValidationAtThreshold(metric) => {
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

    /// Returns whether variants are ranked by it: by metrics of validation rows, and by those of training rows only if there
    /// are no validation rows and no training rows were resampled. Test rows rank nothing.
    pub fn ranks(&self, has_validation: bool, is_resampled: bool) -> bool {
        match self {
            MetricColumn::Kept(name) => name.starts_with("val_") || !(has_validation || is_resampled),
            MetricColumn::ValLossRise | MetricColumn::ValidationAtThreshold(_) => true,
            MetricColumn::Test(_) | MetricColumn::Threshold => false,
        }
    }

    /// Returns a value of the column as text; `–` if it is missing or undefined.
    pub fn text(&self, value: Option<f64>) -> String {
        value.map_or(MISSING.to_owned(), |value| of_name(&self.name(), value))
    }

    /// Returns whether it is a loss or computed from losses, so that it depends on the loss function.
    pub fn is_loss(&self) -> bool {
        matches!(self.metric(), None | Some("loss"))
    }

    /// Returns whether higher is better; `None` if neither is, or the metric is unknown.
    pub fn higher_is_better(&self) -> Option<bool> {
        match self.metric() {
            None | Some("loss" | "cost") => Some(false),
            Some(_) if matches!(self, MetricColumn::ValidationAtThreshold(_)) => Some(true),
            Some(name) => higher_is_better(name),
        }
    }

    /// Returns the metric's name without `val_`.
    fn metric(&self) -> Option<&str> {
        match self {
            MetricColumn::ValLossRise | MetricColumn::Threshold => None,
            MetricColumn::Kept(name) => Some(name.strip_prefix("val_").unwrap_or(name)),
            MetricColumn::Test(name) => Some(name),
            MetricColumn::ValidationAtThreshold(name) => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::number::Number;
    use crate::history::test_record::TestRecord;
    use crate::history::trial_for_tests;

    #[test]
    fn training_validation_and_test_values_of_a_metric_are_next_to_each_other() {
        let mut history = trial_for_tests("a", 0, 0.5);
        let row = [
            ("loss", 0.5),
            ("r2", 0.2),
            ("mae", 8.0),
            ("gradient_norm.0", 1.0),
            ("val_loss", 0.6),
            ("val_r2", 0.1),
            ("lr", 0.1),
        ];
        history.history = crate::history::curves::Curves::default();
        history.history.push(1, &row);
        let metrics = [("loss", 0.7), ("r2", 0.15)].map(|(name, value)| (name.to_owned(), Number(value)));
        history.test = Some(TestRecord {
            weights: "last".to_owned(),
            metrics: metrics.into_iter().collect(),
            ..TestRecord::default()
        });
        let groups = MetricColumn::groups(&[&history], false);
        let names: Vec<Vec<String>> =
            groups.iter().map(|group| group.iter().map(MetricColumn::name).collect()).collect();
        assert_eq!(names, [vec!["loss", "val_loss"], vec!["r2", "val_r2", "test r2"], vec!["mae"]]);
    }

    #[test]
    fn the_metric_decides_whether_higher_is_better() {
        let better = |column: MetricColumn| column.higher_is_better();
        assert_eq!(better(MetricColumn::Kept("val_r2".to_owned())), Some(true));
        assert_eq!(better(MetricColumn::Test("mae".to_owned())), Some(false));
        assert_eq!(better(MetricColumn::Test("me".to_owned())), None);
        assert_eq!(better(MetricColumn::Kept("val_loss".to_owned())), Some(false));
        assert_eq!(better(MetricColumn::ValLossRise), Some(false));
        assert_eq!(better(MetricColumn::Kept("unknown".to_owned())), None);
    }
}
