//! What others call a metric, and what we do: `loss`, `acc`, `val_loss`, `val_acc`, `test_acc`, `lr`.
//!
//! A name is taken apart into words: `Loss/train`, `train_loss`, `trainLoss` and `train/loss_epoch` are the words loss
//! and train. One of them may say which rows the metric is of (train, validation, test); the others together must be
//! a metric that we know. A name of which this is not so stays as it is.

/// Which rows a metric is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Those to train on: our names have no prefix.
    Train,
    /// Those to choose by: `val_`.
    Validation,
    /// Those to test on: `test_`.
    Test,
}

impl Part {
    /// The part of this name.
    pub fn of(word: &str) -> Option<Part> {
        match word.to_lowercase().as_str() {
            "train" | "training" => Some(Part::Train),
            "val" | "valid" | "validation" | "dev" | "eval" => Some(Part::Validation),
            "test" | "testing" => Some(Part::Test),
            _ => None,
        }
    }

    /// What our names begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Part::Train => "",
            Part::Validation => "val_",
            Part::Test => "test_",
        }
    }
}

/// The most bytes of a metric's name: a name is looked at for each of its values.
pub const LONGEST: usize = 500;

/// What is observed by layer, as `gradient_norm.0`; TensorBoard groups by slashes, so there it is `gradient_norm/0`.
const BY_LAYER: [&str; 4] = ["gradient_norm", "weight_norm", "dead_units", "saturation"];

/// Our name for a metric.
pub fn metric(theirs: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(match theirs {
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

/// Our name for what another program calls `theirs`, of the rows of `part` unless the name itself says which.
pub fn ours(theirs: &str, part: Option<Part>) -> String {
    if let Some((observed, layer)) = theirs.split_once('/').filter(|(observed, _)| BY_LAYER.contains(observed)) {
        return format!("{observed}.{layer}");
    }
    let Parsed { metric: named, said } = parse(theirs);
    match (metric(&named), said.or(part)) {
        (Some("lr"), _) => "lr".to_owned(),
        (Some(metric), part) => format!("{}{metric}", part.map_or("", Part::prefix)),
        (None, Some(part)) if said.is_none() => format!("{}{theirs}", part.prefix()),
        (None, _) => theirs.to_owned(),
    }
}

/// Our name for a metric with a number behind it, as Keras names it in the second model of a session: `val_auc_1` is
/// `val_roc_auc`. `None` of all other names.
pub fn without_number(theirs: &str, part: Option<Part>) -> Option<String> {
    let Parsed { metric: named, said } = parse(theirs);
    let (base, number) = named.rsplit_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let known = metric(base).filter(|_| is_number && metric(&named).is_none())?;
    Some(format!("{}{known}", said.or(part).map_or("", Part::prefix)))
}

/// Which rows a name says that its metric is of.
pub fn said_part(theirs: &str) -> Option<Part> {
    parse(theirs).said
}

/// Whether the metric is one that we know, other than the loss, of rows that the name does not say.
pub fn is_bare_metric(theirs: &str) -> bool {
    let Parsed { metric: named, said } = parse(theirs);
    said.is_none() && metric(&named).is_some_and(|metric| !matches!(metric, "loss" | "lr"))
}

/// Whether one of our names is of a metric that we know, or of what is no metric.
pub fn is_known(ours: &str) -> bool {
    let metric_name = ["val_", "test_"].into_iter().find_map(|prefix| ours.strip_prefix(prefix)).unwrap_or(ours);
    metric(metric_name).is_some() || ours == "seconds" || ours.contains('.')
}

/// A name taken apart.
struct Parsed {
    /// The words that name the metric, with `_` between them.
    metric: String,
    /// The rows that a word names.
    said: Option<Part>,
}

fn parse(theirs: &str) -> Parsed {
    let words = words(theirs);
    let mut rest: Vec<&str> = words.iter().map(String::as_str).collect();
    rest.retain(|word| *word != "epoch");
    if rest.first() == Some(&"lr") && rest.len() == 2 {
        rest.truncate(1); // `lr-Adam`, as Lightning's LearningRateMonitor has it
    }
    let place = rest.iter().position(|word| Part::of(word).is_some());
    let said = place.and_then(|place| Part::of(rest.remove(place)));
    Parsed { metric: rest.join("_"), said }
}

/// The words of a name in small letters.
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
    fn the_same_metric_has_one_name_whoever_writes_it() {
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
        for (name, theirs) in named {
            for theirs in theirs.split(' ') {
                assert_eq!(ours(theirs, None), name, "{theirs}");
            }
        }
    }

    #[test]
    fn what_is_not_known_keeps_its_name() {
        for name in ["perplexity", "val_perplexity", "train_loss_step", "Grad norm/0", "train/val_loss", "epoch", ""] {
            assert_eq!(ours(name, None), name);
        }
    }

    #[test]
    fn a_number_behind_a_known_metric_can_be_taken_off() {
        assert_eq!(without_number("auc_1", None).unwrap(), "roc_auc");
        assert_eq!(without_number("val_precision_12", None).unwrap(), "val_precision");
        assert_eq!(without_number("epoch_auc_2", Some(Part::Validation)).unwrap(), "val_roc_auc");
        for name in ["top_5", "auc", "perplexity_1", "loss_a", "auc_", "_1", ""] {
            assert_eq!(without_number(name, None), None, "{name}");
        }
    }

    #[test]
    fn a_folder_says_the_part_where_the_name_does_not() {
        assert_eq!(ours("epoch_loss", Some(Part::Validation)), "val_loss");
        assert_eq!(ours("epoch_loss", Some(Part::Train)), "loss");
        assert_eq!(ours("test_loss", Some(Part::Train)), "test_loss");
        assert_eq!(ours("epoch_learning_rate", Some(Part::Train)), "lr");
        assert_eq!(ours("perplexity", Some(Part::Validation)), "val_perplexity");
    }
}
