//! What a person is shown while a run goes on and when it has ended, as far as only the whole program can tell.

use crate::support::{Place, assert_says, idea_with, stderr, stdout};

/// The lines of a summary that are no verdict on an expectation.
fn told(summary: &str) -> Vec<&str> {
    summary.lines().filter(|line| !line.starts_with(['✓', '✗'])).collect()
}

#[test]
fn variants_with_many_metrics_and_layers_are_shown_in_80_columns() {
    for (experiment, words) in [
        ("regression_diabetes", ["test r2", "losses are not comparable", "mse (linear_mse, mlp_mse)"]),
        ("vanishing_gradient", ["gradient_norm by layer, first → last epoch", "12 linear", "leaky_relu"]),
        ("output_layers", ["hidden-two_outputs", "test acc", "reading"]),
    ] {
        let ran = Place::new().run(&["exp", experiment, "--epochs", "2", "--device", "cpu"]).code(0);
        let summary = stdout(&ran);
        assert_says(&summary, &words);
        let wide: Vec<&str> = told(&summary).into_iter().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        assert!(!summary.contains('\u{1b}'), "bold, where nobody looks:\n{summary}");
    }
    let ran = Place::new().run(&["exp", "dying_relu", "--epochs", "2", "--device", "cpu"]).code(0);
    let in_one_line = stdout(&ran).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_says(&in_one_line, &["; * best on "]);
}

#[test]
fn the_folds_of_several_seeds_are_summed_up() {
    let ran = Place::new().run(&["exp", "kfold_digits", "--seeds", "0..1", "--epochs", "1", "--device", "cpu"]).code(0);
    assert_says(&stdout(&ran), &["all 10 ", " ±0.", "mean ± std over the 5 folds of each seed", "`--json`"]);
    assert_says(&stderr(&ran), &["2 folds, seeds 0, 1 trained together (showing the mean), on cpu"]);
}

#[test]
fn what_differs_from_plain_training_is_said_once_and_a_changing_learning_rate_in_each_epoch() {
    let place = Place::new();
    let settings = "epochs = 2\nschedule = { exponential = 0.5 }\nearly_stopping = 3\npenalty = { l1 = 1e-4 }";
    let variants =
        "\n[[variants]]\nname = \"one\"\n\n[[variants]]\nname = \"two\"\nset = { \"data.digits.scale\" = \"unit\" }\n";
    let file = place.file("scheduled.toml", &(idea_with("epochs = 2", settings) + variants));
    let said = stderr(&place.run(&["exp", &file, "--device", "cpu"]).code(0));
    let line = "1,210 parameters, adam lr 0.001, lr × 0.5 every epoch, batch 64, L1 1e-4, early";
    assert_eq!(said.matches(line).count(), 1, "the second variant is trained in the same way:\n{said}");
    assert_says(&said, &["  stopping after 3\n", "variant one\n", "variant two\n"]);
    let epochs: Vec<&str> = said.lines().filter(|line| line.starts_with("epoch ")).collect();
    assert_eq!(epochs.len(), 4, "{said}");
    assert!(epochs[0].contains("  lr 1.0e-3  ") && epochs[1].contains("  lr 5.0e-4  "), "{said}");
    let plain = place.file("plain.toml", crate::support::IDEA);
    let said = stderr(&place.run(&["exp", &plain, "--device", "cpu"]).code(0));
    assert!(said.contains("adam lr 0.001, batch 64\n") && !said.contains("  lr "), "{said}");
}

#[test]
fn a_trial_that_stops_early_is_told_alone_and_among_others() {
    let place = Place::new();
    let settings = "epochs = 9\nearly_stopping = { monitor = \"loss\", patience = 0, min_delta = 10 }";
    let file = place.file("stops.toml", &idea_with("epochs = 2", settings));
    let alone = stdout(&place.run(&["exp", &file, "--device", "cpu"]).code(0));
    assert_says(&alone, &["stopped early after epoch 2 of 9"]);
    let seeds = stdout(&place.run(&["exp", &file, "--seeds", "0..1", "--device", "cpu"]).code(0));
    assert_says(&seeds, &["stopped early: seed 0 (epoch 2 of 9), seed 1 (epoch 2 of 9)"]);
}
