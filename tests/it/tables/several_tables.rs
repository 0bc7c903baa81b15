//! Several tables that are read at the same time.

use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

use crate::support::{TestDir, assert_says, stdout};

/// Number of tables.
const TABLES: usize = 6;

/// An experiment on a table with numbers, texts and classes.
fn experiment(path: &str) -> String {
    format!(
        "title = \"A table\"\n[data.csv]\npath = \"{path}\"\ntarget = \"y\"\ntask = \"classes\"\nencode = \"one_hot\"\nsplit = {{ validation = 0.2 }}\n\
         [network]\nlayers = [{{ linear = 2 }}]\n\
         [train]\nepochs = 1\nbatch = 64\nloss = \"cross_entropy\"\noptimizer = {{ sgd = {{ lr = 0.1 }} }}\n"
    )
}

/// A directory with tables and an experiment on each of them.
fn dir() -> TestDir {
    let dir = TestDir::new();
    for number in 0..TABLES {
        let rows =
            (0..300 + number).map(|row| format!("{}.5,{},{}\n", row * row % 97, ["a", "b"][row % 2], row % 3 / 2));
        dir.write(&format!("experiments/t{number}.csv"), format!("x,t,y\n{}", rows.collect::<String>()));
        dir.write(&format!("experiments/own{number}.toml"), experiment(&format!("t{number}.csv")));
    }
    dir
}

/// Runs a command that must end.
fn run(dir: &TestDir, arguments: &[&str]) -> Assert {
    Command::from_std(dir.command(arguments)).timeout(Duration::from_secs(120)).assert()
}

#[test]
fn experiments_on_several_tables_are_listed() {
    let dir = dir();
    let text = stdout(&run(&dir, &["list"]).code(0));
    assert_says(&text, &["own0", "own1", "own2", "own3", "own4", "own5"]);
}

#[test]
fn a_sweep_over_tables_is_trained_and_verified() {
    let dir = dir();
    let space = "data.csv.path=t0.csv,t1.csv,t2.csv,t3.csv";
    let command =
        ["sweep", "experiments/own0.toml", "--space", space, "--stack", "1", "--seeds", "0", "--device", "cpu"];
    run(&dir, &[&command[..], &["--workers", "1", "--quiet"]].concat()).code(0);
    assert_says(&stdout(&run(&dir, &["sweep", "verify", "own0"]).code(0)), &["4 configurations"]);
}
