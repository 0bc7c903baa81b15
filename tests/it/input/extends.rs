//! `extends = "base.toml"` in an experiment file.

use crate::support::{IDEA, TestDir, assert_says, idea_with, stdout};

/// Contains `idea.toml` and `more.toml`, which extends it and changes the optimizer and the number of epochs.
fn extended() -> TestDir {
    let dir = TestDir::with_idea();
    dir.write(
        "more.toml",
        "extends = \"idea.toml\"\n[train]\nepochs = 3\nbatch_size = 32\noptimizer = { sgd = { lr = 0.5 } }\n",
    );
    dir
}

#[test]
fn a_file_is_merged_with_the_one_that_it_extends() {
    let dir = extended();
    dir.write(
        "third/last.toml",
        "extends = \"../more.toml\"\ntitle = \"Last\"\n[train.optimizer.sgd]\nmomentum = 0.9\n",
    );
    let shown = stdout(&dir.run(&["show", "third/last.toml"]).code(0));
    let wanted =
        ["title = \"Last\"", "epochs = 3", "batch = 32", "[train.optimizer.sgd]", "lr = 0.5", "momentum = 0.9"];
    assert_says(&shown, &wanted);
    assert!(!shown.contains("extends =") && !shown.contains("adam"), "{shown}");
    dir.run(&["exp", "third/last.toml", "-q"]).code(0);
    let resolved = std::fs::read_to_string(dir.path("runs/last/latest/experiment.toml")).unwrap();
    assert!(resolved.contains("momentum = 0.9") && !resolved.contains("extends ="), "{resolved}");
    // the run does not need the files that it was merged from
    for file in ["idea.toml", "more.toml", "third/last.toml"] {
        std::fs::remove_file(dir.path(file)).unwrap();
    }
    dir.run(&["reproduce", "last", "-q"]).code(0);
}

#[test]
fn a_shipped_experiment_can_be_extended_also_by_a_file_of_its_name() {
    let dir = TestDir::new();
    dir.write("experiments/digits_mlp.toml", "extends = \"digits_mlp\"\nexpect = []\n[train]\nepochs = 1\n");
    let shown = stdout(&dir.run(&["show", "digits_mlp"]).code(0));
    assert_says(&shown, &["epochs = 1"]);
    assert!(!shown.contains("[[expect]]"), "{shown}");
    // the heading of the lesson belongs to the shipped experiment
    assert!(!shown.contains("lesson ="), "{shown}");
}

#[test]
fn paths_of_a_base_are_relative_to_its_directory() {
    let dir = TestDir::new();
    let rows: String = (0..40).map(|row| format!("{row},{}\n", row % 2)).collect();
    dir.write("base/table.csv", format!("x,y\n{rows}"));
    let csv = idea_with("[data.digits]", "[data.csv]\npath = \"table.csv\"\ntarget = \"y\"\ntask = \"classes\"")
        .replace("linear = 10", "linear = 2");
    dir.write("base/base.toml", csv);
    dir.write("mine/idea.toml", "extends = \"../base/base.toml\"\n[train]\nepochs = 1\n");
    dir.run(&["exp", "mine/idea.toml", "-q"]).code(0);
}

#[test]
fn errors_name_the_file_and_line_that_the_value_came_from() {
    let dir = extended();
    dir.write("idea.toml", idea_with("epochs = 2", "epochs = 2\nshuffel = true"));
    let message = dir.error_message(&["exp", "more.toml"]);
    assert_says(&message, &["failed to read `idea.toml`", "line 10", "10 | shuffel = true", "unknown key `shuffel`"]);
    dir.write("idea.toml", idea_with("batch = 64", "batch = 0"));
    dir.write("more.toml", "extends = \"idea.toml\"\n\n[train]\nepochs = 0\n");
    assert_says(
        &dir.error_message(&["exp", "more.toml", "--set", "train.batch=8"]),
        &["`train.epochs`", "(more.toml, line 4)"],
    );
    dir.write("more.toml", "extends = \"idea.toml\"\n");
    assert_says(&dir.error_message(&["exp", "more.toml"]), &["`train.batch`", "(idea.toml, line 10)"]);
    dir.write("more.toml", "extends = \"idea.toml\"\n[train]\nepochs = \"two\"\n");
    assert_says(&dir.error_message(&["exp", "more.toml"]), &["failed to read `more.toml`", "3 | epochs = \"two\""]);
}

#[test]
fn circles_and_missing_bases_are_rejected() {
    let dir = TestDir::new();
    dir.write("a.toml", "extends = \"b.toml\"\n");
    dir.write("b.toml", "# b\nextends = \"./a.toml\"\n");
    let message = dir.error_message(&["show", "a.toml"]);
    assert_says(&message, &["`extends` is circular: `a.toml` extends `b.toml` extends `./a.toml`", "(b.toml, line 2)"]);
    dir.write("idea.toml", format!("extends = \"ideal.toml\"\n{IDEA}"));
    assert_says(&dir.error_message(&["show", "idea.toml"]), &["failed to extend `ideal.toml` (idea.toml, line 1)"]);
    dir.write("idea.toml", "extends = \"a\"\n");
    assert_says(&dir.error_message(&["show", "idea.toml"]), &["no experiment `a`", "did you mean `a.toml`?"]);
    dir.write("idea.toml", "title = \"t\"\nextends = [\"a.toml\"]\n");
    assert_says(&dir.error_message(&["show", "idea.toml"]), &["`extends` must be", "(idea.toml, line 2)"]);
}
