//! Runs are found by several names. Files that are no histories are ignored or rejected.

use super::saved_run::{dir_with_digits_run, evaluations, file};
use crate::support::{TestDir, assert_says, stderr, stdout};

#[test]
fn runs_are_found_by_experiment_directory_or_file() {
    let dir = dir_with_digits_run();
    let older = std::fs::read_link(dir.path("runs/idea/latest")).unwrap();
    // runs of the same second differ only by their settings
    std::fs::rename(dir.path("runs/idea").join(older), dir.path("runs/idea/2020-01-01T000000Z-aaaaaa")).unwrap();
    let older = "runs/idea/2020-01-01T000000Z-aaaaaa";
    dir.exp(&["idea.toml", "--seed", "5"]);
    let seed = |named: &str| evaluations(&dir, &[named])[0]["seed"].clone();
    for (named, expected) in [
        ("idea", 5),
        ("runs/idea", 5),
        ("runs/idea/latest", 5),
        ("runs/idea/latest/", 5),
        ("runs/idea/latest/base-seed5.json", 5),
        ("runs/idea/latest/base-seed5.safetensors", 5),
        (older, 0),
    ] {
        assert_eq!(seed(named), expected, "{named}");
    }
    std::fs::remove_file(dir.path("runs/idea/latest")).unwrap(); // as on systems without links
    assert_eq!(seed("idea"), 5);
    std::fs::rename(dir.path("runs"), dir.path("elsewhere")).unwrap();
    assert_says(&dir.error_message(&["eval", "idea"]), &["no run `idea` under `runs`", "runner exp"]);
    assert_eq!(evaluations(&dir, &["idea", "--out", "elsewhere"]).len(), 1);
    dir.write("elsewhere/notes/other.json", "{}");
    assert_says(&dir.error_message(&["eval", "elsewhere"]), &["there is no history in `elsewhere`", "`idea`"]);
    assert_says(&dir.error_message(&["eval", "ideas", "--out", "elsewhere"]), &["did you mean `idea`?"]);
}

#[test]
fn other_json_files_are_ignored_but_damaged_histories_are_reported() {
    let dir = dir_with_digits_run();
    std::fs::write(file(&dir, "idea", "notes.json"), "{ \"schema\": \"mine\" }").unwrap();
    std::fs::write(file(&dir, "idea", "list.json"), "[1, 2]").unwrap();
    assert_eq!(evaluations(&dir, &["idea"]).len(), 1);
    let refused = dir.error_message(&["eval", file(&dir, "idea", "notes.json").to_str().unwrap()]);
    assert_says(&refused, &["has the schema `mine`; this version reads `runner.history/1` and `runner.history/2`"]);
    let refused = dir.error_message(&["eval", file(&dir, "idea", "list.json").to_str().unwrap()]);
    assert_says(&refused, &["is not a history: it has no `schema`"]);
    let history = std::fs::read_to_string(file(&dir, "idea", "base-seed0.json")).unwrap();
    let start = history.find("\"best\": {").unwrap();
    let best = start + history[start..].find("\"epoch\": ").unwrap() + 9;
    let wrong_best = format!("{}77{}", &history[..best], &history[best..]);
    for (text, words) in [
        ("{ \"schema\": \"runner.history/9\" }", ["`runner.history/9`", "use the version of runner that wrote it"]),
        ("{ \"schema\": \"runner.hist", ["base-seed1.json` as JSON", "damaged, incomplete"]),
        ("", ["base-seed1.json` as JSON", "damaged, incomplete"]),
        ("{ \"schema\": \"runner.history/1\" }", ["base-seed1.json` as a history", "missing field"]),
        (&wrong_best, ["base-seed1.json` states epoch 77", "not one of its epochs"]),
    ] {
        let damaged = file(&dir, "idea", "base-seed1.json");
        std::fs::write(&damaged, text).unwrap();
        let others = dir.run(&["eval", "idea"]).code(2);
        assert_says(&stderr(&others), &words);
        assert_says(&stdout(&others), &["trial base-seed0", "test metrics agree with the history"]);
        assert_says(&dir.error_message(&["eval", damaged.to_str().unwrap()]), &words);
        let predicted = dir.run(&["predict", "idea", "--index", "0"]).code(0);
        assert_says(&stderr(&predicted), &["warning: skipped a trial: ", words[0]]);
        let chosen = dir.error_message(&["predict", "idea", "--index", "0", "--trial", "base-seed1"]);
        assert_says(&chosen, &[words[0], "`--trial NAME`"]);
    }
    std::fs::remove_file(file(&dir, "idea", "base-seed0.json")).unwrap();
    assert_says(&dir.error_message(&["eval", "idea"]), &["states epoch 77"]);
}

#[test]
fn a_directory_without_a_run_is_not_reported_as_running() {
    let dir = TestDir::with_idea();
    let refused = dir.error_message(&["eval", "."]);
    assert_says(&refused, &["there is no history in `.`", "name a run by its id"]);
    assert!(!refused.contains("go on"), "{refused}");
    dir.write("begun/experiment.toml", "");
    assert_says(&dir.error_message(&["eval", "begun"]), &["the run is still training"]);
}
