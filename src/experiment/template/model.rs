//! The network and its training: sizes by the number of rows, and loss and metrics by the problem.

use crate::data::inspect::problem::Problem;

/// Share of the rarer of two classes below which accuracy says little.
const RARE: f64 = 0.2;

/// Ratio of the largest to the smallest class of several above which the classes are weighted.
const UNEVEN: usize = 4;

/// What a network is proposed for.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Kind of the target.
    pub problem: &'a Problem,
    /// Number of training rows.
    pub training_rows: usize,
    /// Whether there are validation and test rows.
    pub holds_out: bool,
}

/// Sizes that depend on the number of training rows.
struct Sizes {
    units: &'static [usize],
    batch: usize,
    epochs: usize,
    patience: usize,
    lr: &'static str,
}

impl Sizes {
    fn of(training_rows: usize) -> Sizes {
        match training_rows {
            0..20 => Sizes { units: &[8], batch: 16, epochs: 1000, patience: 100, lr: "1e-2" },
            20..200 => Sizes { units: &[16], batch: 16, epochs: 200, patience: 20, lr: "3e-3" },
            200..2_000 => Sizes { units: &[32, 16], batch: 32, epochs: 200, patience: 20, lr: "1e-3" },
            2_000..20_000 => Sizes { units: &[64, 32], batch: 128, epochs: 100, patience: 10, lr: "1e-3" },
            20_000..100_000 => Sizes { units: &[128, 64], batch: 256, epochs: 60, patience: 6, lr: "1e-3" },
            _ => Sizes { units: &[128, 64], batch: 1024, epochs: 40, patience: 5, lr: "1e-3" },
        }
    }
}

