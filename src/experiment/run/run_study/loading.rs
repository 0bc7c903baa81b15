//! Loads the data of a run.

use std::sync::atomic::Ordering;

use crate::config::hint::into_error;
use crate::data::store::download_progress::DownloadProgress;
use crate::device::fault::catch_fault;
use crate::experiment::plan::study::Study;
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::run::error;
use crate::experiment::run::fold_checks;
use crate::experiment::run::progress::RunProgress;
use crate::experiment::run::run_study::options::Options;
use crate::experiment::run::source_rows::{Fold, SourceRows};
use crate::io::signals::Signals;

/// Rows that are loaded already.
#[derive(Debug, Default)]
pub struct LoadedData {
    /// Rows of the last data set, before the split.
    pub(super) source: Option<SourceRows>,
    /// Folds of the first group of the next run.
    pub(super) first: Option<Vec<Fold>>,
    /// Whether rows of the last run could not be loaded. Rows that were loaded but cannot be split are not counted.
    pub is_unavailable: bool,
}

/// Lets a signal end the program at once during a download, which may take long.
struct InterruptibleFetch<'a> {
    signals: &'a Signals,
    watch: &'a mut dyn RunProgress,
}

impl DownloadProgress for InterruptibleFetch<'_> {
    fn doing(&mut self, what: &str) {
        self.signals.training.store(false, Ordering::Relaxed);
        self.watch.doing(what);
    }

    fn progress(&mut self, bytes: u64, of: Option<u64>) {
        self.watch.progress(bytes, of);
    }
}

/// Loads and preprocesses the data of a group of plans. `source` are the source rows of the previous group; they are
/// replaced by those of this group.
pub(in crate::experiment) fn load_group(
    study: &Study,
    group: &[&Plan],
    source: &mut Option<SourceRows>,
    options: &Options,
    watch: &mut dyn RunProgress,
) -> anyhow::Result<Vec<Fold>> {
    let spec = &group[0].spec;
    let mut fetch = InterruptibleFetch { signals: options.signals, watch };
    let folds = catch_fault(|| -> anyhow::Result<_> {
        let rows = SourceRows::load(spec, source.take(), options.cache, options.device, &mut fetch)?;
        let folds = source.insert(rows).folds(spec, options.device)?;
        fold_checks::check(group[0], &folds).map(|()| folds).map_err(into_error)
    });
    let what = match group[0].variant.as_str() {
        BASE => "failed to prepare the data".to_owned(),
        variant => format!("failed to prepare the data of variant `{variant}`"),
    };
    match folds {
        Ok(folds) => folds.map_err(|error| study.locate(error)),
        Err(fault) => {
            let less = "use fewer rows (`split.train_rows`, or a smaller table), or free memory";
            Err(error::into_run_error(fault, &what, Some(less.to_owned())))
        }
    }
}
