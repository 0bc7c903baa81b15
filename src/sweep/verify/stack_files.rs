//! Checks each stack: its end, its run record, the histories of its trials, and the checksums of its files.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context;
use rayon::prelude::*;

use crate::data::source::DataSpec;
use crate::experiment::store::run_record::RunRecord;
use crate::history::History;
use crate::sweep::dir::ended::{self, EndedStack, EndedTrial};
use crate::sweep::dir::sweep_dir::SweepDir;
use crate::sweep::dir::{data_sum, file_sums};
use crate::sweep::record::{StackPlan, SweepRecord};
use crate::sweep::verify::findings::Findings;
use crate::sweep::verify::rungs::check_rungs;

/// What was checked in stacks.
#[derive(Debug, Default)]
pub(super) struct CheckedStacks {
    /// Number of trials whose results were compared.
    pub trials: usize,
    /// Number of files whose checksums were compared.
    pub files: usize,
    /// Data of trials with their checksum in the histories, by the file with the checksum.
    pub data: BTreeMap<String, String>,
}

/// Reads the ends of all stacks. One that cannot be read is a finding.
///
/// # Errors
/// When the files cannot be listed.
pub(super) fn read_ends(
    dir: &SweepDir,
    record: &SweepRecord,
    findings: &mut Findings,
) -> anyhow::Result<HashMap<String, EndedStack>> {
    let names = dir.names("ended").context("failed to list `ended`")?;
    let mut ends = HashMap::new();
    for stack in &record.stacks {
        let file = format!("{}.json", stack.name);
        if !names.contains(&file) {
            continue;
        }
        match EndedStack::read(dir, &stack.name) {
            Ok(end) if end.stack == stack.name => drop(ends.insert(stack.name.clone(), end)),
            Ok(end) => findings.add(format!("ended/{file}"), format!("it is of stack {}", end.stack)),
            Err(error) => findings.add(format!("ended/{file}"), format!("damaged: {:#}", error.root_cause())),
        }
    }
    for name in &names {
        let stack = ended::stack_of(name).or_else(|| ended::tried_again(name).map(|(stack, _)| stack));
        if !stack.is_some_and(|stack| record.stacks.iter().any(|own| own.name == stack)) {
            findings.add(format!("ended/{name}"), "unknown: the sweep has no such stack");
        }
    }
    Ok(ends)
}

/// Checks all stacks in parallel. `leases` has the newest generation of each claimed stack.
///
/// # Errors
/// When files cannot be listed, or a stack cannot be planned.
pub(super) fn check_stacks(
    dir: &SweepDir,
    record: &SweepRecord,
    ended: &HashMap<String, EndedStack>,
    leases: &HashMap<String, u32>,
    findings: &mut Findings,
) -> anyhow::Result<CheckedStacks> {
    let names = dir.names("stacks").context("failed to list `stacks`")?;
    let known: HashSet<&str> = record.stacks.iter().map(|stack| stack.name.as_str()).collect();
    for name in &names {
        if !known.contains(name.as_str()) {
            findings.add(format!("stacks/{name}"), "unknown: the sweep has no such stack");
        } else if !leases.contains_key(name) {
            findings.add(format!("stacks/{name}"), "no worker has claimed this stack");
        }
    }
    let one = |stack: &StackPlan| {
        let (mut own, mut checked) = (Findings::default(), CheckedStacks::default());
        if let Some(end) = ended.get(&stack.name) {
            check_stack(dir, record, stack, end, &mut checked, &mut own)?;
        }
        anyhow::Ok((own, checked))
    };
    let all = record.stacks.par_iter().map(one).collect::<anyhow::Result<Vec<_>>>()?;
    let mut sum = CheckedStacks::default();
    for (own, checked) in all {
        findings.append(own);
        sum.trials += checked.trials;
        sum.files += checked.files;
        sum.data.extend(checked.data);
    }
    Ok(sum)
}