impl Task<'_> {
    /// The rare class of two with its share; `None` if both are frequent.
    fn rare_class(&self) -> Option<(&str, f64)> {
        let (name, _, share) = self.problem.rarest()?;
        (self.problem.classes() == Some(2) && share < RARE).then_some((name, share))
    }

    /// Returns the settings before the first table: the positive class and the threshold.
    pub fn top(&self) -> Vec<String> {
        let Some((name, share)) = self.rare_class() else { return Vec::new() };
        let mut lines = vec![
            format!("# the class that precision, recall, F1 and AP are about: {:.1} % of the rows", 100.0 * share),
            format!("positive = {}", toml_edit::Value::from(name)),
        ];
        if self.holds_out {
            lines.push(
                "# chosen on the validation rows for the best F1; for the lowest cost: { cost = { miss = 10, false_alarm = 1 } }"
                    .to_owned(),
            );
            lines.push("threshold = \"f1\"".to_owned());
        }
        lines
    }

    /// Returns the tables `[network]` and `[train]`.
    pub fn tables(&self) -> Vec<String> {
        let sizes = Sizes::of(self.training_rows);
        let mut lines = vec![
            "[network]".to_owned(),
            "# more or larger layers learn more, and overfit sooner; { dropout = 0.2 } after \"relu\" reduces overfitting".to_owned(),
        ];
        let hidden: Vec<String> =
            sizes.units.iter().map(|units| format!("{{ linear = {units} }}, \"relu\", ")).collect();
        let (comment, output) = self.output();
        lines.extend(comment.map(|comment| format!("# {comment}")));
        let hidden = hidden.concat();
        lines.push(match self.problem {
            Problem::Values { .. } => format!("layers = [\n    {}\n    {output},\n]", hidden.trim_end()),
            Problem::Classes { .. } => format!("layers = [{hidden}{output}]"),
        });
        lines.extend([String::new(), "[train]".to_owned()]);
        if self.holds_out {
            lines.push("# the maximum; early stopping ends training sooner".to_owned());
        }
        let (comment, loss) = self.loss();
        let (metrics, monitor) = self.metrics();
        lines.extend([
            format!("epochs = {}", sizes.epochs),
            "# rows per step; larger is faster, smaller often generalizes better".to_owned(),
            format!("batch = {}", sizes.batch),
            format!("# {comment}"),
            format!("loss = {loss}"),
            "# if the loss is unstable, try a smaller learning rate (lr); if it falls slowly, a larger one".to_owned(),
            format!("optimizer = {{ adam = {{ lr = {} }} }}", sizes.lr),
            format!("metrics = {metrics:?}"),
        ]);
        if self.holds_out {
            if let Some(monitor) = monitor {
                lines.push(
                    "# the weights of the epoch with the best average precision are kept; \"val_loss\" keeps those with the lowest loss"
                        .to_owned(),
                );
                lines.push(format!("monitor = \"{monitor}\""));
            }
            let what = monitor.unwrap_or("val_loss");
            lines.push(format!("# stops after this number of epochs in which `{what}` did not improve"));
            lines.push(format!("early_stopping = {{ patience = {} }}", sizes.patience));
        }
        lines
    }

    /// Returns the layers after the last hidden one, with a comment.
    fn output(&self) -> (Option<String>, String) {
        match self.problem {
            Problem::Values { mean, std } if is_near_one(*mean, *std) => (None, "{ linear = 1 }".to_owned()),
            Problem::Values { mean, std } => {
                let factor = rounded(std.max(mean.abs() / 4.0));
                let comment = format!(
                    "the last layer multiplies by {factor}, because the target has mean {} and standard deviation {}",
                    rounded(*mean),
                    rounded(*std)
                );
                let scaled = format!("{{ linear = {{ units = 1, init = {{ constant = {factor} }} }} }}");
                (Some(comment), format!("{{ linear = 1 }}, {scaled}"))
            }
            Problem::Classes { names, .. } if names.len() == 2 => (None, "{ linear = 1 }".to_owned()),
            Problem::Classes { names, .. } => (None, format!("{{ linear = {} }}", names.len())),
        }
    }

    /// Returns the loss with a comment.
    fn loss(&self) -> (&'static str, &'static str) {
        match self.problem {
            Problem::Values { .. } => ("if a few values are far from the others, use \"mae\" or \"huber\"", "\"mse\""),
            Problem::Classes { names, .. } if names.len() == 2 && self.rare_class().is_some() => (
                "{ bce_with_logits = { pos_weight = \"balanced\" } } finds more of the rare class, with more false alarms",
                "\"bce_with_logits\"",
            ),
            Problem::Classes { names, .. } if names.len() == 2 => {
                ("for two classes and one output", "\"bce_with_logits\"")
            }
            Problem::Classes { rows, .. } if is_uneven(rows) => (
                "rare classes count as much as frequent ones; with \"cross_entropy\", all rows count equally",
                "{ cross_entropy = { class_weights = \"balanced\" } }",
            ),
            Problem::Classes { .. } => ("for several classes and one output each", "\"cross_entropy\""),
        }
    }

    /// Returns the metrics, and the one that decides which epoch is best if it is not the loss.
    fn metrics(&self) -> (&'static [&'static str], Option<&'static str>) {
        match self.problem {
            Problem::Values { .. } => (&["mae", "rmse", "r2"], None),
            Problem::Classes { names, .. } if names.len() == 2 => match self.rare_class() {
                Some(_) => (&["ap", "f1", "precision", "recall"], Some("val_ap")),
                None => (&["acc", "f1", "roc_auc"], None),
            },
            Problem::Classes { rows, .. } if is_uneven(rows) => (&["balanced_acc", "acc", "mcc"], None),
            Problem::Classes { .. } => (&["acc", "mcc"], None),
        }
    }
}

fn is_uneven(rows: &[usize]) -> bool {
    let (most, least) = (rows.iter().max().unwrap_or(&1), rows.iter().min().unwrap_or(&1));
    *most > UNEVEN * *least
}

/// Whether a network learns these values without scaling.
fn is_near_one(mean: f64, std: f64) -> bool {
    (0.2..=5.0).contains(&std) && mean.abs() <= 5.0
}

/// Returns a number with two significant digits, as TOML writes it.
fn rounded(number: f64) -> String {
    let short: f64 = format!("{number:.1e}").parse().expect("it was a number");
    if short == 0.0 || (0.001..1e15).contains(&short.abs()) { short.to_string() } else { format!("{short:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_far_from_one_are_scaled_by_the_last_layer() {
        let output = |mean, std| {
            Task { problem: &Problem::Values { mean, std }, training_rows: 500, holds_out: true }.output().1
        };
        assert_eq!(output(0.3, 1.2), "{ linear = 1 }");
        assert_eq!(
            output(152_000.0, 77_123.0),
            "{ linear = 1 }, { linear = { units = 1, init = { constant = 77000 } } }"
        );
        assert!(output(3e-7, 2e-8).contains("constant = 7.5e-8"), "{}", output(3e-7, 2e-8));
    }
}
