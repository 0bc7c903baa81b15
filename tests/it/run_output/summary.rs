//! Progress and summaries that only a test of the complete program can check.

use crate::support::{TestDir, assert_says, idea_with, stderr, stdout};

/// Lines of a summary that do not report an expectation.
fn lines_without_expectations(summary: &str) -> Vec<&str> {
    summary.lines().filter(|line| !line.starts_with(['✓', '✗'])).collect()
}

#[test]
fn variants_with_many_metrics_and_layers_are_shown_in_80_columns() {
    for (experiment, words) in [
        ("regression_diabetes", ["test r2", "losses are not comparable", "mse (linear_mse, mlp_mse)"]),
        ("vanishing_gradient", ["gradient_norm by layer, first → last epoch", "12 linear", "leaky_relu"]),
        ("output_layers", ["hidden-two_outputs", "test acc", "diagnosis"]),
    ] {
        let ran = TestDir::new().run(&["exp", experiment, "--epochs", "2", "--device", "cpu", "--verbose"]).code(0);
        let summary = stdout(&ran);
        assert_says(&summary, &words);
        let wide: Vec<&str> =
            lines_without_expectations(&summary).into_iter().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        assert!(!summary.contains('\u{1b}'), "bold text without a terminal:\n{summary}");
    }
    let ran = TestDir::new().run(&["exp", "dying_relu", "--epochs", "2", "--device", "cpu", "--verbose"]).code(0);
    let one_line = stdout(&ran).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&one_line, &["; *: best value on "]);
}

#[test]
fn folds_of_several_seeds_are_summarized() {
    let arguments = ["exp", "kfold_digits", "--seeds", "0..1", "--epochs", "1", "--device", "cpu", "--verbose"];
    let ran = TestDir::new().run(&arguments).code(0);
    assert_says(&stdout(&ran), &["all 10 ", " ±0.", "mean ± std over the 5 folds of each seed", "`--json`"]);
    assert_says(&stderr(&ran), &["trained together: 2 folds, seeds 0, 1 (showing the mean), on cpu"]);
}

#[test]
fn training_options_are_shown_once_and_the_learning_rate_in_each_epoch() {
    let dir = TestDir::new();
    let settings = "epochs = 2\nschedule = { exponential = 0.5 }\nearly_stopping = 3\npenalty = { l1 = 1e-4 }";
    let variants =
        "\n[[variants]]\nname = \"one\"\n\n[[variants]]\nname = \"two\"\nset = { \"data.digits.scale\" = \"unit\" }\n";
    let file = dir.file("scheduled.toml", &(idea_with("epochs = 2", settings) + variants));
    let message = stderr(&dir.run(&["exp", &file, "--device", "cpu"]).code(0));
    let line = "1,210 parameters, adam lr 0.001, lr × 0.5 every epoch, batch 64, L1 1e-4, early";
    assert_eq!(message.matches(line).count(), 1, "the second variant is trained in the same way:\n{message}");
    assert_says(
        &message,
        &["  stopping (patience 3) on loss\n", "variant one (one of 2)\n", "variant two (one of 2)\n"],
    );
    let epochs: Vec<&str> = message.lines().filter(|line| line.starts_with("epoch ")).collect();
    assert_eq!(epochs.len(), 4, "{message}");
    assert!(epochs[0].contains("  lr 1.0e-3  ") && epochs[1].contains("  lr 5.0e-4  "), "{message}");
    let plain = dir.file("plain.toml", crate::support::IDEA);
    let message = stderr(&dir.run(&["exp", &plain, "--device", "cpu"]).code(0));
    assert!(message.contains("adam lr 0.001, batch 64\n") && !message.contains("  lr "), "{message}");
}

#[test]
fn early_stopping_is_reported_for_one_and_several_trials() {
    let dir = TestDir::new();
    let settings = "epochs = 9\nearly_stopping = { monitor = \"loss\", patience = 0, min_delta = 10 }";
    let file = dir.file("stops.toml", &idea_with("epochs = 2", settings));
    let alone = stdout(&dir.run(&["exp", &file, "--device", "cpu"]).code(0));
    assert_says(&alone, &["stopped early after epoch 2 of 9"]);
    let seeds = stdout(&dir.run(&["exp", &file, "--seeds", "0..1", "--device", "cpu", "--verbose"]).code(0));
    assert_says(&seeds, &["stopped early: seed 0 (epoch 2 of 9), seed 1 (epoch 2 of 9)"]);
}
