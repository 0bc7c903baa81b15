//! Values of another metric than the one that a sweep has recorded, from the histories of its trials.

use std::collections::HashMap;

use anyhow::anyhow;
use rayon::prelude::*;

use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::metric_of;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::history::metric_path::{canonical, lookup_number};
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
        end.trials.iter_mut().try_for_each(|trial| {
            trial.value = lookup_number(&trial.history(dir, stack)?, &metric).map(Number);
            anyhow::Ok(())
        })
    })?;
    let trials = || ended.iter().flat_map(|(stack, end)| end.trials.iter().map(move |trial| (stack, trial)));
    let has_metric = |(_, trial): (&String, &EndedTrial)| trial.value.is_some();
    let Some((stack, first)) = trials().next().filter(|_| !trials().any(has_metric)) else { return Ok(()) };
    let history = first.history(dir, stack)?;
    let names: Vec<&str> = history.history.series.keys().map(String::as_str).collect();
    Err(anyhow!("no trial has the metric `{metric}`").context(Hint(hint(&metric, &names))))
}

/// Returns the hint for a metric that no trial has: the nearest of the metrics `names` of each epoch, or all of them.
fn hint(metric: &str, names: &[&str]) -> String {
    let (prefix, name) = match metric.rsplit_once('.') {
        Some((prefix @ ("first" | "last" | "best" | "min" | "max"), name)) => (prefix, name),
        _ => ("best", metric.rsplit('.').next().unwrap_or(metric)),
    };
    let ranking = || names.iter().copied().filter(|name| higher_is_better(metric_of(name)).is_some());
    match ranking().find(|known| *known == name).or_else(|| suggest::nearest(name, ranking())) {
        Some(same) if same == metric => format!("add a prefix: `best.{same}` or `last.{same}`"),
        Some(near) => format!("did you mean `{prefix}.{near}`?"),
        None => {
            let known: Vec<String> = ranking().map(|name| format!("best.{name}")).collect();
            format!("use one of {}", suggest::list(&known.iter().map(String::as_str).collect::<Vec<_>>()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_a_metric_that_exists() {
        let hint = |metric: &str| hint(metric, &["loss", "acc", "val_loss", "val_acc", "lr", "seconds"]);
        assert_eq!(hint("val_acc"), "add a prefix: `best.val_acc` or `last.val_acc`");
        assert_eq!(hint("last.val_los"), "did you mean `last.val_loss`?");
        assert_eq!(hint("val_los"), "did you mean `best.val_loss`?");
        assert_eq!(hint("foo"), "use one of `best.loss`, `best.acc`, `best.val_loss`, `best.val_acc`");
        assert_eq!(hint("best.foo"), hint("foo"));
    }
}
