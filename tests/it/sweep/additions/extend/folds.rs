//! Extended sweeps with folds, whose workers are killed.

use super::{extended, resumed, table};
use crate::support::{TestDir, assert_says, idea_with};
use crate::sweep::killed::run_with_kills;
use crate::sweep::sweep_run::{assert_same_trials, command_of, sweep, trained_of, with_short_beats};

/// Four learning rates on two seeds and three folds.
const SPACE: [&str; 8] = ["--space", "lr=0.0001,0.001,0.01,0.1", "--seeds", "0,1", "--stack", "6", "--threads", "1"];

/// A directory with an experiment with three folds.
fn dir_with_folds(epochs: usize) -> TestDir {
    let dir = TestDir::new();
    let text = idea_with("epochs = 2", &format!("epochs = {epochs}"));
    let split = "[data.digits]\nsplit = { folds = 3, test = 0.2, random_state = 1 }";
    dir.write("idea.toml", text.replace("[data.digits]", split));
    dir
}

#[test]
fn an_extension_counts_folds_as_trials() {
    let dir = dir_with_folds(1);
    let path = trained_of(&dir, &SPACE, &["--workers", "1"]);
    let (code, stdout, stderr) = sweep(&dir, &["extend", "idea", "--seeds", "2", "--dry-run"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_says(&stdout, &["would add seed 2 of all configurations: 12 trials in 2 stacks"]);
    let wider = ["--space", "lr=0.0001,0.001,0.01,0.1,1", "--seeds", "2"];
    let said = extended(&dir, &wider);
    // seed 2 of four configurations, and three seeds of the new one
    assert_says(&said, &["added configuration 0004 and seed 2 of all configurations: 21 trials in 3 stacks"]);
    resumed(&dir);
    for row in table(&path).iter().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells[5..7], ["9", "9"], "n and trials: {row}");
    }
    let (_, status, _) = sweep(&dir, &["status", "idea"]);
    assert_says(&status, &["45 of 45 done"]);
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(0), "{stdout}");
    assert_says(&stdout, &["45 trials"]);
}

#[test]
fn a_sweep_that_is_extended_between_kills_has_the_results_of_an_undisturbed_one() {
    let extend = |dir: &TestDir| extended(dir, &["--space", "lr=0.0001,0.001,0.01,0.1,1", "--seeds", "2"]);
    let (dir, undisturbed) = (dir_with_folds(150), dir_with_folds(150));
    let options = ["--workers", "2", "--checkpoint", "1"];
    let (path, killed) = run_with_kills(&dir, command_of(&dir, &SPACE, &options));
    extend(&dir);
    let shown = path.display().to_string();
    let resume = dir.command(&[&["sweep", &shown, "--resume"], &options[..]].concat());
    let (_, killed_again) = run_with_kills(&dir, with_short_beats(resume));
    assert!(killed > 0 && killed_again > 0, "{killed} and {killed_again} workers were killed");

    let expected = trained_of(&undisturbed, &SPACE, &["--workers", "1"]);
    extend(&undisturbed);
    resumed(&undisturbed);
    assert_same_trials(&path, &expected, 5 * 3 * 3);
    for dir in [&dir, &undisturbed] {
        let (code, stdout, _) = sweep(dir, &["verify", "idea"]);
        assert_eq!(code, Some(0), "{stdout}");
    }
}
