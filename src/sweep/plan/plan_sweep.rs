//! Plans a sweep: chooses its configurations, checks each of them completely, and distributes them over stacks.

use std::collections::HashMap;

use anyhow::Context;
use indexmap::{IndexMap, IndexSet};
use serde_json::Value;
use time::OffsetDateTime;

use crate::data::store::checksum::sha256;
use crate::experiment::halving::rule::HalvingChoice;
use crate::experiment::plan::Plan;
use crate::experiment::plan::variant_planner::VariantPlanner;
use crate::experiment::run_options::RunOptions;
use crate::experiment::spec::source_text::SourceText;
use crate::experiment::spec::{Spec, Variant, overrides};
use crate::experiment::store::history_fields::{self, Program};
use crate::io::file_names;
use crate::sweep::expectation::SweepExpectation;
use crate::sweep::plan::base_settings::BaseSettings;
use crate::sweep::plan::configuration_fault::ConfigurationFaults;
use crate::sweep::plan::confirm_check;
use crate::sweep::plan::expectations::Checked;
use crate::sweep::plan::halving;
use crate::sweep::plan::metric::RankingMetric;
use crate::sweep::plan::request::SweepRequest;
use crate::sweep::plan::stack_study::base_text;
use crate::sweep::plan::stacks::SweepStacks;
use crate::sweep::record::{Configuration, SCHEMA, Search, SweepRecord};
use crate::sweep::rounds::Rounds;
use crate::sweep::sampler::choose;
use crate::sweep::space::build;
use crate::sweep::space::configurations::{Set, Space};
use crate::sweep::space::entry::Entry;
use crate::sweep::space::origin::{Origin, SpaceFault};
use crate::sweep::spec::{Method, SweepSpec};
use crate::sweep::sweep_seeds::SweepSeeds;

