//! Saved runs: one summary line per run in the runs directory.
//!
//! The files are read on every call, in parallel: there is no index that could be out of date. Only the summary of
//! each history stays in memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;

use crate::compare::comparison::{main_metric, metric_paths};
use crate::compare::filter::Filter;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::positive_class::positive_classes;
use crate::compare::ranking::RankingRules;
use crate::compare::statistics::mean;
use crate::compare::trial::Trial;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::TrialName;
use crate::experiment::store::{find, newest};
use crate::history::{History, Status};
use crate::run_dir::latest;

/// Options of the list of saved runs.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Only this experiment.
    pub experiment: Option<String>,
    /// Only runs that match all of these.
    pub filters: Vec<Filter>,
    /// Additional metrics to show.
    pub metrics: Vec<String>,
    /// Whether each variant has its own line.
    pub by_variant: bool,
}

/// Summary of a run, or of one of its variants.
#[derive(Clone, Debug, Serialize)]
pub struct RunSummary {
    /// The experiment.
    pub experiment: String,
    /// The variant, if each variant has its own line.
    pub variant: Option<String>,
    /// The run directory.
    pub folder: PathBuf,
    /// Number of variants.
    pub variants: usize,
    /// Number of trials: variants × seeds × folds.
    pub trials: usize,
    /// Number of further trials that are done according to the run record, but whose history is missing.
    pub missing: usize,
    /// Status of the trials, each with the number of trials.
    pub statuses: Vec<(Status, usize)>,
    /// Whether the run is unfinished: still training, interrupted, or with failed trials.
    pub unfinished: bool,
    /// Whether rows of any variant were resampled before the split (data leakage). The metrics of that variant are
    /// then not used to choose the best one.
    pub leaks: bool,
    /// The monitored metric in the best epoch, as the mean over trials of the variant that is best on the validation
    /// rows. `None` if no variant can be chosen.
    pub best: Option<BestMetric>,
    /// The main test metric of the same variant.
    pub test: Option<TestMetric>,
    /// The positive class of precision, recall, F1, AP and ROC AUC; several if the variants differ.
    pub positive: Option<String>,
    /// Training time in seconds.
    pub seconds: f64,
    /// The device; several if the trials used several.
    pub device: String,
    /// Start of the first trial: UTC, RFC 3339.
    pub started: String,
    /// Values of the additional metrics, of the same variant.
    pub metrics: Vec<Option<f64>>,
}

/// A metric in the best epoch, as the mean over trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BestMetric {
    /// The metric.
    pub metric: String,
    /// Mean over the trials.
    pub value: f64,
    /// Mean of the best epochs.
    pub epoch: f64,
}

/// A test metric, as the mean over trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TestMetric {
    /// The metric.
    pub metric: String,
    /// Mean over the trials.
    pub value: f64,
    /// Mean of the epochs whose weights were tested; `None` for trees.
    pub epoch: Option<f64>,
    /// Mean of the chosen thresholds; `None` at the default threshold.
    pub threshold: Option<f64>,
}

/// Contents of the runs directory.
#[derive(Debug, Default)]
pub struct RunList {
    /// The runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Run directories without a history: still training, or interrupted early.
    pub empty: Vec<PathBuf>,
    /// Errors of files that could not be read.
    pub faults: Vec<anyhow::Error>,
    /// Indices of the filters whose name exists in any run.
    pub known: BTreeSet<usize>,
}

/// Reads the runs in a directory.
///
/// # Errors
/// If the directory is missing, or has no run of the experiment.
pub fn list_runs(out: &Path, options: &ListOptions) -> anyhow::Result<RunList> {
    let folders = run_folders(out, options.experiment.as_deref())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(16);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut found = RunList::default();
        loop {
            let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(folder) = folders.get(place) else { return found };
            summarize_run(folder, options, &mut found);
        }
    };
    let mut all = RunList::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let found = worker.join().expect("a worker reads files, and does not panic");
            all.runs.extend(found.runs);
            all.empty.extend(found.empty);
            all.faults.extend(found.faults);
            all.known.extend(found.known);
        }
    });
    all.runs.sort_by(|a, b| {
        b.started.cmp(&a.started).then_with(|| b.folder.cmp(&a.folder)).then(a.variant.cmp(&b.variant))
    });
    all.empty.sort();
    all.faults.sort_by_cached_key(ToString::to_string);
    Ok(all)
}

