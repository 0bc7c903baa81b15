//! The record and the checkpoint of a run that is to be resumed.

use serde_json::{Value, json};

use super::damaged_run::{CHECKPOINT, RECORD, change_record, place_to_go_on_with, quickly};
use crate::support::{IDEA, assert_says};

#[test]
fn a_record_of_a_run_that_asks_for_the_impossible_or_names_files_elsewhere_is_refused() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    type Change<'a> = &'a dyn Fn(&mut Value);
    let asks: [(&str, Change); 8] = [
        ("`threads` must be between 1 and 1024, found 0", &|record| record["options"]["threads"] = json!(0)),
        ("`threads` is 1 to 1024, and 1000000000", &|record| record["options"]["threads"] = json!(1_000_000_000)),
        ("`stack` must be at least 1, found 0", &|record| record["options"]["stack"] = json!(0)),
        ("`variant` must be made of letters", &|record| {
            record["groups"][0]["stacks"][0]["trials"][0]["variant"] = json!("../../../outside");
        }),
        ("a stack holds the trial `base-seed0` twice", &|record| {
            let trials = record["groups"][0]["stacks"][0]["trials"].as_array_mut().unwrap();
            trials.push(trials[0].clone());
        }),
        ("names the device `/dev/zero`", &|record| record["options"]["device"] = json!("/dev/zero")),
        ("`name` must be made of letters", &|record| {
            let text = format!("name = \"../../outside\"\n{IDEA}");
            record["source"]["text"] = json!(text);
        }),
        ("this version reads `runner.run/1`", &|record| record["schema"] = json!("runner.run/9")),
    ];
    for (words, ask) in asks {
        let place = place_to_go_on_with();
        change_record(&place, ask);
        assert_says(&quickly(|| place.refusal(&["resume", "idea"])), &[words]);
    }
    let place = place_to_go_on_with();
    let whole = std::fs::read(place.path(RECORD)).unwrap();
    for damaged in [deep.as_bytes(), &whole[..whole.len() / 2], b"", b"[]", b"\xff"] {
        place.write(RECORD, damaged);
        assert_says(&place.refusal(&["resume", "idea"]), &["failed to read `runs/idea/", "/run.json`"]);
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_with_the_way_to_go_on_without_it() {
    let place = place_to_go_on_with();
    let sound = &include_bytes!("../../../fuzz/corpus/checkpoint/whole")[1..];
    let mut flipped = sound.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let mut huge = sound.to_vec();
    huge[..8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    for damaged in [&flipped[..], &huge, &sound[..sound.len() / 2], b"", b"{}"] {
        place.write(CHECKPOINT, damaged);
        let said = place.refusal(&["resume", "idea"]);
        assert_says(&said, &["failed to read the checkpoint", "checkpoint.safetensors", "hint: ", "rm "]);
    }
    // a sound one of another stack is passed over, and nothing of it gets into this one
    place.write(CHECKPOINT, sound);
    place.run(&["resume", "idea"]).code(0);
}
