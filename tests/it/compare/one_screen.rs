//! `runner compare` without `--all` fits one screen, however many runs there are.

use crate::support::{IDEA, TestDir, assert_says, idea_with, stderr, stdout};

/// The text, of which no line is wider than 80 characters.
#[track_caller]
fn screen(dir: &TestDir, arguments: &[&str]) -> String {
    let text = stdout(&dir.run(&[&["compare"], arguments].concat()).code(0));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

#[test]
fn five_runs_take_45_lines_and_no_label_is_cut() {
    let dir = TestDir::new();
    dir.write("idea.toml", IDEA);
    for lr in ["1e-5", "1e-4", "1e-3", "1e-2", "1e-1"] {
        let lr = format!("train.optimizer.adam.lr={lr}");
        dir.run(&["exp", "idea.toml", "--quiet", "--seeds", "0..1", "--set", &lr]).success();
    }
    let text = screen(&dir, &["runs/idea/2*"]);
    assert!(text.lines().count() <= 45, "{text}");
    assert_says(&text, &["5 runs of idea, each with 2 seeds: 0, 1", "acc best compared with A (named first)"]);
    let mut runs: Vec<String> = std::fs::read_dir(dir.path("runs/idea"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "latest")
        .collect();
    runs.sort();
    for (label, run) in ["A", "B", "C", "D", "E"].iter().zip(&runs) {
        assert_says(&text, &[&format!("{label}  idea {run}")]);
    }
    let header = text.lines().find(|line| line.contains("acc best  ")).unwrap();
    assert!(header.trim_start().starts_with("lr "), "{text}");
    assert!(text.contains("settings are the same; not shown: "), "{text}");
}

#[test]
fn of_200_variants_the_best_20_are_shown() {
    let dir = TestDir::new();
    let split = "[data.digits]\nsplit = { test = 0.5, validation = 0.2, random_state = 0 }";
    let mut text = idea_with("[data.digits]", split).replace("epochs = 2", "epochs = 1");
    for number in 0..200 {
        let lr = 1e-5 * 1.05_f64.powi(number);
        text.push_str(&format!(
            "\n[[variants]]\nname = \"learning-rate-{number}\"\nset = {{ \"train.optimizer.adam.lr\" = {lr} }}"
        ));
    }
    dir.write("many.toml", text);
    dir.run(&["exp", "many.toml", "--quiet"]).success();
    let text = screen(&dir, &["many"]);
    assert!(text.lines().count() <= 60, "{text}");
    let title = text.split("\n\n").next().unwrap().replace("\n ", "");
    assert_says(&title, &["200 variants of many, each with seed", "the best 20 by ", "(`--all` shows all)"]);
    let labels = |text: &str| text.matches("learning-rate-").count();
    assert_eq!(labels(&text), 21, "the best 20 and the baseline: {text}");
    assert!(text.contains("learning-rate-0\n") || text.contains("learning-rate-0 "), "the baseline: {text}");
    assert_says(&text, &["significance cannot be tested with only one seed each; train more seeds"]);
    assert!(labels(&screen(&dir, &["many", "--all"])) >= 200);
}

#[test]
fn one_run_alone_is_shown() {
    let dir = TestDir::with_idea();
    dir.exp(&["idea.toml"]);
    let outcome = dir.run(&["compare", "idea"]).code(0);
    assert_says(&stdout(&outcome), &["1 run of idea", "A  idea", "metric", "loss", "acc", "base-seed0.json"]);
    assert_says(&stderr(&outcome), &["only one run: name a second to compare it with: `runner compare idea RUN`"]);

    // with the name of its newest run, the experiment means the run before it
    dir.exp(&["idea.toml", "--epochs", "1", "--name", "fast"]);
    for names in [["idea", "fast"], ["fast", "idea"]] {
        let outcome = dir.run(&[&["compare"][..], &names[..]].concat()).code(0);
        assert_says(&stdout(&outcome), &["2 runs of idea"]);
        assert_says(
            &stderr(&outcome),
            &["another argument names the newest run of `idea`; for `idea`, an older run is used"],
        );
    }
    let outcome = dir.run(&["compare", "idea", "idea"]).code(0);
    assert_says(&stderr(&outcome), &["`idea` is named twice; it is shown once"]);
}

#[test]
fn three_cautions_are_shown_in_a_line_each() {
    let dir = TestDir::new();
    let mut arguments: Vec<String> = vec!["good.json".to_owned()];
    dir.write("good.json", r#"{"loss": [1.0, 0.5]}"#);
    for number in 0..5 {
        let name = format!("bad{number}.json");
        dir.write(&name, format!(r#"{{"loss": [{number}.5, NaN], "val_loss": [{number}.25, NaN, NaN]}}"#));
        arguments.push(name);
    }
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let text = screen(&dir, &arguments);
    let cautions = |text: &str| text.lines().filter(|line| line.starts_with("caution: ")).count();
    assert_eq!(cautions(&text), 2, "the same caution about five runs is one: {text}");
    assert_says(&text, &["caution: B, C, D, E, F: diverged", "caution: B, C, D, E, F: loss is nan in epoch 2"]);

    for (number, name) in arguments[1..].iter().enumerate() {
        dir.write(
            name,
            format!(r#"{{"loss": [1.5, 0.5], "{}": [NaN, 0.5]}}"#, ["mae", "mse", "aa", "bb", "cc"][number]),
        );
    }
    let text = screen(&dir, &arguments);
    assert_eq!(cautions(&text), 3, "{text}");
    assert_says(&text, &["\n2 more cautions (`--all`)"]);
    arguments.push("--all");
    let all = screen(&dir, &arguments);
    assert_eq!(cautions(&all), 5, "{all}");
}
