//! Checks the halving of a sweep before it is trained.

use crate::experiment::halving::rule::Halving;
use crate::experiment::halving::rung_metric::RungMetric;
use crate::experiment::plan::Plan;
use crate::experiment::spec::seeds;
use crate::sweep::plan::stacks::SweepStacks;
use crate::sweep::space::origin::SpaceFault;
use crate::sweep::sweep_seeds::SweepSeeds;

/// Checks that the configurations of a sweep can be dropped at rungs.
///
/// # Errors
/// If its numbers are out of range, no training has a rung, the metric is not known at the end of each epoch, a configuration
/// is a tree or has folds, or each stack has one configuration.
pub(super) fn check(halving: Halving, metric: &str, plans: &[Plan], stacks: &SweepStacks) -> Result<(), SpaceFault> {
    let fail = |message: String, hint: &str| Err(SpaceFault::new(message, hint));
    halving.check().map_err(|fault| {
        let fault = fault.under("halving");
        SpaceFault::new(fault.to_string(), "write `halving = { first = 3, keep = 0.33 }`")
    })?;
    check_plans(plans)?;
    let epochs = plans.iter().filter_map(|plan| Some(plan.network()?.train.epochs)).max().unwrap_or(0);
    if halving.first >= epochs {
        let message = format!(
            "`halving.first` must be less than the number of epochs ({epochs}), found {}: there would be no rung",
            halving.first
        );
        return fail(message, "use a smaller `first`, or train more epochs");
    }
    if RungMetric::parse(metric).is_none() {
        let message = format!("`halving` needs a metric that is known at the end of each epoch, found `{metric}`");
        return fail(message, "rank by `best.…`, `last.…`, `min.…` or `max.…` of a metric, such as `best.val_loss`");
    }
    if stacks.stacks.iter().all(|stack| stack.configurations.len() < 2) {
        let message = "`halving` drops configurations within a stack, but each stack has one configuration".to_owned();
        return fail(message, "raise `--stack`, vary settings that keep the shapes, or remove `halving`");
    }
    Ok(())
}

/// Checks that the number of seeds grows only in a sweep with rungs.
///
/// # Errors
/// If there are further seeds without halving.
pub(super) fn check_seeds(halving: Option<Halving>, seeds: &SweepSeeds) -> Result<(), SpaceFault> {
    let (first, all) = (seeds.first.len(), seeds.all());
    if halving.is_some() || seeds.further.is_empty() {
        return Ok(());
    }
    let message = format!(
        "`seeds = {{ first = {first}, then = {} }}` needs `halving`: without rungs, all configurations are trained to the end",
        all.len()
    );
    let same = seeds::format(&all);
    Err(SpaceFault::new(message, format!("add `--halving first=3`, or train all on the same seeds, `--seeds {same}`")))
}

/// Checks that configurations have epochs without folds.
///
/// # Errors
/// If one is a tree or has folds.
pub(super) fn check_plans(plans: &[Plan]) -> Result<(), SpaceFault> {
    if let Some(tree) = plans.iter().find(|plan| plan.network().is_none()) {
        let message = format!("`halving` needs epochs, but configuration `{}` is a decision tree", tree.variant);
        return Err(SpaceFault::new(message, "remove `halving`"));
    }
    if let Some(folded) = plans.iter().find(|plan| plan.spec.data.split().folds.is_some()) {
        let message =
            format!("`halving` does not work with cross-validation, which configuration `{}` has", folded.variant);
        return Err(SpaceFault::new(message, "remove `folds` from `split`, or remove `halving`"));
    }
    Ok(())
}
