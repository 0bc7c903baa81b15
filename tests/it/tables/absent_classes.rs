//! Classes without rows in a part, and trees beside networks.

use super::rare_classes::{DATA, NETWORK, history, new_dir};
use crate::support::{TestDir, assert_says, stderr, stdout};

#[test]
fn a_class_without_test_rows_is_reported_and_has_no_baseline() {
    let dir = TestDir::new();
    let row = |row: usize| {
        let part = ["train", "validation", "test"][if row < 60 { 0 } else { row % 2 + 1 }];
        let class = if row.is_multiple_of(5) && part != "test" { "yes" } else { "no" };
        format!("{},{},{part},{class}\n", row % 7, row % 3)
    };
    dir.write("rare.csv", "a,b,part,Class\n".to_owned() + &(0..100).map(row).collect::<String>());
    let data =
        "[data.csv]\npath = \"rare.csv\"\ntarget = \"Class\"\ntask = \"classes\"\nsplit = { column = \"part\" }\n";
    let network = NETWORK.replace("[\"f1\", \"ap\"]", "[\"f1\", \"ap\", \"balanced_acc\"]");
    dir.write("idea.toml", format!("title = \"Rare\"\n{data}{network}"));
    let run = dir.run(&["exp", "idea.toml"]).code(0);
    let message = stderr(&run).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&message, &["no test rows of class `yes` (20 rows)", "`folds` or more rows"]);
    assert!(!message.contains("no validation rows of"), "{message}");
    let summary = stdout(&run);
    assert!(!summary.contains("by chance"), "{summary}");
    assert!(!summary.contains("baseline"), "{summary}");
}

#[test]
fn a_tree_beside_a_network_has_no_layers_and_its_own_validation_metrics() {
    let network = format!("{NETWORK}monitor = \"val_ap\"\n");
    let variants = "[[variants]]\nname = \"tree\"\n[[variants]]\nname = \"network\"\nset = { model = \"network\" }\n";
    let tree = "[tree]\nmax_depth = 2\n";
    let dir = new_dir("model = \"tree\"\nseeds = [0, 1]", &[DATA, &network, tree, variants]);
    let message = stderr(&dir.run(&["exp", "idea.toml"]).code(0));
    assert_says(
        &message.split_whitespace().collect::<Vec<_>>().join(" "),
        &["the seed of a tree decides only between"],
    );
    let compared = stdout(&dir.run(&["compare", "idea/tree", "idea/network", "--all"]).code(0));
    let with_layers = compared.lines().filter(|line| line.contains("8, relu, 1")).count();
    assert!(with_layers > 0 && !compared.lines().any(|line| line.contains("8, relu, 1") && line.contains("tree")));
    assert_says(&compared, &["val_ap best", "the 2 trees are equal"]);
    let value = history(&dir, "tree-seed0")["history"]["val_ap"][0].as_f64().unwrap();
    assert_says(&compared, &[&format!("{value:.4} ±0.0000")]);
    dir.run(&["exp", "idea.toml", "--variant", "tree", "--seed", "0"]).code(0);
    assert_says(&stdout(&dir.run(&["runs"]).code(0)), &["val_ap", &format!("{value:.4}")]);
}
