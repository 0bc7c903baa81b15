//! A study: an experiment with its variants, each checked into its own plan.
//!
//! A variant is the experiment with some settings changed. Changes from the command line apply to every variant, after
//! the variant's own settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::config::check::{Invalid, require};
use crate::config::{suggest, values};
use crate::experiment::plan::variant_planner::{VariantFault, VariantPlanner};
use crate::experiment::plan::{Plan, expectations};
use crate::experiment::spec::source_text::{SourceText, SpecError};
use crate::experiment::spec::{Spec, Variant, overrides, setting_keys};
use crate::experiment::store::about::About;
use crate::io::file_names;
use crate::tensor::seed;

/// A checked experiment with one plan per variant.
#[derive(Clone, Debug)]
pub struct Study {
    /// The experiment's name.
    pub name: String,
    /// The experiment with the changes from the command line.
    pub spec: Spec,
    /// Plans of its variants in order, the baseline first; one plan if there are no variants.
    pub plans: Vec<Plan>,
    /// The experiment's file as it was read.
    pub source: SourceText,
    /// Changes from the command line, as `--set` takes them.
    pub changes: Vec<String>,
    /// Names of the selected variants; empty if all are trained.
    pub selected: Vec<String>,
    /// Notes about where its data files were found.
    pub notes: Vec<String>,
    /// Name, tags and note of the next run.
    pub about: About,
}

impl Study {
    /// Reads an experiment, applies variants and changes from the command line, and checks everything.
    ///
    /// # Errors
    /// When a setting is invalid; the error says where, and has a hint.
    pub fn new(source: &SourceText, changes: &[String]) -> Result<Study, SpecError> {
        Study::with_working_directory(&std::env::current_dir().unwrap_or_default(), source, changes)
    }

    /// Same as [`Study::new`], with the working directory `current`: paths in `changes` are relative to it.
    ///
    /// # Errors
    /// As for [`Study::new`].
    pub fn with_working_directory(current: &Path, source: &SourceText, changes: &[String]) -> Result<Study, SpecError> {
        let parsed = source.parse()?;
        let mut planner = VariantPlanner::new(current, source, &parsed, changes);
        let changes = &planner.changes.clone()[..];
        let mut spec = planner.changed()?;
        let name = spec.name.get_or_insert_with(|| source.name.clone()).clone();
        let into_spec_error = |fault: Invalid| locate(source, changes, None, fault);
        file_names::check("name", &name).map_err(|fault| source.locate(fault))?;
        expectations::check_line("lesson", spec.lesson.as_deref()).map_err(into_spec_error)?;
        check_variants(&spec).map_err(|fault| source.locate(fault))?;
        check_seeds(&spec.seeds).map_err(into_spec_error)?;
        let plans: Vec<Plan> = match &spec.variants[..] {
            [] => vec![planner.plan(&name, None, spec.clone()).map_err(into_spec_error)?],
            variants => {
                planner = planner.without_variants();
                variants
                    .iter()
                    .enumerate()
                    .map(|(number, variant)| {
                        let planned = planner.plan_variant(&name, variant);
                        planned.map_err(|fault| describe_fault(source, changes, (number, variant), fault))
                    })
                    .collect::<Result<_, _>>()?
            }
        };
        let mut notes = std::mem::take(&mut planner.notes);
        if parsed.sweep.is_some() {
            notes.push("`[sweep]` is for `runner sweep`: here, only one configuration is trained".to_owned());
        }
        expectations::check(&spec, &plans, parsed.seeds.len()).map_err(into_spec_error)?;
        let of_networks =
            plans.iter().filter_map(|plan| Some(plan.network()?.notes(&plan.spec.seeds, plan.info.target)));
        notes.extend(of_networks.flatten());
        notes.dedup();
        Ok(Study {
            name,
            spec,
            plans,
            source: source.clone(),
            changes: changes.to_vec(),
            selected: Vec::new(),
            notes,
            about: About::default(),
        })
    }

