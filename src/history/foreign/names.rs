//! Converts names of metrics in other programs to the names of this program: `loss`, `acc`, `val_loss`, `val_acc`,
//! `test_acc`, `lr`.
//!
//! A name is split into words: `Loss/train`, `train_loss`, `trainLoss` and `train/loss_epoch` have the words loss and train.
//! One word may tell the part of the data (train, validation, test). The other words must form a known metric. Other names
//! stay as they are.

/// The part of the data that a metric is computed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Training rows: no prefix.
    Train,
    /// Validation rows: `val_`.
    Validation,
    /// Test rows: `test_`.
    Test,
}

impl Part {
    /// Returns the part with this name.
    pub fn parse(word: &str) -> Option<Part> {
        match word.to_lowercase().as_str() {
            "train" | "training" => Some(Part::Train),
            "val" | "valid" | "validation" | "dev" | "eval" => Some(Part::Validation),
            "test" | "testing" => Some(Part::Test),
            _ => None,
        }
    }

    /// Returns the prefix of metric names.
    pub fn prefix(self) -> &'static str {
        match self {
            Part::Train => "",
            Part::Validation => "val_",
            Part::Test => "test_",
        }
    }
}

/// Maximum length of a metric's name in bytes.
pub const LONGEST: usize = 500;

/// Observed values per layer: `gradient_norm.0`, in TensorBoard `gradient_norm/0`.
const BY_LAYER: [&str; 4] = ["gradient_norm", "weight_norm", "dead_units", "saturation"];

/// Returns the standard name of a metric, or `None` if the metric is unknown.
pub fn metric(original: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(match original {
        "loss" => "loss",
        "acc" | "accuracy" | "binary_accuracy" | "categorical_accuracy" | "sparse_categorical_accuracy" => "acc",
        "lr" | "learning_rate" | "event_lr" => "lr",
        "precision" => "precision",
        "recall" => "recall",
        "f1" | "f1_score" => "f1",
        "auc" | "auroc" | "roc_auc" => "roc_auc",
        "ap" | "average_precision" => "ap",
        "mcc" | "matthews_corrcoef" => "mcc",
        "balanced_acc" | "balanced_accuracy" => "balanced_acc",
        "me" | "mean_error" => "me",
        "mae" | "mean_absolute_error" => "mae",
        "mse" | "mean_squared_error" => "mse",
        "rmse" | "root_mean_squared_error" => "rmse",
        "mape" | "mean_absolute_percentage_error" => "mape",
        "r2" | "r2_score" => "r2",
        top if top.strip_prefix("top_").is_some_and(is_number) => top,
        _ => return None,
    })
}

/// Returns the standard name of a metric that another program calls `original`. `part` is used if the name does not tell
/// the part.
pub fn standard(original: &str, part: Option<Part>) -> String {
    if let Some((observed, layer)) = original.split_once('/').filter(|(observed, _)| BY_LAYER.contains(observed)) {
        return format!("{observed}.{layer}");
    }
    let (named, named_part) = parse(original);
    match (metric(&named), named_part.or(part)) {
        (Some("lr"), _) => "lr".to_owned(),
        (Some(metric), part) => format!("{}{metric}", part.map_or("", Part::prefix)),
        (None, Some(part)) if named_part.is_none() => format!("{}{original}", part.prefix()),
        (None, _) => original.to_owned(),
    }
}

/// Returns the standard name of a metric with a number at the end, as Keras names the metrics of a second model:
/// `val_roc_auc` for `val_auc_1`. `None` for other names.
pub fn without_number(original: &str, part: Option<Part>) -> Option<String> {
    let (named, named_part) = parse(original);
    let (base, number) = named.rsplit_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let known = metric(base).filter(|_| is_number && metric(&named).is_none())?;
    Some(format!("{}{known}", named_part.or(part).map_or("", Part::prefix)))
}

/// Returns the part of the data that a name tells.
pub fn part_of_name(original: &str) -> Option<Part> {
    parse(original).1
}

