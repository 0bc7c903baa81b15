//! Met and missed expectations, `--strict`, and reference values next to the results.

use crate::commands::json_output::values_of;
use crate::support::{IDEA, TestDir, assert_says, idea_with, metric, stderr, stdout};

#[test]
fn strict_exits_with_1_when_an_expectation_is_missed() {
    let dir = TestDir::new();
    let with = |bound: &str| format!("{IDEA}\n[[expect]]\nvalue = \"last.acc\"\nat_least = {bound}\n");
    dir.write("high.toml", with("0.999"));
    dir.write("low.toml", with("0.1"));
    let missed = dir.run(&["exp", "high.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stderr(&missed), &["missed", "seed 0", "last.acc", "≥ 0.999"]);
    assert_says(&stdout(&missed), &["✗ last.acc ≥ 0.999: found 0."]);
    assert!(dir.path("runs/high/latest/base-seed0.json").is_file());
    dir.run(&["exp", "high.toml", "--device", "cpu"]).code(0);
    let met = dir.run(&["exp", "low.toml", "--strict", "--device", "cpu", "--verbose"]).code(0);
    assert_says(&stdout(&met), &["✓ last.acc ≥ 0.1: found 0."]);
}

#[test]
fn an_expectation_of_one_seed_ignores_the_others() {
    let dir = TestDir::new();
    let other = dir.history(&["digits_mlp", "--seed", "1", "--epochs", "1"]);
    assert_eq!(values_of(&other["expectations"], "metric"), ["last.acc"]);
    assert_eq!(other["expectations"][0]["met"], false);
}

#[test]
fn a_statistic_over_seeds_is_checked_and_reported_once() {
    let dir = TestDir::new();
    let mean = "claim = \"It learns\"\nvalue = \"last.acc\"\nover = \"mean\"\nat_least = 0.999";
    dir.write("idea.toml", format!("{IDEA}\n[[expect]]\n{mean}\n"));
    let missed = dir.run(&["exp", "idea.toml", "--seeds", "0..2", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stdout(&missed), &["✗ mean of last.acc ≥ 0.999: found 0."]);
    assert_says(&stderr(&missed), &["missed: base: mean of last.acc ≥ 0.999\n"]);
    let histories = dir.histories(&["idea.toml", "--seeds", "0..2"]);
    let accs: Vec<f64> = histories.iter().map(|history| *metric(history, "acc").last().unwrap()).collect();
    for history in &histories {
        let verified = &history["expectations"][0];
        assert_eq!((&verified["over"], &verified["claim"]), (&"mean".into(), &"It learns".into()));
        assert!((verified["found"].as_f64().unwrap() - accs.iter().sum::<f64>() / 3.0).abs() < 1e-12, "{verified}");
    }
}

#[test]
fn a_comparison_saves_and_shows_the_other_metric() {
    let dir = TestDir::new();
    let above = "[[expect]]\nvalue = \"first.loss\"\nabove = \"last.loss\"\n";
    dir.write("idea.toml", format!("{IDEA}\n{above}"));
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--device", "cpu", "--verbose"]).code(0));
    let history = dir.history(&["idea.toml"]);
    let loss = metric(&history, "loss");
    let verified = &history["expectations"][0];
    assert_eq!((&verified["found"], &verified["compared_with"]), (&loss[0].into(), &loss[1].into()));
    let line = shown.lines().find(|line| line.starts_with("✓ first.loss > last.loss: found ")).unwrap();
    assert_says(line, &[&format!("{:.5}", loss[0])[..6], &format!(", against {:.5}", loss[1])[..15]]);
}

#[test]
fn expectations_can_check_how_a_run_ends() {
    let dir = TestDir::new();
    let stops = idea_with("epochs = 2", "epochs = 50\nearly_stopping = { patience = 1, min_delta = 10.0 }");
    let expect = "[[expect]]\nvalue = \"status\"\nis = \"early_stopped\"\n";
    dir.write("stops.toml", format!("{stops}\n{expect}"));
    dir.write("ends.toml", format!("{IDEA}\n{expect}"));
    let met = dir.run(&["exp", "stops.toml", "--strict", "--device", "cpu", "--verbose"]).code(0);
    assert_says(&stdout(&met), &["✓ status is early_stopped: found early_stopped"]);
    let missed = dir.run(&["exp", "ends.toml", "--strict", "--device", "cpu"]).code(1);
    assert_says(&stdout(&missed), &["✗ status is early_stopped: found completed"]);
}

#[test]
fn expectations_can_use_a_metric_that_only_one_variant_has() {
    let dir = TestDir::new();
    let tanh = "[[variants]]\nname = \"relu\"\n\n[[variants]]\nname = \"tanh\"\n\
                set = { \"network.layers.1\" = \"tanh\" }\n";
    let saturation = "[[expect]]\nvariant = \"tanh\"\nvalue = \"last.saturation.1\"\nat_most = 1\n";
    let dead_units = "[[expect]]\nvariant = \"tanh\"\nvalue = \"last.loss\"\nabove = \"relu/last.dead_units.1\"\n";
    let observing = idea_with("epochs = 2", "epochs = 2\nobserve = [\"saturation\", \"dead_units\"]");
    dir.write("idea.toml", format!("{observing}\n{tanh}\n{saturation}\n{dead_units}"));
    let shown = stdout(&dir.run(&["exp", "idea.toml", "--strict", "--device", "cpu", "--verbose"]).code(0));
    assert_says(&shown, &["✓ tanh/last.saturation.1 ≤ 1: found ", "✓ tanh/last.loss > relu/last.dead_units.1: found "]);
}

#[test]
fn reference_values_are_shown_next_to_the_results() {
    let dir = TestDir::new();
    let printed = dir.run(&["exp", "mlp_xor", "--device", "cpu", "--verbose"]).code(0);
    assert_says(
        &stdout(&printed),
        &["reference  this run\nfirst.loss                 0.2490  ", "learned.prediction.3.0"],
    );
    let history = dir.history(&["mlp_xor"]);
    let beside = |name: &str| {
        let theirs = history["references"].as_array().unwrap();
        theirs.iter().find(|beside| beside["metric"] == name).unwrap()["this_run"].as_f64().unwrap()
    };
    assert_eq!(beside("last.loss"), *metric(&history, "loss").last().unwrap());
    let third = history["learned"]["predictions"][2]["output"][0].as_f64().unwrap();
    assert_eq!(beside("learned.prediction.2.0"), third);
}
