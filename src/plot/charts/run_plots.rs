//! Plots that every run creates automatically.

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::compare::group::Group;
use crate::compare::trial::Trial;
use crate::history::History;
use crate::plot::Plot;
use crate::plot::charts::best_first::best_first;
use crate::plot::charts::scores::roc_pr;
use crate::plot::charts::{confusion, curves};
use crate::plot::draw::page::PageOptions;

/// A plot with its file name.
pub type NamedPlot = (&'static str, anyhow::Result<Plot>);

/// Draws the plots of a run: learning curves, confusion matrices, and for two classes the ROC and precision–recall
/// curves. Plots without data are skipped.
pub fn draw(histories: &[History]) -> Vec<NamedPlot> {
    let groups = groups(histories);
    let any = |has: fn(&History) -> bool| histories.iter().any(has);
    let mut plots: Vec<NamedPlot> = Vec::new();
    if any(|history| history.network.is_some() && !history.history.is_empty()) {
        plots.push(("curves.svg", curves::draw(&groups, &curves::Options::default())));
    }
    if any(|history| history.test.as_ref().is_some_and(|test| test.confusion.is_some())) {
        plots.push(("confusion.svg", confusion::draw(&groups, &PageOptions::default())));
    }
    if any(|history| history.test.as_ref().is_some_and(|test| test.roc.is_some())) {
        plots.push(("roc.svg", roc_pr::draw(&groups, roc_pr::Kind::Roc, &PageOptions::default())));
    }
    if any(|history| history.test.as_ref().is_some_and(|test| test.precision_recall.is_some())) {
        plots.push(("pr.svg", roc_pr::draw(&groups, roc_pr::Kind::PrecisionRecall, &PageOptions::default())));
    }
    plots
}

/// Returns the trials grouped by variant, best first.
fn groups(histories: &[History]) -> Vec<Group> {
    let mut variants: IndexMap<String, Vec<Trial>> = IndexMap::new();
    for history in histories {
        let trial = Trial::from_history(history.clone(), PathBuf::from(format!("{}.json", history.stem())));
        variants.entry(history.variant.clone()).or_default().push(trial);
    }
    let mut groups: Vec<Group> = variants.into_iter().map(|(label, trials)| Group { label, trials }).collect();
    if let [lone] = &mut groups[..] {
        lone.label = histories[0].experiment.clone();
    }
    best_first(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::trial_for_tests;

    #[test]
    fn a_run_has_the_pictures_that_its_histories_have_figures_for() {
        let names = |histories: &[History]| draw(histories).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let mut history = trial_for_tests("base", 0, 1.0);
        assert_eq!(names(&[history.clone()]), ["curves.svg"]);
        let record = serde_json::json!({ "weights": "best", "confusion": [[1, 0], [0, 1]],
            "roc": { "fpr": [0.0, 0.0, 1.0], "tpr": [0.0, 1.0, 1.0], "threshold": ["inf", 0.9, 0.1] } });
        history.test = Some(serde_json::from_value(record).unwrap());
        let drawn = draw(&[history.clone(), trial_for_tests("other", 0, 1.0)]);
        let drawn: Vec<(&str, bool)> = drawn.into_iter().map(|(name, drawn)| (name, drawn.is_ok())).collect();
        assert_eq!(drawn, [("curves.svg", true), ("confusion.svg", true), ("roc.svg", true)]);
        history.history = crate::history::curves::Curves::default();
        assert_eq!(names(&[history]), ["confusion.svg", "roc.svg"]);
        assert!(names(&[]).is_empty());
    }

    #[test]
    fn trials_of_a_variant_are_a_group() {
        let trial = |variant: &str, seed: i64| trial_for_tests(variant, seed, 1.0);
        let groups = groups(&[trial("a", 0), trial("a", 1), trial("b", 0)]);
        let shown: Vec<(&str, usize)> = groups.iter().map(|group| (group.label.as_str(), group.trials.len())).collect();
        assert_eq!(shown, [("a", 2), ("b", 1)]);
    }
}
