//! The record and the checkpoint of a run to be resumed.

use serde_json::{Value, json};

use super::damaged_run::{CHECKPOINT, RECORD, dir_with_unfinished_run, edit_record, within_a_minute};
use crate::support::{IDEA, assert_says};

#[test]
fn run_records_with_invalid_values_or_outside_paths_are_rejected() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    type Change<'a> = &'a dyn Fn(&mut Value);
    let invalid_records: [(&str, Change); 8] = [
        ("`threads` must be between 1 and 1024, found 0", &|record| record["options"]["threads"] = json!(0)),
        ("`threads` must be between 1 and 1024, found 1000000000", &|record| {
            record["options"]["threads"] = json!(1_000_000_000)
        }),
        ("`stack` must be at least 1, found 0", &|record| record["options"]["stack"] = json!(0)),
        ("`variant` must be made of letters", &|record| {
            record["groups"][0]["stacks"][0]["trials"][0]["variant"] = json!("../../../outside");
        }),
        ("a stack contains the trial `base-seed0` twice", &|record| {
            let trials = record["groups"][0]["stacks"][0]["trials"].as_array_mut().unwrap();
            trials.push(trials[0].clone());
        }),
        ("invalid device `/dev/zero`", &|record| record["options"]["device"] = json!("/dev/zero")),
        ("`name` must be made of letters", &|record| {
            let text = format!("name = \"../../outside\"\n{IDEA}");
            record["source"]["text"] = json!(text);
        }),
        ("`runner.run/2`", &|record| record["schema"] = json!("runner.run/9")),
    ];
    for (words, ask) in invalid_records {
        let dir = dir_with_unfinished_run();
        edit_record(&dir, ask);
        assert_says(&within_a_minute(|| dir.error_message(&["resume", "idea"])), &[words]);
    }
    let dir = dir_with_unfinished_run();
    let original = std::fs::read(dir.path(RECORD)).unwrap();
    for damaged in [deep.as_bytes(), &original[..original.len() / 2], b"", b"[]", b"\xff"] {
        dir.write(RECORD, damaged);
        assert_says(&dir.error_message(&["resume", "idea"]), &["failed to read `runs/idea/", "/run.json`"]);
    }
}

#[test]
fn damaged_checkpoints_are_rejected_with_a_way_to_continue_without_them() {
    let dir = dir_with_unfinished_run();
    let sound = &include_bytes!("../../../fuzz/corpus/checkpoint/whole")[1..];
    let mut flipped = sound.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let mut huge = sound.to_vec();
    huge[..8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    for damaged in [&flipped[..], &huge, &sound[..sound.len() / 2], b"", b"{}"] {
        dir.write(CHECKPOINT, damaged);
        let message = dir.error_message(&["resume", "idea"]);
        assert_says(&message, &["failed to read the checkpoint", "checkpoint.safetensors", "hint: ", "rm "]);
    }
    // a valid checkpoint of another stack is ignored
    dir.write(CHECKPOINT, sound);
    dir.run(&["resume", "idea"]).code(0);
}
