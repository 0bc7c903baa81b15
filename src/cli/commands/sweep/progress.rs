//! Progress of a sweep: a bar over trials in a terminal, otherwise lines.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::text::number_format::{count, counted, seconds, short};
use crate::cli::text::terminal;
use crate::experiment::spec::seeds;
use crate::io::signals::Signals;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::labels::Labels;
use crate::sweep::record::{StackPlan, SweepRecord};
use crate::sweep::results::Ranking;
use crate::sweep::supervise::pool::{Death, WorkerCommand};
use crate::sweep::trial_counts::{Counts, DecidedTrials};

/// Minimum time between two lines.
const BETWEEN: Duration = Duration::from_secs(10);

/// Minimum width of the bar.
const SHORTEST_BAR: usize = 6;

/// Joins the parts of a message; those with the lowest ranks are left out until it fits.
fn fitting(mut parts: Vec<(u8, String)>, room: usize) -> String {
    loop {
        // settings in parentheses belong to the part before them
        let text = parts.iter().map(|(_, part)| part.as_str()).collect::<Vec<_>>().join(", ").replace(", (", " (");
        let lowest = (0..parts.len()).min_by_key(|&place| parts[place].0);
        match lowest {
            Some(place) if text.chars().count() > room && parts.len() > 1 => drop(parts.remove(place)),
            _ => return text,
        }
    }
}

/// Returns the stacks of the newest confirmation if all stacks that have not ended are of it; `None` otherwise.
fn confirmation_in_training(record: &SweepRecord, state: &SweepState) -> Option<HashSet<String>> {
    let newest = record.extensions.iter().rev().find(|extension| extension.confirmation.is_some())?;
    let stacks: HashSet<String> = newest.stacks.iter().map(|stack| stack.name.clone()).collect();
    let mut open = record.stacks.iter().filter(|stack| !state.ended.contains_key(&stack.name));
    open.all(|stack| stacks.contains(&stack.name)).then_some(stacks)
}

/// Returns the number of configurations that are trained on further seeds.
fn on_further_seeds(record: &SweepRecord) -> usize {
    record.extensions.iter().map(|extension| extension.on_further_seeds.len()).sum()
}

/// Shows the progress of a sweep on stderr.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    bar: Option<ProgressBar>,
    started: Instant,
    /// The stacks of a confirmation, if only these are trained.
    confirmation: Option<HashSet<String>>,
    /// Trials that have left stacks in training.
    decided: DecidedTrials,
    /// Number of configurations on further seeds so far.
    on_further_seeds: usize,
    /// Trials that were done or had failed before.
    before: usize,
    /// When the last line was printed, and the number of trials then.
    last: Option<(Instant, usize)>,
}

