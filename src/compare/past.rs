//! Past runs: what lies in the folder of runs, each run summed up in a line.
//!
//! The files are read anew each time, by all cores: there is no index that could be out of date. Of each history only
//! the summary is kept in memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;

use crate::compare::comparison::{main_figure, names};
use crate::compare::filter::Filter;
use crate::compare::group::Group;
use crate::compare::metric_name::metric_of;
use crate::compare::positive_class::positive_classes;
use crate::compare::ranking::Ranking;
use crate::compare::statistics::mean;
use crate::compare::trial::Trial;
use crate::config::hint::Hint;
use crate::config::suggest;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::stack_record::TrialName;
use crate::experiment::store::{find, newest};
use crate::history::{History, Status};
use crate::run_dir::latest;

/// What is asked of past runs.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only of this experiment.
    pub experiment: Option<String>,
    /// Only those that hold against all of these.
    pub filters: Vec<Filter>,
    /// Figures that are wanted beside the summary.
    pub figures: Vec<String>,
    /// Whether each variant is summed up by itself.
    pub by_variant: bool,
}

/// A run, or a variant of it, in a line.
#[derive(Clone, Debug, Serialize)]
pub struct Past {
    /// The experiment.
    pub experiment: String,
    /// The variant, where each is summed up by itself.
    pub variant: Option<String>,
    /// The run's folder.
    pub folder: PathBuf,
    /// How many variants there are.
    pub variants: usize,
    /// How many trials: variants times seeds times folds.
    pub trials: usize,
    /// How many other trials are done by the run's record, and have no history any more.
    pub missing: usize,
    /// How the trials ended, each with how many did.
    pub statuses: Vec<(Status, usize)>,
    /// Whether it has not come to its end: it goes on, was interrupted, or trials of it have failed.
    pub unfinished: bool,
    /// Whether any variant's rows were resampled before they were split; its figures count for none of the rest.
    pub leaks: bool,
    /// The monitored metric in the best epoch, the mean over trials: of the variant that is best on the validation rows, of
    /// several where none can be chosen it is absent.
    pub best: Option<Peak>,
    /// The main figure of the test rows, of the same variant.
    pub test: Option<Shown>,
    /// The positive class that its precision, recall, F1, AP and ROC AUC are about; several where variants differ.
    pub positive: Option<String>,
    /// How long training took, seconds.
    pub seconds: f64,
    /// What it ran on; several where trials ran on several.
    pub device: String,
    /// When its first trial started: UTC, RFC 3339.
    pub started: String,
    /// The figures that were wanted, of the same variant.
    pub figures: Vec<Option<f64>>,
}

/// A metric in the best epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Peak {
    /// The metric.
    pub metric: String,
    /// Its mean over trials.
    pub value: f64,
    /// The mean of the best epochs.
    pub epoch: f64,
}

/// A metric of the test rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The metric.
    pub metric: String,
    /// Its mean over trials.
    pub value: f64,
    /// The mean of the epochs whose weights were tested; `None` of trees.
    pub epoch: Option<f64>,
    /// The mean of the thresholds that were chosen; `None` where the default one was used.
    pub threshold: Option<f64>,
}

/// What lies in the folder.
#[derive(Debug, Default)]
pub struct PastRuns {
    /// The runs, newest first.
    pub runs: Vec<Past>,
    /// Run folders that hold no history yet: they are being written, or were ended early.
    pub empty: Vec<PathBuf>,
    /// Files that cannot be read.
    pub faults: Vec<anyhow::Error>,
    /// Which filters name something that any run has.
    pub known: BTreeSet<usize>,
}

/// The runs in a folder.
///
/// # Errors
/// When the folder is missing, or holds no such experiment.
pub fn past(out: &Path, asked: &Asked) -> anyhow::Result<PastRuns> {
    let folders = run_folders(out, asked.experiment.as_deref())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(16);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut found = PastRuns::default();
        loop {
            let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(folder) = folders.get(place) else { return found };
            sum_up(folder, asked, &mut found);
        }
    };
    let mut all = PastRuns::default();
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

