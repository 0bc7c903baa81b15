//! A sweep that is watched: its workers, the curves of the configurations in training, and those of the best one so far.

use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;

use crate::cli::commands::sweep::ranking_text::best_line;
use crate::cli::commands::sweep::work::resume_command;
use crate::cli::commands::watch::view::{Metric, Model, State, View, curve, names_of_metrics};
use crate::cli::text::number_format::{count, counted, seconds};
use crate::cli::text::shell_words::quoted_path;
use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::metric_of;
use crate::config::hint::in_a_line;
use crate::history::History;
use crate::history::curves::Curves;
use crate::run_dir::live_tail::{LiveTail, LiveTrial};
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::state::{RunningStack, SweepState};
use crate::sweep::dir::{SweepDir, extensions, stop_request};
use crate::sweep::record::SweepRecord;
use crate::sweep::results::Ranking;
use crate::sweep::trial_counts::Counts;

/// Maximum number of configurations in training whose curves are shown.
const MOST_CURVES: usize = 5;

/// A sweep.
pub struct SweepModel {
    dir: SweepDir,
    record: SweepRecord,
    state: SweepState,
    /// The files of the stacks that have not ended, by name.
    live: BTreeMap<String, LiveTail>,
    best: Option<BestSoFar>,
    /// Number of ends when the best configuration was determined.
    ranked: Option<(usize, usize)>,
}

/// The best configuration so far.
struct BestSoFar {
    name: String,
    line: String,
    curves: Vec<Curves>,
}

/// Returns whether a worker trains the sweep in this directory.
pub fn is_in_training(folder: &Path) -> bool {
    let Ok((dir, record)) = SweepDir::open(folder) else { return false };
    SweepState::read(&dir, &record).is_ok_and(|state| state.running.iter().any(|running| running.is_alive(&dir)))
}

impl SweepModel {
    /// Opens the sweep in this directory.
    ///
    /// # Errors
    /// When its record or its state cannot be read.
    pub fn open(folder: &Path) -> anyhow::Result<SweepModel> {
        let (dir, record) = SweepDir::open(folder)?;
        let state = SweepState::read(&dir, &record)?;
        Ok(SweepModel { dir, record, state, live: BTreeMap::new(), best: None, ranked: None })
    }

    /// Reads what is new in the files of the sweep.
    fn read(&mut self) -> anyhow::Result<()> {
        extensions::read_new(self.dir.path(), &mut self.record)?;
        self.state.update(&self.dir, &self.record)?;
        let running: Vec<&str> = self.state.running.iter().map(|running| running.stack.as_str()).collect();
        self.live.retain(|stack, _| running.contains(&stack.as_str()));
        for stack in running {
            let folder = self.dir.stack(stack);
            let _ = self.live.entry(stack.to_owned()).or_insert_with(|| LiveTail::new(&folder)).update(); // known curves stay
        }
        let now = (self.state.ended.len(), self.record.configurations.len());
        if self.ranked != Some(now) {
            self.best = self.best_so_far();
            self.ranked = Some(now);
        }
        Ok(())
    }

    fn best_so_far(&self) -> Option<BestSoFar> {
        let ranking = Ranking::new(&self.record, &self.state.ended, self.record.higher_is_better);
        let best = ranking.best()?;
        let name = best.configuration.name.clone();
        let line = format!("best {}", best_line(&self.record, best, &self.record.metric));
        let known = self.best.as_ref().filter(|known| known.line == line);
        let curves = known.map_or_else(|| self.curves_of(&name), |known| known.curves.clone());
        Some(BestSoFar { name, line, curves })
    }

    /// Reads the curves of the trials of a configuration.
    fn curves_of(&self, configuration: &str) -> Vec<Curves> {
        let stacks =
            self.record.stacks.iter().filter(|stack| stack.configurations.iter().any(|own| own == configuration));
        let ends = stacks.filter_map(|stack| self.state.ended.get(&stack.name));
        let trials = ends.flat_map(|end| end.trials.iter().map(|trial| (&end.stack, trial)));
        let own = trials.filter(|(_, trial)| trial.configuration == configuration);
        let read = |(stack, trial): (&String, &crate::sweep::dir::ended::EndedTrial)| {
            let file = format!("{}.json", History::stem_of(configuration, trial.seed, trial.fold));
            History::read(&self.dir.stack(stack).join(file)).ok().map(|history| history.history)
        };
        own.filter_map(read).collect()
    }

    /// Returns the trials in training by configuration: those of the record whose names begin the names of trials.
    fn in_training(&self) -> IndexMap<&str, Vec<&LiveTrial>> {
        let mut found: IndexMap<&str, Vec<&LiveTrial>> = IndexMap::new();
        for running in &self.state.running {
            let Some(file) = self.live.get(&running.stack) else { continue };
            for trial in file.trials().iter().filter(|trial| !trial.curves.is_empty()) {
                let configuration = trial.name.rsplit_once("-seed").map_or(trial.name.as_str(), |(name, _)| name);
                found.entry(configuration).or_default().push(trial);
            }
        }
        found
    }

