//! Fits decision trees to the training rows of a CSV, as they are and with SMOTE; the peer of `tree_fit.py`, which does
//! the same with scikit-learn. How both are run stands in `README.md` beside this file.
//!
//! Prints the seconds of each fit and the process's peak memory as one line of JSON; with `--check`, what the trees are
//! like, to be laid beside the other side's.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::Instant;

use runner::classical::decision_tree::TreeSpec;
use runner::data::resample::Resample;
use runner::data::resample::smote::Smote;
use runner::data::source::DataSpec;
use runner::data::split::Split;
use runner::data::store::cache::Cache;
use runner::data::{Rows, Training, class_numbers};
use runner::tensor::predictor::Predictor;
use serde_json::json;
use tch::{Device, Kind};

const RANDOM_STATE: u32 = 42;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let check = arguments.iter().any(|argument| argument == "--check");
    let mut names = arguments.iter().filter(|argument| !argument.starts_with("--"));
    let Some(path) = names.next() else {
        println!("tree_fit: name a CSV to be timed: cargo bench --bench tree_fit -- PATH [TARGET]");
        return Ok(());
    };
    let target = names.next().map_or("Class", String::as_str);
    let data =
        serde_json::from_value::<DataSpec>(json!({ "csv": { "path": path, "target": target, "task": "classes" } }))?;
    let split = Split { test: Some(0.2), stratify: true, random_state: RANDOM_STATE, ..Split::default() };
    let smote = Resample::Smote(Smote { random_state: RANDOM_STATE, ..Smote::default() });

    let loaded = data.load(&Cache::for_user(), &mut ())?;
    let numbers = class_numbers(&loaded.rows, loaded.target);
    let parts = split.parts(loaded.rows.len(), numbers.as_deref(), &loaded.classes)?;
    let training = Training::from(loaded.rows.take(&parts.training));
    let (classes, target) = (loaded.classes.clone(), loaded.target);
    drop(loaded);
    let plain = Training::from(as_f32(training.rows()));
    let smote = Training::from(as_f32(training.resample(&smote, &classes, Device::Cpu)?.rows()));

    let (mut seconds, mut trees) = (serde_json::Map::new(), serde_json::Map::new());
    let before = peak_mb();
    for (name, training) in [("plain", plain), ("smote", smote)] {
        let start = Instant::now();
        let tree = TreeSpec::default().fit(&training, target.outputs(), i64::from(RANDOM_STATE))?;
        seconds.insert(name.to_owned(), json!((start.elapsed().as_secs_f64() * 1e4).round() / 1e4));
        if check {
            let rows = training.rows();
            let right = tree.outputs(&rows.features).argmax(-1, false).eq_tensor(&rows.targets);
            let accuracy = right.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
            let told = json!({ "depth": tree.depth(), "leaves": tree.leaves(), "train_acc": accuracy });
            trees.insert(name.to_owned(), told);
        }
    }
    println!("{}", json!({ "seconds": seconds, "peak_mb": peak_mb(), "mb_before_fitting": before }));
    if check {
        println!("{}", json!(trees));
    }
    Ok(())
}

/// The same rows with features as a tree takes them.
fn as_f32(rows: &Rows) -> Rows {
    Rows::new(rows.features.to_kind(Kind::Float), rows.targets.shallow_clone())
}

/// The most memory that the process has had so far, in MB; nothing where the system does not tell it in `/proc`.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb / 1024)
}
