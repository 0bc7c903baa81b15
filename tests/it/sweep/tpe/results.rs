//! What is shown of a sweep with rounds.

use serde_json::Value;

use super::SPACE;
use crate::support::{assert_says, stdout};
use crate::sweep::sweep_run::{dir_with_epochs, sweep, trained_of};

#[test]
fn a_dry_run_shows_the_first_configurations_and_how_many_follow() {
    let dir = dir_with_epochs(2);
    let all = [&["sweep", "idea.toml", "--dry-run", "--device", "cpu"], &SPACE[..]].concat();
    let text = stdout(&dir.run(&all).code(0)).split_whitespace().collect::<Vec<_>>().join(" ");
    let words = ["14 configurations, 28 trials", "tpe: 10 configurations at first, then rounds of 2 from results"];
    assert_says(&text, &words);
    assert_says(&text, &["0009", "… 4 more are chosen from the results of these"]);
    let plan: Value = serde_json::from_str(&stdout(&dir.run(&[&all[..], &["--json"]].concat()).code(0))).unwrap();
    let numbers = ["trials", "round", "chosen_later"].map(|key| plan[key].as_u64().unwrap());
    assert_eq!((numbers, plan["configurations"].as_array().unwrap().len()), ([28, 2, 4], 10));
    assert!(!dir.path("sweeps").exists());
}

#[test]
fn a_round_has_two_stacks_on_the_cpu_and_more_configurations_with_halving() {
    let dir = dir_with_epochs(4);
    let space = ["--space", "lr=log:1e-4..1e-1", "--method", "tpe", "--trials", "40", "--seeds", "0"];
    for (halving, round, stacks) in [("none", 8, vec![4; 4]), ("first=2", 16, vec![8; 2])] {
        let more = ["--halving", halving, "--device", "cpu", "--dry-run", "--json"];
        let all = [&["sweep", "idea.toml"], &space[..], &more].concat();
        let plan: Value = serde_json::from_str(&stdout(&dir.run(&all).code(0))).unwrap();
        let replicas = plan["stacks"].as_array().unwrap().iter().map(|stack| stack["replicas"].as_u64().unwrap());
        assert_eq!((plan["round"].as_u64(), replicas.collect::<Vec<_>>()), (Some(round), stacks), "{halving}");
    }
}

#[test]
fn results_of_all_rounds_are_shown_plotted_and_exported() {
    let dir = dir_with_epochs(2);
    let space = [&SPACE[..], &["--stack", "8"]].concat();
    let path = trained_of(&dir, &space, &["--workers", "1"]);
    let done = |arguments: &[&str]| {
        let (code, stdout, stderr) = sweep(&dir, arguments);
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    };
    assert_eq!(done(&["table", "idea", "--csv"]).lines().count(), 15);
    assert_says(&done(&["status", "idea"]), &["28 of 28 done", "14 of 14 configurations chosen"]);
    done(&["best", "idea", "--toml", "best.toml"]);
    dir.run(&["exp", "best.toml", "--seeds", "0", "--threads", "1"]).code(0);
    done(&["report", "idea"]);
    assert_says(&std::fs::read_to_string(path.join("report.html")).unwrap(), &["tpe"]);
    done(&["export", "idea", "--optuna", "idea.log", "--csv", "idea.csv"]);
    assert_eq!(std::fs::read_to_string(dir.path("idea.log")).unwrap().lines().count(), 15);
    assert_eq!(std::fs::read_to_string(dir.path("idea.csv")).unwrap().lines().count(), 29);
    // only the first ten do not depend on results
    let plot = ["plot", "sweep", &path.display().to_string(), "--chart", "expected-best", "-o", "best.svg"];
    dir.run(&plot).code(0);
    assert_says(&std::fs::read_to_string(dir.path("best.svg")).unwrap(), &["Only the first 10 configurations"]);
}