/// Returns whether the name is a known metric other than the loss, and does not tell the part of the data.
pub fn is_bare_metric(original: &str) -> bool {
    let (named, named_part) = parse(original);
    named_part.is_none() && metric(&named).is_some_and(|metric| !matches!(metric, "loss" | "lr"))
}

/// Returns whether a standard name is a known metric, `seconds` or an observed value.
pub fn is_known(name: &str) -> bool {
    let metric_name = ["val_", "test_"].into_iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    metric(metric_name).is_some() || name == "seconds" || name.contains('.')
}

/// Returns the words of the metric, joined by `_`, and the part of the data that a word tells.
fn parse(original: &str) -> (String, Option<Part>) {
    let words = words(original);
    let mut rest: Vec<&str> = words.iter().map(String::as_str).collect();
    rest.retain(|word| *word != "epoch");
    if rest.first() == Some(&"lr") && rest.len() == 2 {
        rest.truncate(1); // `lr-Adam` of Lightning's LearningRateMonitor
    }
    let place = rest.iter().position(|word| Part::parse(word).is_some());
    let part = place.and_then(|place| Part::parse(rest.remove(place)));
    (rest.join("_"), part)
}

/// Returns the words of a name in lowercase.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut word, mut was_small) = (Vec::new(), String::new(), false);
    for letter in name.chars() {
        if (letter.is_uppercase() && was_small || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase();
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_one_name_for_all_programs() {
        let named = [
            ("loss", "loss Loss/train train/loss train_loss train_loss_epoch epoch_loss Train.Loss trainLoss"),
            (
                "val_loss",
                "val_loss valid_loss Loss/val validation/loss val_loss_epoch loss/dev Loss/validation valLoss",
            ),
            ("acc", "acc accuracy train_acc Accuracy/train sparse_categorical_accuracy epoch_accuracy"),
            ("val_acc", "val_accuracy valid_acc acc/validation val_sparse_categorical_accuracy val_binary_accuracy"),
            ("test_acc", "test_acc Accuracy/test test/acc"),
            ("lr", "lr learning_rate lr-Adam epoch_learning_rate event_lr train/lr"),
            ("val_f1", "val_f1 valid_f1_score f1/val"),
            ("roc_auc", "AUC roc_auc"),
            ("val_top_5", "val_top_5 top_5/validation"),
            ("gradient_norm.0", "gradient_norm.0 gradient_norm/0"),
        ];
        for (name, originals) in named {
            for original in originals.split(' ') {
                assert_eq!(standard(original, None), name, "{original}");
            }
        }
    }

    #[test]
    fn unknown_metrics_keep_their_names() {
        for name in ["perplexity", "val_perplexity", "train_loss_step", "Grad norm/0", "train/val_loss", "epoch", ""] {
            assert_eq!(standard(name, None), name);
        }
    }

    #[test]
    fn a_number_at_the_end_of_a_known_metric_can_be_removed() {
        assert_eq!(without_number("auc_1", None).unwrap(), "roc_auc");
        assert_eq!(without_number("val_precision_12", None).unwrap(), "val_precision");
        assert_eq!(without_number("epoch_auc_2", Some(Part::Validation)).unwrap(), "val_roc_auc");
        for name in ["top_5", "auc", "perplexity_1", "loss_a", "auc_", "_1", ""] {
            assert_eq!(without_number(name, None), None, "{name}");
        }
    }

    #[test]
    fn the_directory_tells_the_part_if_the_name_does_not() {
        assert_eq!(standard("epoch_loss", Some(Part::Validation)), "val_loss");
        assert_eq!(standard("epoch_loss", Some(Part::Train)), "loss");
        assert_eq!(standard("test_loss", Some(Part::Train)), "test_loss");
        assert_eq!(standard("epoch_learning_rate", Some(Part::Train)), "lr");
        assert_eq!(standard("perplexity", Some(Part::Validation)), "val_perplexity");
    }
}
