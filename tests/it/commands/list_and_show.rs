//! `list` and `show`: the available experiments and their contents.

use insta::assert_snapshot;
use serde_json::Value;

use super::json_output::{json, values_of};
use crate::support::{IDEA, TestDir, assert_says, curves, idea_with, stderr, stdout};

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

/// Parses the output of `list`: each heading with its experiments.
fn parse_list(text: &str) -> Vec<(&str, Vec<&str>)> {
    let chapters = text.split("\n\n").skip(1).map(|chapter| chapter.split_once('\n').unwrap());
    chapters.map(|(heading, rows)| (heading, rows.lines().filter_map(|row| row.split(' ').next()).collect())).collect()
}

#[test]
fn list_shows_every_shipped_experiment_under_its_lesson() {
    let text = stdout(&TestDir::new().run(&["list"]).code(0));
    let chapters = parse_list(&text);
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
fn show_notes_the_newest_run_of_an_experiment() {
    let dir = TestDir::with_idea();
    assert!(!stderr(&dir.run(&["show", "idea.toml"]).code(0)).contains("newest run"));
    dir.exp(&["idea.toml"]);
    let run = std::fs::read_link(dir.path("runs/idea/latest")).unwrap();
    let note = format!("note: `runner show runs/idea/{}` shows the results of the newest run", run.display());
    assert_says(&stderr(&dir.run(&["show", "idea.toml"]).code(0)), &[&note]);
    assert_eq!(stderr(&dir.run(&["show", "idea.toml", "--json"]).code(0)), "");
}

#[test]
fn expectations_about_a_variant_that_is_not_shown_are_counted() {
    let dir = TestDir::new();
    let of_first = "[[expect]]\nvariant = \"one\"\nmetric = \"last.loss\"\nat_most = 1e9\n";
    let variants = "[[variants]]\nname = \"one\"\n[[variants]]\nname = \"two\"\n";
    dir.write("idea.toml", format!("{IDEA}\n{variants}\n{of_first}"));
    dir.exp(&["idea.toml"]);
    let two = stdout(&dir.run(&["show", "idea/two"]).code(0));
    assert_says(&two, &["1 expectation about other variants is not shown"]);
    assert!(!two.contains("did not run"), "{two}");
}

#[test]
fn list_can_be_limited_to_a_lesson() {
    let dir = TestDir::new();
    let text = stdout(&dir.run(&["list", "--lesson", "c"]).code(0));
    assert_says(&text, &["A convolutional network on MNIST"]); // titles are cut only if they do not fit
    let chapters = parse_list(&text);
    assert_eq!(chapters.len(), 1, "{text}");
    assert_eq!(chapters[0].0, "C. MNIST and overfitting");
    assert!(chapters[0].1.contains(&"overfit_mnist"));
    let by_words = stdout(&dir.run(&["list", "--lesson", "Overfitting"]).code(0));
    assert_eq!(by_words, text);
    let quick = json(&dir, &["list", "--lesson", "C", "--quick", "--json"]);
    assert_eq!(values_of(&quick, "lesson"), ["C. MNIST and overfitting"]);
    assert_says(&dir.error_message(&["list", "--lesson", "Z"]), &["`Z`", "`A. Perceptrons`"]);
}

#[test]
fn list_prints_json() {
    let listed = json(&TestDir::new(), &["list", "--json"]);
    let digits = listed.as_array().unwrap().iter().find(|item| item["name"] == "digits_mlp").unwrap();
    assert_eq!(digits["parameters"], 64 * 32 + 32 + 32 * 16 + 16 + 16 * 10 + 10);
    assert_eq!((&digits["data"], &digits["quick"]), (&"digits".into(), &true.into()));
    assert_eq!(digits["lesson"], "B. Digits");
    assert!(SHIPPED.iter().all(|name| values_of(&listed, "name").contains(name)));
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let count = format!("**{} experiments included.**", listed.as_array().unwrap().len());
    assert!(readme.contains(&count), "README.md does not say `{count}`");
}

#[test]
fn quick_experiments_need_no_download() {
    let quick = json(&TestDir::new(), &["list", "--quick", "--json"]);
    assert!(!values_of(&quick, "name").is_empty());
    assert!(!values_of(&quick, "data").contains(&"mnist"));
    let table = stdout(&TestDir::new().run(&["list", "--quick"]).code(0));
    assert_eq!(parse_list(&table).iter().map(|(_, names)| names.len()).sum::<usize>(), values_of(&quick, "name").len());
}

#[test]
fn show_prints_settings_and_layers_in_80_columns() {
    let dir = TestDir::new();
    let mut wide = Vec::new();
    for name in SHIPPED {
        let shown = stdout(&dir.run(&["show", name]).code(0));
        assert_says(&shown, &["[network]", "[train]", "parameters", "total"]);
        wide.extend(shown.lines().filter(|line| line.chars().count() > 80).map(|line| format!("{name}: {line}")));
    }
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn show_indents_the_layers_in_blocks_and_counts_multiply_adds() {
    let dir = TestDir::new();
    let layers = r#"{ reshape = [8, 8] }, { lstm = { units = 4, returns = "sequence" } },
        { transformer_encoder = { heads = 2, feedforward = 6 } }, { residual = [{ linear = 4 }] }, "flatten""#;
    dir.write("idea.toml", idea_with("{ linear = 16 }, \"relu\"", layers));
    let shown = stdout(&dir.run(&["show", "idea.toml"]).code(0));
    let table: Vec<&str> = shown.lines().skip_while(|line| !line.starts_with("# layer ")).collect();
    assert_snapshot!(table.join("\n"), @r"
    # layer          kind                  output  parameters  multiply-adds
    #                input                     64
    # 0              reshape                  8×8           0              0
    # 1              lstm                     8×4         224          1,536
    # 2              transformer_encoder      8×4         154          1,408
    #   layers.0     encoder layer            8×4         154          1,408
    #     self_attn  multi_head_attention     8×4          80          1,024
    #     linear1    linear                   8×6          30            192
    #     linear2    linear                   8×4          28            192
    #     norm1      layer_norm               8×4           8              0
    #     norm2      layer_norm               8×4           8              0
    # 3              residual                 8×4          20            128
    #   layers.0     linear                   8×4          20            128
    # 4              flatten                   32           0              0
    # 5              linear                    10         330            320
    # total                                               728          3,392
    ");
    let network = &json(&dir, &["show", "idea.toml", "--json"])["network"];
    assert_eq!(network["multiply_adds"], 3392);
    assert_eq!(network["layers"][2]["layers"][0]["layers"][0]["kind"], "multi_head_attention");
}

#[test]
fn one_variant_of_a_run_is_shown_alone() {
    let dir = TestDir::new();
    let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.batch\" = 32 }\n";
    dir.write("idea.toml", format!("{IDEA}{variants}"));
    dir.exp(&["idea.toml"]);
    let shown = stdout(&dir.run(&["show", "idea/b"]).code(0));
    assert!(shown.starts_with("idea/b: ") && !shown.contains("a-seed0"), "{shown}");
    assert_says(&dir.error_message(&["show", "idea/c"]), &["has no variant `c`", "`a`", "`b`"]);
}

#[test]
fn show_prints_the_resolved_experiment_as_json() {
    let shown = json(&TestDir::new(), &["show", "digits_mlp", "--json", "--set", "train.epochs=7"]);
    assert_eq!(shown["name"], "digits_mlp");
    assert_eq!(shown["config"]["train"]["epochs"], 7);
    assert_eq!(shown["config"]["train"]["optimizer"]["adam"]["lr"], 1e-3);
    assert_eq!(values_of(&shown["network"]["layers"], "kind"), ["linear", "relu", "linear", "relu", "linear"]);
    assert_eq!(shown["network"]["parameters"], 2778);
}

#[test]
fn output_of_show_can_be_saved_and_run_with_the_same_results() {
    let dir = TestDir::new();
    for name in ["digits_mlp", "mlp_xor"] {
        dir.write("saved.toml", stdout(&dir.run(&["show", name]).code(0)));
        assert_eq!(curves(&dir.history(&["saved.toml"])), curves(&dir.history(&[name])));
    }
}

#[test]
fn user_experiments_are_found_by_name_and_listed() {
    let dir = TestDir::new();
    dir.write("experiments/mine.toml", IDEA);
    dir.write("experiments/digits_mlp.toml", idea_with("An idea", "My digits"));
    assert_eq!(dir.history(&["mine"])["experiment"], "mine");
    assert!(dir.path("runs/mine/latest/base-seed0.json").is_file());
    let listed = json(&dir, &["list", "--json"]);
    assert!(values_of(&listed, "name").contains(&"mine"));
    assert_eq!(values_of(&listed, "name").iter().filter(|name| **name == "digits_mlp").count(), 1);
    assert!(values_of(&listed, "title").contains(&"My digits"));
    dir.write("experiments/lesson.toml", format!("lesson = \"Z. Mine\"\n{IDEA}"));
    let mine = json(&dir, &["list", "--json"]);
    let mine = mine.as_array().unwrap().iter().find(|item| item["name"] == "mine").unwrap();
    assert_eq!(mine["lesson"], Value::Null);
    let text = stdout(&dir.run(&["list"]).code(0));
    assert_says(&text, &["\n\nZ. Mine\nlesson ", "\n\nYour own\ndigits_mlp ", "\nmine "]);
    assert_says(&dir.error_message(&["exp", "mien"]), &["did you mean `mine`?"]);
}

#[test]
fn unreadable_user_experiments_do_not_hide_the_others() {
    let dir = TestDir::new();
    dir.write("experiments/broken.toml", "title = ");
    let listed = dir.run(&["list"]).code(0);
    assert_says(&stderr(&listed), &["skipped", "broken.toml"]);
    assert_says(&stdout(&listed), &SHIPPED);
}
