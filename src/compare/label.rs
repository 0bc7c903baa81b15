//! Labels of groups: as short as is unique.

use std::path::{Path, PathBuf};

use crate::compare::group::Group;
use crate::compare::trial::Trial;
use crate::experiment::store::about::About;
use crate::experiment::store::find::stem_of;

/// A group before it gets a label.
#[derive(Debug)]
pub(super) struct UnlabeledGroup {
    /// Index of the argument that named it.
    pub(super) argument: usize,
    /// The run directory, if the argument named the run.
    pub(super) folder: Option<PathBuf>,
    /// The trials; at least one.
    pub(super) trials: Vec<Trial>,
}

impl UnlabeledGroup {
    /// Keeps the newest trial of each seed and fold; returns a note if others were dropped.
    pub(super) fn keep_newest(&mut self) -> Option<String> {
        let before = self.trials.len();
        let key = |trial: &Trial| trial.history().map(|history| (history.seed, history.fold));
        let started = |trial: &Trial| trial.history().map(|history| history.started.clone());
        let mut kept: Vec<Trial> = Vec::with_capacity(before);
        for trial in self.trials.drain(..) {
            match kept.iter_mut().find(|other| key(other).is_some() && key(other) == key(&trial)) {
                Some(other) if started(other) < started(&trial) => *other = trial,
                Some(_) => {}
                None => kept.push(trial),
            }
        }
        self.trials = kept;
        let left_out = before - self.trials.len();
        let experiment = self.trials.first()?.history()?.experiment.clone();
        let (trials, newer, seeds) = match left_out {
            1 => ("trial", "a newer trial has", "seed"),
            _ => ("trials", "newer trials have", "seeds"),
        };
        (left_out > 0)
            .then(|| format!("skipped {left_out} {trials} of `{experiment}`: {newer} the same settings and {seeds}"))
    }

    /// Returns the label of a level, each longer than the one before: the name, then with the run directory or the trial, then
    /// with both; `None` if no longer label exists.
    fn label(&self, level: usize, one_experiment: bool) -> Option<String> {
        let trial = self.trials.first()?;
        let Some(history) = trial.history() else {
            return match level {
                0 => Some(label_of_file(&trial.file)),
                1 => trial.file.file_name().map(|name| name.to_string_lossy().into_owned()),
                2 => Some(trial.file.display().to_string()),
                _ => None,
            };
        };
        let own_folder = || {
            let file = trial.file.canonicalize().unwrap_or_else(|_| trial.file.clone());
            Some(file.parent()?.to_path_buf())
        };
        let folder = self.folder.clone().or_else(own_folder);
        let run_name = folder.as_deref().and_then(|folder| About::read(folder).ok()?.name);
        let named = match history.variant.as_str() {
            "base" => run_name.clone().unwrap_or_else(|| history.experiment.clone()),
            variant if one_experiment => variant.to_owned(),
            variant => format!("{}/{variant}", history.experiment),
        };
        let folder = || folder.as_deref()?.file_name().map(|name| name.to_string_lossy().into_owned());
        match (level, run_name) {
            (1, Some(run_name)) if history.variant != "base" => Some(format!("{run_name}/{}", history.variant)),
            (0, _) => Some(named),
            (1, _) if self.folder.is_none() && self.trials.len() == 1 => Some(format!("{named} {}", trial.name())),
            (1, _) => Some(format!("{named} {}", folder()?)),
            (2, _) => Some(format!("{named} {} {}", folder()?, stem_of(&trial.file))),
            _ => None,
        }
    }
}