/// A sweep that was checked completely.
#[derive(Debug)]
pub struct PlannedSweep {
    /// The record to write.
    pub record: SweepRecord,
    /// Plans of the configurations, in their order.
    pub plans: Vec<Plan>,
    /// The stacks, with their sizes.
    pub stacks: SweepStacks,
    /// The experiment as TOML with all defaults, without the settings that vary.
    pub experiment: String,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// Plans a sweep.
///
/// # Errors
/// If the space is invalid, a configuration cannot be trained, or the metric does not exist.
pub fn plan(request: &SweepRequest) -> anyhow::Result<PlannedSweep> {
    let current = std::env::current_dir().unwrap_or_default();
    let source = &request.source;
    let parsed = source.parse()?;
    let sweep = parsed.sweep.clone().unwrap_or_default();
    let asked = request.seeds.clone().or_else(|| sweep.seeds.clone());
    let all_seeds = asked.unwrap_or_else(|| SweepSeeds::same(parsed.seeds.clone()));
    let SweepSeeds { first: seeds, further: further_seeds } = all_seeds.clone();
    let base = BaseSettings::new(&current, source, parsed, request)?;
    let name = base.spec.name.clone().unwrap_or_else(|| source.name.clone());
    file_names::check("name", &name).map_err(|fault| source.locate(fault))?;
    let space = build::space(&sweep, &request.space, &overrides::settings_tree(&base.spec))
        .map_err(|fault| fault.into_error(source))?;
    let BaseSettings { written, fixed, overrides: changes, spec } = base.without_conflicts(&space.keys())?;
    let method = request.method.or(sweep.method).unwrap_or_default();
    let halving = request.halving.map_or(sweep.halving, HalvingChoice::rungs);
    let in_file = |fault| in_file(fault, request, &sweep).into_error(source);
    let size = round_size(request, &sweep, method, halving.is_some()).map_err(in_file)?;
    check_method(method, &space).map_err(in_file)?;
    let mut all_changes = changes.clone();
    all_changes.push(format!("seeds={seeds:?}"));
    let mut planner = VariantPlanner::new(&current, source, &written, &all_changes);
    let (trials, seed) = (request.trials.or(sweep.trials), request.search_seed.or(sweep.seed).unwrap_or(0));
    let choose = |trials| choose::configurations(&space, method, trials, seed);
    let mut sets = match choose(trials) {
        Ok(sets) => sets,
        Err(fault) => {
            // values of the wrong type are named before the missing number of configurations
            if let (None, Ok(first)) = (trials, choose(Some(1))) {
                plan_all(&mut planner, &name, &variants(&fixed, 0, first), &space, source)?;
            }
            return Err(in_file(fault));
        }
    };
    let rounds = size.map(|size| Rounds { size, trials: sets.len() });
    sets.truncate(rounds.map_or(sets.len(), Rounds::startup));
    let variants = variants(&fixed, 0, sets);
    let plans = plan_all(&mut planner, &name, &variants, &space, source)?;
    check_distinct(&plans).map_err(|fault| fault.into_error(source))?;
    let asked = request.metric.as_deref().or(sweep.metric.as_deref());
    let metric = RankingMetric::new(asked, &plans).map_err(in_file)?;
    let in_table = |fault: SpaceFault, key: &str, is_of_table: bool| match is_of_table {
        true => fault.at(&Origin::file(&["sweep", key])).into_error(source),
        false => fault.into_error(source),
    };
    let stacks = SweepStacks::new(
        &plans,
        request.options.stack,
        size,
        halving.is_some(),
        request.device,
        request.free_memory,
        0,
    );
    if let Some(halving) = halving {
        let checked = halving::check(halving, &metric.path, &plans, &stacks);
        checked.map_err(|fault| in_table(fault, "halving", request.halving.is_none()))?;
    }
    let checked = halving::check_seeds(halving, &all_seeds);
    checked.map_err(|fault| in_table(fault, "seeds", request.seeds.is_none()))?;
    if let Some(confirm) = &sweep.confirm {
        confirm_check::check(confirm, &all_seeds.all()).map_err(|fault| in_table(fault, "confirm", true))?;
    }
    let mut notes = std::mem::take(&mut planner.notes);
    notes.extend(plans.iter().flat_map(|plan| &plan.info.notes).cloned());
    let networks = plans.iter().filter_map(|plan| Some((plan.network()?, plan.info.target)));
    notes.extend(networks.flat_map(|(network, target)| network.notes(&all_seeds.all(), target)));
    notes.extend(notes_on(&metric, &space, &all_seeds.all()));
    let mut unique = IndexSet::new();
    notes.retain(|note| unique.insert(note.clone()));
    let configurations: Vec<Configuration> =
        variants.into_iter().map(|Variant { name, set }| Configuration { name, set }).collect();
    let settings = space.keys();
    let checked = Checked {
        metric: &metric.path,
        settings: &settings,
        configurations: &configurations,
        drops_some: halving.is_some(),
    };
    let expectations = expectations(request, &sweep, &checked, &mut notes).map_err(|fault| fault.into_error(source))?;
    let experiment = Spec { name: Some(name.clone()), ..spec }.to_toml();
    let entries = space.entries().iter().map(|entry| Entry { origin: Origin::Record, ..entry.clone() });
    let text = base_text(&source.text)?;
    let record = SweepRecord {
        schema: SCHEMA.to_owned(),
        experiment: name,
        command: request.command.clone(),
        started: history_fields::format_start(OffsetDateTime::now_utc())?,
        experiment_sha256: sha256(experiment.as_bytes()),
        working_directory: Some(current.clone()),
        program: Program::this(),
        options: RunOptions { stack: Some(stacks.width), ..request.options.clone() },
        metric: metric.path,
        higher_is_better: metric.higher_is_better,
        halving,
        confirm: sweep.confirm.clone(),
        seeds,
        further_seeds,
        settings,
        search: Search { method, seed, fixed, rounds, space: entries.collect() },
        extensions: Vec::new(),
        configurations,
        stacks: stacks.stacks.clone(),
        overrides: changes,
        expectations,
        source: SourceText { text, layers: Vec::new(), modules: Vec::new(), ..source.clone() },
    };
    // workers plan their stacks from the record alone
    record.study_of_stack(&record.stacks[0]).context("failed to plan the first stack")?;
    Ok(PlannedSweep { record, plans, stacks, experiment, notes })
}

/// Returns the number of configurations of a round; `None` for methods without rounds.
fn round_size(
    request: &SweepRequest,
    sweep: &SweepSpec,
    method: Method,
    has_halving: bool,
) -> Result<Option<usize>, SpaceFault> {
    let asked = request.round.or(sweep.round);
    if method.has_rounds() {
        return match asked {
            Some(0) => Err(SpaceFault::new("`round` must be at least 1, found 0", "use `round = 8`")),
            asked => Ok(Some(asked.unwrap_or(default_round(method, has_halving)))),
        };
    }
    // a method of the command line replaces that of the file, with its rounds
    let is_replaced = request.round.is_none() && request.method.is_some();
    if asked.is_none() || is_replaced {
        return Ok(None);
    }
    let found = method.name();
    let message = format!("`round` needs the method `tpe` or `gp`, found `{found}`: it does not learn from results");
    Err(SpaceFault::new(message, "remove `round`, or use `--method tpe`"))
}

/// Returns the default number of configurations of a round. With halving, each of its stacks drops some of its own, so that a
/// stack needs more of them. A Gaussian process learns more from each result: small rounds need fewer configurations.
fn default_round(method: Method, has_halving: bool) -> usize {
    match (method, has_halving) {
        (Method::Gp, _) => 4,
        (_, true) => 16,
        (_, false) => 8,
    }
}

/// Checks that a method can search a space: a Gaussian process needs values of all settings.
fn check_method(method: Method, space: &Space) -> Result<(), SpaceFault> {
    match space.conditional_entry() {
        Some(entry) if method == Method::Gp => {
            let message = format!("`gp` cannot search conditional settings, found `{}`", entry.keys[0]);
            Err(SpaceFault::new(message, "use `--method tpe`").at(&entry.origin))
        }
        _ => Ok(()),
    }
}

/// Returns an error about `trials`, `round` or `metric` with its place in the file, if it was set there.
fn in_file(fault: SpaceFault, request: &SweepRequest, sweep: &SweepSpec) -> SpaceFault {
    if fault.origin.is_some() {
        return fault;
    }
    let of_file = [
        ("trials", request.trials.is_none() && sweep.trials.is_some()),
        ("round", request.round.is_none() && sweep.round.is_some()),
        ("metric", request.metric.is_none() && sweep.metric.is_some()),
    ];
    let key = of_file.iter().find(|(key, is_set)| *is_set && fault.message.starts_with(&format!("`{key}`")));
    match key {
        Some((key, _)) => fault.at(&Origin::file(&["sweep", key])),
        None => fault,
    }
}

/// Returns the configurations as variants, named by their numbers, which begin with `first`.
pub(super) fn variants(fixed: &IndexMap<String, Value>, first: usize, sets: Vec<Set>) -> Vec<Variant> {
    let variant = |(number, set): (usize, Set)| {
        let mut all = fixed.clone();
        all.extend(set);
        Variant { name: format!("{:04}", first + number), set: all }
    };
    sets.into_iter().enumerate().map(variant).collect()
}

/// Plans all configurations.
///
/// # Errors
/// If some cannot be trained: the first of them, and how many others.
pub(super) fn plan_all(
    planner: &mut VariantPlanner,
    name: &str,
    variants: &[Variant],
    space: &Space,
    source: &SourceText,
) -> anyhow::Result<Vec<Plan>> {
    let mut faults = ConfigurationFaults::new(variants, space, source);
    let mut plans = Vec::with_capacity(variants.len());
    for variant in variants {
        match planner.plan_variant(name, variant) {
            Ok(plan) => plans.push(plan),
            Err(fault) => faults.add(variant, fault, &planner.changes),
        }
    }
    faults.into_result()?;
    Ok(plans)
}

/// Checks that no two configurations have the same settings, written differently: `"adam"` and `{ adam = {} }`.
pub(super) fn check_distinct<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Result<(), SpaceFault> {
    let mut known: HashMap<String, &str> = HashMap::new();
    for plan in plans {
        let settings = serde_json::to_string(&plan.spec).expect("an experiment has JSON types only");
        if let Some(other) = known.insert(settings, &plan.variant) {
            let message = format!("configurations `{other}` and `{}` have the same settings", plan.variant);
            let hint = "remove one of two values that mean the same, such as `\"adam\"` and `{ adam = {} }`";
            return Err(SpaceFault::new(message, hint));
        }
    }
    Ok(())
}

/// Returns the expectations of the file. If the command line changes the space or the metric, those about something else are
/// not checked.
///
/// # Errors
/// If an expectation is wrong.
fn expectations(
    request: &SweepRequest,
    sweep: &SweepSpec,
    checked: &Checked,
    notes: &mut Vec<String>,
) -> Result<Vec<SweepExpectation>, SpaceFault> {
    let mut expectations = sweep.expect.clone();
    if !request.space.is_empty() || request.metric.is_some() || request.halving.is_some() {
        expectations.retain(|expectation| checked.knows(expectation));
        let skipped = sweep.expect.len() - expectations.len();
        if skipped > 0 {
            let what = if skipped == 1 { "1 expectation is" } else { &format!("{skipped} expectations are") };
            notes.push(format!("{what} not checked: the command line changes what the file says about them"));
        }
        return Ok(expectations);
    }
    checked.check(&expectations)?;
    Ok(expectations)
}

/// Returns notes about choices that mislead.
fn notes_on(metric: &RankingMetric, space: &Space, seeds: &[i64]) -> Vec<String> {
    let mut notes = Vec::new();
    if metric.is_of_training_rows() {
        notes.push(format!(
            "`{}` is of training rows, which favor configurations that overfit: split off validation rows, `split = {{ \
             validation = 0.2 }}`",
            metric.path
        ));
    }
    if let Some(key) = space.keys().iter().find(|key| key.starts_with("data.") && key.contains(".split")) {
        notes.push(format!("`{key}` varies: configurations are ranked on different rows"));
    }
    if seeds.len() == 1 {
        notes.push(
            "each configuration is trained on one seed: differences may be chance; use `--seeds 0..2`".to_owned(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::device::compute_mode::ComputeMode;

    fn request(text: &str, space: &[&str]) -> SweepRequest {
        let source = SourceText {
            name: "t".to_owned(),
            origin: "t.toml".to_owned(),
            text: text.to_owned(),
            ..SourceText::default()
        };
        let options = RunOptions::new(Device::Cpu, 1, None, ComputeMode::default());
        SweepRequest {
            source,
            space: space.iter().map(|entry| (*entry).to_owned()).collect(),
            trials: None,
            method: None,
            round: None,
            metric: None,
            halving: None,
            seeds: None,
            search_seed: None,
            overrides: Vec::new(),
            variant: None,
            device: Device::Cpu,
            options,
            free_memory: 1 << 40,
            command: None,
        }
    }

    const TEXT: &str = r#"title = "t"
seeds = [0, 1]
[data.digits]
split = { validation = 0.2, test = 0.2 }
[network]
layers = [{ linear = 16 }, "relu", { linear = 10 }]
[train]
epochs = 1
batch = 64
loss = "cross_entropy"
optimizer = "adam"
"#;

    #[test]
    fn the_studies_of_the_stacks_have_all_configurations_with_their_settings() {
        let variants = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nset = { \"train.epochs\" = 3 }\n\
                        [[expect]]\nmetric = \"last.loss\"\nat_most = 9.0\nvariant = \"a\"\n[sweep]\nmetric = \"last.val_acc\"\n";
        let mut request =
            request(&format!("{TEXT}{variants}"), &["lr=0.1,0.2,0.3", "network.layers.0.linear.units=8,16"]);
        assert!(plan(&request).unwrap_err().to_string().contains("has 2 variants"));
        request.variant = Some("b".to_owned());
        request.overrides = vec!["train.batch_size=32".to_owned()];
        request.seeds = Some(SweepSeeds::same(vec![4, 5, 6]));
        let sweep = plan(&request).unwrap();
        let record = &sweep.record;
        assert_eq!((record.metric.as_str(), record.higher_is_better), ("last.val_acc", true));
        assert_eq!(record.options.stack, Some(16));
        assert_eq!(sweep.stacks.replicas, [9, 9], "layers of two sizes, three seeds each");
        let mut names = Vec::new();
        for stack in &record.stacks {
            let study = record.study_of_stack(stack).unwrap();
            for planned in &study.plans {
                let configuration = record.configuration(&planned.variant).unwrap();
                let train = &planned.network().unwrap().train;
                assert_eq!((train.epochs, train.batch.size(999)), (3, 32));
                assert_eq!(planned.spec.seeds, [4, 5, 6]);
                let same = sweep.plans.iter().find(|plan| plan.variant == planned.variant).unwrap();
                assert_eq!(same.spec, planned.spec);
                assert_eq!(configuration.set["train.epochs"], 3);
                names.push(planned.variant.clone());
            }
        }
        names.sort();
        assert_eq!(names, ["0000", "0001", "0002", "0003", "0004", "0005"]);
        let text = serde_json::to_string(record).unwrap();
        assert_eq!(serde_json::from_str::<SweepRecord>(&text).unwrap(), *record);
    }

    #[test]
    fn a_table_that_the_command_line_sets_precedes_the_settings_that_vary_in_it() {
        let mut request = request(TEXT, &["train.optimizer.sgd.lr=0.1,0.2"]);
        request.overrides = vec!["train.optimizer={ sgd = { lr = 1, momentum = 0.9 } }".to_owned()];
        let sweep = plan(&request).unwrap();
        let study = sweep.record.study_of_stack(&sweep.record.stacks[0]).unwrap();
        let optimizer = serde_json::to_value(&study.plans[1].network().unwrap().train.optimizer).unwrap();
        let sgd = &optimizer["sgd"];
        assert_eq!((sgd["lr"].as_f64(), sgd["momentum"].as_f64()), (Some(0.2), Some(0.9)), "{optimizer}");
        request.overrides = vec!["train.optimizer={ sgd = {} }".to_owned(), "train.optimizer.sgd.lr=1".to_owned()];
        let fault = plan(&request).unwrap_err();
        assert!(format!("{fault:#}").contains("`train.optimizer.sgd.lr` varies, and `--set"), "{fault:#}");
    }

    #[test]
    fn a_thousand_configurations_can_be_one_stack() {
        let mut request =
            request(TEXT, &["lr=log:1e-5..1", "batch=int:8..64", "network.layers.0.linear.units=int:4..256"]);
        request.trials = Some(1000);
        let sweep = plan(&request).unwrap();
        let all = crate::sweep::record::StackPlan {
            name: "S000".to_owned(),
            configurations: sweep.record.configurations.iter().map(|one| one.name.clone()).collect(),
            seeds: None,
        };
        assert_eq!(sweep.record.study_of_stack(&all).unwrap().plans.len(), 1000);
    }
}
