//! Checks the files of a sweep beside those of its stacks: claims, heartbeats, logs, checksums of data, and the table.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context;

use crate::io::bounded_file;
use crate::slurm::submission;
use crate::sweep::dir::claim::{self, lease_name, parse_name};
use crate::sweep::dir::ended::{self, EndedStack};
use crate::sweep::dir::extensions;
use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::stop_request;
use crate::sweep::dir::sweep_dir::{EXPERIMENT, FOLDERS, SweepDir};
use crate::sweep::record::{FILE, SweepRecord};
use crate::sweep::results::csv;
use crate::sweep::results::further_seeds::lacking;
use crate::sweep::verify::findings::Findings;

/// Report that `runner sweep report` writes into the directory.
const REPORT: &str = "report.html";

/// Checks claims and heartbeats. Returns the newest generation of each claimed stack.
///
/// # Errors
/// When files cannot be listed.
pub(super) fn check_leases(
    dir: &SweepDir,
    record: &SweepRecord,
    ended: &HashMap<String, EndedStack>,
    findings: &mut Findings,
) -> anyhow::Result<HashMap<String, u32>> {
    let known: HashSet<&str> = record.stacks.iter().map(|stack| stack.name.as_str()).collect();
    let lease_of = |name: &str| {
        let (stack, generation) = parse_name(name).filter(|(stack, _)| known.contains(*stack))?;
        Some((stack.to_owned(), generation))
    };
    let mut generations: HashMap<String, Vec<u32>> = HashMap::new();
    let claims = dir.names("claims").context("failed to list `claims`")?;
    for name in &claims {
        let file = format!("claims/{name}");
        match lease_of(name) {
            Some((stack, generation)) => generations.entry(stack).or_default().push(generation),
            None => findings.add(&file, "unknown: the sweep has no such stack"),
        }
        if claim::read(dir, name).is_none() {
            findings.add(&file, "damaged: it is not a claim");
        }
    }
    for name in dir.names("beats").context("failed to list `beats`")? {
        if lease_of(&name).is_none() || !claims.contains(&name) {
            findings.add(format!("beats/{name}"), "unknown: there is no such claim");
        }
    }
    let newest: HashMap<String, u32> =
        generations.iter().map(|(stack, all)| (stack.clone(), all.iter().copied().max().unwrap_or(0))).collect();
    for (stack, newest) in &newest {
        for missing in (1..*newest).filter(|generation| !generations[stack].contains(generation)) {
            findings.add(format!("claims/{}", lease_name(stack, missing)), "missing: there are newer generations");
        }
    }
    for end in ended.values() {
        let (file, lease) = (format!("ended/{}.json", end.stack), lease_name(&end.stack, end.generation));
        match claim::read(dir, &lease) {
            None => {
                findings.add(format!("claims/{lease}"), "missing or damaged, although the stack has ended under it")
            }
            // the end of a stack whose workers have died is published by another one
            Some(claim) if end.failure.is_none() && claim.worker != end.worker => {
                findings.add(file, format!("its worker is `{}`, but the claim is of `{}`", end.worker, claim.worker));
            }
            Some(_) => {}
        }
    }
    for name in dir.names("ended").context("failed to list `ended`")? {
        if let Some((stack, generation)) = ended::tried_again(&name)
            && generation > newest.get(stack).copied().unwrap_or(0)
        {
            findings.add(format!("ended/{name}"), "there is no claim of this generation");
        }
    }
    Ok(newest)
}

/// Checks that the directory has no other files, and that the logs of the workers are logs.
///
/// # Errors
/// When files cannot be listed.
pub(super) fn check_unknown_files(dir: &SweepDir, record: &SweepRecord, findings: &mut Findings) -> anyhow::Result<()> {
    let names = dir.names("").with_context(|| format!("failed to list `{}`", dir.path().display()))?;
    let own: HashSet<String> = (1..=record.extensions.len()).map(extensions::file_name).collect();
    for name in &names {
        let is_folder = FOLDERS.contains(&name.as_str()) || name == submission::FOLDER;
        let is_file =
            [FILE, EXPERIMENT, csv::FILE, stop_request::FILE, REPORT].contains(&name.as_str()) || own.contains(name);
        if !is_folder && !is_file {
            findings.add(name, "unknown: it is no file of the sweep");
        }
    }
    for name in dir.names("workers").context("failed to list `workers`")? {
        let file = format!("workers/{name}");
        if !name.ends_with(".jsonl") {
            findings.add(&file, "unknown: it is no log of a worker");
            continue;
        }
        let text = bounded_file::read_to_string(&dir.file("workers").join(&name), bounded_file::JSON);
        let text = text.with_context(|| format!("failed to read `{file}`"))?;
        // the last line of a worker that was killed may be incomplete
        let mut lines: Vec<&str> = text.split('\n').collect();
        lines.pop();
        let is_event =
            |line: &&str| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["event"].is_string());
        if let Some(place) = lines.iter().position(|line| !is_event(line)) {
            findings.add(&file, format!("damaged: line {} is no event", place + 1));
        }
    }
    Ok(())
}

/// Compares the checksums of data with those in the histories, by file.
///
/// # Errors
/// When files cannot be listed.
pub(super) fn check_data_sums(
    dir: &SweepDir,
    expected: &BTreeMap<String, String>,
    is_done: bool,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    for name in dir.names("data").context("failed to list `data`")? {
        let file = format!("data/{name}");
        let text = bounded_file::read(&dir.file("data").join(&name), bounded_file::JSON);
        let sum = text.ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        let sum = sum.as_ref().and_then(|value| value["sha256"].as_str());
        match (expected.get(&name), sum) {
            (_, None) => findings.add(file, "damaged: it has no checksum"),
            (Some(expected), Some(sum)) if expected != sum => {
                findings.add(file, "its checksum is not the one in the histories");
            }
            (Some(_), Some(_)) => {}
            // the data of a stack that has not ended, or has failed
            (None, Some(_)) if !is_done => {}
            (None, Some(_)) => findings.add(file, "unknown: no trial has used these data"),
        }
    }
    for name in expected.keys().filter(|name| !dir.file("data").join(name).is_file()) {
        findings.add(format!("data/{name}"), "missing, although trials have used these data");
    }
    Ok(())
}

/// Computes the table of a sweep that has ended again.
///
/// # Errors
/// When it cannot be read.
pub(super) fn check_table(
    dir: &SweepDir,
    record: &SweepRecord,
    state: &SweepState,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let path = dir.file(csv::FILE);
    let open = record.stacks.iter().filter(|stack| !state.ended.contains_key(&stack.name));
    let open: Vec<&str> = open.map(|stack| stack.name.as_str()).collect();
    let is_continued = record.unchosen() > 0 || (open.is_empty() && !lacking(record, &state.ended).is_empty());
    match (path.is_file(), &open[..]) {
        (true, []) if is_continued => {
            findings.add(csv::FILE, "it exists, although further rounds or seeds are missing");
        }
        (false, []) if is_continued => {}
        (true, []) => {
            let text = bounded_file::read_to_string(&path, bounded_file::JSON);
            let text = text.with_context(|| format!("failed to read `{}`", path.display()))?;
            if text != csv::of_sweep(record, state) {
                findings.add(csv::FILE, "it differs from the results");
            }
        }
        (false, []) => findings.add(csv::FILE, "missing, although all stacks have ended"),
        // it is written when all stacks have ended
        (true, open) => {
            for stack in open {
                findings.add(format!("ended/{stack}.json"), format!("missing, although `{}` exists", csv::FILE));
            }
        }
        (false, _) => {}
    }
    Ok(())
}
