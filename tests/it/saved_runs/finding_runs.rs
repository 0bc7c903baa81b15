//! Runs are found by several names, and files that are no histories are passed over or refused.

use super::saved_run::{evaluated, file, place_with_digits};
use crate::support::{Place, assert_says, stderr, stdout};

#[test]
fn a_run_is_found_by_its_experiment_its_folder_and_each_of_its_files() {
    let place = place_with_digits();
    let older = std::fs::read_link(place.path("runs/idea/latest")).unwrap();
    // two runs of the same second would be told apart by their settings alone
    std::fs::rename(place.path("runs/idea").join(older), place.path("runs/idea/2020-01-01T000000Z-aaaaaa")).unwrap();
    let older = "runs/idea/2020-01-01T000000Z-aaaaaa";
    place.exp(&["idea.toml", "--seed", "5"]);
    let seed = |named: &str| evaluated(&place, &[named])[0]["seed"].clone();
    for (named, wanted) in [
        ("idea", 5),
        ("runs/idea", 5),
        ("runs/idea/latest", 5),
        ("runs/idea/latest/", 5),
        ("runs/idea/latest/base-seed5.json", 5),
        ("runs/idea/latest/base-seed5.safetensors", 5),
        (older, 0),
    ] {
        assert_eq!(seed(named), wanted, "{named}");
    }
    std::fs::remove_file(place.path("runs/idea/latest")).unwrap(); // as where links cannot be made
    assert_eq!(seed("idea"), 5);
    std::fs::rename(place.path("runs"), place.path("elsewhere")).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["no run of `idea` in `runs`", "runner exp"]);
    assert_eq!(evaluated(&place, &["idea", "--out", "elsewhere"]).len(), 1);
    place.write("elsewhere/notes/other.json", "{}");
    assert_says(&place.refusal(&["eval", "elsewhere"]), &["there is no history in `elsewhere`", "`idea`"]);
    assert_says(&place.refusal(&["eval", "ideas", "--out", "elsewhere"]), &["did you mean `idea`?"]);
}

#[test]
fn other_json_beside_the_histories_is_passed_over_and_a_damaged_history_is_not() {
    let place = place_with_digits();
    std::fs::write(file(&place, "idea", "notes.json"), "{ \"schema\": \"mine\" }").unwrap();
    std::fs::write(file(&place, "idea", "list.json"), "[1, 2]").unwrap();
    assert_eq!(evaluated(&place, &["idea"]).len(), 1);
    let refused = place.refusal(&["eval", file(&place, "idea", "notes.json").to_str().unwrap()]);
    assert_says(&refused, &["is a `mine`, and this version reads `runner.history/1`"]);
    let refused = place.refusal(&["eval", file(&place, "idea", "list.json").to_str().unwrap()]);
    assert_says(&refused, &["is no history: it names no `schema`"]);
    let history = std::fs::read_to_string(file(&place, "idea", "base-seed0.json")).unwrap();
    let start = history.find("\"best\": {").unwrap();
    let best = start + history[start..].find("\"epoch\": ").unwrap() + 9;
    let beyond = format!("{}77{}", &history[..best], &history[best..]);
    for (text, words) in [
        ("{ \"schema\": \"runner.history/2\" }", ["`runner.history/2`", "another version of runner"]),
        ("{ \"schema\": \"runner.hist", ["base-seed1.json` as JSON", "damaged or cut short"]),
        ("", ["base-seed1.json` as JSON", "damaged or cut short"]),
        ("{ \"schema\": \"runner.history/1\" }", ["base-seed1.json` as a history", "missing field"]),
        (&beyond, ["base-seed1.json` names epoch 77", "none of its epochs"]),
    ] {
        let damaged = file(&place, "idea", "base-seed1.json");
        std::fs::write(&damaged, text).unwrap();
        let others = place.run(&["eval", "idea"]).code(2);
        assert_says(&stderr(&others), &words);
        assert_says(&stdout(&others), &["trial base-seed0", "test metrics equal to the history"]);
        assert_says(&place.refusal(&["eval", damaged.to_str().unwrap()]), &words);
        let predicted = place.run(&["predict", "idea", "--index", "0"]).code(0);
        assert_says(&stderr(&predicted), &["warning: a trial was passed over: ", words[0]]);
        let chosen = place.refusal(&["predict", "idea", "--index", "0", "--trial", "base-seed1"]);
        assert_says(&chosen, &[words[0], "`--trial NAME`"]);
    }
    std::fs::remove_file(file(&place, "idea", "base-seed0.json")).unwrap();
    assert_says(&place.refusal(&["eval", "idea"]), &["names epoch 77"]);
}

#[test]
fn a_folder_that_is_no_run_is_not_said_to_go_on() {
    let place = Place::with_idea();
    let refused = place.refusal(&["eval", "."]);
    assert_says(&refused, &["there is no history in `.`", "a run is named by its folder"]);
    assert!(!refused.contains("go on"), "{refused}");
    place.write("begun/experiment.toml", "");
    assert_says(&place.refusal(&["eval", "begun"]), &["the run is still training"]);
}
