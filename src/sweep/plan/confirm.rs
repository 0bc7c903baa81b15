//! Plans the confirmation of a sweep: its best configurations are trained again on seeds that were not used for the selection.

use std::collections::HashMap;

use anyhow::{anyhow, ensure};
use time::OffsetDateTime;

use crate::config::hint::Hint;
use crate::experiment::spec::seeds;
use crate::experiment::store::history_fields;
use crate::history::number::Number;
use crate::sweep::dir::ended::EndedStack;
use crate::sweep::plan::confirm_check::at_most;
use crate::sweep::plan::extension::RecordedExperiment;
use crate::sweep::record::{ChosenConfiguration, ConfirmationPlan, Extension, SweepRecord};
use crate::sweep::results::{Outcome, Ranking};
use crate::sweep::spec::Confirm;

/// First of the default seeds.
const FIRST_SEED: i64 = 100;

/// Number of default seeds. With ten pairs of values, the smallest p of a paired permutation test is 0.002: five
/// configurations, which are ten comparisons, can then differ significantly at the level 0.05.
const SEEDS: usize = 10;

/// Plans the confirmation of the best configurations of a sweep with these ends of stacks.
///
/// # Errors
/// If no configuration has a result, or a seed is not fresh.
pub fn confirmation(
    record: &SweepRecord,
    ended: &HashMap<String, EndedStack>,
    confirm: &Confirm,
    command: Option<String>,
) -> anyhow::Result<Extension> {
    let plan = ConfirmationPlan {
        configurations: best(record, ended, at_most(confirm)),
        seeds: fresh_seeds(record, confirm.seeds.as_deref())?,
    };
    ensure!(!plan.configurations.is_empty(), "no configuration has all of its trials");
    let extension = RecordedExperiment::new(record)?.confirmation(&plan)?;
    Ok(Extension { added: history_fields::format_start(OffsetDateTime::now_utc())?, command, ..extension })
}

/// Returns the best configurations that have all of their trials, best first.
pub fn best(record: &SweepRecord, ended: &HashMap<String, EndedStack>, at_most: usize) -> Vec<ChosenConfiguration> {
    let ranking = Ranking::new(record, ended, record.higher_is_better);
    let done = ranking.results.iter().filter(|result| result.outcome == Outcome::Done);
    let chosen = done.filter_map(|result| {
        Some(ChosenConfiguration { name: result.configuration.name.clone(), mean: Number(result.mean()?) })
    });
    chosen.take(at_most).collect()
}

/// Returns the seeds of the request, or the default ones without those that the sweep has trained on.
fn fresh_seeds(record: &SweepRecord, asked: Option<&[i64]>) -> anyhow::Result<Vec<i64>> {
    let used: Vec<i64> = record.used_seeds().collect();
    let Some(asked) = asked else {
        return Ok((FIRST_SEED..).filter(|seed| !used.contains(seed)).take(SEEDS).collect());
    };
    match asked.iter().find(|seed| used.contains(seed)) {
        None => Ok(asked.to_vec()),
        Some(seed) => {
            let hint = format!("choose seeds other than {}", seeds::format(&used));
            Err(anyhow!("the sweep has trained on seed {seed} already, and a confirmation needs fresh seeds")
                .context(Hint(hint)))
        }
    }
}