impl Progress {
    /// Returns the display of a sweep that begins in this state; it shows nothing if `quiet`.
    pub fn new(quiet: bool, record: &SweepRecord, state: &SweepState) -> Progress {
        let confirmation = confirmation_in_training(record, state);
        let counts = Counts::of(record, state, confirmation.as_ref());
        let bar = (!quiet && terminal::stderr_is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg}").expect("a valid template");
            ProgressBar::new(counts.all as u64).with_style(style)
        });
        let before = counts.done + counts.failed;
        let (started, decided, on_further_seeds) = (Instant::now(), DecidedTrials::default(), on_further_seeds(record));
        Progress { quiet, bar, started, confirmation, decided, on_further_seeds, before, last: None }
    }

    /// Shows what is trained by how many workers.
    pub fn starting(&self, dir: &SweepDir, record: &SweepRecord, workers: &[WorkerCommand]) {
        let newest = self.confirmation.as_ref().and_then(|stacks| Some((stacks.len(), record.confirmation()?)));
        let (what, configurations, seeds, stacks) = match newest {
            Some((stacks, plan)) => {
                let seeds = format!("{} each", counted(plan.seeds.len(), "seed"));
                ("confirmation: ", plan.configurations.len(), seeds, stacks)
            }
            None => ("", record.all_configurations(), record.number_of_seeds(), record.stacks.len()),
        };
        let parts = match record.search.rounds.filter(|_| newest.is_none()) {
            Some(rounds) => format!("rounds of {}", count(rounds.size)),
            None => counted(stacks, "stack"),
        };
        let (configurations, workers) = (counted(configurations, "configuration"), counted(workers.len(), "worker"));
        self.say(&format!("{what}{configurations}, {seeds}, in {parts} on {workers}"));
        self.say(&format!("sweep directory: {}", dir.path().display()));
    }

    /// Shows the state of the sweep.
    pub fn update(&mut self, dir: &SweepDir, record: &SweepRecord, state: &SweepState, workers: usize) {
        if self.quiet {
            return;
        }
        let mut counts = Counts::of(record, state, self.confirmation.as_ref());
        let further = on_further_seeds(record).saturating_sub(self.on_further_seeds);
        if further > 0 {
            self.on_further_seeds += further;
            let (number, seeds) = (counted(further, "configuration"), seeds::format(&record.further_seeds));
            let text = format!("{number} trained to the end: now on seeds {seeds}, too");
            self.above_bar(|| terminal::say(&text));
        }
        // only rungs end many trials of a stack long before its end
        let has_rungs = record.halving.is_some() && self.confirmation.is_none();
        let decided = if has_rungs { self.decided.update(dir, state) } else { 0 };
        counts.running = counts.running.saturating_sub(decided);
        let ended = counts.done + counts.failed + decided;
        if let Some(bar) = &self.bar {
            bar.set_length(counts.all as u64); // a sweep may be extended
            bar.set_position(ended as u64);
            let counter = 2 * counts.all.to_string().len() + 1;
            let room = terminal::stderr_width().saturating_sub(counter + 2 + SHORTEST_BAR);
            bar.set_message(self.message(record, state, &counts, workers, room));
            return;
        }
        let is_due = self.last.is_none_or(|(at, _)| at.elapsed() >= BETWEEN) || ended == counts.all;
        if is_due && ended > self.last.map_or(self.before, |(_, ended)| ended) {
            self.last = Some((Instant::now(), ended));
            let (done, all) = (count(ended - counts.failed), count(counts.all));
            let message = self.message(record, state, &counts, workers, usize::MAX);
            terminal::say(&format!("{done} of {all} trials, {message}"));
        }
    }

    /// Returns the numbers beside the bar: workers, failed trials, the best configuration, rate and time left. Those that do
    /// not fit into `room` columns are left out, the least important first.
    fn message(
        &self,
        record: &SweepRecord,
        state: &SweepState,
        counts: &Counts,
        workers: usize,
        room: usize,
    ) -> String {
        let mut parts: Vec<(u8, String)> = Vec::new(); // each with its rank: the lowest is left out first
        if workers > 0 {
            parts.push((2, format!("{workers} worker{}", if workers == 1 { "" } else { "s" })));
        }
        if counts.running > 0 {
            parts.push((1, format!("{} in training", count(counts.running))));
        }
        if counts.failed > 0 {
            parts.push((5, format!("{} failed", count(counts.failed))));
        }
        let ranking = Ranking::new(record, &state.ended, record.higher_is_better);
        if let Some(best) = ranking.best() {
            let settings = Labels::new(&record.settings).describe(&best.configuration.set);
            let value = best.mean().map(short).unwrap_or_default();
            parts.push((4, format!("best {value}")));
            parts.push((0, format!("({settings})")));
        }
        let (elapsed, ended) = (self.started.elapsed().as_secs_f64(), counts.done + counts.failed);
        // a stack in training counts by its epochs
        let share = state.running.iter().filter_map(|running| {
            let (epoch, epochs) = running.progress?;
            let stack = record.stacks.iter().find(|stack| stack.name == running.stack)?;
            let trials_of = |stack: &StackPlan| stack.configurations.len() * record.seeds_of(stack).len();
            let counted = |stack: &&StackPlan| self.confirmation.as_ref().is_none_or(|own| own.contains(&stack.name));
            let later = if self.confirmation.is_some() { 0 } else { record.unchosen() * record.seeds.len() };
            let planned = later + record.stacks.iter().filter(counted).map(trials_of).sum::<usize>();
            let trials = trials_of(stack) * counts.all / planned.max(1); // of all folds
            Some(trials as f64 * epoch as f64 / epochs.max(1) as f64)
        });
        let trained = ended.saturating_sub(self.before) as f64 + share.sum::<f64>();
        if trained > 0.0 && elapsed > 1.0 {
            let rate = trained / elapsed;
            parts.push(match rate {
                slow if slow < 1.0 => (3, format!("{} trials/min", short(slow * 60.0))),
                fast => (3, format!("{} trials/s", short(fast))),
            });
            let left = (counts.all.saturating_sub(self.before) as f64 - trained).max(0.0) / rate;
            parts.extend((ended < counts.all).then(|| (6, format!("{} left", seconds(left.round())))));
        }
        fitting(parts, room)
    }

    /// Shows that a worker died.
    pub fn died(&self, death: &Death) {
        let Death { device, stack, cause, is_replaced } = death;
        let at = stack.as_ref().map(|stack| format!(" while training {stack}")).unwrap_or_default();
        let next = match is_replaced {
            true => "another one takes its place".to_owned(),
            false => format!("no more workers are started on `{device}`, since several in a row have failed"),
        };
        if !self.quiet {
            self.above_bar(|| terminal::warn(&format!("a worker died{at} ({cause}); {next}")));
        }
    }

    /// Prints above the bar, if there is one.
    fn above_bar(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Removes the bar.
    pub fn end(&mut self, signals: &Signals) {
        if let Some(bar) = self.bar.take() {
            if signals.is_interrupted() {
                bar.suspend(terminal::erase_line_above);
            }
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            terminal::say(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_do_not_fit_are_left_out_the_least_important_first() {
        let parts = || {
            let parts =
                [(2, "2 workers"), (1, "24 in training"), (4, "best 0.134"), (0, "(lr=0.001)"), (6, "14 s left")];
            parts.map(|(rank, part)| (rank, part.to_owned())).to_vec()
        };
        assert_eq!(fitting(parts(), 80), "2 workers, 24 in training, best 0.134 (lr=0.001), 14 s left");
        assert_eq!(fitting(parts(), 50), "2 workers, 24 in training, best 0.134, 14 s left");
        assert_eq!(fitting(parts(), 35), "2 workers, best 0.134, 14 s left");
        assert_eq!(fitting(parts(), 3), "14 s left");
    }
}
