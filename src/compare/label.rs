//! What groups are called: as shortly as tells them apart.

use std::path::{Path, PathBuf};

use crate::compare::group::Group;
use crate::compare::trial::{Trial, stem};

/// A group that has no label yet.
#[derive(Debug)]
pub(super) struct Loose {
    /// The place of the argument that named it.
    pub(super) argument: usize,
    /// The folder of its run, where that was named.
    pub(super) folder: Option<PathBuf>,
    /// Its trials: one at least.
    pub(super) trials: Vec<Trial>,
}

impl Loose {
    /// Keeps the newest trial of each seed and fold; says so where others were left out.
    pub(super) fn without_repeats(&mut self) -> Option<String> {
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
        let (trials, seeds) = if left_out == 1 { ("trial", "its seed") } else { ("trials", "their seeds") };
        (left_out > 0).then(|| {
            format!(
                "{left_out} {trials} of `{experiment}` left out: of {seeds} there are newer ones with the same settings"
            )
        })
    }

    /// A label; the higher the level, the more it tells. `None` where there is no more to tell.
    fn label(&self, level: usize, one_experiment: bool) -> Option<String> {
        let trial = self.trials.first()?;
        let Some(history) = trial.history() else {
            return match level {
                0 => Some(of_file(&trial.file)),
                1 => trial.file.file_name().map(|name| name.to_string_lossy().into_owned()),
                2 => Some(trial.file.display().to_string()),
                _ => None,
            };
        };
        let named = match history.variant.as_str() {
            "base" => history.experiment.clone(),
            variant if one_experiment => variant.to_owned(),
            variant => format!("{}/{variant}", history.experiment),
        };
        let folder = || {
            let file = trial.file.canonicalize().unwrap_or_else(|_| trial.file.clone());
            let folder = self.folder.clone().or_else(|| Some(file.parent()?.to_path_buf()))?;
            folder.file_name().map(|name| name.to_string_lossy().into_owned())
        };
        match level {
            0 => Some(named),
            1 if self.folder.is_none() && self.trials.len() == 1 => Some(format!("{named} {}", trial.name())),
            1 => Some(format!("{named} {}", folder()?)),
            2 => Some(format!("{named} {} {}", folder()?, stem(&trial.file))),
            _ => None,
        }
    }
}

/// The groups with labels, no two alike.
pub(super) fn labeled(loose: Vec<Loose>) -> Vec<Group> {
    let experiments: Vec<Option<&str>> =
        loose.iter().map(|group| Some(group.trials.first()?.history()?.experiment.as_str())).collect();
    let one = experiments.first().is_some_and(|first| first.is_some() && experiments.iter().all(|name| name == first));
    let mut labels: Vec<String> = loose.iter().map(|group| group.label(0, one).unwrap_or_default()).collect();
    for level in 1..=2 {
        let shared: Vec<bool> = labels.iter().map(|label| labels.iter().filter(|l| *l == label).count() > 1).collect();
        for (place, _) in shared.iter().enumerate().filter(|(_, shared)| **shared) {
            if let Some(label) = loose[place].label(level, one) {
                labels[place] = label;
            }
        }
    }
    for place in 0..labels.len() {
        let same = labels[..place].iter().filter(|label| **label == labels[place]).count();
        if same > 0 {
            labels[place] = numbered(&labels, &labels[place], same + 1);
        }
    }
    loose.into_iter().zip(labels).map(|(group, label)| Group { label, trials: group.trials }).collect()
}

/// The label with a number that makes it a new one: the same run was named twice.
fn numbered(labels: &[String], label: &str, from: usize) -> String {
    (from..).map(|number| format!("{label} ({number})")).find(|new| !labels.contains(new)).unwrap_or_default()
}

/// A name for another program's history: the file's, or the folder's where every such file has the same name.
fn of_file(file: &Path) -> String {
    let stem = stem(file);
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

    fn group(experiment: &str, variant: &str, folder: &str) -> Loose {
        let history = History { experiment: experiment.to_owned(), ..trial_for_tests(variant, 0, 1.0) };
        let file = PathBuf::from(format!("runs/{experiment}/{folder}/{variant}-seed0.json"));
        Loose { argument: 0, folder: file.parent().map(Path::to_path_buf), trials: vec![Trial::ours(history, file)] }
    }

    fn labels(groups: Vec<Loose>) -> Vec<String> {
        labeled(groups).into_iter().map(|group| group.label).collect()
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
    fn of_a_seed_that_was_run_twice_the_newest_trial_is_kept() {
        let at = |started: &str| {
            let history = History { started: started.to_owned(), ..trial_for_tests("base", 0, 1.0) };
            Trial::ours(history, PathBuf::from(started))
        };
        let mut group =
            Loose { argument: 0, folder: None, trials: vec![at("2026-01-02"), at("2026-01-03"), at("2026-01-01")] };
        let note = group.without_repeats().unwrap();
        assert!(note.starts_with("2 trials of `test`"), "{note}");
        assert_eq!(group.trials[0].file, Path::new("2026-01-03"));
        assert_eq!(group.without_repeats(), None);
    }
}
