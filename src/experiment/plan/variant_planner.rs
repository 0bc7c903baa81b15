//! Plans the variants of one experiment, one after the other: the settings of a variant are applied to the experiment,
//! then the changes from the command line, and the result is checked.

use std::path::Path;

use crate::config::check::Invalid;
use crate::data::DatasetInfo;
use crate::data::source::DataSpec;
use crate::experiment::plan::{BASE, Plan};
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::experiment::spec::{Spec, Variant, data_paths, origin, overrides};

/// An experiment whose variants are planned.
#[derive(Debug)]
pub struct VariantPlanner<'a> {
    source: &'a SourceText,
    folder: &'a Path,
    current: &'a Path,
    /// The experiment as it is written, with resolved paths.
    written: Spec,
    /// Changes from the command line with canonical keys.
    pub changes: Vec<String>,
    /// Keys that the file sets.
    stated: Vec<String>,
    /// Notes about where data files were found.
    pub notes: Vec<String>,
    /// The data of the last plan: most variants have the same, and descriptions of files are slow to read.
    last_data: Option<(DataSpec, DatasetInfo)>,
}

/// Why a variant cannot be planned.
#[derive(Debug)]
pub enum VariantFault {
    /// A setting of the variant cannot be applied.
    Setting {
        /// The key as the variant writes it.
        key: String,
        /// The reason.
        error: SpecError,
    },
    /// A change from the command line cannot be applied.
    Change(SpecError),
    /// The resulting settings are invalid.
    Invalid(Invalid),
}

impl<'a> VariantPlanner<'a> {
    /// Returns the planner of an experiment. `parsed` is the experiment of `source`; relative paths in `changes` are
    /// relative to `current`.
    pub fn new(current: &'a Path, source: &'a SourceText, parsed: &Spec, changes: &[String]) -> VariantPlanner<'a> {
        let folder = source.folder.as_deref().unwrap_or(current);
        let mut written = Spec { sweep: None, ..parsed.clone() };
        written.set_module_copies(&source.modules);
        let notes = data_paths::resolve(&mut written, folder, current);
        let changes = overrides::with_canonical_keys(&written, changes);
        let stated = origin::keys_of_file(&source.text, parsed);
        VariantPlanner { source, folder, current, written, changes, stated, notes, last_data: None }
    }

    /// Returns the experiment with the changes from the command line.
    ///
    /// # Errors
    /// If a change is invalid.
    pub fn changed(&self) -> Result<Spec, SpecError> {
        self.with_changes(self.written.clone())
    }

    /// Removes the variants from the experiment, unless changes set them: copies of it are smaller.
    pub fn without_variants(mut self) -> VariantPlanner<'a> {
        if !self.changes.iter().any(|change| change.trim_start_matches(overrides::UNSET).starts_with("variants")) {
            self.written.variants.clear();
        }
        self
    }

    /// Returns the experiment with the settings of a variant and the changes from the command line.
    ///
    /// # Errors
    /// If one of them does not exist or is invalid.
    pub fn varied(&mut self, variant: &Variant) -> Result<Spec, VariantFault> {
        let mut varied = variant.set.iter().try_fold(self.written.clone(), |spec, (path, value)| {
            overrides::set(spec, path, value.clone())
                .map_err(|error| VariantFault::Setting { key: path.clone(), error })
        })?;
        varied.set_module_copies(&self.source.modules);
        self.notes.extend(data_paths::resolve(&mut varied, self.folder, self.current));
        self.with_changes(varied).map_err(VariantFault::Change)
    }

    /// Checks the settings of a variant, or of the experiment itself: `spec` is what [`Self::varied`] or
    /// [`Self::changed`] returned.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn plan(&mut self, name: &str, variant: Option<&Variant>, spec: Spec) -> Result<Plan, Invalid> {
        let mut spec = Spec { name: Some(name.to_owned()), variants: Vec::new(), ..spec };
        let expect = std::mem::take(&mut spec.expect); // not a setting, and most of the file
        let asked = origin::provenance(&self.stated, variant, &self.changes, &spec);
        let spec = Spec { expect, ..spec };
        let info = match &self.last_data {
            Some((data, info)) if *data == spec.data => info.clone(),
            _ => {
                let info = spec.data.info().map_err(|fault| fault.under("data"))?;
                self.last_data = Some((spec.data.clone(), info.clone()));
                info
            }
        };
        let plan = Plan::with_dataset(name, variant.map_or(BASE, |variant| &variant.name), spec, info)?;
        Ok(Plan { asked: Some(asked), ..plan })
    }

    /// Plans a variant.
    ///
    /// # Errors
    /// If a setting of it does not exist or is invalid.
    pub fn plan_variant(&mut self, name: &str, variant: &Variant) -> Result<Plan, VariantFault> {
        let spec = self.varied(variant)?;
        self.plan(name, Some(variant), spec).map_err(VariantFault::Invalid)
    }

    fn with_changes(&self, spec: Spec) -> Result<Spec, SpecError> {
        let mut spec = overrides::apply(spec, &self.changes)?;
        spec.set_module_copies(&self.source.modules);
        data_paths::resolve(&mut spec, self.current, self.current);
        Ok(spec)
    }
}
