//! Values of another metric than the one that a sweep has recorded, from the histories of its trials.

use std::collections::HashMap;

use anyhow::anyhow;
use rayon::prelude::*;

use crate::config::hint::Hint;
use crate::history::History;
use crate::history::metric_path::canonical;
use crate::history::number::Number;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::ended::{EndedStack, EndedTrial};

/// Replaces the values in the ends of stacks by those of the metric at this path. The histories are read in parallel.
///
/// # Errors
/// When a history cannot be read, or no trial has the metric.
pub fn replace(dir: &SweepDir, ended: &mut HashMap<String, EndedStack>, metric: &str) -> anyhow::Result<()> {
    let metric = canonical(metric);
    ended.par_iter_mut().try_for_each(|(stack, end)| {
        let folder = dir.stack(stack);
        end.trials.iter_mut().try_for_each(|trial| {
            let stem = History::stem_of(&trial.configuration, trial.seed, trial.fold);
            let history = History::read(&folder.join(format!("{stem}.json")))?;
            trial.value = crate::history::metric_path::lookup_number(&history, &metric).map(Number);
            anyhow::Ok(())
        })
    })?;
    let trials = || ended.values().flat_map(|end| &end.trials);
    let has_metric = |trial: &EndedTrial| trial.value.is_some();
    if trials().next().is_none() || trials().any(has_metric) {
        return Ok(());
    }
    let hint = match metric.contains('.') {
        true => "use a metric such as `best.val_loss`, `best.val_acc` or `last.val_loss`".to_owned(),
        false => format!("add a prefix: `best.{metric}` or `last.{metric}`"),
    };
    Err(anyhow!("no trial has the metric `{metric}`").context(Hint(hint)))
}
