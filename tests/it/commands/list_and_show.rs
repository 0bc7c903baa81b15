//! `list` and `show`: the experiments there are, and what is in one.

use serde_json::Value;

use super::printed::{all, json};
use crate::support::{IDEA, Place, assert_says, curves, idea_with, stderr, stdout};

const SHIPPED: [&str; 8] = [
    "digits_mlp",
    "mlp_xor",
    "mnist_dropout",
    "overfit_mnist",
    "perceptron_and",
    "perceptron_nand",
    "perceptron_or",
    "perceptron_xor",
];

/// What `list` shows: each heading with the experiments under it.
fn listed(text: &str) -> Vec<(&str, Vec<&str>)> {
    let chapters = text.split("\n\n").skip(1).map(|chapter| chapter.split_once('\n').unwrap());
    chapters.map(|(heading, rows)| (heading, rows.lines().filter_map(|row| row.split(' ').next()).collect())).collect()
}

#[test]
fn list_shows_every_shipped_experiment_under_its_lesson() {
    let text = stdout(&Place::new().run(&["list"]).code(0));
    let chapters = listed(&text);
    for name in SHIPPED {
        assert!(chapters.iter().any(|(_, names)| names.contains(&name)), "{text}");
    }
    assert_says(text.lines().next().unwrap(), &["experiment", "title", "data", "size"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let headings: Vec<&str> = chapters.iter().map(|(heading, _)| *heading).collect();
    assert_eq!((headings[0], *headings.last().unwrap()), ("A. Perceptrons", "G. Credit-card fraud"));
    assert!(headings.is_sorted(), "{headings:?}");
    assert!(chapters.iter().all(|(_, names)| names.is_sorted()), "{text}");
    assert!(chapters[0].1.contains(&"perceptron_or"), "{text}");
}

#[test]
fn list_keeps_to_a_lesson() {
    let place = Place::new();
    let text = stdout(&place.run(&["list", "--lesson", "c"]).code(0));
    let chapters = listed(&text);
    assert_eq!(chapters.len(), 1, "{text}");
    assert_eq!(chapters[0].0, "C. MNIST and overfitting");
    assert!(chapters[0].1.contains(&"overfit_mnist"));
    let by_words = stdout(&place.run(&["list", "--lesson", "Overfitting"]).code(0));
    assert_eq!(by_words, text);
    let quick = json(&place, &["list", "--lesson", "C", "--quick", "--json"]);
    assert_eq!(all(&quick, "lesson"), ["C. MNIST and overfitting"]);
    assert_says(&place.refusal(&["list", "--lesson", "Z"]), &["`Z`", "`A. Perceptrons`"]);
}

#[test]
fn list_prints_json() {
    let listed = json(&Place::new(), &["list", "--json"]);
    let digits = listed.as_array().unwrap().iter().find(|item| item["name"] == "digits_mlp").unwrap();
    assert_eq!(digits["parameters"], 64 * 32 + 32 + 32 * 16 + 16 + 16 * 10 + 10);
    assert_eq!((&digits["data"], &digits["quick"]), (&"digits".into(), &true.into()));
    assert_eq!(digits["lesson"], "B. Digits");
    assert!(SHIPPED.iter().all(|name| all(&listed, "name").contains(name)));
}

#[test]
fn quick_experiments_are_those_that_need_no_download() {
    let quick = json(&Place::new(), &["list", "--quick", "--json"]);
    assert!(!all(&quick, "name").is_empty());
    assert!(!all(&quick, "data").contains(&"mnist"));
    let table = stdout(&Place::new().run(&["list", "--quick"]).code(0));
    assert_eq!(listed(&table).iter().map(|(_, names)| names.len()).sum::<usize>(), all(&quick, "name").len());
}

#[test]
fn show_tells_settings_and_layers_in_80_columns() {
    let place = Place::new();
    let mut wide = Vec::new();
    for name in SHIPPED {
        let shown = stdout(&place.run(&["show", name]).code(0));
        assert_says(&shown, &["[network]", "[train]", "parameters", "total"]);
        wide.extend(shown.lines().filter(|line| line.chars().count() > 80).map(|line| format!("{name}: {line}")));
    }
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn show_prints_the_resolved_experiment_as_json() {
    let shown = json(&Place::new(), &["show", "digits_mlp", "--json", "--set", "train.epochs=7"]);
    assert_eq!(shown["name"], "digits_mlp");
    assert_eq!(shown["config"]["train"]["epochs"], 7);
    assert_eq!(shown["config"]["train"]["optimizer"]["adam"]["lr"], 1e-3);
    assert_eq!(all(&shown["network"]["layers"], "kind"), ["linear", "relu", "linear", "relu", "linear"]);
    assert_eq!(shown["network"]["parameters"], 2778);
}

#[test]
fn what_show_prints_can_be_saved_and_run_to_the_same_numbers() {
    let place = Place::new();
    for name in ["digits_mlp", "mlp_xor"] {
        place.write("saved.toml", stdout(&place.run(&["show", name]).code(0)));
        assert_eq!(curves(&place.history(&["saved.toml"])), curves(&place.history(&[name])));
    }
}

#[test]
fn an_experiment_of_ones_own_is_found_by_name_and_listed() {
    let place = Place::new();
    place.write("experiments/mine.toml", IDEA);
    place.write("experiments/digits_mlp.toml", idea_with("An idea", "My digits"));
    assert_eq!(place.history(&["mine"])["experiment"], "mine");
    assert!(place.path("runs/mine/latest/base-seed0.json").is_file());
    let listed = json(&place, &["list", "--json"]);
    assert!(all(&listed, "name").contains(&"mine"));
    assert_eq!(all(&listed, "name").iter().filter(|name| **name == "digits_mlp").count(), 1);
    assert!(all(&listed, "title").contains(&"My digits"));
    place.write("experiments/lesson.toml", format!("lesson = \"Z. Mine\"\n{IDEA}"));
    let mine = json(&place, &["list", "--json"]);
    let mine = mine.as_array().unwrap().iter().find(|item| item["name"] == "mine").unwrap();
    assert_eq!(mine["lesson"], Value::Null);
    let text = stdout(&place.run(&["list"]).code(0));
    assert_says(&text, &["\n\nZ. Mine\nlesson ", "\n\nYour own\ndigits_mlp ", "\nmine "]);
    assert_says(&place.refusal(&["exp", "mien"]), &["did you mean `mine`?"]);
}

#[test]
fn an_experiment_of_ones_own_that_cannot_be_read_does_not_hide_the_others() {
    let place = Place::new();
    place.write("experiments/broken.toml", "title = ");
    let listed = place.run(&["list"]).code(0);
    assert_says(&stderr(&listed), &["left out", "broken.toml"]);
    assert_says(&stdout(&listed), &SHIPPED);
}
