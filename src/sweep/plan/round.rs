//! Plans the next round of a sweep: further configurations, chosen from the results of all earlier ones.

use std::collections::{HashMap, HashSet};

use anyhow::Context;
use serde_json::Value;

use crate::config::hint::in_a_line;
use crate::experiment::plan::Plan;
use crate::experiment::plan::variant_planner::VariantPlanner;
use crate::experiment::spec::Variant;
use crate::history::number::Number;
use crate::sweep::dir::ended::EndedStack;
use crate::sweep::plan::extension::{RecordedExperiment, variant, varied_sets};
use crate::sweep::plan::halving;
use crate::sweep::plan::metric::RankingMetric;
use crate::sweep::plan::plan_sweep::{check_distinct, variants};
use crate::sweep::record::{Configuration, Extension, SweepRecord};
use crate::sweep::results::{Outcome, Ranking};
use crate::sweep::rounds::{RoundRecord, SeenOutcome, SeenResult, SkippedConfiguration};
use crate::sweep::sampler::observation::Score;
use crate::sweep::sampler::round::Round;
use crate::sweep::space::configurations::{Set, Space};
use crate::sweep::space::domain::Domain;
use crate::sweep::space::entry::Values;

/// Maximum number of proposals of a round that are left out.
const MOST_LEFT_OUT: usize = 100;

/// Plans the round that follows when all stacks of a sweep have ended.
///
/// # Errors
/// When this machine cannot plan the configurations of the sweep.
pub fn next_round(record: &SweepRecord, ended: &HashMap<String, EndedStack>) -> anyhow::Result<Extension> {
    planned_round(record, seen_results(record, ended))
}

/// Returns the results of all configurations of a sweep as a round sees them, in the order of the configurations.
pub fn seen_results(record: &SweepRecord, ended: &HashMap<String, EndedStack>) -> Vec<SeenResult> {
    let ranking = Ranking::new(record, ended, record.higher_is_better);
    let results = ranking.results.iter();
    let of_name: HashMap<&str, _> = results.map(|result| (result.configuration.name.as_str(), result)).collect();
    let one = |configuration: &Configuration| {
        let result = of_name.get(configuration.name.as_str())?;
        let outcome = match &result.outcome {
            Outcome::Done => SeenOutcome::Done,
            Outcome::Dropped(epoch) => SeenOutcome::Dropped(*epoch),
            Outcome::Diverged(_) => SeenOutcome::Diverged,
            Outcome::Failed(_) => SeenOutcome::Failed,
            Outcome::Unfinished => return None,
        };
        let std = result.metric.as_ref().and_then(|metric| Some(metric.std? / (metric.n as f64).sqrt()));
        Some(SeenResult {
            name: configuration.name.clone(),
            outcome,
            mean: result.mean().map(Number),
            standard_error: std.map(Number),
        })
    };
    record.configurations.iter().filter_map(one).collect()
}

/// Plans the round that has seen these results. A proposed configuration that cannot be trained is left out, and another one is
/// proposed.
///
/// # Errors
/// When this machine cannot plan the configurations of the sweep.
pub fn planned_round(record: &SweepRecord, seen: Vec<SeenResult>) -> anyhow::Result<Extension> {
    let rounds = record.search.rounds.context("the search of the sweep has no rounds")?;
    let experiment = RecordedExperiment::new(record)?;
    let space = experiment.space(&record.search.space)?;
    let existing: Vec<Variant> = record.configurations.iter().map(variant).collect();
    let mut planner = experiment.planner(&record.seeds);
    let (first, count) = (existing.len(), rounds.size.min(record.unchosen()));
    // these could be planned before: if one cannot, files are missing or have changed, and no proposal is at fault
    let compared = if may_mean_the_same(&space) { &existing[..] } else { &existing[..first.min(1)] };
    let mut plans = experiment.plan_with(&mut planner, compared, &space)?;
    let known = plans.len();
    let mut round = Round::new(&space, record.search.method, record.search.seed, first, trained(record, &seen));
    let (mut chosen, mut skipped, mut left_out) = (Vec::new(), Vec::new(), 0);
    let mut is_used_up = false;
    while chosen.len() < count && left_out < MOST_LEFT_OUT {
        let Some(set) = round.choose_next().map_err(|fault| experiment.error(fault))? else {
            is_used_up = true;
            break;
        };
        let named = variants(&record.search.fixed, first + chosen.len(), vec![set.clone()]);
        match plan_one(record, &experiment, &mut planner, &named, &space) {
            Ok(plan) => {
                // a value may mean the same as another one
                if check_distinct(plans.iter().chain([&plan])).is_err() {
                    left_out += 1;
                    round.exclude(set);
                    continue;
                }
                round.add(set);
                plans.push(plan);
                chosen.extend(named);
            }
            Err(error) => {
                left_out += 1;
                round.fail(set.clone());
                skipped.push(SkippedConfiguration { set, error: in_a_line(&error) });
            }
        }
    }
    let is_last = is_used_up || chosen.is_empty();
    Ok(Extension {
        stacks: experiment.further_stacks(&plans[known..]),
        configurations: chosen.into_iter().map(|Variant { name, set }| Configuration { name, set }).collect(),
        round: Some(RoundRecord { seen, skipped, is_last }),
        ..Extension::empty()
    })
}

