//! The study of a stack: the experiment with the configurations of the stack as variants.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use toml_edit::{DocumentMut, Item};

use crate::experiment::plan::study::Study;
use crate::experiment::spec::Variant;
use crate::experiment::spec::source_text::SourceText;
use crate::sweep::record::{Configuration, StackPlan, SweepRecord};

/// Keys of an experiment file that a stack does not have.
const REMOVED: [&str; 6] = ["variants", "expect", "reference", "theirs", "sweep", "extends"];

/// Returns the text of an experiment without variants, expectations, references and sweep.
///
/// # Errors
/// If it is not TOML.
pub(super) fn base_text(text: &str) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse().context("the experiment is not TOML")?;
    REMOVED.iter().for_each(|key| drop(document.remove(key)));
    Ok(document.to_string())
}

impl SweepRecord {
    /// Returns the study that trains a stack: one variant for each of its configurations, named as they are.
    ///
    /// # Errors
    /// If the stack names a configuration that the sweep does not have, or this version cannot read the experiment.
    pub fn study_of_stack(&self, stack: &StackPlan) -> anyhow::Result<Study> {
        let variants = stack.configurations.iter().map(|name| {
            let found = self.configuration(name);
            let found = found.with_context(|| format!("stack `{}` has no configuration `{name}`", stack.name))?;
            Ok(Variant { name: found.name.clone(), set: found.set.clone() })
        });
        let variants = variants.collect::<anyhow::Result<Vec<_>>>()?;
        let source = self.source_text();
        let text = format!("{}\n{}", source.text.trim_end(), variants_text(variants)?);
        let source = SourceText { text, ..source };
        let mut overrides = self.overrides.clone();
        overrides.push(format!("seeds={:?}", self.seeds_of(stack)));
        let study = Study::with_working_directory(&self.current_directory(), &source, &overrides)
            .with_context(|| format!("failed to read the experiment of stack `{}`", stack.name))?;
        Ok(match &self.command {
            Some(command) => study.with_command(command),
            None => study,
        })
    }

    /// Returns the experiment with the settings of a configuration and all defaults, as TOML.
    ///
    /// # Errors
    /// When this version cannot read the experiment.
    pub fn experiment_of(&self, configuration: &str) -> anyhow::Result<String> {
        let name = configuration.to_owned();
        let study = self.study_of_stack(&StackPlan { name: name.clone(), configurations: vec![name], seeds: None })?;
        let plan = study.plans.iter().find(|plan| plan.variant == configuration);
        Ok(plan.context("the record of the sweep has no such configuration")?.spec.to_toml())
    }

    /// Returns the experiment's file, without variants.
    pub(super) fn source_text(&self) -> SourceText {
        self.source.clone()
    }

    /// Returns the directory that paths in `overrides` are relative to.
    pub(super) fn current_directory(&self) -> PathBuf {
        let current = self.working_directory.clone().filter(|folder| folder.is_dir());
        current.or_else(|| std::env::current_dir().ok()).unwrap_or_default()
    }

    /// Returns the configuration with this name.
    pub fn configuration(&self, name: &str) -> Option<&Configuration> {
        // names are the indices, unless the record was edited
        let by_index = name.parse::<usize>().ok().and_then(|index| self.configurations.get(index));
        let is_named = |found: &&Configuration| found.name == name;
        by_index.filter(is_named).or_else(|| self.configurations.iter().find(is_named))
    }
}

/// Returns tables `[[variants]]`.
fn variants_text(variants: Vec<Variant>) -> anyhow::Result<String> {
    let mut document = toml_edit::ser::to_document(&HashMap::from([("variants", variants)]))
        .context("failed to write the variants")?;
    let item = document.remove("variants").unwrap_or_default();
    let tables = item.into_array_of_tables().map_err(|_| anyhow!("variants are not tables"))?;
    document.insert("variants", Item::ArrayOfTables(tables));
    Ok(document.to_string())
}
