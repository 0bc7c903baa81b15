//! An experiment file with the settings of one configuration.

use anyhow::Context;

use crate::sweep::record::SweepRecord;

/// Returns the experiment of a sweep with the settings of this configuration, and all defaults.
///
/// # Errors
/// When this version cannot read the experiment.
pub fn experiment(record: &SweepRecord, configuration: &str) -> anyhow::Result<String> {
    let is_in = |names: &Vec<String>| names.iter().any(|name| name == configuration);
    let stack = record.stacks.iter().find(|stack| is_in(&stack.configurations));
    let study = record.study_of_stack(stack.context("the record of the sweep has no such configuration")?)?;
    let plan = study.plans.iter().find(|plan| plan.variant == configuration);
    let plan = plan.context("the record of the sweep has no such configuration")?;
    Ok(plan.spec.to_toml())
}
