//! Plots of decision trees.

use crate::support::{TestDir, assert_says, stdout};

#[test]
fn trees_have_a_confusion_matrix_but_no_curves_and_no_gradients() {
    let dir = TestDir::new();
    let tree = "title = \"A tree\"\n\n[data.breast_cancer]\nsplit = { test = 0.2, random_state = 42 }\n\n[tree]\nmax_depth = 3\n";
    let file = dir.file("tree.toml", tree);
    let ran = dir.run(&["exp", &file, "--device", "cpu", "--verbose"]).code(0);
    assert_says(&stdout(&ran), &["confusion.svg"]);
    assert!(!stdout(&ran).contains("curves.svg"), "{}", stdout(&ran));
    assert_says(&dir.error_message(&["plot", "tree"]), &["no epoch was trained", "runner plot confusion"]);
    let message = dir.error_message(&["plot", "gradients", "tree"]);
    assert_says(&message, &["a decision tree has no layers, and so no gradients", "`runner plot confusion`", "`roc`"]);
    let message = dir.error_message(&["plot", "activations", "tree"]);
    assert_says(&message, &["neither a run nor a kind of plot", "did you mean the kind of plot `gradients`?"]);
    dir.run(&["plot", "confusion", "tree"]).code(0);
}
