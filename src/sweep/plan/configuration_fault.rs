//! The error about configurations that cannot be trained.

use anyhow::anyhow;

use crate::config::hint::Hint;
use crate::experiment::plan::variant_planner::VariantFault;
use crate::experiment::spec::Variant;
use crate::experiment::spec::overrides;
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::sweep::labels::Labels;
use crate::sweep::space::configurations::Space;
use crate::sweep::space::keys;

/// The configurations that cannot be trained, of which the first is described.
pub(super) struct ConfigurationFaults<'a> {
    labels: Labels,
    space: &'a Space,
    source: &'a SourceText,
    all: usize,
    count: usize,
    first: Option<SpecError>,
}

impl<'a> ConfigurationFaults<'a> {
    /// Starts without errors.
    pub fn new(variants: &[Variant], space: &'a Space, source: &'a SourceText) -> ConfigurationFaults<'a> {
        let labels = Labels::new(&space.keys());
        ConfigurationFaults { labels, space, source, all: variants.len(), count: 0, first: None }
    }

    /// Adds the error of a configuration. `changes` are those from the command line.
    pub fn add(&mut self, variant: &Variant, fault: VariantFault, changes: &[String]) {
        self.count += 1;
        if self.first.is_some() {
            return;
        }
        let SpecError { message, hint } = match fault {
            VariantFault::Setting { key, error } => {
                let place = self.place_of(&key).map(|place| format!(" ({place})")).unwrap_or_default();
                SpecError { message: format!("`{key}`: {error}{place}"), ..error }
            }
            VariantFault::Change(error) => error,
            VariantFault::Invalid(fault) => {
                match (overrides::last_of(&fault.key, changes), self.place_of(&fault.key)) {
                    (Some(change), _) => {
                        SpecError { message: format!("{fault} (`{}`)", overrides::as_option(change)), hint: fault.hint }
                    }
                    (None, Some(place)) => SpecError { message: format!("{fault} ({place})"), hint: fault.hint },
                    (None, None) => self.source.locate(fault),
                }
            }
        };
        let values = self.labels.describe(&variant.set);
        let message = format!("configuration `{}` ({values}) cannot be trained: {message}", variant.name);
        self.first = Some(SpecError { message, hint });
    }

    /// Returns the place of the entry of the space that sets a key, a key below it or one above it.
    fn place_of(&self, key: &str) -> Option<String> {
        let is_of = |own: &String| keys::is_within(key, own) || keys::is_within(own, key);
        let entry = self.space.entries().iter().find(|entry| entry.keys.iter().any(is_of))?;
        Some(entry.origin.place(self.source))
    }

    /// Returns the error, if there is one.
    ///
    /// # Errors
    /// If a configuration cannot be trained.
    pub fn into_result(self) -> anyhow::Result<()> {
        let Some(SpecError { message, hint }) = self.first else { return Ok(()) };
        let others = match self.count {
            1 => String::new(),
            count => format!("; {} of {} configurations cannot be trained", count, self.all),
        };
        let hint = hint
            .unwrap_or_else(|| "change the values in the space, or vary the setting in `[[sweep.when]]`".to_owned());
        Err(anyhow!("{message}{others}").context(Hint(hint)))
    }
}
