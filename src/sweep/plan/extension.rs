//! Plans an extension of a sweep: further configurations of the same or a wider space, and further seeds. What the sweep has
//! trained stays as it is.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use tch::Device;
use time::OffsetDateTime;

use crate::config::hint::Hint;
use crate::experiment::plan::Plan;
use crate::experiment::plan::variant_planner::{VariantFault, VariantPlanner};
use crate::experiment::spec::seeds::{self, Seeds};
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::spec::{Spec, Variant, overrides};
use crate::experiment::store::history_fields;
use crate::sweep::plan::metric::RankingMetric;
use crate::sweep::plan::plan_sweep::{check_distinct, plan_all, variants};
use crate::sweep::plan::stacks::SweepStacks;
use crate::sweep::record::{Configuration, ConfirmationPlan, Extension, StackPlan, SweepRecord};
use crate::sweep::sampler::choose;
use crate::sweep::space::configurations::{Set, Space};
use crate::sweep::space::entry::Entry;
use crate::sweep::space::origin::SpaceFault;
use crate::sweep::space::widen;
use crate::sweep::spec::Method;

/// Number of configurations to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FurtherTrials {
    /// This number.
    By(usize),
    /// As many as the sweep lacks to have this number.
    To(usize),
}

/// What a user asks of an extension.
#[derive(Clone, Debug, Default)]
pub struct ExtensionRequest {
    /// Number of configurations.
    pub trials: Option<FurtherTrials>,
    /// Wider values of settings, as `--space` takes them.
    pub space: Vec<String>,
    /// Seeds; those that the sweep has are not added again.
    pub seeds: Option<Seeds>,
    /// The command, for the record.
    pub command: Option<String>,
}

/// An extension, and its size.
#[derive(Clone, Debug)]
pub struct PlannedExtension {
    /// The extension.
    pub extension: Extension,
    /// Number of its trials: configurations × folds × seeds.
    pub trials: usize,
}

/// The experiment of a sweep, from its record.
pub struct RecordedExperiment<'a> {
    record: &'a SweepRecord,
    source: SourceText,
    written: Spec,
    current: PathBuf,
    /// The experiment with the settings that all configurations start from.
    spec: Spec,
}

impl<'a> RecordedExperiment<'a> {
    /// Reads the experiment of a sweep.
    ///
    /// # Errors
    /// When this version cannot read it.
    pub fn new(record: &'a SweepRecord) -> anyhow::Result<RecordedExperiment<'a>> {
        let (source, current) = (record.source_text(), record.current_directory());
        let written = source.parse()?;
        let base = Variant { name: String::new(), set: record.search.fixed.clone() };
        let spec = VariantPlanner::new(&current, &source, &written, &record.overrides).varied(&base);
        let spec = spec.map_err(|fault| match fault {
            VariantFault::Setting { error, .. } | VariantFault::Change(error) => error,
            VariantFault::Invalid(fault) => source.locate(fault),
        })?;
        Ok(RecordedExperiment { record, source, written, current, spec })
    }

    /// Returns the space with these entries.
    ///
    /// # Errors
    /// If entries depend on each other in a circle.
    pub fn space(&self, entries: &[Entry]) -> anyhow::Result<Space> {
        let space = Space::new(entries.to_vec(), overrides::settings_tree(&self.spec));
        space.map_err(|fault| self.error(fault))
    }

    /// Plans configurations with these seeds. Each one is checked completely.
    ///
    /// # Errors
    /// If some cannot be trained.
    pub fn plan(&self, variants: &[Variant], seeds: &[i64], space: &Space) -> anyhow::Result<Vec<Plan>> {
        self.plan_with(&mut self.planner(seeds), variants, space)
    }

    /// Returns the planner of configurations with these seeds.
    pub fn planner(&self, seeds: &[i64]) -> VariantPlanner<'_> {
        let mut changes = self.record.overrides.clone();
        changes.push(format!("seeds={seeds:?}"));
        VariantPlanner::new(&self.current, &self.source, &self.written, &changes)
    }

    /// Plans configurations with a planner that may have planned others.
    ///
    /// # Errors
    /// If some cannot be trained.
    pub fn plan_with(
        &self,
        planner: &mut VariantPlanner,
        variants: &[Variant],
        space: &Space,
    ) -> anyhow::Result<Vec<Plan>> {
        plan_all(planner, &self.record.experiment, variants, space, &self.source)
    }

    /// Distributes further configurations over stacks, whose numbers continue those of the sweep.
    pub fn further_stacks(&self, plans: &[Plan]) -> Vec<StackPlan> {
        self.distribute(plans, self.record.stacks.len()).stacks
    }

    /// Distributes configurations over stacks of the sweep's width, whatever the device; their numbers begin with `first`.
    fn distribute(&self, plans: &[Plan], first: usize) -> SweepStacks {
        SweepStacks::new(plans, self.record.options.stack, None, false, Device::Cpu, 1, first)
    }