/// Returns the run directories under `out`: `<experiment>/<run>/`.
fn run_folders(out: &Path, experiment: Option<&str>) -> anyhow::Result<Vec<PathBuf>> {
    let make_one =
        || Hint("start a run with `runner exp NAME`, or name another runs directory with `--out`".to_owned());
    if !out.is_dir() {
        return Err(anyhow!("there is no directory `{}`", out.display()).context(make_one()));
    }
    let experiments = folders_in(out)?;
    let named: Vec<&str> = experiments.iter().filter_map(|folder| folder.file_name()?.to_str()).collect();
    if let Some(wanted) = experiment.filter(|wanted| !named.contains(wanted)) {
        let message = format!("no run `{wanted}` under `{}`", out.display());
        let hint = if named.is_empty() { make_one() } else { Hint(suggest::hint(wanted, named)) };
        return Err(anyhow!(message).context(hint));
    }
    let mut folders = Vec::new();
    for folder in experiments {
        let is_wanted = experiment.is_none_or(|wanted| folder.file_name().is_some_and(|name| name == wanted));
        if is_wanted {
            let mut runs = folders_in(&folder)?;
            if runs.iter().any(|run| newest::is_stamped(run)) {
                runs.retain(|run| !run.ends_with(latest::LATEST)); // a copy of the link, which has become a folder
            }
            folders.extend(runs);
        }
    }
    Ok(folders)
}

