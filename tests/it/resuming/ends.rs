//! What is finished, what is not, and what cannot be resumed.

use serde_json::Value;

use super::run::{at_epoch, history, killed, latest, refused, table, with_table};
use crate::support::{IDEA, Place, RUNNER, assert_says, curves, stderr};

#[test]
fn a_run_that_is_finished_is_not_run_again() {
    let place = Place::with_idea();
    place.exp(&["idea.toml"]);
    let before = place.files();
    let said = stderr(&place.run(&["resume", "idea"]).code(0));
    assert_says(&said, &["the run in `runs/idea/", "is already complete"]);
    assert_eq!(place.files(), before);
    std::fs::remove_file(latest(&place).join("base-seed0.json")).unwrap();
    place.run(&["resume", "idea"]).code(0);
    assert_eq!(history(&place)["status"], "completed", "what is gone is trained again");
}

#[test]
fn a_run_that_is_not_finished_is_no_run_that_is_done() {
    let place = killed();
    let said = stderr(&place.run(&["runs"]).code(0));
    assert_says(&said, &["no history yet", "`runner resume` continues"]);
}

#[test]
fn what_cannot_be_resumed_is_told() {
    let place = Place::with_idea();
    assert_says(&place.refusal(&["resume", "idea"]), &["no run of `idea` in `runs`"]);
    place.exp(&["idea.toml"]);
    let record = latest(&place).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert_says(&place.refusal(&["resume", "idea"]), &["run.json", "hint: it is damaged"]);
    std::fs::write(&record, text.replace("runner.run/1", "runner.run/9")).unwrap();
    assert_says(&place.refusal(&["resume", "idea"]), &["`runner.run/9`", "reads `runner.run/1`"]);
    std::fs::remove_file(&record).unwrap();
    assert_says(&place.refusal(&["resume", "idea"]), &["hint: runs of earlier versions have no `run.json`"]);
}

#[test]
fn data_that_have_changed_are_no_data_to_go_on_with() {
    let place = with_table(100_000);
    let (mut child, _talk) = at_epoch(&place, 3, &["--checkpoint", "1"]);
    child.kill().unwrap();
    child.wait().unwrap();
    place.write("table.csv", table(7));
    assert_says(&refused(&place), &["the data of `csv` have changed since the run began", "hint: restore"]);
}

#[test]
fn a_run_goes_on_from_any_folder() {
    let place = with_table(3);
    let one_go = place.history(&["idea.toml"]);
    let record = latest(&place).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    // as if it had been killed before its first checkpoint
    let begun = text.replace("\"finished\": true", "\"finished\": false").replace("\"done\"", "\"waiting\"");
    assert_ne!(begun, text);
    std::fs::write(&record, begun).unwrap();
    let run = latest(&place);
    std::fs::remove_file(run.join("base-seed0.json")).unwrap();
    let mut elsewhere = place.command(&["resume", run.to_str().unwrap()]);
    assert!(elsewhere.current_dir(place.path("runs")).output().unwrap().status.success());
    assert_eq!(curves(&history(&place)), curves(&one_go));
}

/// The program with these arguments, and 2 GB of addresses.
#[cfg(unix)]
fn with_little_memory(place: &Place, arguments: &[&str]) -> (String, String) {
    let mut command = place.command_of("sh", &["-c", "ulimit -v 2000000 && exec \"$0\" \"$@\"", RUNNER]);
    let ended = command.args(arguments).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn a_variant_that_fails_leaves_the_others_to_end_and_is_tried_again() {
    let place = Place::new();
    let layers = |name: &str, layers: &str| {
        let layers = format!("[{layers}, {{ dropout = 0.1 }}, {{ linear = 10 }}]");
        format!("[[variants]]\nname = \"{name}\"\nset = {{ \"network.layers\" = {layers} }}\n")
    };
    let (huge, wide) = (layers("huge", "{ linear = 15000 }, { linear = 15000 }"), layers("wide", "{ linear = 32 }"));
    place.write("idea.toml", format!("{IDEA}\n[[variants]]\nname = \"small\"\n{huge}{wide}"));
    let (shown, said) = with_little_memory(&place, &["exp", "idea.toml", "--device", "cpu"]);
    let why =
        ["failed to train `idea`, variant huge, seed 0, on cpu", "has not enough memory", "2 of 3 trials are done"];
    assert_says(&said, &why);
    assert!(!said.contains("panicked"), "{said}");
    assert_says(&shown, &["small", "wide", "not trained: huge"]);
    let run = latest(&place);
    for (name, is_there) in [("small-seed0", true), ("wide-seed0", true), ("huge-seed0", false)] {
        assert_eq!(run.join(format!("{name}.json")).exists(), is_there, "{name}");
        assert_eq!(run.join(format!("{name}.safetensors")).exists(), is_there, "{name}");
    }
    let record: Value = serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["finished"], false);
    assert_says(&record.to_string(), &["\"failed\"", "not enough memory"]);
    let (_, said) = with_little_memory(&place, &["resume", "idea"]);
    assert_says(&said, &["2 of 3 trials are done", "has not enough memory"]);
}

#[test]
fn an_interruption_is_no_end_whatever_the_record_says() {
    let place = Place::with_idea();
    place.exp(&["idea.toml"]);
    let file = latest(&place).join("base-seed0.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"completed\"", "\"interrupted\"")).unwrap();
    let record = latest(&place).join("run.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("\"finished\": true", "\"finished\": false")).unwrap();
    let said = stderr(&place.run(&["resume", "idea"]).code(0));
    assert_says(&said, &["no more than an interruption"]);
    assert_eq!(history(&place)["status"], "completed");
}