    /// Returns the error of a space with its place.
    pub fn error(&self, fault: SpaceFault) -> anyhow::Error {
        fault.into_error(&self.source)
    }
}

/// Returns the values of the settings that vary in each configuration, without those that all have.
pub fn varied_sets(record: &SweepRecord) -> Vec<Set> {
    let own = |configuration: &Configuration| {
        let varied = configuration.set.iter().filter(|(key, _)| !record.search.fixed.contains_key(*key));
        varied.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    record.configurations.iter().map(own).collect()
}

/// Plans an extension of a sweep.
///
/// # Errors
/// If there is nothing to add, values are not wider, or a configuration cannot be trained.
pub fn extension(record: &SweepRecord, request: &ExtensionRequest) -> anyhow::Result<PlannedExtension> {
    if record.halving.is_some() && request.seeds.is_some() {
        let hint = "add configurations with `--trials`, or start another sweep with more seeds".to_owned();
        return Err(anyhow!(
            "a sweep with `halving` cannot have further seeds: some configurations were dropped because of their results \
             on the seeds that the sweep has"
        )
        .context(Hint(hint)));
    }
    let experiment = RecordedExperiment::new(record)?;
    let entries = match &request.space[..] {
        [] => None,
        options => {
            let wider = widen::widened(&record.search.space, options, &overrides::settings_tree(&experiment.spec));
            Some(wider.map_err(|fault| experiment.error(fault))?)
        }
    };
    let space = experiment.space(entries.as_ref().unwrap_or(&record.search.space))?;
    let seeds = further_seeds(record, request);
    let mut sets = match (number_of_trials(record, request)?, &entries) {
        (None, None) if seeds.is_empty() => return Err(nothing_to_add(record, request)),
        (None, None) => Vec::new(),
        (trials, _) => {
            let search = &record.search;
            let sets = choose::further(&space, search.method, trials, search.seed, &varied_sets(record));
            sets.map_err(|fault| experiment.error(fault))?
        }
    };
    // rounds choose other ones, from results
    let further_trials = if record.search.rounds.is_some() { sets.len() } else { 0 };
    sets.truncate(sets.len() - further_trials);
    let planned = experiment.extension(&space, sets, seeds, entries.is_some())?;
    let extension = Extension {
        added: history_fields::format_start(OffsetDateTime::now_utc())?,
        command: request.command.clone(),
        space: entries,
        further_trials,
        ..planned.extension
    };
    Ok(PlannedExtension { extension, ..planned })
}

/// Returns the extension that a sweep has after these additions, as [`extension`] planned it.
///
/// # Errors
/// If its configurations cannot be planned any more.
pub fn planned_again(record: &SweepRecord, extension: &Extension) -> anyhow::Result<Extension> {
    let experiment = RecordedExperiment::new(record)?;
    if let Some(plan) = &extension.confirmation {
        let Extension { added, command, .. } = extension.clone();
        return Ok(Extension { added, command, ..experiment.confirmation(plan)? });
    }
    if !extension.on_further_seeds.is_empty() {
        return experiment.on_further_seeds(&extension.on_further_seeds);
    }
    let space = experiment.space(extension.space.as_ref().unwrap_or(&record.search.space))?;
    let count = extension.configurations.len();
    let (method, seed) = (record.search.method, record.search.seed);
    let sets = match count {
        0 => Ok(Vec::new()),
        _ => {
            choose::further(&space, method, Some(count).filter(|_| method != Method::Grid), seed, &varied_sets(record))
        }
    };
    let sets = sets.map_err(|fault| experiment.error(fault))?;
    let again = experiment.extension(&space, sets, extension.seeds.clone(), false)?.extension;
    let Extension { added, command, space, further_trials, .. } = extension.clone();
    Ok(Extension { added, command, space, further_trials, ..again })
}

impl RecordedExperiment<'_> {
    /// Plans the extension by these configurations and seeds. `is_wider` says that the space is wider than before.
    fn extension(
        &self,
        space: &Space,
        sets: Vec<Set>,
        seeds: Vec<i64>,
        is_wider: bool,
    ) -> anyhow::Result<PlannedExtension> {
        let record = self.record;
        let existing: Vec<Variant> = record.configurations.iter().map(variant).collect();
        let new = variants(&record.search.fixed, existing.len(), sets);
        let all_seeds = [&record.seeds[..], &seeds[..]].concat();
        let plans = self.plan(&new, &all_seeds, space)?;
        if is_wider {
            // a value of a wider space may mean the same as an earlier one
            let before = self.plan(&existing, &all_seeds, space)?;
            check_distinct(before.iter().chain(&plans)).map_err(|fault| self.error(fault))?;
        }
        if !plans.is_empty() {
            RankingMetric::new(Some(&record.metric), &plans).map_err(|fault| self.error(fault))?;
        }
        let (mut stacks, mut trials) = (Vec::new(), 0);
        let mut distribute = |plans: &[Plan], seeds: Option<&Vec<i64>>| {
            let more = self.distribute(plans, record.stacks.len() + stacks.len());
            trials += more.replicas.iter().sum::<usize>();
            stacks.extend(more.stacks.into_iter().map(|stack| StackPlan { seeds: seeds.cloned(), ..stack }));
        };
        if !seeds.is_empty() {
            distribute(&self.plan(&existing, &seeds, space)?, Some(&seeds));
        }
        distribute(&plans, None);
        let extension = Extension {
            seeds,
            configurations: new.into_iter().map(|Variant { name, set }| Configuration { name, set }).collect(),
            stacks,
            ..Extension::empty()
        };
        Ok(PlannedExtension { extension, trials })
    }

    /// Plans the extension that trains configurations of the sweep again on fresh seeds.
    ///
    /// # Errors
    /// If they cannot be planned any more.
    pub fn confirmation(&self, plan: &ConfirmationPlan) -> anyhow::Result<Extension> {
        let names = plan.configurations.iter().map(|chosen| chosen.name.as_str());
        let stacks = self.stacks_on(names, &plan.seeds)?;
        Ok(Extension { confirmation: Some(plan.clone()), stacks, ..Extension::empty() })
    }

    /// Plans the extension that trains configurations on the further seeds of the sweep, too. All workers plan the same.
    ///
    /// # Errors
    /// If they cannot be planned any more.
    pub fn on_further_seeds(&self, names: &[String]) -> anyhow::Result<Extension> {
        let stacks = self.stacks_on(names.iter().map(String::as_str), &self.record.further_seeds)?;
        Ok(Extension { on_further_seeds: names.to_vec(), stacks, ..Extension::empty() })
    }

    /// Distributes configurations of the sweep over stacks that train them on other seeds.
    fn stacks_on<'n>(&self, names: impl Iterator<Item = &'n str>, seeds: &[i64]) -> anyhow::Result<Vec<StackPlan>> {
        let record = self.record;
        let chosen = names.map(|name| {
            let found = record.configuration(name);
            found.map(variant).with_context(|| format!("the sweep has no configuration `{name}`"))
        });
        let chosen = chosen.collect::<anyhow::Result<Vec<_>>>()?;
        let plans = self.plan(&chosen, seeds, &self.space(&record.search.space)?)?;
        let on_seeds = |stack| StackPlan { seeds: Some(seeds.to_vec()), ..stack };
        Ok(self.further_stacks(&plans).into_iter().map(on_seeds).collect())
    }

    /// Returns the stacks of the sweep as they were planned at its start.
    ///
    /// # Errors
    /// If its configurations cannot be planned any more.
    pub fn stacks(&self, space: &Space) -> anyhow::Result<Vec<StackPlan>> {
        let record = self.record;
        let variants: Vec<Variant> = record.configurations.iter().map(variant).collect();
        let plans = self.plan(&variants, &record.seeds, space)?;
        Ok(self.distribute(&plans, 0).stacks)
    }
}

