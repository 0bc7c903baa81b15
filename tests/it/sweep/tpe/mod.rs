//! `--method tpe`: rounds of configurations that are chosen from the results of all earlier ones.

mod bad_input;
mod extend;
mod left_out;
mod results;
mod same_results;
mod verify;

use std::path::Path;

use serde_json::Value;

use super::sweep_run::{json, names};

/// Fourteen configurations on two seeds: ten at first, then two rounds of two.
const SPACE: [&str; 14] = [
    "--space",
    "train.optimizer.adam.lr=log:1e-4..1e-1",
    "--space",
    "train.batch=16,32,64",
    "--method",
    "tpe",
    "--trials",
    "14",
    "--round",
    "2",
    "--seeds",
    "0,1",
    "--threads",
    "1",
];

/// Settings of all configurations of a sweep, in their order.
fn sets(sweep: &Path) -> Vec<Value> {
    let of_file = |file: &str| json(&sweep.join(file))["configurations"].as_array().unwrap().clone();
    let mut all = of_file("sweep.json");
    let extensions = names(sweep).iter().filter(|name| name.starts_with("extend-")).count();
    (1..=extensions).for_each(|number| all.extend(of_file(&format!("extend-{number}.json"))));
    for (number, configuration) in all.iter().enumerate() {
        assert_eq!(configuration["name"], format!("{number:04}"));
    }
    all.into_iter().map(|configuration| configuration["set"].clone()).collect()
}
