//! Reads the saved runs: one summary per run in the runs directory.
//!
//! The files are read on every call, in parallel: there is no index that could be out of date. Only the summary of
//! each history stays in memory.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::anyhow;
use rayon::prelude::*;

use crate::compare::comparison::metric_paths;
use crate::compare::group::Group;
use crate::compare::runs::filter::Filter;
use crate::compare::runs::read_run::{ReadRun, reference_of};
use crate::compare::runs::run_field::{FIELDS, lookup};
use crate::compare::runs::run_summary::RunSummary;
use crate::compare::settings;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::experiment::store::about::About;
use crate::experiment::store::newest;
use crate::experiment::store::run_id::{RunEntries, RunEntry};
use crate::history::History;

/// Options of the list of saved runs.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Only this experiment.
    pub experiment: Option<String>,
    /// Only runs that match all of these.
    pub filters: Vec<Filter>,
    /// Names of the fields to look up: metrics, settings and others.
    pub fields: Vec<String>,
    /// Whether each variant has its own line.
    pub by_variant: bool,
    /// Whether archived runs are listed.
    pub archived: bool,
    /// Whether the summaries contain the settings.
    pub settings: bool,
}

/// Contents of the runs directory.
#[derive(Debug, Default)]
pub struct RunList {
    /// The runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Errors of files that could not be read.
    pub faults: Vec<anyhow::Error>,
    /// Number of archived runs that are left out.
    pub archived: usize,
    /// Names of filters and fields that exist in any run.
    pub known: BTreeSet<String>,
    /// Names of the metrics and settings of one run, for suggestions.
    pub names: Vec<String>,
}

impl RunList {
    /// Returns the runs of both lists.
    fn merged(mut self, other: RunList) -> RunList {
        self.runs.extend(other.runs);
        self.faults.extend(other.faults);
        self.archived += other.archived;
        self.known.extend(other.known);
        let names = if self.names.is_empty() { other.names } else { self.names };
        RunList { names, ..self }
    }
}

/// Reads the runs in a directory.
///
/// # Errors
/// If the directory is missing, or has no run of the experiment.
pub fn list_runs(out: &Path, options: &ListOptions) -> anyhow::Result<RunList> {
    let entries = run_entries(out, options.experiment.as_deref())?;
    let short_ids = entries.short_ids();
    let is_wanted = |entry: &&RunEntry| options.experiment.as_ref().is_none_or(|wanted| entry.experiment == *wanted);
    let wanted: Vec<&RunEntry> = entries.0.iter().filter(is_wanted).collect();
    let references = references(&wanted);
    let summarize = |mut found: RunList, entry: &&RunEntry| {
        let reference = references.get(entry.experiment.as_str());
        summarize_run(entry, options, &short_ids, reference, &mut found);
        found
    };
    let mut all = wanted.par_iter().fold(RunList::default, summarize).reduce(RunList::default, RunList::merged);
    all.runs.sort_by(|a, b| {
        let (one, other) = (&a.info, &b.info);
        other
            .started
            .cmp(&one.started)
            .then_with(|| newest::order(&other.entry.folder).cmp(&newest::order(&one.entry.folder)))
            .then(a.variant.cmp(&b.variant))
    });
    all.faults.sort_by_cached_key(ToString::to_string);
    Ok(all)
}

/// Lists the run directories under `out`.
fn run_entries(out: &Path, experiment: Option<&str>) -> anyhow::Result<RunEntries> {
    let make_one =
        || Hint("start a run with `runner exp NAME`, or choose another directory of the runs with `--out`".to_owned());
    if !out.is_dir() {
        return Err(anyhow!("there is no directory `{}`", out.display()).context(make_one()));
    }
    let entries = RunEntries::list(out);
    let mut named: Vec<&str> = entries.0.iter().map(|entry| entry.experiment.as_str()).collect();
    named.dedup();
    if let Some(wanted) = experiment.filter(|wanted| !named.contains(wanted)) {
        let message = format!("no run `{wanted}` under `{}`", out.display());
        let hint = if named.is_empty() { make_one() } else { Hint(suggest::hint(wanted, named)) };
        return Err(anyhow!(message).context(hint));
    }
    Ok(entries)
}

/// Returns the first history of the oldest run of each experiment that has several.
fn references<'a>(entries: &[&'a RunEntry]) -> HashMap<&'a str, History> {
    let mut by_experiment: HashMap<&str, Vec<&RunEntry>> = HashMap::new();
    for entry in entries {
        by_experiment.entry(&entry.experiment).or_default().push(entry);
    }
    let several = by_experiment.into_iter().filter(|(_, runs)| runs.len() > 1);
    several.filter_map(|(experiment, mut runs)| Some((experiment, reference_of(&mut runs)?))).collect()
}

/// Summarizes the run in a directory, if it is a run and matches the filters. Settings of its file that differ from those
/// of the `reference` are changes.
fn summarize_run(
    entry: &RunEntry,
    options: &ListOptions,
    short_ids: &HashMap<&str, &str>,
    reference: Option<&History>,
    found: &mut RunList,
) {
    let about = About::read(&entry.folder).unwrap_or_else(|error| {
        found.faults.push(error);
        About::default()
    });
    if about.archived && !options.archived {
        found.archived += 1;
        return;
    }
    let Some(mut run) = ReadRun::read(entry, about, short_ids, reference, &mut found.faults) else { return };
    if found.names.is_empty() {
        found.names = names(&run.groups);
    }
    let with_none = || run.groups.iter().map(Some).chain(run.groups.is_empty().then_some(None));
    for name in options.filters.iter().map(|filter| &filter.name).chain(&options.fields) {
        let exists =
            || FIELDS.contains(&name.as_str()) || with_none().any(|group| lookup(name, group, &run.info).is_some());
        if !found.known.contains(name) && exists() {
            found.known.insert(name.clone());
        }
    }
    if !run.retain_matching(&options.filters) {
        return;
    }
    match options.by_variant && !run.groups.is_empty() {
        true => found.runs.extend(run.summaries_by_variant(&options.fields, options.settings)),
        false => found.runs.push(run.summary(&options.fields, options.settings)),
    }
}

/// Returns the names of the metrics and settings of these groups.
fn names(groups: &[Group]) -> Vec<String> {
    let settings = groups.first().and_then(Group::config).map(settings::flatten).unwrap_or_default();
    metric_paths(groups).into_iter().chain(settings.into_keys()).collect()
}
