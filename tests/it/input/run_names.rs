//! Names of experiments and variants are names of files: they are checked before anything is trained.

use crate::support::{IDEA, Place, assert_says, idea_with};

/// [`IDEA`] with variants of these names.
fn with_variants(names: &[&str]) -> String {
    let variants: String = names.iter().map(|name| format!("\n[[variants]]\nname = \"{name}\"\n")).collect();
    format!("{IDEA}{variants}")
}

#[track_caller]
fn refusal_of_variants(names: &[&str]) -> String {
    let place = Place::new();
    place.write("idea.toml", with_variants(names));
    place.refusal(&["exp", "idea.toml", "--device", "cpu"])
}

#[track_caller]
fn refusal_of_name(name: &str) -> String {
    let place = Place::new();
    place.write("idea.toml", idea_with("title = ", &format!("name = \"{name}\"\ntitle = ")));
    place.refusal(&["exp", "idea.toml", "--device", "cpu"])
}

#[test]
fn variants_whose_names_are_equal_without_case_are_refused() {
    for (one, other) in [("Adam", "adam"), ("größe", "GRÖSSE"), ("Ω", "ω"), ("ﬁne", "FINE")] {
        let said = refusal_of_variants(&["base", one, other]);
        let words = format!("`variants` `{one}` and `{other}` differ in case only");
        assert_says(&said, &[&words, "idea.toml", "\nhint: "]);
    }
    assert_says(&refusal_of_variants(&["a", "b", "a"]), &["must have different names"]);
}

#[test]
fn variants_whose_names_differ_in_unicode_form_only_are_refused() {
    // the sign for Ångström is the letter Å, and a Hangul syllable is its parts
    for (one, other) in [("\u{212b}", "\u{c5}"), ("\u{ac00}", "\u{1100}\u{1161}")] {
        let said = refusal_of_variants(&[one, other]);
        assert_says(&said, &["are the same name in two Unicode forms"]);
    }
}

#[test]
fn a_name_that_is_too_long_for_a_file_is_refused_before_training() {
    // 180 bytes, of which a letter may take several
    for name in ["v".repeat(181), "ä".repeat(91), "v".repeat(300)] {
        let bytes = format!("found {} bytes", name.len());
        assert_says(&refusal_of_variants(&["a", &name]), &["`variants.1.name` must have at most 180 bytes", &bytes]);
        assert_says(&refusal_of_name(&name), &["`name` must have at most 180 bytes", &bytes]);
    }
    let stem = "e".repeat(200);
    let place = Place::new();
    place.write(&format!("{stem}.toml"), IDEA);
    let said = place.refusal(&["exp", &format!("{stem}.toml"), "--device", "cpu"]);
    assert_says(&said, &["`name` must have at most 180 bytes, found 200 bytes", "\nhint: "]);
}

#[test]
fn the_longest_name_leaves_room_for_every_file_of_a_run() {
    let (experiment, variant) = ("e".repeat(180), "ä".repeat(90));
    let place = Place::new();
    let text = with_variants(&[&variant]).replacen("title = ", &format!("name = \"{experiment}\"\ntitle = "), 1);
    place.write("idea.toml", text.replace("[data.digits]", "[data.digits]\nsplit = { folds = 12 }"));
    let seeds = "-9223372036854775808";
    place.run(&["exp", "idea.toml", "--seed", seeds, "--epochs", "1", "--device", "cpu"]).code(0);
    let file = format!("runs/{experiment}/latest/{variant}-seed{seeds}-fold11.safetensors");
    let is_there = place.path(&file).is_file() || place.path(&file.replace("fold11", "fold12")).is_file();
    assert!(is_there, "{file}");
}

#[test]
fn names_that_end_in_a_blank_or_a_dot_or_begin_with_a_blank_are_refused() {
    for name in ["adam ", "adam.", " adam", "v1. "] {
        let wrong = "must not begin with a blank or a dot, or end with one";
        assert_says(&refusal_of_variants(&["a", name]), &["`variants.1.name`", wrong, &format!("found `{name}`")]);
        assert_says(&refusal_of_name(name), &["`name`", wrong, &format!("found `{name}`")]);
    }
}

#[test]
fn names_that_windows_reserves_are_refused() {
    for name in ["con", "NUL", "Com1", "lpt9.a", "aux.v2"] {
        assert_says(&refusal_of_variants(&["a", name]), &["must not be a device's name on Windows", name]);
        assert_says(&refusal_of_name(name), &["must not be a device's name on Windows", name]);
    }
    let place = Place::new();
    place.write("idea.toml", with_variants(&["console", "com10", "a.con", "Größe 2", "v1.0"]));
    assert_eq!(place.histories(&["idea.toml", "--epochs", "1"]).len(), 5);
}

#[test]
fn an_experiment_whose_name_differs_from_that_of_earlier_runs_in_case_only_is_refused() {
    let place = Place::with_idea();
    place.write("Idea2.toml", IDEA);
    place.write("idea2.toml", IDEA);
    place.run(&["exp", "Idea2.toml", "--epochs", "1", "--device", "cpu"]).code(0);
    let said = place.refusal(&["exp", "idea2.toml", "--epochs", "1", "--device", "cpu"]);
    assert_says(&said, &["`idea2` and `Idea2`", "differ in case only", "\nhint: "]);
    place.run(&["exp", "Idea2.toml", "--epochs", "1", "--device", "cpu"]).code(0);
    place.run(&["exp", "idea2.toml", "--epochs", "1", "--device", "cpu", "--out", "others"]).code(0);
}
