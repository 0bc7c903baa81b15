//! Every lesson has its experiments, and its results are documented.

use std::collections::BTreeMap;
use std::path::Path;

use runner::experiment::plan::study::Study;
use runner::experiment::spec::catalogue;
use runner::network::torchscript::{inspection, inspector};
use runner::sweep::expectation::SweepExpectation;

/// Experiments of each lesson.
const LESSONS: [(&str, &[&str]); 7] = [
    (
        "A. Perceptrons",
        &["perceptron_and", "perceptron_or", "perceptron_nand", "perceptron_xor", "mlp_xor", "linear_stack"],
    ),
    (
        "B. Digits",
        &[
            "digits_mlp",
            "kfold_digits",
            "softmax_regression_digits",
            "multilabel_digits",
            "architectures_digits",
            "own_module",
        ],
    ),
    (
        "C. MNIST and overfitting",
        &["overfit_mnist", "mnist_dropout", "regularize_mnist", "one_hot_equals_sparse", "cnn_mnist"],
    ),
    (
        "D. Activations, gradients, initialization, normalization",
        &[
            "vanishing_gradient",
            "exploding_gradient",
            "dying_relu",
            "initialization",
            "normalization",
            "output_layers",
            "residual_depth",
            "recurrent_gradient",
        ],
    ),
    (
        "E. Optimizers and hyperparameters",
        &[
            "optimizers_mnist",
            "learning_rate",
            "batch_size",
            "capacity_breast_cancer",
            "sweep_learning_rate",
            "sweep_capacity",
            "sweep_optimizers",
        ],
    ),
    ("F. Regression", &["regression_diabetes", "encoding_penguins"]),
    ("G. Credit-card fraud", &["creditcard_tree", "creditcard_smote", "creditcard_resampling", "creditcard_mlp"]),
];

fn lesson_experiments() -> BTreeMap<String, Study> {
    inspection::set_inspector(inspector::inspect);
    catalogue::shipped().map(|source| (source.name.clone(), Study::new(&source, &[]).unwrap())).collect()
}

fn sweep_expectations(study: &Study) -> Vec<SweepExpectation> {
    study.source.parse().unwrap().sweep.map(|sweep| sweep.expect).unwrap_or_default()
}

#[test]
fn every_lesson_is_an_experiment_under_its_heading() {
    let shipped = lesson_experiments();
    for (lesson, names) in LESSONS {
        for name in names {
            let study = shipped.get(*name).unwrap_or_else(|| panic!("there is no {name}"));
            assert_eq!(study.spec.lesson.as_deref(), Some(lesson), "{name}");
        }
    }
}

#[test]
fn every_expectation_of_a_lesson_belongs_to_a_claim() {
    for (name, study) in lesson_experiments().iter().filter(|(_, study)| study.spec.lesson.is_some()) {
        let of_sweep = sweep_expectations(study).first().map(|first| first.claim.is_some());
        let first = study.spec.expect.first().map(|first| first.claim.is_some());
        assert_eq!(first.or(of_sweep), Some(true), "{name} starts with an expectation without a claim");
    }
}

#[test]
fn results_of_every_lesson_are_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RESULTS.md");
    let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let sections: BTreeMap<&str, &str> = page
        .split("\n### ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .map(|(name, text)| (name, text.split("\n## ").next().unwrap()))
        .collect();
    let shipped = lesson_experiments();
    let lessons: BTreeMap<&str, &Study> =
        shipped.iter().filter(|(_, s)| s.spec.lesson.is_some()).map(|(name, study)| (name.as_str(), study)).collect();
    let again = "`cargo xtask lessons` writes the page again";
    assert!(sections.keys().eq(lessons.keys()), "{:?} and {:?}: {again}", sections.keys(), lessons.keys());
    for (name, study) in lessons {
        let section = sections[name].replace('`', "");
        for expectation in &study.spec.expect {
            let of_variant = expectation.variant.as_ref().map(|variant| format!("{variant}/")).unwrap_or_default();
            let expected = expectation.describe();
            let shown = format!("{of_variant}{} | {expected} |", expectation.value);
            assert!(section.contains(&shown), "no `{shown}` under {name}: {again}");
            assert!(expectation.claim.as_ref().is_none_or(|claim| section.contains(claim)), "{name}: {again}");
        }
        for expectation in sweep_expectations(study) {
            let shown = format!("{} | {} |", expectation.subject(), expectation.condition());
            assert!(section.contains(&shown), "no `{shown}` under {name}: {again}");
            assert!(expectation.claim.as_ref().is_none_or(|claim| section.contains(claim)), "{name}: {again}");
        }
        for theirs in &study.spec.theirs {
            assert!(section.contains(&format!("| {}", theirs.value)), "no {} under {name}: {again}", theirs.value);
        }
    }
}
