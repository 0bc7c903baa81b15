//! Notes about the data of a run that are known once they are loaded and split.

use std::collections::BTreeSet;

use crate::data::inspect::shared_rows;
use crate::data::split::Parts;
use crate::experiment::run::source_rows::{Fold, SourceRows};
use crate::experiment::run::unseen_classes;
use crate::train::callback::Callback;

/// Reports classes without training rows, and rows of the user's own data that are in two parts, if they are not in
/// `reported`.
pub(in crate::experiment) fn report(
    source: &SourceRows,
    folds: &[Fold],
    reported: &mut BTreeSet<String>,
    watch: &mut dyn Callback,
) {
    for warning in unseen_classes::warnings(folds, &source.loaded) {
        if reported.insert(warning.clone()) {
            watch.note(&warning);
        }
    }
    if !source.is_of_user() {
        return;
    }
    let parts: Vec<&Parts> = folds.iter().map(|(_, data)| &data.parts).collect();
    for fact in source.shared_rows.get_or_init(|| shared_rows::notes(&source.loaded, &parts)) {
        if reported.insert(fact.clone()) {
            watch.fact(fact);
        }
    }
}