    fn metrics(&self, in_training: &IndexMap<&str, Vec<&LiveTrial>>) -> Vec<Metric> {
        let best = self.best.iter().flat_map(|best| &best.curves);
        let live = in_training.values().flatten().map(|trial| &trial.curves);
        let names = names_of_metrics(best.chain(live));
        let metric = |name: String| {
            let is_higher_better = higher_is_better(&name).unwrap_or(false);
            let of_one = |(configuration, trials): (&&str, &Vec<&LiveTrial>)| {
                let curves: Vec<&Curves> = trials.iter().map(|trial| &trial.curves).collect();
                curve(configuration, &curves, &name)
            };
            let mut curves: Vec<_> = in_training.iter().map(of_one).filter(|curve| !curve.points.is_empty()).collect();
            let value = |curve: &crate::cli::commands::watch::view::Curve| {
                let last = curve.points.last().map_or(f64::NAN, |point| point.mean);
                if is_higher_better { -last } else { last }
            };
            curves.sort_by(|a, b| value(a).total_cmp(&value(b)));
            curves.truncate(MOST_CURVES);
            if let Some(best) = &self.best {
                let own: Vec<&Curves> = best.curves.iter().collect();
                curves.insert(0, curve(&format!("best {}", best.name), &own, &name));
            }
            Metric { name, curves }
        };
        names.into_iter().map(metric).collect()
    }

    /// Returns the estimated seconds to the end: the stacks that have not ended, as fast as those that have.
    fn left(&self, workers: usize) -> Option<f64> {
        let ended: Vec<f64> =
            self.state.ended.values().filter(|end| end.failure.is_none()).map(|end| end.seconds).collect();
        let usual = ended.iter().sum::<f64>() / ended.len() as f64;
        let open = |running: &RunningStack| 1.0 - running.progress.map_or(0.0, |(epoch, epochs)| part(epoch, epochs));
        let running: f64 = self.state.running.iter().map(open).sum();
        let in_stack = self.record.stacks.iter().map(|stack| stack.configurations.len()).max().unwrap_or(1).max(1);
        let unchosen = self.state.unchosen.div_ceil(in_stack);
        let stacks = running + (self.state.waiting + unchosen) as f64;
        (workers > 0 && !ended.is_empty()).then(|| stacks * usual / workers as f64)
    }

    /// Returns the row of a stack in training.
    fn row(&self, running: &RunningStack) -> Vec<String> {
        let claim = running.claim.as_ref();
        let worker = claim.map_or("–".to_owned(), |claim| format!("{} {}", claim.host, claim.process));
        let stack = self.record.stacks.iter().find(|stack| stack.name == running.stack);
        let configurations = stack.map_or(0, |stack| stack.configurations.len());
        let epoch = running.progress.map_or("–".to_owned(), |(epoch, epochs)| format!("{epoch}/{epochs}"));
        let state = match &running.beat {
            Beat::Released => "left with a checkpoint".to_owned(),
            Beat::Died(_) => "died".to_owned(),
            Beat::None | Beat::Count(_) if running.is_alive(&self.dir) => "training".to_owned(),
            Beat::None | Beat::Count(_) => running
                .silence(&self.dir)
                .map_or("starting".to_owned(), |silent| format!("silent for {}", seconds(silent))),
        };
        vec![running.stack.clone(), epoch, count(configurations), worker, state]
    }
}

/// Returns the part of the epochs that are trained.
fn part(epoch: usize, epochs: usize) -> f64 {
    epoch as f64 / epochs.max(1) as f64
}

impl Model for SweepModel {
    fn refresh(&mut self) -> View {
        let exists = self.dir.path().is_dir();
        let problem = self.read().err().filter(|_| exists).map(|error| in_a_line(&error));
        let counts = Counts::new(&self.record, &self.state);
        let workers = self.state.running.iter().filter(|running| running.is_alive(&self.dir)).count();
        let has_failed = self.state.ended.values().any(|end| end.failure.is_some());
        let state = match () {
            () if !exists => State::Deleted,
            () if self.state.is_over() && has_failed => State::Failed,
            () if self.state.is_over() => State::Finished,
            () if workers > 0 => State::Training,
            () => State::Interrupted,
        };
        let in_training = self.in_training();
        let all = in_training.values().flatten();
        let trained: f64 = all.map(|trial| part(trial.curves.len(), trial.epochs)).sum();
        let mut notes: Vec<String> = self.best.iter().map(|best| best.line.clone()).collect();
        notes.extend(problem);
        let stopped = stop_request::reason(&self.dir).map(|reason| format!("stopped: {reason}"));
        notes.extend(stopped.filter(|_| state == State::Interrupted));
        match state {
            State::Interrupted => notes.push(format!("continue with `{}`", resume_command(self.dir.path()))),
            State::Failed => {
                let shown = quoted_path(self.dir.path());
                notes.push(format!("train failed stacks again with `runner sweep retry --failed {shown}`"));
            }
            State::Training | State::Finished | State::Deleted => {}
        }
        let name = self.dir.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let configurations = self.record.all_configurations();
        let facts = vec![
            format!("sweep {name}"),
            format!("{} configurations", count(configurations)),
            format!("{} trials", count(counts.all)),
            counted(workers, "worker"),
        ];
        let share = (counts.done + counts.failed) as f64 + trained;
        View {
            name: self.record.experiment.clone(),
            facts,
            state,
            share: if self.state.is_over() { 1.0 } else { (share / counts.all.max(1) as f64).min(1.0) },
            progress: counts.to_text(),
            left: self.left(workers).filter(|_| state == State::Training),
            notes,
            main_metric: Some(metric_of(&self.record.metric).to_owned()),
            metrics: self.metrics(&in_training),
            columns: (["stack", "epoch", "configurations", "worker", "state"].map(str::to_owned).to_vec(), vec![1, 2]),
            rows: self.state.running.iter().map(|running| self.row(running)).collect(),
        }
    }
}
