//! A directory with some runs.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{TestDir, stdout};

/// Three runs of `idea` with validation and test rows: as it is, with a smaller learning rate, and with two seeds.
pub fn dir_with_some_runs() -> TestDir {
    let dir = TestDir::new();
    let split = "[data.digits]\nsplit = { validation = 0.2, test = 0.2 }";
    dir.write("idea.toml", crate::support::idea_with("[data.digits]", split));
    let changes = [&[][..], &["--set", "train.optimizer.adam.lr=1e-5"], &["--seeds", "0..1"]];
    for (number, arguments) in changes.into_iter().enumerate() {
        let printed = dir.exp(&[&["idea.toml"], arguments].concat());
        // runs that start in the same second have no order by name
        let name = format!("runs/idea/2026-01-0{}T000000Z-abcdef", number + 1);
        std::fs::rename(dir.path(printed["run"].as_str().unwrap()), dir.path(&name)).unwrap();
    }
    #[cfg(unix)]
    {
        std::fs::remove_file(dir.path("runs/idea/latest")).unwrap();
        std::os::unix::fs::symlink("2026-01-03T000000Z-abcdef", dir.path("runs/idea/latest")).unwrap();
    }
    dir
}

/// The list of runs as JSON, the oldest first.
pub fn listed(dir: &TestDir, arguments: &[&str]) -> Vec<Value> {
    let all = [&["runs", "--json", "--sort", "folder"], arguments].concat();
    let Value::Array(runs) = serde_json::from_str(&stdout(&dir.run(&all).success())).unwrap() else {
        panic!("no list")
    };
    runs
}

/// Ids of all runs, the oldest first.
pub fn ids(dir: &TestDir) -> Vec<String> {
    listed(dir, &["--archived"]).iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

/// Directory of the run with this id.
pub fn folder_of(dir: &TestDir, id: &str) -> PathBuf {
    let runs = listed(dir, &["--archived"]);
    let run = runs.iter().find(|run| run["id"] == id).unwrap();
    dir.path(run["folder"].as_str().unwrap())
}