    /// Keeps only the plans of the variants that one of these names or patterns (`lr_*`) matches; none keeps all.
    ///
    /// # Errors
    /// When a name or pattern matches no variant.
    pub fn with_variants(mut self, wanted: &[String]) -> Result<Study, SpecError> {
        let names: Vec<&str> = self.spec.variants.iter().map(|variant| variant.name.as_str()).collect();
        let mut selected = BTreeSet::new();
        for name in wanted {
            let pattern = glob::Pattern::new(name).map_err(|error| {
                let hint = "write a name, or a pattern such as `lr_*`";
                SpecError::new(format!("`{name}` is not a pattern: {error}"), hint)
            })?;
            let found: Vec<&str> = names.iter().copied().filter(|name| pattern.matches(name)).collect();
            if found.is_empty() {
                let hint = match (suggest::nearest(name, names.iter().copied()), &names[..]) {
                    (_, []) => "omit `--variant`: the experiment has no variants".to_owned(),
                    (Some(near), names) => format!("did you mean `{near}`? The variants are {}", suggest::list(names)),
                    (None, names) => format!("the variants are {}", suggest::list(names)),
                };
                return Err(SpecError::new(format!("`{}` has no variant `{name}`", self.name), hint));
            }
            selected.extend(found.into_iter().map(str::to_owned));
        }
        if !selected.is_empty() && selected.len() < names.len() {
            self.plans.retain(|plan| selected.contains(&plan.variant));
            self.selected = self.plans.iter().map(|plan| plan.variant.clone()).collect();
        }
        Ok(self)
    }

    /// Records the command that runs this study.
    pub fn with_command(mut self, command: &str) -> Study {
        for asked in self.plans.iter_mut().filter_map(|plan| plan.asked.as_mut()) {
            asked.command = Some(command.to_owned());
        }
        self
    }

    /// Gives the next run of this study a name, tags and a note.
    pub fn with_about(self, about: About) -> Study {
        Study { about, ..self }
    }

    /// Adds the place of the setting to an error of a setting that was found in the data, such as `split.stratify`.
    pub fn locate(&self, error: anyhow::Error) -> anyhow::Error {
        let Some(fault) = error.downcast_ref::<Invalid>().cloned() else { return error };
        let is_split = fault.key == "split" || fault.key.starts_with("split.");
        let fault = if is_split { fault.under(format!("data.{}", self.spec.data.name())) } else { fault };
        let is_of_data = |change: &&String| {
            ["data", &fault.key].iter().any(|key| overrides::last_of(key, std::slice::from_ref(change)).is_some())
        };
        let changes: Vec<String> = self.changes.iter().filter(is_of_data).cloned().collect();
        locate(&self.source, &changes, None, fault).into()
    }

    /// The first plan: the baseline.
    pub fn baseline(&self) -> &Plan {
        &self.plans[0]
    }

    /// Number of trials: variants × seeds × folds.
    pub fn trials(&self) -> usize {
        self.plans.iter().map(|plan| plan.spec.seeds.len() * plan.spec.data.split().folds.unwrap_or(1)).sum()
    }
}

/// Adds the place of a setting to its error: the option that changed it, the `set` of the variant, or the file and line.
fn locate(source: &SourceText, changes: &[String], variant: Option<(usize, &Variant)>, fault: Invalid) -> SpecError {
    if let Some(change) = overrides::last_of(&fault.key, changes) {
        let place = format!("`{}`", overrides::as_option(change));
        return SpecError { message: fault.at(&place), hint: fault.hint };
    }
    let is_set =
        |variant: &Variant| overrides::last_of(&fault.key, &variant.set.keys().cloned().collect::<Vec<_>>()).is_some();
    match variant.filter(|(_, variant)| is_set(variant)) {
        Some((number, _)) => {
            let (_, place) = source.key_and_place(&format!("variants.{number}.set"));
            SpecError { message: fault.at(&place), hint: fault.hint }
        }
        None if !changes.is_empty() && Study::new(source, &[]).is_ok() => {
            let options: Vec<String> = changes.iter().map(|change| overrides::as_option(change)).collect();
            SpecError { message: fault.at(&format!("with {}", suggest::list(&options))), hint: fault.hint }
        }
        None => source.locate(fault),
    }
}