pub(super) fn variant(configuration: &Configuration) -> Variant {
    Variant { name: configuration.name.clone(), set: configuration.set.clone() }
}

/// Returns the seeds that a sweep does not have yet.
fn further_seeds(record: &SweepRecord, request: &ExtensionRequest) -> Vec<i64> {
    let mut further = Vec::new();
    for seed in request.seeds.iter().flatten() {
        if !record.seeds.contains(seed) && !further.contains(seed) {
            further.push(*seed);
        }
    }
    further
}

/// Returns the number of configurations to add; `None` if the request names none.
fn number_of_trials(record: &SweepRecord, request: &ExtensionRequest) -> anyhow::Result<Option<usize>> {
    let has = record.all_configurations();
    match request.trials {
        None => Ok(None),
        Some(FurtherTrials::By(count)) => Ok(Some(count)),
        Some(FurtherTrials::To(all)) if all > has => Ok(Some(all - has)),
        Some(FurtherTrials::To(all)) => {
            let more = if all < has { format!(", more than {all}") } else { String::new() };
            let message = format!("the sweep already has {has} configurations{more}");
            Err(anyhow!(message).context(Hint(format!("use `--trials +{all}` to add {all}"))))
        }
    }
}

/// Returns the error of a request that adds nothing.
fn nothing_to_add(record: &SweepRecord, request: &ExtensionRequest) -> anyhow::Error {
    match &request.seeds {
        Some(_) => {
            let s = if record.seeds.len() == 1 { "" } else { "s" };
            let hint = format!("choose other seeds: the sweep already has seed{s} {}", seeds::format(&record.seeds));
            anyhow!("the sweep has all of these seeds: there is nothing to add").context(Hint(hint))
        }
        None => {
            let hint = "use `--trials +8`, `--space KEY=VALUES` with further values, or `--seeds`".to_owned();
            anyhow!("there is nothing to add").context(Hint(hint))
        }
    }
}
