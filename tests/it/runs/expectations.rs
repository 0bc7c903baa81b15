//! Expectations that are met or missed, `--strict`, and figures of a walkthrough beside those of the run.

use crate::commands::printed::all;
use crate::support::{IDEA, Place, assert_says, idea_with, metric, stderr, stdout};

#[test]
fn strict_exits_with_1_when_an_expectation_is_missed() {
    let place = Place::new();
    let with = |bound: &str| format!("{IDEA}\n[[expect]]\nvalue = \"last.acc\"\nat_least = {bound}\n");
    place.write("high.toml", with("0.999"));
    place.write("low.toml", with("0.1"));
    let missed = place.run(&["exp", "high.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stderr(&missed), &["missed", "seed 0", "last.acc", "≥ 0.999"]);
    assert_says(&stdout(&missed), &["✗ last.acc ≥ 0.999: found 0."]);
    assert!(place.path("runs/high/latest/base-seed0.json").is_file());
    place.run(&["exp", "high.toml", "--device", "cpu"]).code(0);
    let met = place.run(&["exp", "low.toml", "--strict", "--device", "cpu"]).code(0);
    assert_says(&stdout(&met), &["✓ last.acc ≥ 0.1: found 0."]);
}

#[test]
fn an_expectation_of_one_seed_is_not_held_against_the_others() {
    let place = Place::new();
    let other = place.history(&["digits_mlp", "--seed", "1", "--epochs", "1"]);
    assert_eq!(all(&other["expectations"], "value"), ["last.acc"]);
    assert_eq!(other["expectations"][0]["met"], false);
}

#[test]
fn a_statistic_over_seeds_is_held_shown_and_missed_once() {
    let place = Place::new();
    let mean = "claim = \"It learns\"\nvalue = \"last.acc\"\nover = \"mean\"\nat_least = 0.999";
    place.write("idea.toml", format!("{IDEA}\n[[expect]]\n{mean}\n"));
    let missed = place.run(&["exp", "idea.toml", "--seeds", "0..2", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stdout(&missed), &["✗ mean of last.acc ≥ 0.999: found 0."]);
    assert_says(&stderr(&missed), &["missed: base: mean of last.acc ≥ 0.999\n"]);
    let histories = place.histories(&["idea.toml", "--seeds", "0..2"]);
    let accs: Vec<f64> = histories.iter().map(|history| *metric(history, "acc").last().unwrap()).collect();
    for history in &histories {
        let verified = &history["expectations"][0];
        assert_eq!((&verified["over"], &verified["claim"]), (&"mean".into(), &"It learns".into()));
        assert!((verified["found"].as_f64().unwrap() - accs.iter().sum::<f64>() / 3.0).abs() < 1e-12, "{verified}");
    }
}

#[test]
fn a_comparison_keeps_and_shows_the_other_figure() {
    let place = Place::new();
    let above = "[[expect]]\nvalue = \"first.loss\"\nabove = \"last.loss\"\n";
    place.write("idea.toml", format!("{IDEA}\n{above}"));
    let shown = stdout(&place.run(&["exp", "idea.toml", "--device", "cpu"]).code(0));
    let history = place.history(&["idea.toml"]);
    let loss = metric(&history, "loss");
    let verified = &history["expectations"][0];
    assert_eq!((&verified["found"], &verified["against"]), (&loss[0].into(), &loss[1].into()));
    let line = shown.lines().find(|line| line.starts_with("✓ first.loss > last.loss: found ")).unwrap();
    assert_says(line, &[&format!("{:.5}", loss[0])[..6], &format!(", against {:.5}", loss[1])[..15]]);
}

#[test]
fn how_a_run_ends_can_be_expected() {
    let place = Place::new();
    let stops = idea_with("epochs = 2", "epochs = 50\nearly_stopping = { patience = 1, min_delta = 10.0 }");
    let expect = "[[expect]]\nvalue = \"status\"\nis = \"early_stopped\"\n";
    place.write("stops.toml", format!("{stops}\n{expect}"));
    place.write("ends.toml", format!("{IDEA}\n{expect}"));
    let met = place.run(&["exp", "stops.toml", "--strict", "--device", "cpu"]).code(0);
    assert_says(&stdout(&met), &["✓ status is early_stopped: found early_stopped"]);
    let missed = place.run(&["exp", "ends.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stdout(&missed), &["✗ status is early_stopped: found completed"]);
}

#[test]
fn a_figure_that_only_one_variant_has_can_be_expected_of_it() {
    let place = Place::new();
    let tanh = "[[variants]]\nname = \"relu\"\n\n[[variants]]\nname = \"tanh\"\n\
                set = { \"network.layers.1\" = \"tanh\" }\n";
    let saturation = "[[expect]]\nvariant = \"tanh\"\nvalue = \"last.saturation.1\"\nat_most = 1\n";
    let dead = "[[expect]]\nvariant = \"tanh\"\nvalue = \"last.loss\"\nabove = \"relu/last.dead_units.1\"\n";
    let observing = idea_with("epochs = 2", "epochs = 2\nobserve = [\"saturation\", \"dead_units\"]");
    place.write("idea.toml", format!("{observing}\n{tanh}\n{saturation}\n{dead}"));
    let shown = stdout(&place.run(&["exp", "idea.toml", "--strict", "--device", "cpu"]).code(0));
    assert_says(&shown, &["✓ tanh/last.saturation.1 ≤ 1: found ", "✓ tanh/last.loss > relu/last.dead_units.1: found "]);
}

#[test]
fn what_a_walkthrough_reports_stands_beside_what_came() {
    let place = Place::new();
    let printed = place.run(&["exp", "mlp_xor", "--device", "cpu"]).code(0);
    assert_says(&stdout(&printed), &["theirs    ours\nfirst.loss              0.2490  ", "learned.prediction.3.0"]);
    let history = place.history(&["mlp_xor"]);
    let beside = |name: &str| {
        let theirs = history["theirs"].as_array().unwrap();
        theirs.iter().find(|beside| beside["value"] == name).unwrap()["ours"].as_f64().unwrap()
    };
    assert_eq!(beside("last.loss"), *metric(&history, "loss").last().unwrap());
    let third = history["learned"]["predictions"][2]["output"][0].as_f64().unwrap();
    assert_eq!(beside("learned.prediction.2.0"), third);
}
