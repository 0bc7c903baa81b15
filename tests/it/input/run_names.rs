//! Names of experiments and variants become file names. They are checked before training.

use crate::support::{IDEA, TestDir, assert_says, idea_with};

/// [`IDEA`] with variants of these names.
fn with_variants(names: &[&str]) -> String {
    let variants: String = names.iter().map(|name| format!("\n[[variants]]\nname = \"{name}\"\n")).collect();
    format!("{IDEA}{variants}")
}

#[track_caller]
fn error_of_variants(names: &[&str]) -> String {
    let dir = TestDir::new();
    dir.write("idea.toml", with_variants(names));
    dir.error_message(&["exp", "idea.toml", "--device", "cpu"])
}

#[track_caller]
fn error_of_name(name: &str) -> String {
    let dir = TestDir::new();
    dir.write("idea.toml", idea_with("title = ", &format!("name = \"{name}\"\ntitle = ")));
    dir.error_message(&["exp", "idea.toml", "--device", "cpu"])
}

#[test]
fn variant_names_that_differ_only_in_case_are_rejected() {
    for (one, other) in [("Adam", "adam"), ("größe", "GRÖSSE"), ("Ω", "ω"), ("ﬁne", "FINE")] {
        let message = error_of_variants(&["base", one, other]);
        let words = format!("`variants` `{one}` and `{other}` differ only in case");
        assert_says(&message, &[&words, "idea.toml", "\nhint: "]);
    }
    assert_says(&error_of_variants(&["a", "b", "a"]), &["must have different names"]);
}

#[test]
fn variant_names_that_differ_only_in_unicode_form_are_rejected() {
    // the Ångström sign equals the letter Å, and a Hangul syllable equals its parts
    for (one, other) in [("\u{212b}", "\u{c5}"), ("\u{ac00}", "\u{1100}\u{1161}")] {
        let message = error_of_variants(&[one, other]);
        assert_says(&message, &["are the same name in two Unicode forms"]);
    }
}

#[test]
fn names_too_long_for_a_file_are_rejected_before_training() {
    // 180 bytes; a letter may need several bytes
    for name in ["v".repeat(181), "ä".repeat(91), "v".repeat(300)] {
        let bytes = format!("found {} bytes", name.len());
        assert_says(&error_of_variants(&["a", &name]), &["`variants.1.name` must have at most 180 bytes", &bytes]);
        assert_says(&error_of_name(&name), &["`name` must have at most 180 bytes", &bytes]);
    }
    let stem = "e".repeat(200);
    let dir = TestDir::new();
    dir.write(&format!("{stem}.toml"), IDEA);
    let message = dir.error_message(&["exp", &format!("{stem}.toml"), "--device", "cpu"]);
    assert_says(&message, &["`name` must have at most 180 bytes, found 200 bytes", "\nhint: "]);
}

#[test]
fn the_longest_allowed_name_works_for_every_file_of_a_run() {
    let (experiment, variant) = ("e".repeat(180), "ä".repeat(90));
    let dir = TestDir::new();
    let text = with_variants(&[&variant]).replacen("title = ", &format!("name = \"{experiment}\"\ntitle = "), 1);
    dir.write("idea.toml", text.replace("[data.digits]", "[data.digits]\nsplit = { folds = 12 }"));
    let seeds = "-9223372036854775808";
    dir.run(&["exp", "idea.toml", "--seed", seeds, "--epochs", "1", "--device", "cpu"]).code(0);
    let file = format!("runs/{experiment}/latest/{variant}-seed{seeds}-fold11.safetensors");
    let is_there = dir.path(&file).is_file() || dir.path(&file.replace("fold11", "fold12")).is_file();
    assert!(is_there, "{file}");
}

#[test]
fn names_with_outer_blanks_or_a_final_dot_are_rejected() {
    for name in ["adam ", "adam.", " adam", "v1. "] {
        let wrong = "must not begin with a blank or a dot, or end with one";
        assert_says(&error_of_variants(&["a", name]), &["`variants.1.name`", wrong, &format!("found `{name}`")]);
        assert_says(&error_of_name(name), &["`name`", wrong, &format!("found `{name}`")]);
    }
}

#[test]
fn reserved_windows_names_are_rejected() {
    for name in ["con", "NUL", "Com1", "lpt9.a", "aux.v2"] {
        assert_says(&error_of_variants(&["a", name]), &["must not be a device's name on Windows", name]);
        assert_says(&error_of_name(name), &["must not be a device's name on Windows", name]);
    }
    let dir = TestDir::new();
    dir.write("idea.toml", with_variants(&["console", "com10", "a.con", "Größe 2", "v1.0"]));
    assert_eq!(dir.histories(&["idea.toml", "--epochs", "1"]).len(), 5);
}

#[test]
fn experiment_names_that_differ_from_earlier_runs_only_in_case_are_rejected() {
    let dir = TestDir::with_idea();
    dir.write("Idea2.toml", IDEA);
    dir.write("idea2.toml", IDEA);
    dir.run(&["exp", "Idea2.toml", "--epochs", "1", "--device", "cpu"]).code(0);
    let message = dir.error_message(&["exp", "idea2.toml", "--epochs", "1", "--device", "cpu"]);
    assert_says(&message, &["`idea2` and `Idea2`", "differ only in case", "\nhint: "]);
    dir.run(&["exp", "Idea2.toml", "--epochs", "1", "--device", "cpu"]).code(0);
    dir.run(&["exp", "idea2.toml", "--epochs", "1", "--device", "cpu", "--out", "others"]).code(0);
}
