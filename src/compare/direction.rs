//! Whether higher is better, from the metric's name alone: foreign histories contain metrics that `runner` does not
//! compute.

use crate::metrics::Metric;

/// Returns whether a higher value is better for a metric of this name; `None` if the metric has no direction or the
/// name is unknown.
///
/// The name may begin with `val_`. Metrics of `runner` state their direction. For other names, common words decide:
/// `loss` and `error` before `accuracy` and `precision`.
pub fn higher_is_better(name: &str) -> Option<bool> {
    let name = name.strip_prefix("val_").unwrap_or(name);
    if let Some(info) = Metric::info_of_name(name) {
        return info.higher_is_better;
    }
    const LOWER: [&str; 14] = [
        "loss",
        "error",
        "err",
        "perplexity",
        "mae",
        "mse",
        "rmse",
        "mape",
        "nll",
        "bce",
        "divergence",
        "brier",
        "fid",
        "gap",
    ];
    const HIGHER: [&str; 13] =
        ["acc", "accuracy", "auc", "auroc", "ap", "precision", "recall", "f1", "r2", "iou", "dice", "bleu", "top"];
    let name = name.to_lowercase();
    let words = || name.split(|letter: char| !letter.is_ascii_alphanumeric());
    let has = |known: &[&str]| words().any(|word| known.contains(&word));
    if has(&LOWER) { Some(false) } else { has(&HIGHER).then_some(true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_metrics_and_usual_words_have_a_direction_and_others_none() {
        for (name, better) in [
            ("val_loss", Some(false)),
            ("acc", Some(true)),
            ("val_r2", Some(true)),
            ("top_3", Some(true)),
            ("me", None),
            ("rmse", Some(false)),
            ("hinge_loss", Some(false)),
            ("val_binary_accuracy", Some(true)),
            ("lr", None),
            ("brier_score", Some(false)),
            ("layer2_norm", None),
            ("accumulated_steps", None),
            ("acc_gap", Some(false)),
        ] {
            assert_eq!(higher_is_better(name), better, "{name}");
        }
    }
}
