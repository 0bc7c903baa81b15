//! A comparison of groups: every metric of each group, and significance tests of the selected metrics.

use anyhow::anyhow;
use indexmap::IndexSet;
use serde::Serialize;

use crate::compare::caution;
use crate::compare::direction::higher_is_better;
use crate::compare::group::{Group, union};
use crate::compare::metric_name::metric_of;
use crate::compare::ranking::RankingRules;
use crate::compare::statistics::Test;
use crate::compare::statistics::difference::{Difference, correct_and_judge};
use crate::compare::statistics::sample::Sample;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::history::metric_path::canonical;
use crate::history::number::Number;

/// Options of a comparison.
#[derive(Clone, Debug, Default)]
pub struct CompareOptions {
    /// Label, experiment or variant of the baseline group; default: the first group.
    pub baseline: Option<String>,
    /// Metrics to test, such as `test.acc` or `acc`; default: the main metric.
    pub metrics: Vec<String>,
    /// Significance test.
    pub test: Test,
}

/// Result of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Index of the baseline in the groups.
    pub baseline: usize,
    /// Every metric that at least one group has.
    pub metrics: Vec<MetricComparison>,
    /// The tested metrics, each with the difference of every other group from the baseline.
    pub tests: Vec<MetricTest>,
    /// Reasons why some metrics are not comparable, a sentence each.
    pub cautions: Vec<String>,
    /// Whether any group has validation metrics. If so, they rank the groups.
    pub has_validation: bool,
}

/// One metric over all groups.
#[derive(Clone, Debug, Serialize)]
pub struct MetricComparison {
    /// Metric path, such as `first.loss`, `best.val_acc`, `test.acc`.
    pub name: String,
    /// Whether higher is better; `None` if the metric has no direction.
    pub higher_is_better: Option<bool>,
    /// Summary statistics over the trials of each group; `None` for a group without the metric.
    pub groups: Vec<Option<Sample>>,
    /// Whether each group has the best value; ties are all marked. All `false` for metrics that do not rank groups
    /// ([`RankingRules`]): test metrics, and losses of different loss functions.
    pub best: Vec<bool>,
    /// The value of each group that has no mean, because it is not finite or because all trials diverged. It is
    /// neither ranked nor tested.
    pub without_mean: Vec<Option<Number>>,
}

impl MetricComparison {
    /// Returns the mean of a group, or the value from `without_mean`.
    pub fn value(&self, place: usize) -> Option<f64> {
        let mean = self.groups[place].as_ref().map(|sample| sample.mean);
        mean.or_else(|| self.without_mean[place].map(|number| number.0))
    }

    /// Returns whether any group has this metric.
    pub fn is_there(&self) -> bool {
        (0..self.groups.len()).any(|place| self.value(place).is_some())
    }
}

/// Significance tests of one metric.
#[derive(Clone, Debug, Serialize)]
pub struct MetricTest {
    /// Metric path.
    pub metric: String,
    /// Difference of each group from the baseline; `None` for the baseline and for groups without the metric.
    pub groups: Vec<Option<Difference>>,
}

/// Compares groups with the baseline. One group alone has metrics, but no tests.
///
/// # Errors
/// If the baseline does not exist, or no group has a requested metric.
pub fn compare(groups: &[Group], options: &CompareOptions) -> anyhow::Result<Comparison> {
    let baseline = baseline(groups, options.baseline.as_deref())?;
    let metric_paths = metric_paths(groups);
    let tested: Vec<String> = match &options.metrics[..] {
        [] => main_metric(groups, &metric_paths).into_iter().collect(),
        named => {
            named.iter().map(|metric| resolve_metric(metric, groups, &metric_paths)).collect::<anyhow::Result<_>>()?
        }
    };
    let tested = tested.into_iter().collect::<IndexSet<String>>(); // each once
    let mut all = metric_paths;
    all.extend(tested.iter().filter(|metric| !all.contains(metric)).cloned().collect::<Vec<_>>());
    let ranking = RankingRules::new(groups);
    let metrics: Vec<MetricComparison> =
        all.iter().map(|name| compare_metric(name, groups, ranking.ranks(name))).collect();
    let mut tests: Vec<MetricTest> =
        tested.into_iter().map(|name| test_metric(name, groups, baseline, options.test)).collect();
    correct_and_judge(&mut tests.iter_mut().flat_map(|test| test.groups.iter_mut().flatten()).collect::<Vec<_>>());
    let mut comparison =
        Comparison { baseline, metrics, tests, cautions: Vec::new(), has_validation: ranking.has_validation };
    comparison.cautions = caution::find_cautions(groups, comparison.by_validation());
    Ok(comparison)
}