/// Gives each group a unique label.
pub(super) fn label_groups(groups: Vec<UnlabeledGroup>) -> Vec<Group> {
    let experiments: Vec<Option<&str>> =
        groups.iter().map(|group| Some(group.trials.first()?.history()?.experiment.as_str())).collect();
    let one = experiments.first().is_some_and(|first| first.is_some() && experiments.iter().all(|name| name == first));
    let mut labels: Vec<String> = groups.iter().map(|group| group.label(0, one).unwrap_or_default()).collect();
    for level in 1..=2 {
        let shared: Vec<bool> = labels.iter().map(|label| labels.iter().filter(|l| *l == label).count() > 1).collect();
        for (place, _) in shared.iter().enumerate().filter(|(_, shared)| **shared) {
            if let Some(label) = groups[place].label(level, one) {
                labels[place] = label;
            }
        }
    }
    for place in 0..labels.len() {
        let same = labels[..place].iter().filter(|label| **label == labels[place]).count();
        if same > 0 {
            // for a run that was named twice
            let mut numbered = (same + 1..).map(|number| format!("{} ({number})", labels[place]));
            labels[place] = numbered.find(|new| !labels.contains(new)).unwrap_or_default();
        }
    }
    groups.into_iter().zip(labels).map(|(group, label)| Group { label, trials: group.trials }).collect()
}

/// Returns a label for a foreign history: the file's name, or the folder's if the file's name is generic.
fn label_of_file(file: &Path) -> String {
    let stem = stem_of(file);
    let says_nothing = ["metrics", "history", "log", "logs", "training", "training_log"].contains(&stem.as_str())
        || stem.contains("tfevents");
    let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match folder.filter(|folder| says_nothing && !folder.is_empty() && folder != "..") {
        Some(folder) => folder,
        None if file.is_dir() => file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or(stem),
        None => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{History, trial_for_tests};

    fn group(experiment: &str, variant: &str, folder: &str) -> UnlabeledGroup {
        let history = History { experiment: experiment.to_owned(), ..trial_for_tests(variant, 0, 1.0) };
        let file = PathBuf::from(format!("runs/{experiment}/{folder}/{variant}-seed0.json"));
        UnlabeledGroup {
            argument: 0,
            folder: file.parent().map(Path::to_path_buf),
            trials: vec![Trial::from_history(history, file)],
        }
    }

    fn labels(groups: Vec<UnlabeledGroup>) -> Vec<String> {
        label_groups(groups).into_iter().map(|group| group.label).collect()
    }

    #[test]
    fn labels_are_as_short_as_tells_them_apart() {
        assert_eq!(labels(vec![group("a", "base", "1"), group("b", "base", "2")]), ["a", "b"]);
        assert_eq!(labels(vec![group("a", "x", "1"), group("a", "y", "1")]), ["x", "y"]);
        assert_eq!(labels(vec![group("a", "x", "1"), group("b", "base", "1")]), ["a/x", "b"]);
        assert_eq!(labels(vec![group("a", "base", "1"), group("a", "base", "2")]), ["a 1", "a 2"]);
        assert_eq!(labels(vec![group("a", "x", "1"), group("a", "x", "2"), group("a", "y", "2")]), ["x 1", "x 2", "y"]);
        let twice = labels(vec![group("a", "base", "1"), group("a", "base", "1")]);
        assert_eq!(twice, ["a 1 base-seed0", "a 1 base-seed0 (2)"]);
    }

    #[test]
    fn names_of_runs_are_labels() {
        let out = tempfile::tempdir().unwrap();
        let named = |variant: &str, name: &str| {
            let folder = out.path().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            About { name: Some(name.to_owned()), ..About::default() }.write(&folder).unwrap();
            UnlabeledGroup { folder: Some(folder), ..group("a", variant, "1") }
        };
        assert_eq!(labels(vec![named("base", "wide"), named("base", "deep")]), ["wide", "deep"]);
        assert_eq!(labels(vec![named("x", "wide"), named("x", "deep"), named("y", "deep")]), ["wide/x", "deep/x", "y"]);
    }

    #[test]
    fn of_a_seed_that_was_run_twice_the_newest_trial_is_kept() {
        let at = |started: &str| {
            let history = History { started: started.to_owned(), ..trial_for_tests("base", 0, 1.0) };
            Trial::from_history(history, PathBuf::from(started))
        };
        let mut group = UnlabeledGroup {
            argument: 0,
            folder: None,
            trials: vec![at("2026-01-02"), at("2026-01-03"), at("2026-01-01")],
        };
        let note = group.keep_newest().unwrap();
        assert!(note.starts_with("skipped 2 trials of `test`"), "{note}");
        assert_eq!(group.trials[0].file, Path::new("2026-01-03"));
        assert_eq!(group.keep_newest(), None);
    }
}
