//! Further configurations and seeds of a sweep with rounds.

use serde_json::json;

use super::{SPACE, sets};
use crate::support::{TestDir, assert_says};
use crate::sweep::sweep_run::{dir_with_epochs, json as read_json, sweep, trained_of};

#[track_caller]
fn done(dir: &TestDir, arguments: &[&str]) -> (String, String) {
    let (code, stdout, stderr) = sweep(dir, arguments);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    (stdout, stderr)
}

#[test]
fn further_configurations_are_chosen_by_further_rounds_also_from_a_wider_space() {
    let dir = dir_with_epochs(2);
    let path = trained_of(&dir, &[&SPACE[..], &["--stack", "8"]].concat(), &["--workers", "1"]);
    let (before, shown) = (sets(&path), path.display().to_string());
    let (stdout, _) = done(&dir, &["extend", "idea", "--trials", "+3"]);
    assert_says(&stdout, &["added 3 configurations that the next rounds choose"]);
    assert!(!path.join("table.csv").exists());
    let (code, _, stderr) = sweep(&dir, &["extend", "idea", "--trials", "17"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["the sweep already has 17 configurations"]);
    done(&dir, &[&shown, "--resume", "--workers", "2"]);
    let all = sets(&path);
    assert_eq!((all.len(), &all[..14]), (17, &before[..]));
    let sizes: Vec<usize> = (1..=5)
        .map(|number| {
            read_json(&path.join(format!("extend-{number}.json")))["configurations"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(sizes, [2, 2, 0, 2, 1]);
    assert_eq!(read_json(&path.join("extend-3.json"))["further_trials"], 3);

    // seeds are added to all configurations, and later rounds have them, too
    let (stdout, _) = done(&dir, &["extend", "idea", "--seeds", "2"]);
    assert_says(&stdout, &["seed 2 of all configurations"]);
    let (stdout, _) = done(&dir, &["extend", "idea", "--space", "train.batch=16,32,64,128", "--trials", "+4"]);
    assert_says(&stdout, &["4 configurations that the next rounds choose"]);
    done(&dir, &[&shown, "--resume", "--workers", "2"]);
    let all = sets(&path);
    assert_eq!(all.len(), 21);
    let text = std::fs::read_to_string(path.join("table.csv")).unwrap();
    assert!(text.lines().skip(1).all(|line| line.split(',').nth(6) == Some("3")), "three seeds each: {text}");
    let (stdout, _) = done(&dir, &["verify", "idea"]);
    assert_says(&stdout, &["verified: 21 configurations", "63 trials"]);

    // the best are confirmed, and rounds that follow do not see the fresh seeds
    done(&dir, &["confirm", "idea", "--seeds", "100..101", "--at-most", "2"]);
    let (stdout, _) = done(&dir, &["extend", "idea", "--trials", "+2", "--dry-run"]);
    assert_says(&stdout, &["would add 2 configurations that the next rounds choose"]);
    done(&dir, &["extend", "idea", "--trials", "+2"]);
    done(&dir, &[&shown, "--resume"]);
    let (stdout, _) = done(&dir, &["verify", "idea"]);
    assert_says(&stdout, &["verified: 23 configurations"]);
    let (code, _, stderr) = sweep(&dir, &["extend", "idea", "--space", "train.batch=16,32,64,128"]);
    assert_eq!(code, Some(2));
    assert_says(&stderr, &["there is nothing to add"]);
}

#[test]
fn failed_stacks_are_seen_as_failed_and_can_be_trained_again() {
    let dir = dir_with_epochs(2);
    let space = [&SPACE[..], &["--stack", "8"]].concat();
    let path = trained_of(&dir, &space, &["--workers", "1"]);
    // as if the first stack had failed before the first round
    let end = path.join("ended/S000.json");
    let mut failed = read_json(&end);
    failed["failure"] = json!({ "error": "no room", "cause": "no room" });
    failed["trials"] = json!([]);
    failed.as_object_mut().unwrap().remove("files");
    std::fs::write(&end, failed.to_string()).unwrap();
    for stack in crate::sweep::sweep_run::names(&path.join("ended")) {
        let stack = stack.trim_end_matches(".json");
        let is_first = |configurations: &serde_json::Value| {
            read_json(&path.join("sweep.json"))["stacks"]
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["name"] == *configurations)
        };
        if !is_first(&json!(stack)) {
            crate::sweep::sweep_run::reopen(&path, stack);
            std::fs::remove_dir_all(path.join("stacks").join(stack)).unwrap();
            std::fs::remove_file(path.join("beats").join(format!("{stack}.1"))).unwrap_or_default();
        }
    }
    ["extend-1.json", "extend-2.json"].iter().for_each(|name| std::fs::remove_file(path.join(name)).unwrap());
    let _ = std::fs::remove_file(path.join("table.csv"));
    let shown = path.display().to_string();
    let (code, _, stderr) = sweep(&dir, &[&shown, "--resume"]);
    assert_eq!(code, Some(2), "a stack has failed: {stderr}");
    let seen = read_json(&path.join("extend-1.json"))["round"]["seen"].clone();
    let names = read_json(&path.join("sweep.json"))["stacks"][0]["configurations"].clone();
    for result in seen.as_array().unwrap() {
        let has_failed = names.as_array().unwrap().contains(&result["name"]);
        assert_eq!(result["outcome"] == "failed", has_failed, "{result}");
    }
    done(&dir, &["verify", "idea"]);
    done(&dir, &["retry", "--failed", "idea"]);
    done(&dir, &[&shown, "--resume"]);
    let (stdout, _) = done(&dir, &["verify", "idea"]);
    assert_says(&stdout, &["verified: 14 configurations", "28 trials"]);
}
