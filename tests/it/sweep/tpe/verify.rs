//! `runner sweep verify` proposes all rounds again.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::SPACE;
use crate::support::assert_says;
use crate::sweep::sweep_run::{dir_with_epochs, json as read_json, sweep, trained_of};

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = read_json(path);
    change(&mut value);
    fs::write(path, serde_json::to_string(&value).unwrap()).unwrap();
}

#[test]
fn rounds_that_do_not_follow_from_the_results_are_found() {
    let dir = dir_with_epochs(2);
    let path = trained_of(&dir, &[&SPACE[..], &["--stack", "8"]].concat(), &["--workers", "1"]);
    let round = path.join("extend-2.json");
    let original = fs::read(&round).unwrap();
    type Change = fn(&mut Value);
    let changes: [(Change, &[&str]); 6] = [
        (
            |file| file["round"]["seen"][3]["mean"] = json!(0.001),
            &["its round must have seen `0003` done with", "with 0.001"],
        ),
        (
            |file| file["round"]["seen"][3]["outcome"] = json!("failed"),
            &["its round must have seen `0003` done with", "found `0003` failed"],
        ),
        (
            |file| drop(file["round"]["seen"].as_array_mut().unwrap().pop()),
            &["its round must have seen 12 configurations, found 11"],
        ),
        (
            |file| file["configurations"][1]["set"]["train.optimizer.adam.lr"] = json!(0.05),
            &["configuration `0013` must be lr="],
        ),
        (
            |file| file["round"]["skipped"] = json!([{ "set": { "train.batch": 16 }, "error": "x" }]),
            &["its round leaves other configurations out"],
        ),
        (|file| file["round"]["is_last"] = json!(true), &["its round leaves other configurations out"]),
    ];
    for (change, words) in changes {
        edit(&round, change);
        let (code, stdout, stderr) = sweep(&dir, &["verify", "idea"]);
        assert_eq!(code, Some(1), "{stderr}");
        assert_says(&stdout, words);
        assert_says(&stdout, &["extend-2.json: "]);
        fs::write(&round, &original).unwrap();
    }
    // results that change what a round would have chosen
    let end = path.join("ended/S000.json");
    let text = fs::read(&end).unwrap();
    edit(&end, |end| end["trials"][0]["value"] = json!(9.5));
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(1));
    assert_says(&stdout, &["extend-1.json: its round must have seen", "extend-2.json: its round must have seen"]);
    fs::write(&end, &text).unwrap();
    fs::remove_file(&round).unwrap();
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(1));
    assert_says(&stdout, &["table.csv: it exists, although further rounds or seeds are missing"]);
    fs::write(&round, &original).unwrap();
    assert_eq!(sweep(&dir, &["verify", "idea"]).0, Some(0));
}
