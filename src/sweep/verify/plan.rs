//! Recomputes the plan of a sweep: configurations and stacks follow from the space, the seed of the search and the settings.

use crate::data::store::checksum::sha256;
use crate::experiment::store::newest;
use crate::io::bounded_file;
use crate::sweep::dir::extensions;
use crate::sweep::dir::sweep_dir::{EXPERIMENT, SweepDir};
use crate::sweep::labels::Labels;
use crate::sweep::plan::extension::{RecordedExperiment, planned_again, varied_sets};
use crate::sweep::plan::round::planned_round;
use crate::sweep::record::{Configuration, Extension, FILE, StackPlan, SweepRecord};
use crate::sweep::sampler::choose;
use crate::sweep::space::configurations::Set;
use crate::sweep::verify::findings::Findings;

/// Checks the record by the checksum in the name of the directory, and the resolved experiment by the one in the record.
///
/// # Errors
/// When the record cannot be read.
pub(super) fn check_record_files(dir: &SweepDir, record: &SweepRecord, findings: &mut Findings) -> anyhow::Result<()> {
    let sum = sha256(&bounded_file::read(&dir.file(FILE), bounded_file::JSON)?);
    let name = dir.path().file_name().unwrap_or_default().to_string_lossy();
    // a directory that was renamed has no checksum in its name
    let recorded = name.split_once("Z-").map(|(_, rest)| rest.split('-').next().unwrap_or(rest));
    let is_other = |recorded: &&str| newest::is_stamped(dir.path()) && !sum.starts_with(*recorded);
    if let Some(recorded) = recorded.filter(is_other) {
        findings
            .add(FILE, format!("modified: its checksum is {}…, in the name of the directory {recorded}", &sum[..6]));
    }
    match std::fs::read(dir.file(EXPERIMENT)) {
        Ok(bytes) if sha256(&bytes) == record.experiment_sha256 => {}
        Ok(_) => findings.add(EXPERIMENT, "modified: its checksum is not the one in the record"),
        Err(error) => findings.add(EXPERIMENT, format!("cannot be read: {error}")),
    }
    Ok(())
}

/// Chooses all configurations again, and distributes them over stacks again. Returns the record with all extensions.
///
/// # Errors
/// When the configurations cannot be planned, or an extension cannot be read.
pub(super) fn check_plan(
    dir: &SweepDir,
    original: SweepRecord,
    findings: &mut Findings,
) -> anyhow::Result<SweepRecord> {
    let experiment = RecordedExperiment::new(&original)?;
    let (search, count) = (&original.search, original.configurations.len());
    let space = experiment.space(&search.space)?;
    match choose::configurations(&space, search.method, Some(count), search.seed) {
        Ok(sets) => compare_configurations(FILE, &original, &original.configurations, &sets, findings),
        Err(fault) => findings.add(FILE, format!("its configurations cannot be chosen again: {}", fault.message)),
    }
    compare_stacks(FILE, &original.stacks, &experiment.stacks(&space)?, findings);
    let mut record = original.clone();
    while let Some(extension) = extensions::read_next(dir.path(), &record)? {
        let file = extensions::file_name(record.extensions.len() + 1);
        if let Some(seed) = extension.seeds.iter().find(|seed| record.seeds.contains(seed)) {
            findings.add(&file, format!("its seed {seed} is one of the sweep already"));
        }
        let again = match &extension.round {
            Some(round) => planned_round(&record, round.seen.clone()),
            None => planned_again(&record, &extension),
        };
        match again {
            Ok(again) => {
                compare_skipped(&file, &extension, &again, findings);
                compare_named(&file, &record, &extension.configurations, &again.configurations, findings);
                compare_stacks(&file, &extension.stacks, &again.stacks, findings);
            }
            Err(error) => findings.add(&file, format!("it cannot be planned again: {error:#}")),
        }
        record.extend(extension);
    }
    Ok(record)
}

/// Compares the configurations of a record with the ones that were chosen again.
fn compare_configurations(
    file: &str,
    record: &SweepRecord,
    found: &[Configuration],
    sets: &[Set],
    findings: &mut Findings,
) {
    let (own, labels) = (varied_sets(record), Labels::new(&record.settings));
    for (index, (set, own)) in sets.iter().zip(&own).enumerate() {
        let name = format!("{index:04}");
        if found[index].name != name {
            findings
                .add(file, format!("configuration {index} must have the name `{name}`, found `{}`", found[index].name));
        }
        if own != set {
            findings.add(file, different(&name, &labels.describe(set), &labels.describe(own)));
        }
    }
    if sets.len() != found.len() {
        findings.add(file, format!("there must be {} configurations, found {}", sets.len(), found.len()));
    }
}

/// Compares the configurations of an extension with the ones that were chosen again.
fn compare_named(
    file: &str,
    record: &SweepRecord,
    found: &[Configuration],
    expected: &[Configuration],
    findings: &mut Findings,
) {
    let labels = Labels::new(&record.settings);
    for (found, expected) in found.iter().zip(expected).filter(|(found, expected)| found != expected) {
        findings.add(file, different(&expected.name, &labels.describe(&expected.set), &labels.describe(&found.set)));
    }
    if found.len() != expected.len() {
        findings.add(file, format!("there must be {} configurations, found {}", expected.len(), found.len()));
    }
}

/// Compares the configurations that a round has left out with those that it leaves out again.
fn compare_skipped(file: &str, found: &Extension, expected: &Extension, findings: &mut Findings) {
    let of_round = |extension: &Extension| {
        let round = extension.round.as_ref()?;
        let sets: Vec<Set> = round.skipped.iter().map(|skipped| skipped.set.clone()).collect();
        Some((sets, round.is_last))
    };
    if of_round(found) != of_round(expected) {
        findings.add(file, "its round leaves other configurations out");
    }
}

fn different(name: &str, expected: &str, found: &str) -> String {
    format!("configuration `{name}` must be {expected}, found {found}")
}

/// Compares stacks with those that the configurations are distributed over again.
fn compare_stacks(file: &str, found: &[StackPlan], expected: &[StackPlan], findings: &mut Findings) {
    let describe = |stack: &StackPlan| {
        let seeds = stack.seeds.as_ref().map(|seeds| format!(" on seeds {seeds:?}")).unwrap_or_default();
        format!("{}{seeds}", stack.configurations.join(", "))
    };
    for (found, expected) in found.iter().zip(expected).filter(|(found, expected)| found != expected) {
        let (name, text) = (&expected.name, describe(expected));
        findings.add(file, format!("stack {name} must train {text}, found {} with {}", found.name, describe(found)));
    }
    if found.len() != expected.len() {
        findings.add(file, format!("there must be {} stacks, found {}", expected.len(), found.len()));
    }
}
