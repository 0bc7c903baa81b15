//! An experiment file with the settings of one configuration.

use anyhow::Context;

use crate::sweep::record::{StackPlan, SweepRecord};

/// Returns the experiment of a sweep with the settings of this configuration, and all defaults.
///
/// # Errors
/// When this version cannot read the experiment.
pub fn experiment(record: &SweepRecord, configuration: &str) -> anyhow::Result<String> {
    let name = configuration.to_owned();
    let study = record.study_of_stack(&StackPlan { name: name.clone(), configurations: vec![name], seeds: None })?;
    let plan = study.plans.iter().find(|plan| plan.variant == configuration);
    let plan = plan.context("the record of the sweep has no such configuration")?;
    Ok(plan.spec.to_toml())
}