/// The folders of the runs under `out`: `<experiment>/<run>/`.
fn run_folders(out: &Path, experiment: Option<&str>) -> anyhow::Result<Vec<PathBuf>> {
    let make_one = || Hint("`runner exp NAME` makes a run; `--out` names another folder of runs".to_owned());
    if !out.is_dir() {
        return Err(anyhow!("there is no folder `{}`", out.display()).context(make_one()));
    }
    let experiments = folders_in(out)?;
    let named: Vec<&str> = experiments.iter().filter_map(|folder| folder.file_name()?.to_str()).collect();
    if let Some(wanted) = experiment.filter(|wanted| !named.contains(wanted)) {
        let message = format!("no run of `{wanted}` in `{}`", out.display());
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

/// The folders in a folder; a link to one of them, such as `latest`, is not gone through twice.
fn folders_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || format!("failed to read the folder `{}`", folder.display());
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

/// Sums up the run in a folder, if it is one and holds against the filters.
fn sum_up(folder: &Path, asked: &Asked, found: &mut PastRuns) {
    let trials = match trials(folder, &mut found.faults) {
        Ok(trials) => trials,
        Err(error) => return found.faults.push(error),
    };
    let missing = find::missing_in(folder);
    found.faults.extend(missing.iter().map(|trial| find::missing(folder, trial).error));
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
    for (place, filter) in asked.filters.iter().enumerate() {
        if !found.known.contains(&place) && groups.iter().any(|group| filter.is_known(group)) {
            found.known.insert(place);
        }
    }
    let unfinished = RunRecord::read(folder).is_ok_and(|record| !record.finished);
    groups.retain(|group| asked.filters.iter().all(|filter| filter.holds(group, unfinished)));
    if groups.is_empty() {
        return;
    }
    if asked.by_variant {
        found.runs.extend(groups.into_iter().map(|group| line(folder, &[group], &missing, asked)));
    } else {
        found.runs.push(line(folder, &groups, &missing, asked));
    }
}

/// The histories in a folder.
fn trials(folder: &Path, faults: &mut Vec<anyhow::Error>) -> anyhow::Result<Vec<Trial>> {
    let failed = || format!("failed to read the folder `{}`", folder.display());
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
            Ok(history) => trials.push(Trial::ours(history, file)),
            Err(error) => faults.push(error),
        }
    }
    Ok(trials)
}

/// The line of a run's groups: one at least.
fn line(folder: &Path, groups: &[Group], missing: &[TrialName], asked: &Asked) -> Past {
    let are_all = !asked.by_variant && asked.filters.is_empty();
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
    let chosen = Ranking::of(groups).choice(groups).map(|place| &groups[place]);
    let mean_of = |figure: &dyn Fn(&Trial) -> Option<f64>| {
        Some(chosen?.values(figure)).filter(|values| !values.is_empty()).map(|values| mean(&values))
    };
    let of = |figure: &str| mean_of(&|trial| trial.figure(figure));
    let monitor = chosen.and_then(|group| group.trials.iter().find_map(|trial| Some(trial.best()?.monitor.clone())));
    let best = monitor
        .and_then(|metric| Some(Peak { value: of(&format!("best.{metric}"))?, epoch: of("best.epoch")?, metric }));
    let main = main_figure(groups, &names(groups)).filter(|name| name.starts_with("test."));
    let test = main.and_then(|name| {
        let kept = |trial: &Trial| {
            let history = trial.history().filter(|history| history.network.is_some())?;
            history.kept_epoch().map(|epoch| epoch as f64)
        };
        Some(Shown {
            metric: metric_of(&name).to_owned(),
            value: of(&name)?,
            epoch: mean_of(&kept),
            threshold: of("test.threshold.value"),
        })
    });
    Past {
        unfinished: RunRecord::read(folder).is_ok_and(|record| !record.finished),
        experiment: histories().next().map(|history| history.experiment.clone()).unwrap_or_default(),
        variant: asked.by_variant.then(|| groups[0].label.clone()),
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
        figures: asked.figures.iter().map(|figure| of(figure)).collect(),
    }
}
