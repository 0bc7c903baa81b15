//! Summary of a run: one line of the list.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;

use crate::compare::comparison::{main_metric, metric_paths};
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::positive_class::positive_classes;
use crate::compare::ranking::RankingRules;
use crate::compare::runs::run_field::{FieldValue, lookup};
use crate::compare::runs::run_info::RunInfo;
use crate::compare::statistics::mean;
use crate::compare::trial::Trial;
use crate::experiment::store::stack_record::TrialName;
use crate::history::Status;

/// Summary of a run, or of one of its variants.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Id, name, tags, changes and state of the run.
    pub info: RunInfo,
    /// The variant, if each variant has its own line.
    pub variant: Option<String>,
    /// Number of variants.
    pub variants: usize,
    /// Number of trials: variants × seeds × folds.
    pub trials: usize,
    /// Number of further trials that are done according to the run record, but whose history is missing.
    pub missing: usize,
    /// Status of the trials, each with the number of trials.
    pub statuses: Vec<(Status, usize)>,
    /// Whether rows of any variant were resampled before the split (data leakage). The metrics of that variant are
    /// then not used to choose the best one.
    pub leaks: bool,
    /// The monitored metric in the best epoch, as the mean over trials of the variant that is best on the validation
    /// rows. `None` if no variant can be chosen.
    pub best: Option<BestMetric>,
    /// The main test metric of the same variant.
    pub test: Option<TestMetric>,
    /// The positive class of precision, recall, F1, AP and ROC AUC; several if the variants differ.
    pub positive: Option<String>,
    /// Training time in seconds.
    pub seconds: f64,
    /// The device; several if the trials used several.
    pub device: String,
    /// Values of the requested fields, of the same variant.
    pub fields: Vec<Option<FieldValue>>,
    /// Settings by key, of the first variant, if they were requested.
    pub settings: IndexMap<String, String>,
}

/// A metric in the best epoch, as the mean over trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BestMetric {
    /// The metric.
    pub metric: String,
    /// Mean over the trials.
    pub value: f64,
    /// Values of the trials.
    #[serde(skip)]
    pub values: Vec<f64>,
    /// Mean of the best epochs; `None` for trees, which have none.
    pub epoch: Option<f64>,
}

/// A test metric, as the mean over trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestMetric {
    /// The metric.
    pub metric: String,
    /// Mean over the trials.
    pub value: f64,
    /// Values of the trials.
    #[serde(skip)]
    pub values: Vec<f64>,
    /// Mean of the epochs whose weights were tested; `None` for trees.
    pub epoch: Option<f64>,
    /// Mean of the chosen thresholds; `None` at the default threshold.
    pub threshold: Option<f64>,
}

/// Summarizes the groups of a run: all that match, or a single one for a line by variant.
pub(super) fn summarize_groups(
    info: &RunInfo,
    groups: &[Group],
    missing: &[TrialName],
    by_variant: bool,
    fields: &[String],
) -> RunSummary {
    let is_here = |trial: &&TrialName| !by_variant || groups.iter().any(|group| group.label == trial.variant);
    let trials = || groups.iter().flat_map(|group| &group.trials);
    let histories = || trials().filter_map(Trial::history);
    let mut statuses: Vec<(Status, usize)> = Vec::new();
    for status in histories().map(|history| history.status) {
        match statuses.iter_mut().find(|(other, _)| *other == status) {
            Some((_, count)) => *count += 1,
            None => statuses.push((status, 1)),
        }
    }
    let devices: BTreeSet<&str> = histories().map(|history| history.environment.device.as_str()).collect();
    let chosen = RankingRules::new(groups).best_group(groups).map(|place| &groups[place]);
    let values_of =
        |metric: &dyn Fn(&Trial) -> Option<f64>| chosen.map(|chosen| chosen.values(metric)).unwrap_or_default();
    let mean_of = |metric: &dyn Fn(&Trial) -> Option<f64>| {
        Some(values_of(metric)).filter(|values| !values.is_empty()).map(|values| mean(&values))
    };
    let mean_of_metric = |metric: &str| mean_of(&|trial| trial.metric_value(metric));
    let monitor = chosen.and_then(|group| group.trials.iter().find_map(|trial| Some(trial.monitor()?.to_owned())));
    let best = monitor.and_then(|metric| {
        Some(BestMetric {
            value: mean_of_metric(&format!("best.{metric}"))?,
            values: values_of(&|trial| trial.metric_value(&format!("best.{metric}"))),
            epoch: mean_of_metric("best.epoch"),
            metric,
        })
    });
    let main = main_metric(groups, &metric_paths(groups)).filter(|name| name.starts_with("test."));
    let test = main.and_then(|name| {
        let kept = |trial: &Trial| {
            let history = trial.history().filter(|history| history.network.is_some())?;
            history.kept_epoch().map(|epoch| epoch as f64)
        };
        Some(TestMetric {
            metric: metric_of(&name).to_owned(),
            value: mean_of_metric(&name)?,
            values: values_of(&|trial| trial.metric_value(&name)),
            epoch: mean_of(&kept),
            threshold: mean_of_metric("test.threshold.value"),
        })
    });
    RunSummary {
        info: info.clone(),
        variant: groups.first().filter(|_| by_variant).map(|group| group.label.clone()),
        variants: groups.len(),
        trials: trials().count(),
        missing: missing.iter().filter(is_here).count(),
        statuses,
        leaks: groups.iter().any(Group::leaks),
        best,
        test,
        positive: Some(positive_classes(groups))
            .filter(|classes| !classes.is_empty())
            .map(|classes| classes.iter().map(|(class, _)| *class).collect::<Vec<_>>().join(", ")),
        seconds: info.seconds.filter(|_| !by_variant).unwrap_or_else(|| {
            histories().map(|history| history.seconds / history.environment.replicas.max(1) as f64).sum()
        }),
        device: Vec::from_iter(devices).join(", "),
        settings: IndexMap::new(),
        fields: fields.iter().map(|name| lookup(name, chosen.or(groups.first()), info)).collect(),
    }
}