/// Checks a stack that has ended.
fn check_stack(
    dir: &SweepDir,
    record: &SweepRecord,
    stack: &StackPlan,
    end: &EndedStack,
    checked: &mut CheckedStacks,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let folder = format!("stacks/{}", stack.name);
    let study = record.study_of_stack(stack)?;
    let (mut run_record, mut trials) = (None, 0);
    if end.failure.is_none() {
        match RunRecord::read(&dir.stack(&stack.name)) {
            Ok(run) if run.is_of(&study) && run.finished => run_record = Some(run),
            Ok(_) => findings.add(format!("{folder}/run.json"), "it is not the finished run of this stack"),
            Err(error) => {
                findings.add(format!("{folder}/run.json"), format!("cannot be read: {:#}", error.root_cause()))
            }
        }
        let mut expected = Vec::new();
        for plan in &study.plans {
            let folds = plan.spec.data.split().folds;
            for fold in folds.map_or(vec![None], |folds| (0..folds).map(Some).collect()) {
                let seeds = record.seeds_of(stack).iter();
                expected.extend(seeds.map(|seed| History::stem_of(&plan.variant, *seed, fold)));
            }
        }
        trials = expected.len();
        compare_trials(&format!("ended/{}.json", stack.name), end, expected, findings);
    }
    let mut histories = Vec::new();
    for trial in &end.trials {
        let file = format!("{folder}/{}.json", trial.stem());
        match trial.history(dir, &stack.name) {
            Ok(history) => {
                checked.trials += 1;
                check_trial(&file, record, trial, &history, findings);
                let data: Option<&DataSpec> =
                    study.plans.iter().find(|plan| plan.variant == trial.configuration).map(|plan| &plan.spec.data);
                if let Some(data) = data {
                    checked.data.insert(data_sum::file_name(data), history.data.sha256.clone());
                }
                histories.push((file, history));
            }
            Err(error) => findings.add(file, format!("cannot be read: {:#}", error.root_cause())),
        }
    }
    // without the history of a trial, which is a finding already, its rungs cannot be decided again
    if let Some(run) = run_record.filter(|_| histories.len() == trials) {
        check_rungs(
            &format!("{folder}/run.json"),
            record.halving_rule(&stack.name),
            &run,
            &study,
            &histories,
            findings,
        );
    }
    check_sums(dir, &stack.name, end, checked, findings)
}

/// Checks that the end of a stack has each trial once.
fn compare_trials(file: &str, end: &EndedStack, expected: Vec<String>, findings: &mut Findings) {
    let mut found: HashMap<String, usize> = HashMap::new();
    end.trials.iter().for_each(|trial| *found.entry(trial.stem()).or_default() += 1);
    for name in &expected {
        match found.remove(name) {
            Some(1) => {}
            Some(times) => findings.add(file, format!("trial {name} is listed {times} times")),
            None => findings.add(file, format!("trial {name} is missing")),
        }
    }
    found.into_keys().for_each(|name| findings.add(file, format!("trial {name} is not one of this stack")));
}

/// Compares the result of a trial with its history.
fn check_trial(file: &str, record: &SweepRecord, trial: &EndedTrial, history: &History, findings: &mut Findings) {
    let again = EndedTrial::new(history, &record.metric);
    let text = |trial: &EndedTrial| serde_json::to_string(trial).unwrap_or_default(); // `nan` equals `nan`
    if text(trial) != text(&again) {
        findings.add(file, format!("its result is {}, but the end of the stack has {}", text(&again), text(trial)));
    }
}

/// Compares the files of a stack with their checksums at its end.
fn check_sums(
    dir: &SweepDir,
    stack: &str,
    end: &EndedStack,
    checked: &mut CheckedStacks,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    if end.failure.is_some() {
        return Ok(());
    }
    let path = dir.stack(stack);
    if !path.is_dir() {
        findings.add(format!("stacks/{stack}"), "missing, although the stack has ended");
        return Ok(());
    }
    let found = file_sums::of_directory(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
    for (name, sum) in &end.files {
        match found.get(name) {
            Some(now) if now == sum => checked.files += 1,
            Some(_) => findings.add(format!("stacks/{stack}/{name}"), "modified after the end of the stack"),
            None => findings.add(format!("stacks/{stack}/{name}"), "missing"),
        }
    }
    for name in found.keys().filter(|name| !end.files.contains_key(*name)) {
        findings.add(format!("stacks/{stack}/{name}"), "unknown: it was added after the end of the stack");
    }
    Ok(())
}
