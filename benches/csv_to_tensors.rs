//! From a CSV on disk to resampled training tensors; the peer of `csv_to_tensors.py`, which does the same with pandas,
//! scikit-learn and imbalanced-learn. How both are run stands in `README.md` beside this file.
//!
//! Prints the seconds of each stage and the process's peak memory as one line of JSON; with `--check`, sums and rows of
//! what came out, to be laid beside the other side's.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::Instant;

use runner::data::resample::Resample;
use runner::data::resample::smote::Smote;
use runner::data::source::DataSpec;
use runner::data::split::Split;
use runner::data::store::cache::Cache;
use runner::data::{Training, class_numbers};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

const RANDOM_STATE: u32 = 42;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let check = arguments.iter().any(|argument| argument == "--check");
    let mut names = arguments.iter().filter(|argument| !argument.starts_with("--"));
    let Some(path) = names.next() else {
        println!("csv_to_tensors: name a CSV to be timed: cargo bench --bench csv_to_tensors -- PATH [TARGET]");
        return Ok(());
    };
    let target = names.next().map_or("Class", String::as_str);
    let data =
        serde_json::from_value::<DataSpec>(json!({ "csv": { "path": path, "target": target, "task": "classes" } }))?;
    let split = Split { test: Some(0.2), stratify: true, random_state: RANDOM_STATE, ..Split::default() };
    let smote = Resample::Smote(Smote { random_state: RANDOM_STATE, ..Smote::default() });
    let before = peak_mb();

    let mut seconds = serde_json::Map::new();
    let (began, mut start) = (Instant::now(), Instant::now());
    let mut stage = |name: &str| {
        seconds.insert(name.to_owned(), json!(rounded(start.elapsed().as_secs_f64())));
        start = Instant::now();
    };
    let loaded = data.load(&Cache::for_user(), &mut ())?;
    stage("read");
    let classes = class_numbers(&loaded.rows, loaded.target);
    let parts = split.parts(loaded.rows.len(), classes.as_deref(), &loaded.classes)?;
    let training = Training::from(loaded.rows.take(&parts.training));
    let test = loaded.rows.take(parts.test.as_deref().unwrap_or_default());
    stage("split");
    let resampled = training.resample(&smote, &loaded.classes, Device::Cpu)?;
    stage("resample");
    let features = resampled.rows().features.to_kind(Kind::Float);
    stage("tensors");
    seconds.insert("all".to_owned(), json!(rounded(began.elapsed().as_secs_f64())));

    let (peak, shape) = (peak_mb(), features.size());
    println!(
        "{}",
        json!({ "seconds": seconds, "peak_mb": peak, "mb_before_reading": before, "shape": shape, "test_rows": test.len() })
    );
    if check {
        let rows = &resampled.rows().features;
        let of = |tensor: Tensor| -> anyhow::Result<Value> { Ok(json!(Vec::<f64>::try_from(&tensor)?)) };
        let counts = Vec::<i64>::try_from(&resampled.rows().targets.bincount::<Tensor>(None, 2))?;
        let sums = of(rows.sum_dim_intlist(0, false, Kind::Double))?;
        let (first, last) = (of(rows.get(0))?, of(rows.get(-1))?);
        println!("{}", json!({ "sums": sums, "classes": counts, "first": first, "last": last }));
    }
    Ok(())
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e4).round() / 1e4
}

/// The most memory that the process has had so far, in MB; nothing where the system does not tell it in `/proc`.
fn peak_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb / 1024)
}
