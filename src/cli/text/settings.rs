//! Settings in a few words, without those that have their defaults.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::classical::decision_tree::TreeSpec;
use crate::classical::impurity::Impurity;
use crate::cli::text::number_format;
use crate::data::prepare::weights::Weights;
use crate::experiment::store::run_id;
use crate::network::initial_weights::InitialWeights;
use crate::train::loss::Loss;
use crate::train::optimizer::Optimizer;
use crate::train::regularize::augment::Augment;
use crate::train::regularize::clip::Clip;
use crate::train::regularize::early_stopping::EarlyStopping;
use crate::train::regularize::penalty::Penalty;
use crate::train::schedule::Schedule;
use crate::train::{Batch, TrainSpec};

/// Returns how a network is trained: the optimizer, the batch size, and the settings that differ from their defaults.
///
/// Examples: `adam lr 0.001, batch 128`; `sgd lr 0.1 momentum 0.9, cosine, batch 64, early stopping (patience 3)`. For
/// variants that are trained together, it contains the range of each number of the optimizer, and names the other settings
/// that differ. `rows` is the number of training rows; `has_validation` is whether there are validation rows, whose loss
/// is monitored by default.
pub fn of_training(variants: &[&TrainSpec], rows: usize, has_validation: bool) -> String {
    let train = variants[0];
    let each = |what: &str, words: &dyn Fn(&TrainSpec) -> Option<String>| {
        let mut different: Vec<Option<String>> = variants.iter().map(|train| words(train)).collect();
        different.sort();
        different.dedup();
        match different.len() {
            1 => different.remove(0),
            _ => Some(format!("different {what}")),
        }
    };
    let loss = |train: &TrainSpec| Some(of_loss(&train.loss)).filter(|loss| loss != train.loss.name());
    let batch = match train.batch.size(rows) {
        size if size == rows && train.batch != Batch::Full => format!("batch {size} (all rows)"),
        size => format!("batch {size}"),
    };
    let monitored = train.monitor.as_deref().or((!has_validation).then_some("loss"));
    let parts = [
        each("losses", &loss),
        Some(of_optimizer(variants)),
        each("schedules", &|train| of_schedule(&train.schedule, monitored)),
        Some(batch),
        (!train.shuffle).then(|| "shuffle off".to_owned()),
        each("limits of clipping", &|train| train.clip.map(of_clip)),
        each("penalties", &|train| train.penalty.as_ref().and_then(of_penalty)),
        train.augment.as_ref().and_then(of_augment),
        each("rules of early stopping", &|train| {
            train.early_stopping.as_ref().map(|stopping| of_early_stopping(stopping, monitored))
        }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns the numbers of rows of each part that has some: `1,438 training, 359 test rows`.
pub fn of_rows(parts: [(&str, usize); 3]) -> String {
    let parts: Vec<(&str, usize)> = parts.into_iter().filter(|(_, rows)| *rows > 0).collect();
    let s = if parts.last().is_some_and(|(_, rows)| *rows == 1) { "" } else { "s" };
    let words: Vec<String> =
        parts.iter().map(|(part, rows)| format!("{} {part}", number_format::count(*rows))).collect();
    format!("{} row{s}", words.join(", "))
}

/// Returns the trained weights that a network starts from: `weights from digits_mlp except layer 4`; once they are found, with
/// the run and the trial: `weights from digits_mlp (run 6bcd41, base-seed0)`.
pub fn of_initial_weights(from: &InitialWeights) -> String {
    let layers: Vec<String> = from.except.iter().map(ToString::to_string).collect();
    let s = if layers.len() == 1 { "" } else { "s" };
    let except = if layers.is_empty() { String::new() } else { format!(" except layer{s} {}", layers.join(", ")) };
    let id = |folder: &Path| run_id::of_folder(folder).chars().take(6).collect::<String>();
    let file = from.file.as_deref().map(Path::new).filter(|_| !from.run.ends_with(".safetensors"));
    let trial =
        file.and_then(|file| Some(format!(" (run {}, {})", id(file.parent()?), file.file_stem()?.to_string_lossy())));
    format!("weights from {}{except}{}", from.run, trial.unwrap_or_default())
}

/// Returns a decision tree with the settings that differ from their defaults.
pub fn of_tree(tree: &TreeSpec) -> String {
    let number = |name: &str, value: usize, usual: usize| (value != usual).then(|| format!("{name} {value}"));
    let parts = [
        Some("decision tree".to_owned()),
        (tree.criterion != Impurity::Gini).then(|| "by entropy".to_owned()),
        tree.max_depth.map(|depth| format!("max_depth {depth}")),
        number("min_samples_leaf", tree.min_samples_leaf, 1),
        number("min_samples_split", tree.min_samples_split, 2),
        tree.class_weights.as_ref().map(|weights| match weights {
            Weights::Balanced => "class_weights balanced".to_owned(),
            Weights::Each(weights) => format!("class_weights {weights:?}"),
        }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns a loss with the settings that differ from their defaults.
pub fn of_loss(loss: &Loss) -> String {
    with_changes(loss, loss.name(), &["targets"])
}

fn of_optimizer(variants: &[&TrainSpec]) -> String {
    let optimizer = &variants[0].optimizer;
    let each = |setting: fn(&Optimizer) -> f64| -> Vec<f64> {
        variants.iter().map(|train| setting(&train.optimizer)).collect()
    };
    let settings = |train: &&TrainSpec| serde_json::to_value(&train.optimizer).ok()?.get(optimizer.name()).cloned();
    let all: Vec<Value> = variants.iter().filter_map(settings).collect();
    let keys = all[0].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).filter(|key| *key != "lr");
    let differing: Vec<&str> = keys.filter(|key| all.iter().any(|settings| settings[*key] != all[0][*key])).collect();
    let ranges = differing.iter().map(|key| {
        // the two betas are a list
        let numbers = |place: usize| -> Vec<f64> {
            let number = |settings: &Value| settings[*key].as_f64().or_else(|| settings[*key].get(place)?.as_f64());
            all.iter().filter_map(number).collect()
        };
        let ranges = (0..all[0][*key].as_array().map_or(1, Vec::len))
            .map(|place| range(&numbers(place), number_format::setting));
        format!(" {key} {}", ranges.collect::<Vec<_>>().join(", "))
    });
    let name = format!("{} lr {}", optimizer.name(), range(&each(Optimizer::lr), number_format::setting));
    let words = with_changes(optimizer, optimizer.name(), &[&["lr"][..], &differing].concat());
    words.replacen(optimizer.name(), &name, 1) + &ranges.collect::<String>()
}

/// Returns `0.1`, or `1e-5 to 0.1` if values differ.
pub fn range(values: &[f64], shown: impl Fn(f64) -> String) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least == most { shown(least) } else { format!("{} to {}", shown(least), shown(most)) }
}

/// Returns a schedule in words; `monitored` is the metric of the run, unless it is the validation loss.
fn of_schedule(schedule: &Schedule, monitored: Option<&str>) -> Option<String> {
    let number = number_format::setting;
    Some(match schedule {
        Schedule::Constant => return None,
        Schedule::Step(step) if step.every == 1 => format!("lr × {} every epoch", number(step.gamma)),
        Schedule::Step(step) => format!("lr × {} every {} epochs", number(step.gamma), step.every),
        Schedule::Exponential(exponential) => format!("lr × {} every epoch", number(exponential.gamma)),
        Schedule::Cosine(cosine) if cosine.min_lr > 0.0 => format!("cosine down to {}", number(cosine.min_lr)),
        Schedule::Cosine(_) => "cosine".to_owned(),
        Schedule::OneCycle(one_cycle) => {
            let max_lr = one_cycle.max_lr.map(|max_lr| format!(" up to {}", number(max_lr))).unwrap_or_default();
            let momentum = one_cycle
                .momenta()
                .map(|(base, max)| format!(" with momentum from {} down to {} and back", number(max), number(base)));
            format!("one cycle{max_lr}{}", momentum.unwrap_or_default())
        }
        Schedule::WarmUp(warm_up) => {
            let s = if warm_up.epochs == 1 { "" } else { "s" };
            let then = of_schedule(&warm_up.then, monitored).map(|then| format!(", then {then}")).unwrap_or_default();
            format!("{} epoch{s} of warm-up{then}", warm_up.epochs)
        }
        Schedule::ReduceOnPlateau(plateau) => {
            let s = if plateau.patience == 1 { "" } else { "s" };
            let monitor = plateau.monitor.as_deref().or(monitored);
            let monitor = monitor.map(|monitor| format!(" of {monitor}")).unwrap_or_default();
            format!("lr × {} on a plateau of {} epoch{s}{monitor}", number(plateau.factor), plateau.patience)
        }
    })
}

fn of_clip(clip: Clip) -> String {
    match clip {
        Clip::Norm(norm) => format!("gradient norm clipped at {}", number_format::setting(norm)),
        Clip::Value(value) => format!("gradient clipped at {}", number_format::setting(value)),
    }
}

fn of_penalty(penalty: &Penalty) -> Option<String> {
    above_zero([("L1", penalty.l1), ("L2", penalty.l2)], ", ")
}

fn of_augment(augment: &Augment) -> Option<String> {
    let moves = [("shift", augment.shift), ("rotate", augment.rotate), ("noise", augment.noise)];
    above_zero(moves, " ").map(|moves| format!("augmented by {moves}"))
}

fn of_early_stopping(stopping: &EarlyStopping, monitored: Option<&str>) -> String {
    let monitor = stopping.monitor.as_deref().or(monitored).map(|monitor| format!(" on {monitor}")).unwrap_or_default();
    format!("early stopping (patience {}){monitor}", stopping.patience)
}

fn above_zero<const N: usize>(settings: [(&str, f64); N], between: &str) -> Option<String> {
    let set = settings.iter().filter(|(_, value)| *value > 0.0);
    let words: Vec<String> = set.map(|(name, value)| format!("{name} {}", number_format::setting(*value))).collect();
    (!words.is_empty()).then(|| words.join(between))
}

/// Returns `name key value key value` for the keys that differ from their defaults.
fn with_changes<T: Serialize + DeserializeOwned>(part: &T, name: &str, except: &[&str]) -> String {
    let settings = |part: &T| serde_json::to_value(part).ok()?.get(name).cloned();
    let plain = serde_json::from_value(json!({ name: {} })).ok().as_ref().and_then(settings);
    let mut words = vec![name.to_owned()];
    for (key, value) in settings(part).as_ref().and_then(Value::as_object).into_iter().flatten() {
        let usual = plain.as_ref().and_then(|plain| plain.get(key));
        if usual != Some(value) && !except.contains(&key.as_str()) {
            words.push(match value {
                Value::Bool(true) => key.clone(),
                Value::Number(number) => {
                    format!("{key} {}", number.as_f64().map(number_format::setting).unwrap_or_default())
                }
                Value::String(word) => format!("{key} {word}"),
                other => format!("{key} {other}"),
            });
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a `[train]` table with these lines in words.
    fn words(lines: &str) -> String {
        let loss = if lines.contains("loss =") { "" } else { "loss = \"cross_entropy\"\n" };
        let batch = if lines.contains("batch =") { "" } else { "batch = 64\n" };
        of_training(&[&read(&format!("{loss}{batch}{lines}"))], 331, true)
    }

    fn read(lines: &str) -> TrainSpec {
        toml_edit::de::from_str(&format!("epochs = 20\n{lines}")).unwrap()
    }

    #[test]
    fn variants_in_one_stack_are_shown_with_the_range_of_what_differs() {
        let variants = ["lr = 1e-5", "lr = 0.1, weight_decay = 1e-3", "lr = 0.1"].map(|settings| {
            read(&format!("loss = \"mse\"\nbatch = 8\noptimizer = {{ adam = {{ {settings}, amsgrad = true }} }}"))
        });
        let [small, decayed, large] = &variants;
        assert_eq!(
            of_training(&[small, decayed, large], 331, true),
            "adam lr 1e-5 to 0.1 amsgrad weight_decay 0 to 0.001, batch 8"
        );
        assert_eq!(of_training(&[small, large], 331, true), "adam lr 1e-5 to 0.1 amsgrad, batch 8");
        let variants = ["betas = [0.8, 0.9]", "betas = [0.9, 0.9]\nschedule = \"cosine\"", "\npenalty = { l2 = 0.1 }"];
        let variants = variants.map(|text| {
            let (settings, lines) = text.split_once('\n').unwrap_or((text, ""));
            read(&format!("loss = \"mse\"\nbatch = 8\noptimizer = {{ adam = {{ {settings} }} }}\n{lines}"))
        });
        assert_eq!(
            of_training(&variants.each_ref(), 331, true),
            "adam lr 0.001 betas 0.8 to 0.9, 0.9 to 0.999, different schedules, batch 8, different penalties"
        );
    }

    #[test]
    fn rows_are_counted_in_each_part() {
        let rows =
            |training, validation, test| of_rows([("training", training), ("validation", validation), ("test", test)]);
        assert_eq!(rows(1438, 0, 359), "1,438 training, 359 test rows");
        assert_eq!(rows(3, 2, 1), "3 training, 2 validation, 1 test row");
    }

    #[test]
    fn plain_training_takes_few_words() {
        assert_eq!(words("optimizer = \"adam\""), "adam lr 0.001, batch 64");
        assert_eq!(words("batch = \"full\"\noptimizer = { sgd = { lr = 1e-5 } }"), "sgd lr 1e-5, batch 331");
        assert_eq!(words("batch = 512\noptimizer = \"adam\""), "adam lr 0.001, batch 331 (all rows)");
        let one_hot = "loss = \"categorical_crossentropy\"\noptimizer = \"adam\"\nkeep = \"last\"";
        assert_eq!(words(one_hot), "adam lr 0.001, batch 64");
    }

    #[test]
    fn settings_that_differ_from_plain_training_are_shown() {
        let optimizer = "optimizer = { sgd = { lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 1e-4 } }";
        assert_eq!(words(optimizer), "sgd lr 0.1 momentum 0.9 nesterov weight_decay 1e-4, batch 64");
        let with = |line: &str| words(&format!("optimizer = \"adam\"\n{line}"));
        for (line, words) in [
            ("schedule = \"cosine\"\nearly_stopping = 3", "cosine, batch 64, early stopping (patience 3)"),
            ("schedule = { cosine = { min_lr = 1e-5 } }", "cosine down to 1e-5, batch 64"),
            ("schedule = { step = 10 }", "lr × 0.1 every 10 epochs, batch 64"),
            ("schedule = { exponential = 0.95 }", "lr × 0.95 every epoch, batch 64"),
            ("schedule = { one_cycle = { max_lr = 0.1 } }", "one cycle up to 0.1, batch 64"),
            (
                "schedule = { one_cycle = { max_lr = 0.1, cycle_momentum = true } }",
                "one cycle up to 0.1 with momentum from 0.95 down to 0.85 and back, batch 64",
            ),
            (
                "schedule = { warm_up = { epochs = 5, then = \"cosine\" } }",
                "5 epochs of warm-up, then cosine, batch 64",
            ),
            ("schedule = \"reduce_on_plateau\"", "lr × 0.1 on a plateau of 10 epochs, batch 64"),
            ("shuffle = false\nclip = { norm = 5 }", "batch 64, shuffle off, gradient norm clipped at 5"),
            ("penalty = { l1 = 2e-4, l2 = 1e-3 }", "batch 64, L1 2e-4, L2 0.001"),
            ("penalty = {}", "batch 64"),
            ("augment = { shift = 2, rotate = 10 }", "batch 64, augmented by shift 2 rotate 10"),
            ("early_stopping = { monitor = \"val_acc\" }", "batch 64, early stopping (patience 5) on val_acc"),
        ] {
            assert_eq!(with(line), format!("adam lr 0.001, {words}"));
        }
        let lines =
            "batch = 64\nloss = \"mse\"\noptimizer = \"adam\"\nschedule = \"reduce_on_plateau\"\nearly_stopping = 3";
        assert_eq!(
            of_training(&[&read(lines)], 331, false),
            "adam lr 0.001, lr × 0.1 on a plateau of 10 epochs of loss, batch 64, early stopping (patience 3) on loss"
        );
        let smoothed = "loss = { cross_entropy = { label_smoothing = 0.1, class_weights = \"balanced\" } }";
        assert_eq!(with(smoothed), "cross_entropy label_smoothing 0.1 class_weights balanced, adam lr 0.001, batch 64");
    }
}