impl Comparison {
    /// Returns a metric by its path.
    pub fn metric(&self, name: &str) -> Option<&MetricComparison> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// Returns the metric that decides which group is best: a validation metric in the best epoch if there is one, the
    /// tested metric before others, losses last. `None` if no metric ranks the groups.
    pub fn ranked_by(&self) -> Option<&MetricComparison> {
        let tested = self.tests.first().map_or("", |test| metric_of(&test.metric));
        let tested = tested.strip_prefix("val_").unwrap_or(tested);
        let rank = |metric: &&MetricComparison| {
            let name = metric_of(&metric.name);
            let own = name.strip_prefix("val_").unwrap_or(name);
            (!metric.name.starts_with("best."), own != tested, own.ends_with("loss"))
        };
        let when = |metric: &&MetricComparison| ["best.", "last."].iter().any(|when| metric.name.starts_with(when));
        self.metrics.iter().filter(|metric| metric.best.contains(&true)).filter(when).min_by_key(rank)
    }

    /// Returns whether a metric on validation rows decides the comparison.
    pub fn by_validation(&self) -> bool {
        let is_of_validation = |name: &str| metric_of(name).starts_with("val_");
        self.tests.iter().any(|test| is_of_validation(&test.metric))
            || self.metrics.iter().any(|metric| is_of_validation(&metric.name) && metric.best.contains(&true))
    }

    /// Returns the indices of the groups, best first by [`Comparison::ranked_by`]. Groups without the metric and groups
    /// with data leakage come last. `None` if no metric ranks the groups.
    pub fn best_first(&self, groups: &[Group]) -> Option<Vec<usize>> {
        let metric = self.ranked_by()?;
        let sign = if metric.higher_is_better == Some(false) { 1.0 } else { -1.0 };
        let mean = |place: usize| metric.groups[place].as_ref().map_or(f64::INFINITY, |sample| sign * sample.mean);
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by(|&a, &b| groups[a].leaks().cmp(&groups[b].leaks()).then(mean(a).total_cmp(&mean(b))));
        Some(order)
    }

    /// Puts the groups into another order: the first one is then the one with the index `order[0]`.
    pub fn reorder(&mut self, order: &[usize]) {
        self.baseline = order.iter().position(|&place| place == self.baseline).unwrap_or(self.baseline);
        for metric in &mut self.metrics {
            metric.groups = order.iter().map(|&place| metric.groups[place].clone()).collect();
            metric.best = order.iter().map(|&place| metric.best[place]).collect();
            metric.without_mean = order.iter().map(|&place| metric.without_mean[place]).collect();
        }
        for test in &mut self.tests {
            test.groups = order.iter().map(|&place| test.groups[place].clone()).collect();
        }
    }

    /// Returns the tested metrics that some groups lack, each with the indices of these groups.
    pub fn missing(&self) -> Vec<(&str, Vec<usize>)> {
        let without = |metric: &MetricComparison| {
            (0..metric.groups.len()).filter(|&place| metric.value(place).is_none()).collect()
        };
        let tested = self.tests.iter().filter_map(|test| self.metric(&test.metric));
        tested
            .map(|metric| (metric.name.as_str(), without(metric)))
            .filter(|(_, groups): &(_, Vec<usize>)| !groups.is_empty())
            .collect()
    }

    /// Returns the number of tested differences.
    pub fn comparisons(&self) -> usize {
        self.tests.iter().flat_map(|test| test.groups.iter().flatten()).filter(|d| d.p.is_some()).count()
    }
}

/// Returns the paths of all metrics: each curve in the first, best and last epoch, and the test metrics.
pub fn metric_paths(groups: &[Group]) -> Vec<String> {
    let metrics = union(groups.iter().map(Group::metrics));
    let tested = union(groups.iter().map(Group::tested));
    let of_curves = metrics.iter().flat_map(|metric| ["first", "best", "last"].map(|when| format!("{when}.{metric}")));
    of_curves.chain(tested.iter().map(|metric| format!("test.{metric}"))).collect()
}

