//! The settings that all configurations of a sweep start from: the experiment, one of its variants, and the changes from the
//! command line.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value;

use crate::config::suggest;
use crate::experiment::plan::variant_planner::{VariantFault, VariantPlanner};
use crate::experiment::spec::overrides::{self, UNSET};
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::experiment::spec::{Spec, Variant};
use crate::sweep::plan::request::SweepRequest;
use crate::sweep::space::keys;

/// The settings that all configurations start from.
#[derive(Debug)]
pub(super) struct BaseSettings {
    /// The experiment as it is written, without variants, expectations and references.
    pub written: Spec,
    /// Settings of the chosen variant, which each configuration sets first.
    pub fixed: IndexMap<String, Value>,
    /// Changes from the command line with full keys, as `--set` takes them.
    pub overrides: Vec<String>,
    /// The experiment with all of them.
    pub spec: Spec,
}

impl BaseSettings {
    /// Returns the settings that a request asks for. `parsed` is the experiment of `source`.
    ///
    /// # Errors
    /// If the variant is missing or unknown, or a change is invalid.
    pub fn new(
        current: &Path,
        source: &SourceText,
        parsed: Spec,
        request: &SweepRequest,
    ) -> Result<BaseSettings, SpecError> {
        let fixed = settings_of_variant(&parsed, request.variant.as_deref())?;
        let written = Spec { variants: Vec::new(), theirs: Vec::new(), expect: Vec::new(), sweep: None, ..parsed };
        let mut planner = VariantPlanner::new(current, source, &written, &request.overrides);
        let overrides = planner.changes.clone();
        if let Some(change) = overrides::last_of("seeds", &overrides) {
            let message = format!("`{}` sets the seeds of an experiment", overrides::as_option(change));
            return Err(SpecError::new(message, "use `--seeds 0..4`: all configurations have the same"));
        }
        let base = Variant { name: request.variant.clone().unwrap_or_default(), set: fixed.clone() };
        let spec = planner.varied(&base).map_err(|fault| match fault {
            VariantFault::Setting { error, .. } => {
                SpecError { message: format!("variant `{}`: {error}", base.name), ..error }
            }
            VariantFault::Change(error) => error,
            VariantFault::Invalid(fault) => source.locate(fault),
        })?;
        Ok(BaseSettings { written, fixed, overrides, spec })
    }

    /// Moves changes of tables that contain a setting of the space before it: `--set 'train.optimizer={ sgd = { lr = 0.1 }
    /// }'` must not replace the values of `train.optimizer.sgd.lr`.
    ///
    /// # Errors
    /// If a change is of a setting that varies.
    pub fn without_conflicts(mut self, space: &[String]) -> Result<BaseSettings, SpecError> {
        let mut kept = Vec::new();
        for change in std::mem::take(&mut self.overrides) {
            let (path, value) = overrides::parse(&change)?;
            let varied = space.iter().find(|key| keys::is_within(path, key));
            let below = space.iter().find(|key| keys::part_below(key, path).is_some());
            let option = overrides::as_option(&change);
            match (varied, below) {
                (Some(key), _) => {
                    // `--epochs` is short for `--set train.epochs`
                    let short = if path == "train.epochs" { " (or `--epochs`)" } else { "" };
                    let message = format!("`{key}` varies, and `{option}`{short} sets it");
                    return Err(error(
                        message,
                        format!("remove `{option}`{short}, or remove the setting from the space"),
                    ));
                }
                (None, Some(key)) if change.starts_with(UNSET) => {
                    let message = format!("`{key}` varies, and `{option}` removes it");
                    return Err(error(message, format!("remove `{option}`")));
                }
                (None, Some(_)) => drop(self.fixed.insert(path.to_owned(), value)),
                (None, None) => kept.push(change),
            }
        }
        // a variant may set what varies: the space replaces it
        let replaced = |key: &String| space.iter().any(|varied| keys::is_within(key, varied));
        self.fixed.retain(|key, _| !replaced(key));
        Ok(BaseSettings { overrides: kept, ..self })
    }
}

fn error(message: String, hint: impl Into<String>) -> SpecError {
    SpecError { message, hint: Some(hint.into()) }
}

/// Returns the settings of the chosen variant.
fn settings_of_variant(parsed: &Spec, wanted: Option<&str>) -> Result<IndexMap<String, Value>, SpecError> {
    let names: Vec<&str> = parsed.variants.iter().map(|variant| variant.name.as_str()).collect();
    let fail = |message: String, hint: String| Err(error(message, hint));
    match (wanted, &names[..]) {
        (None, []) => Ok(IndexMap::new()),
        (None, [first, ..]) => fail(
            format!("the experiment has {} variants: {}", names.len(), suggest::list(&names)),
            format!("choose the one that the configurations start from: `--variant {first}`"),
        ),
        (Some(wanted), []) => {
            fail(format!("the experiment has no variant `{wanted}`"), "omit `--variant`: it has none".to_owned())
        }
        (Some(wanted), names) => match parsed.variants.iter().find(|variant| variant.name == wanted) {
            Some(variant) => Ok(variant.set.clone()),
            None => fail(
                format!("the experiment has no variant `{wanted}`"),
                match suggest::nearest(wanted, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`? The variants are {}", suggest::list(names)),
                    None => format!("the variants are {}", suggest::list(names)),
                },
            ),
        },
    }
}
