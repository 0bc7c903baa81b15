//! What a run would train, without training: rows, stacks and memory of each group of variants.

use std::collections::BTreeSet;
use std::path::Path;

use crate::data::split::Split;
use crate::data::store::cache::Cache;
use crate::data::store::manifest::Manifest;
use crate::experiment::plan::Plan;
use crate::experiment::plan::study::Study;
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::source_rows::SourceRows;
use crate::experiment::run::{Options, data_notes, grouping, load_group, scheduler};
use crate::experiment::store::history_fields;
use crate::history::RowCounts;
use crate::run_dir::RunDir;

/// Variants whose trials are trained together.
#[derive(Debug)]
pub struct GroupPreview<'a> {
    /// Plans of the variants.
    pub plans: Vec<&'a Plan>,
    /// Number of rows in each part, of the first fold.
    pub rows: RowCounts,
    /// Number of training rows before they are resampled; `None` if they are not resampled.
    pub resampled_from: Option<u64>,
    /// Stacks; `None` for a tree, or if the data set is not downloaded.
    pub stacks: Option<StackSizes>,
}

/// Stacks of a group.
#[derive(Clone, Debug)]
pub struct StackSizes {
    /// Number of replicas in each stack.
    pub replicas: Vec<usize>,
    /// Estimated memory of the largest stack, in bytes.
    pub bytes: u64,
}

/// Returns the groups of a study as a run under `out` would train them. Loads and prepares the data, but downloads and
/// writes nothing.
///
/// # Errors
/// When a run would fail before training.
pub fn preview<'a>(
    study: &'a Study,
    out: &Path,
    options: &Options,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Vec<GroupPreview<'a>>> {
    RunDir::check(out, &study.name)?;
    let mut source: Option<SourceRows> = None;
    let (mut groups, mut reported) = (Vec::new(), BTreeSet::new());
    for plans in grouping::groups(&study.plans) {
        let plan = plans[0];
        let data = plan.spec.data.name();
        if is_missing(options.cache, data) {
            watch.note(&format!(
                "`{data}` is not downloaded yet: `runner data fetch {data}` or the first run downloads it"
            ));
            let rows = split_rows(&plan.spec.data.split(), plan.info.rows, plan.info.test_rows);
            groups.push(GroupPreview { plans, rows, resampled_from: None, stacks: None });
            continue;
        }
        let folds = load_group(study, &plans, &mut source, options, &mut *watch)?;
        if let Some(source) = &source {
            data_notes::report(source, &folds, &mut reported, &mut *watch);
        }
        let first = &folds[0].1;
        let resampled_from = first.resampled.as_ref().map(|resampled| resampled.from.iter().sum());
        let stacks = plan.network().map(|_| {
            let (replicas, bytes) = scheduler::stack_sizes(&plans, &folds, options.stack, options.device);
            StackSizes { replicas, bytes: u64::try_from(bytes).unwrap_or(u64::MAX) }
        });
        groups.push(GroupPreview { plans, rows: history_fields::rows(first), resampled_from, stacks });
    }
    Ok(groups)
}

/// Returns whether files of this data set must be downloaded.
pub fn is_missing(cache: &Cache, data: &str) -> bool {
    let Some(manifest) = Manifest::named(data).filter(|manifest| !manifest.is_embedded()) else { return false };
    manifest.files.iter().any(|file| !cache.path(&manifest, file).exists())
}

/// Returns the number of rows in each part of a split, of the first fold.
pub fn split_rows(split: &Split, rows: usize, test_rows: usize) -> RowCounts {
    let all_rows = Split { train_rows: None, ..split.clone() };
    let rest = Split { validation: None, ..all_rows.clone() }.training_rows(rows);
    let of_fold = split.folds.map(|folds| rest.div_ceil(folds));
    let validation = of_fold.unwrap_or(rest - all_rows.training_rows(rows));
    let train = (rest - validation).min(split.train_rows.unwrap_or(usize::MAX));
    RowCounts { train, validation, test: test_rows + rows - rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_split_are_known_without_the_data() {
        let split = Split { test: Some(0.2), validation: Some(0.25), ..Split::default() };
        let rows = |split: &Split, own_test| {
            let RowCounts { train, validation, test } = split_rows(split, 1000, own_test);
            [train, validation, test]
        };
        assert_eq!(rows(&split, 0), [600, 200, 200]);
        assert_eq!(rows(&Split { train_rows: Some(50), ..split }, 0), [50, 200, 200]);
        assert_eq!(rows(&Split { folds: Some(5), ..Split::default() }, 70), [800, 200, 70]);
    }
}