/// Returns the subdirectories, without links to each other such as `latest`.
fn folders_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || format!("failed to read the directory `{}`", folder.display());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let (kind, path) = (entry.file_type().with_context(failed)?, entry.path());
        let leads_elsewhere = || {
            let target = path.canonicalize().ok().filter(|target| target.is_dir());
            target.is_some_and(|target| target.parent().map(Path::to_path_buf) != folder.canonicalize().ok())
        };
        if kind.is_dir() || (kind.is_symlink() && leads_elsewhere()) {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Summarizes the run in a directory, if it is a run and matches the filters.
fn summarize_run(folder: &Path, options: &ListOptions, found: &mut RunList) {
    let trials = match trials(folder, &mut found.faults) {
        Ok(trials) => trials,
        Err(error) => return found.faults.push(error),
    };
    let missing = find::missing_trials(folder);
    found.faults.extend(missing.iter().map(|trial| find::missing_history(folder, trial).error));
    if trials.is_empty() {
        if folder.join("experiment.toml").is_file() {
            found.empty.push(folder.to_path_buf());
        }
        return;
    }
    let mut groups: Vec<Group> = Vec::new();
    for trial in trials {
        let variant = trial.history().map(|history| history.variant.clone()).unwrap_or_default();
        match groups.iter_mut().find(|group| group.label == variant) {
            Some(group) => group.trials.push(trial),
            None => groups.push(Group { label: variant, trials: vec![trial] }),
        }
    }
    for (place, filter) in options.filters.iter().enumerate() {
        if !found.known.contains(&place) && groups.iter().any(|group| filter.is_known(group)) {
            found.known.insert(place);
        }
    }
    let unfinished = RunRecord::read(folder).is_ok_and(|record| !record.finished);
    groups.retain(|group| options.filters.iter().all(|filter| filter.holds(group, unfinished)));
    if groups.is_empty() {
        return;
    }
    if options.by_variant {
        found.runs.extend(groups.into_iter().map(|group| summarize_groups(folder, &[group], &missing, options)));
    } else {
        found.runs.push(summarize_groups(folder, &groups, &missing, options));
    }
}

/// Reads the histories in a directory.
fn trials(folder: &Path, faults: &mut Vec<anyhow::Error>) -> anyhow::Result<Vec<Trial>> {
    let failed = || format!("failed to read the directory `{}`", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(failed)? {
        let file = entry.with_context(failed)?.path();
        if newest::may_be_history(&file) {
            files.push(file);
        }
    }
    files.sort();
    let mut trials = Vec::with_capacity(files.len());
    for file in files {
        match History::read(&file) {
            Ok(history) => trials.push(Trial::from_history(history, file)),
            Err(error) => faults.push(error),
        }
    }
    Ok(trials)
}

/// Summarizes the groups of a run, at least one.
fn summarize_groups(folder: &Path, groups: &[Group], missing: &[TrialName], options: &ListOptions) -> RunSummary {
    let are_all = !options.by_variant && options.filters.is_empty();
    let is_here = |trial: &&TrialName| are_all || groups.iter().any(|group| group.label == trial.variant);
    let trials = || groups.iter().flat_map(|group| &group.trials);
    let histories = || trials().filter_map(Trial::history);
    let mut statuses: Vec<(Status, usize)> = Vec::new();
    for status in histories().map(|history| history.status) {
        match statuses.iter_mut().find(|(other, _)| *other == status) {
            Some((_, count)) => *count += 1,
            None => statuses.push((status, 1)),
        }
    }
    let mut devices: Vec<&str> = histories().map(|history| history.environment.device.as_str()).collect();
    devices.sort_unstable();
    devices.dedup();
    let chosen = RankingRules::new(groups).best_group(groups).map(|place| &groups[place]);
    let mean_of = |metric: &dyn Fn(&Trial) -> Option<f64>| {
        Some(chosen?.values(metric)).filter(|values| !values.is_empty()).map(|values| mean(&values))
    };
    let mean_of_metric = |metric: &str| mean_of(&|trial| trial.metric_value(metric));
    let monitor = chosen.and_then(|group| group.trials.iter().find_map(|trial| Some(trial.best()?.monitor.clone())));
    let best = monitor.and_then(|metric| {
        Some(BestMetric {
            value: mean_of_metric(&format!("best.{metric}"))?,
            epoch: mean_of_metric("best.epoch")?,
            metric,
        })
    });
    let main = main_metric(groups, &metric_paths(groups)).filter(|name| name.starts_with("test."));
    let test = main.and_then(|name| {
        let kept = |trial: &Trial| {
            let history = trial.history().filter(|history| history.network.is_some())?;
            history.kept_epoch().map(|epoch| epoch as f64)
        };
        Some(TestMetric {
            metric: metric_of(&name).to_owned(),
            value: mean_of_metric(&name)?,
            epoch: mean_of(&kept),
            threshold: mean_of_metric("test.threshold.value"),
        })
    });
    RunSummary {
        unfinished: RunRecord::read(folder).is_ok_and(|record| !record.finished),
        experiment: histories().next().map(|history| history.experiment.clone()).unwrap_or_default(),
        variant: options.by_variant.then(|| groups[0].label.clone()),
        folder: folder.to_path_buf(),
        variants: groups.len(),
        trials: trials().count(),
        missing: missing.iter().filter(is_here).count(),
        statuses,
        leaks: groups.iter().any(Group::leaks),
        best,
        test,
        positive: Some(positive_classes(groups))
            .filter(|classes| !classes.is_empty())
            .map(|classes| classes.iter().map(|(class, _)| *class).collect::<Vec<_>>().join(", ")),
        seconds: histories().map(|history| history.seconds / history.environment.replicas.max(1) as f64).sum(),
        device: devices.join(", "),
        started: histories().map(|history| history.started.clone()).min().unwrap_or_default(),
        metrics: options.metrics.iter().map(|metric| mean_of_metric(metric)).collect(),
    }
}
