//! `runner sweep verify` decides all rungs again.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{SPACE, epochs, histories};
use crate::support::assert_says;
use crate::sweep::sweep_run::{dir_with_epochs, json as read_json, sweep, trained_of};

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = read_json(path);
    change(&mut value);
    fs::write(path, serde_json::to_string(&value).unwrap()).unwrap();
}

#[test]
fn decisions_that_do_not_follow_from_the_histories_are_found() {
    let dir = dir_with_epochs(12);
    let path = trained_of(&dir, &[&SPACE[..], &["--halving", "first=2,keep=0.33"]].concat(), &["--workers", "1"]);
    let run = path.join("stacks/S000/run.json");
    let found = |words: &[&str]| {
        let (code, stdout, stderr) = sweep(&dir, &["verify", "idea"]);
        assert_eq!(code, Some(1), "{stderr}");
        assert_says(&stdout, words);
    };
    let original = fs::read(&run).unwrap();
    edit(&run, |record| {
        let last = record["groups"][0]["stacks"][0]["rungs"][0]["configurations"].as_array_mut().unwrap().last_mut();
        last.unwrap()["verdict"] = json!("kept");
    });
    found(&["stacks/S000/run.json: rung 1 must be after epoch 2 with ", " of 4 continuing, found after epoch 2"]);
    fs::write(&run, &original).unwrap();
    edit(&run, |record| {
        record["groups"][0]["stacks"][0]["rungs"][0]["configurations"][1]["mean"] = json!(0.125);
    });
    found(&["stacks/S000/run.json: rung 1 must have `", " in place 2, found `", "` with the mean 0.125 ("]);
    fs::write(&run, &original).unwrap();
    edit(&run, |record| drop(record["groups"][0]["stacks"][0].as_object_mut().unwrap().remove("rungs")));
    found(&["stacks/S000/run.json: there must be ", " rungs, found 0"]);
    fs::write(&run, &original).unwrap();
    edit(&run, |record| record["halving"]["keep"] = json!(0.5));
    found(&["stacks/S000/run.json: its halving is not that of the sweep"]);
    fs::write(&run, &original).unwrap();

    // a better value of a dropped trial would have changed the decision
    let all = histories(&path);
    let is_early = |history: &Value| history["status"] == "dropped" && epochs(history) == 2;
    let (file, history) = all.iter().find(|(_, history)| is_early(history)).unwrap();
    let text = fs::read(file).unwrap();
    edit(file, |history| history["history"]["val_loss"] = json!([0.001, 0.001]));
    found(&["rung 1 must be after epoch 2"]);
    fs::write(file, &text).unwrap();
    edit(file, |history| history["status"] = json!("completed"));
    let stem = format!("{}-seed{}.json", history["variant"].as_str().unwrap(), history["seed"]);
    found(&[&format!("{stem}: its result is")]);
    // without a history, nothing is said about the decisions
    fs::remove_file(file).unwrap();
    let (code, stdout, _) = sweep(&dir, &["verify", "idea"]);
    assert_eq!(code, Some(1));
    assert_says(&stdout, &[&format!("{stem}: cannot be read")]);
    assert!(!stdout.contains("rung"), "{stdout}");
    fs::write(file, &text).unwrap();
    assert_eq!(sweep(&dir, &["verify", "idea"]).0, Some(0));
}