/// Returns the error of a variant that cannot be planned, with its name and the place of the setting.
fn describe_fault(
    source: &SourceText,
    changes: &[String],
    numbered: (usize, &Variant),
    fault: VariantFault,
) -> SpecError {
    let (number, variant) = numbered;
    let name_variant =
        |error: SpecError| SpecError { message: format!("variant `{}`: {error}", variant.name), ..error };
    match fault {
        VariantFault::Setting { key, error } => {
            let hint = variant.set.get(&key).and_then(|value| unquoted_path(&key, value)).map(|whole| {
                format!("put the key in quotes: `set = {{ \"{whole}\" = … }}`, to change this setting only")
            });
            let (_, place) = source.key_and_place(&format!("variants.{number}.set"));
            name_variant(SpecError { message: format!("{error} ({place})"), hint: hint.or(error.hint) })
        }
        VariantFault::Change(error) => error,
        VariantFault::Invalid(fault) => name_variant(locate(source, changes, Some(numbered), fault)),
    }
}

/// Returns the key that a table in `set` means if its dots were not quoted: `train.epochs` for `{ train = { epochs = 3 }
/// }`; `None` if the value is no table.
fn unquoted_path(path: &str, value: &serde_json::Value) -> Option<String> {
    let mut inner = value.as_object().filter(|_| !path.contains('.'))?;
    let mut whole = path.to_owned();
    while let (1, Some((key, value))) = (inner.len(), inner.iter().next()) {
        whole = format!("{whole}.{key}");
        let Some(deeper) = value.as_object() else { break };
        inner = deeper;
    }
    Some(whole)
}

/// Checks that variant names are distinct valid file names, and that variants only set what may vary.
fn check_variants(spec: &Spec) -> Result<(), Invalid> {
    let names: Vec<&str> = spec.variants.iter().map(|variant| variant.name.as_str()).collect();
    for (number, variant) in spec.variants.iter().enumerate() {
        file_names::check(&format!("variants.{number}.name"), &variant.name)?;
        if let Some((path, _)) = variant.set.iter().find(|(_, value)| values::has_non_finite(value)) {
            let message = format!("sets `{path}` to a number that is not finite");
            return Err(Invalid::new(format!("variants.{number}.set"), message));
        }
        if let Some(other) = variant.set.keys().find(|path| !setting_keys::is_varied(path)) {
            let key = format!("variants.{number}.set");
            let meant = setting_keys::keys_named(spec, other);
            if let [path, ..] = &meant[..] {
                let fault = Invalid::new(key, format!("sets `{other}`, which is not the full key of a setting"));
                return Err(fault.hint(format!("write `\"{path}\" = {}`", variant.set[other])));
            }
            let message = format!("sets `{other}`, which must be the same for all variants");
            let hint = format!("set only keys that begin with {}", suggest::list(&setting_keys::VARIED));
            return Err(Invalid::new(key, message).hint(hint));
        }
    }
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    require(distinct.len() == names.len(), "variants", "must have different names", names.join(", "))?;
    file_names::check_distinct("variants", &names)
}

/// Checks that no two different seeds generate the same random numbers. Equal seeds are found when the plan is checked.
fn check_seeds(seeds: &[i64]) -> Result<(), Invalid> {
    let mut known: BTreeMap<u32, i64> = BTreeMap::new();
    for &seed in seeds {
        if let Some(other) = known.insert(seed::low_bits(seed), seed).filter(|other| *other != seed) {
            let message =
                format!("{other} and {seed} give the same random numbers: only the low 32 bits of a seed are used");
            return Err(Invalid::new("seeds", message).hint("use seeds from 0 to 4294967295"));
        }
    }
    Ok(())
}