/// Whether two different values of a setting may mean the same: names such as `"adam_w"` and `"adamw"`, and tables.
fn may_mean_the_same(space: &Space) -> bool {
    let is_name = |value: &Value| value.is_string() || value.is_object() || value.is_array();
    space.entries().iter().any(|entry| match &entry.values {
        Values::One(Domain::Choices(choices)) => choices.iter().any(is_name),
        Values::Rows(rows) => rows.iter().flatten().any(is_name),
        Values::One(Domain::Int { .. } | Domain::Float { .. } | Domain::Log { .. } | Domain::Copy(_)) => false,
    })
}

/// Plans one proposed configuration, and checks what a sweep checks of all configurations at its start.
fn plan_one(
    record: &SweepRecord,
    experiment: &RecordedExperiment,
    planner: &mut VariantPlanner,
    named: &[Variant],
    space: &Space,
) -> anyhow::Result<Plan> {
    let mut plans = experiment.plan_with(planner, named, space)?;
    RankingMetric::new(Some(&record.metric), &plans).map_err(|fault| experiment.error(fault))?;
    if record.halving.is_some() {
        halving::check_plans(&plans).map_err(|fault| experiment.error(fault))?;
    }
    plans.pop().context("a configuration has no plan")
}

/// Returns all configurations in the order in which they were proposed, those that could not be trained included, with their
/// scores and standard errors.
fn trained(record: &SweepRecord, seen: &[SeenResult]) -> Vec<(Set, Score, f64)> {
    let sign = if record.higher_is_better { -1.0 } else { 1.0 };
    let score = |result: &SeenResult| match (result.outcome, result.mean) {
        (SeenOutcome::Done, Some(mean)) => Score::Finished(sign * mean.0),
        (SeenOutcome::Dropped(epoch), Some(mean)) => Score::Dropped { epoch, value: sign * mean.0 },
        (SeenOutcome::Done | SeenOutcome::Dropped(_), None) | (SeenOutcome::Diverged | SeenOutcome::Failed, _) => {
            Score::Failed
        }
    };
    let error = |result: &SeenResult| result.standard_error.map_or(0.0, |error| error.0);
    let scores: HashMap<&str, (Score, f64)> =
        seen.iter().map(|result| (result.name.as_str(), (score(result), error(result)))).collect();
    let added: HashSet<&str> =
        record.extensions.iter().flat_map(|one| &one.configurations).map(|one| one.name.as_str()).collect();
    let mut sets = record.configurations.iter().zip(varied_sets(record)).peekable();
    let mut all = Vec::new();
    let scored = |(configuration, set): (&Configuration, Set)| {
        let (score, error) = scores.get(configuration.name.as_str()).copied().unwrap_or((Score::Failed, 0.0));
        (set, score, error)
    };
    while let Some(first) = sets.next_if(|(configuration, _)| !added.contains(configuration.name.as_str())) {
        all.push(scored(first));
    }
    for extension in &record.extensions {
        let skipped = extension.round.iter().flat_map(|round| &round.skipped);
        all.extend(skipped.map(|skipped| (skipped.set.clone(), Score::Failed, 0.0)));
        all.extend(sets.by_ref().take(extension.configurations.len()).map(scored));
    }
    all
}
