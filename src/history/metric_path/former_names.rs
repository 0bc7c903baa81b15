//! Other names of metric paths: former ones, which experiment files and command lines may use for ever, and the names of
//! metrics in Keras and scikit-learn.

use std::borrow::Cow;

use crate::history::foreign::names;

/// Former paths and their current names. A path includes all paths below it.
const RENAMED: [(&str, &str); 6] = [
    ("diagnosis.verdict", "diagnosis.label"),
    ("diagnosis.gap", "diagnosis.val_loss_rise"),
    ("test.positives", "test.prevalence"),
    ("data.resample.leak", "data.resample.leakage"),
    ("data.resample.from", "data.resample.rows_before"),
    ("data.resample.to", "data.resample.rows_after"),
];

/// Returns the current name of a metric path: `diagnosis.label` for `diagnosis.verdict`. Other paths stay as they are.
pub fn current(path: &str) -> Cow<'_, str> {
    let renamed = RENAMED.iter().find_map(|(former, current)| {
        let below = path.strip_prefix(former)?;
        (below.is_empty() || below.starts_with('.')).then(|| format!("{current}{below}"))
    });
    renamed.map_or(Cow::Borrowed(path), Cow::Owned)
}

/// Returns the metric path, or the name of a metric, with this program's name of the metric: `best.val_acc` for
/// `best.val_accuracy`, `roc_auc` for `auc`. Other text stays as it is.
pub fn canonical(path: &str) -> String {
    let (group, name) = path.rsplit_once('.').map_or(("", path), |(group, name)| (group, name));
    let is_group = match group.split_once('.') {
        Some((first, epoch)) => first == "epoch" && epoch.parse::<usize>().is_ok(),
        None => ["", "first", "best", "last", "min", "max", "test"].contains(&group),
    };
    let (part, metric) = name.strip_prefix("val_").map_or(("", name), |metric| ("val_", metric));
    match names::metric(&metric.to_lowercase()).filter(|_| is_group) {
        Some(known) if group.is_empty() => format!("{part}{known}"),
        Some(known) => format!("{group}.{part}{known}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_may_have_the_names_of_other_programs() {
        for (path, expected) in [
            ("accuracy", "acc"),
            ("val_accuracy", "val_acc"),
            ("best.val_accuracy", "best.val_acc"),
            ("test.average_precision", "test.ap"),
            ("epoch.3.accuracy", "epoch.3.acc"),
            ("test.AUC", "test.roc_auc"),
            ("test.report.accuracy", "test.report.accuracy"),
            ("train.batch", "train.batch"),
            ("status", "status"),
            ("tag", "tag"),
        ] {
            assert_eq!(canonical(path), expected, "{path}");
        }
    }

    #[test]
    fn former_paths_become_current_ones_and_others_stay() {
        assert_eq!(current("diagnosis.verdict"), "diagnosis.label");
        assert_eq!(current("data.resample.from.1"), "data.resample.rows_before.1");
        for path in ["diagnosis.label", "diagnosis.verdicts", "data.resample.tool", "status", ""] {
            assert!(matches!(current(path), Cow::Borrowed(same) if same == path), "{path}");
        }
    }
}