/// Returns the main metric, which is tested by default: a test metric if all groups have one, otherwise one of the
/// best epoch; the monitored metric, or else the first that is not a loss.
pub fn main_metric(groups: &[Group], metric_paths: &[String]) -> Option<String> {
    // groups whose trials all diverged are not asked
    let not_diverged: Vec<&Group> = groups.iter().filter(|group| group.not_diverged().next().is_some()).collect();
    let groups = if not_diverged.is_empty() { groups.iter().collect() } else { not_diverged };
    let everywhere =
        |name: &String| groups.iter().all(|group| group.trials.iter().any(|t| t.metric_value(name).is_some()));
    let monitored = groups.iter().flat_map(|group| &group.trials).find_map(|trial| {
        let monitor = trial.best()?.monitor.as_str();
        let metric = monitor.strip_prefix("val_").unwrap_or(monitor);
        (metric != "loss").then(|| metric.to_owned())
    });
    let is_loss = |name: &str| name.ends_with("loss");
    let directed = |name: &str| higher_is_better(metric_of(name)).is_some();
    for prefix in ["test.", "best.val_", "best.", "last."] {
        let candidates: Vec<&String> =
            metric_paths.iter().filter(|name| name.starts_with(prefix) && everywhere(name)).collect();
        let with_name = |metric: &str| candidates.iter().find(|name| ***name == format!("{prefix}{metric}")).copied();
        let by_monitor = monitored.as_deref().and_then(with_name);
        let metric = || candidates.iter().find(|name| !is_loss(name) && directed(name)).copied();
        let loss = || candidates.iter().find(|name| is_loss(name)).copied();
        if let Some(name) = by_monitor.or_else(metric).or_else(loss) {
            return Some(name.clone());
        }
    }
    None
}

/// Resolves a metric given on the command line: a full metric path, or a metric name, which means the test metric if
/// there is one and otherwise the best epoch.
///
/// # Errors
/// If no group has it.
pub fn resolve_metric(named: &str, groups: &[Group], metric_paths: &[String]) -> anyhow::Result<String> {
    let has_metric =
        |name: &str| groups.iter().any(|group| group.trials.iter().any(|trial| trial.metric_value(name).is_some()));
    let named = &*canonical(named);
    let meant = [named.to_owned(), format!("test.{named}"), format!("best.val_{named}"), format!("best.{named}")];
    meant.into_iter().find(|name| has_metric(name)).ok_or_else(|| {
        let names: IndexSet<&str> = metric_paths.iter().map(|path| metric_of(path)).collect();
        let all = || metric_paths.iter().map(String::as_str);
        let hint = match suggest::nearest(named, names.into_iter().chain(all())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => suggest::hint(named, all()),
        };
        anyhow!("no run has a metric `{named}`").context(Hint(hint))
    })
}

fn baseline(groups: &[Group], named: Option<&str>) -> anyhow::Result<usize> {
    let Some(named) = named else { return Ok(0) };
    let by_label = groups.iter().position(|group| group.label == named);
    let is_named = |group: &Group| group.experiment() == Some(named) || group.variant() == Some(named);
    by_label.or_else(|| groups.iter().position(is_named)).ok_or_else(|| {
        let labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
        anyhow!("`--baseline {named}` is not among the compared runs").context(Hint(suggest::hint(named, labels)))
    })
}

fn compare_metric(name: &str, groups: &[Group], is_ranked: bool) -> MetricComparison {
    let samples: Vec<Option<Sample>> =
        groups.iter().map(|group| Sample::from_values(&group.values(|trial| trial.metric_value(name)))).collect();
    let higher_is_better = higher_is_better(metric_of(name));
    let candidates = || samples.iter().zip(groups).filter(|(_, group)| !group.leaks()).filter_map(|(s, _)| s.as_ref());
    let differ = candidates().any(|sample| candidates().any(|other| other.mean != sample.mean));
    let best = higher_is_better
        .filter(|_| differ && is_ranked)
        .and_then(|higher| candidates().map(|sample| sample.mean).reduce(|a, b| if (a > b) == higher { a } else { b }));
    let is_best = |(sample, group): (&Option<Sample>, &Group)| {
        !group.leaks() && sample.as_ref().is_some_and(|sample| Some(sample.mean) == best)
    };
    let best = samples.iter().zip(groups).map(is_best).collect();
    // an undefined metric of `runner` is shown as missing, not as NaN
    let is_shown =
        |value: &f64, group: &Group| !value.is_nan() || name.ends_with("loss") || group.experiment().is_none();
    let without_mean =
        |group: &Group| group.without_mean(|trial| trial.metric_value(name)).filter(|v| is_shown(v, group));
    let without_mean = groups.iter().map(|group| without_mean(group).map(Number)).collect();
    MetricComparison { name: name.to_owned(), higher_is_better, groups: samples, best, without_mean }
}

fn test_metric(metric: String, groups: &[Group], baseline: usize, test: Test) -> MetricTest {
    let difference = |(place, group): (usize, &Group)| match place == baseline {
        true => None,
        false => Difference::new(&groups[baseline], group, &|trial| trial.metric_value(&metric), test),
    };
    let differences = groups.iter().enumerate().map(difference).collect();
    MetricTest { metric, groups: differences }
}
