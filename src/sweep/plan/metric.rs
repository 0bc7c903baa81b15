//! The metric that ranks the configurations of a sweep, and its direction.

use crate::compare::direction;
use crate::experiment::plan::available_metrics::{AvailableMetrics, text_values};
use crate::experiment::plan::{Model, Plan};
use crate::history::metric_path;
use crate::sweep::space::origin::SpaceFault;

/// The metric that ranks configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankingMetric {
    /// Its path: `best.val_loss`.
    pub path: String,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
}

impl RankingMetric {
    /// Returns the metric with this path, or the default one: the monitored metric in the best epoch, of a tree its first
    /// metric.
    ///
    /// # Errors
    /// If a configuration does not have it, it is of test rows, no number, or has no direction.
    pub fn new(path: Option<&str>, plans: &[Plan]) -> Result<RankingMetric, SpaceFault> {
        let path = match path {
            Some(path) => metric_path::current(&metric_path::canonical(path)).into_owned(),
            None => default_path(plans)?,
        };
        if path == "test" || path.starts_with("test.") {
            let message = format!(
                "`metric` must be of training or validation rows, found `{path}`: the test score of the best configuration \
                 would be too good, because it was chosen by the same rows"
            );
            let other = path.replacen("test.", "best.val_", 1);
            return Err(SpaceFault::new(message, format!("use a metric of validation rows, such as `{other}`")));
        }
        if text_values(&path).is_some() {
            let message = format!("`metric` must be a number, found the text `{path}`");
            return Err(SpaceFault::new(message, "use `best.val_loss`, or another metric of validation rows"));
        }
        for (place, plan) in plans.iter().enumerate() {
            // metrics of test rows are not allowed, so none is suggested
            let available = AvailableMetrics { has_test: false, ..AvailableMetrics::new(plan) };
            available.check("metric", &path).map_err(|fault| {
                let which = match place {
                    0 => format!("the first configuration, `{}`,", plan.variant),
                    _ => format!("configuration `{}`", plan.variant),
                };
                let message = format!(
                    "`metric` must be a metric of every configuration of the sweep; {which} has no metric `{path}`"
                );
                SpaceFault { message, hint: fault.hint, origin: None }
            })?;
        }
        match direction(&path, &plans[0]) {
            Some(higher_is_better) => Ok(RankingMetric { path, higher_is_better }),
            None => {
                let message =
                    format!("`metric` must have a direction, but neither a higher nor a lower `{path}` is better");
                Err(SpaceFault::new(message, "use `best.val_loss`, or another metric of validation rows"))
            }
        }
    }

    /// Returns whether it is of training rows, which rank configurations that overfit first.
    pub fn is_of_training_rows(&self) -> bool {
        !self.path.contains("val_") && !self.path.starts_with("diagnosis.")
    }
}

/// Returns whether a higher value is better; `None` if the metric has no direction.
fn direction(path: &str, plan: &Plan) -> Option<bool> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let plain = name.strip_prefix("val_").unwrap_or(name);
    if path.starts_with("data.") || path.starts_with("learned.") {
        return None;
    }
    match plan.metrics().iter().find(|metric| metric.name() == plain) {
        Some(metric) => metric.info().higher_is_better,
        None => direction::higher_is_better(name),
    }
}

/// Returns the hint to name a metric that does not depend on the loss, if the configurations have one.
fn another_metric(plans: &[Plan]) -> String {
    let metrics: Vec<Vec<String>> = plans.iter().map(Plan::metric_names).collect();
    let is_other = |name: &&String| {
        let plain = name.strip_prefix("val_").unwrap_or(name);
        plain != "loss" && metrics.iter().all(|names| names.contains(name)) && direction(name, &plans[0]).is_some()
    };
    let others = || metrics[0].iter().filter(is_other);
    match others().find(|name| name.starts_with("val_")).or_else(|| others().next()) {
        Some(name) => format!("name another metric: `--metric best.{name}`"),
        None => "add a metric that all configurations have: `metrics = [\"acc\"]` in `[train]`".to_owned(),
    }
}

/// Returns the path of the metric that all configurations monitor.
fn default_path(plans: &[Plan]) -> Result<String, SpaceFault> {
    let monitored = |plan: &Plan| match &plan.model {
        Model::Network(network) => {
            format!("best.{}", network.train.monitored(plan.has_validation(), plan.info.target).0)
        }
        Model::Tree(_) => {
            let metrics = plan.metrics();
            let name = metrics.first().map(|metric| metric.name().into_owned()).unwrap_or_default();
            format!("last.{}{name}", if plan.has_validation() { "val_" } else { "" })
        }
    };
    let first = monitored(&plans[0]);
    let loss = |plan: &Plan| plan.network().map(|network| network.train.loss.clone());
    if first.ends_with("loss") && plans.iter().any(|plan| loss(plan) != loss(&plans[0])) {
        let message =
            format!("`metric` is missing: the configurations have different losses, so `{first}` cannot rank them");
        return Err(SpaceFault::new(message, another_metric(plans)));
    }
    match plans.iter().find(|plan| monitored(plan) != first) {
        None => Ok(first),
        Some(other) => {
            let message = format!(
                "`metric` is missing: configuration `{}` monitors `{first}`, configuration `{}` monitors `{}`",
                plans[0].variant,
                other.variant,
                monitored(other)
            );
            Err(SpaceFault::new(message, format!("use `--metric {first}`")))
        }
    }
}
