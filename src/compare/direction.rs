//! Which way a metric is better, by its name alone: foreign histories bring names that we do not know.

use crate::metrics::Metric;

/// Whether a higher value of a metric of this name is a better one; `None` where neither is, or nobody can tell.
///
/// The name may begin with `val_`. Our own metrics say so themselves; of others the usual words are looked for.
pub fn higher_is_better(name: &str) -> Option<bool> {
    let name = name.strip_prefix("val_").unwrap_or(name);
    if let Some(metric) = Metric::ALL.iter().find(|metric| metric.name() == name) {
        return metric.higher_is_better();
    }
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["loss", "error", "perplexity", "mae", "mse", "mape", "nll", "divergence"]) {
        Some(false)
    } else if name.starts_with("top_")
        || has(&["acc", "auc", "precision", "recall", "f1", "r2", "score", "iou", "dice", "bleu"])
    {
        Some(true)
    } else {
        None
    }
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
        ] {
            assert_eq!(higher_is_better(name), better, "{name}");
        }
    }
}
