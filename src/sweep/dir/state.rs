//! State of a sweep, from its files alone.

use std::collections::HashMap;
use std::time::SystemTime;

use anyhow::Context;

use crate::history::number::count;
use crate::run_dir::writer::Writer;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::{self, Beat};
use crate::sweep::dir::claim::{self, Claim, lease_name};
use crate::sweep::dir::create_once::exists;
use crate::sweep::dir::ended::{self, EndedStack};
use crate::sweep::dir::liveness::MISSED;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::further_seeds::lacking;

/// State of a sweep.
#[derive(Debug, Default)]
pub struct SweepState {
    /// Stacks that have ended, by name.
    pub ended: HashMap<String, EndedStack>,
    /// Claimed stacks that have not ended, in the order of the record.
    pub running: Vec<RunningStack>,
    /// Number of stacks that no worker has claimed yet.
    pub waiting: usize,
    /// Number of configurations that rounds have not chosen yet.
    pub unchosen: usize,
    /// When all stacks have ended: number of the configurations that are trained on further seeds next.
    pub lacking: usize,
}

/// A claimed stack that has not ended.
#[derive(Clone, Debug)]
pub struct RunningStack {
    /// Name of the stack.
    pub stack: String,
    /// Generation of its newest lease.
    pub generation: u32,
    /// The claim; `None` if it cannot be read.
    pub claim: Option<Claim>,
    /// Its heartbeat.
    pub beat: Beat,
    /// Epoch and number of epochs of the run that is training; `None` before the first epoch.
    pub progress: Option<(usize, usize)>,
}

impl RunningStack {
    /// Whether a worker has the stack: it has not left it, and nobody has seen its death.
    pub fn is_held(&self) -> bool {
        matches!(self.beat, Beat::None | Beat::Count(_))
    }

    /// Returns the seconds since the last heartbeat of its worker, by the clock of this machine; `None` without one.
    pub fn silence(&self, dir: &SweepDir) -> Option<f64> {
        let file = dir.file("beats").join(lease_name(&self.stack, self.generation));
        let beaten = file.metadata().and_then(|metadata| metadata.modified()).ok()?;
        Some(SystemTime::now().duration_since(beaten).map_or(0.0, |time| time.as_secs_f64()))
    }

    /// Whether its worker seems to be alive.
    pub fn is_alive(&self, dir: &SweepDir) -> bool {
        let longest = f64::from(MISSED) * beat::interval().as_secs_f64();
        matches!(self.beat, Beat::Count(_)) && self.silence(dir).is_some_and(|silent| silent < longest)
    }
}

impl SweepState {
    /// Reads the state of a sweep.
    ///
    /// # Errors
    /// As for [`SweepState::update`].
    pub fn read(dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<SweepState> {
        let mut state = SweepState::default();
        state.update(dir, record)?;
        Ok(state)
    }

    /// Reads the state of a sweep again. Ends that `self` knows already are not read again.
    ///
    /// # Errors
    /// When a directory cannot be listed, or the end of a stack is damaged.
    pub fn update(&mut self, dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<()> {
        let listing = || format!("failed to list the files in `{}`", dir.path().display());
        let claims = claim::newest_generations(dir).with_context(listing)?;
        let names = dir.names("ended").with_context(listing)?;
        let is_ended = |stack: &str| names.contains(&format!("{stack}.json"));
        self.ended.retain(|stack, _| is_ended(stack));
        let stacks = || record.stacks.iter().map(|stack| stack.name.as_str());
        let new: Vec<&str> = stacks().filter(|stack| is_ended(stack) && !self.ended.contains_key(*stack)).collect();
        self.ended.extend(EndedStack::read_all(dir, &new)?.into_iter().map(|end| (end.stack.clone(), end)));
        let open = stacks().filter(|stack| !self.ended.contains_key(*stack));
        let (claimed, waiting): (Vec<&str>, Vec<&str>) = open.partition(|stack| claims.contains_key(*stack));
        self.waiting = waiting.len();
        self.unchosen = record.unchosen();
        self.running = claimed
            .into_iter()
            .map(|stack| {
                let generation = claims[stack];
                let lease = lease_name(stack, generation);
                RunningStack {
                    stack: stack.to_owned(),
                    generation,
                    claim: claim::read(dir, &lease),
                    beat: Beat::read(dir, &lease),
                    progress: Writer::find(&dir.stack(stack)).and_then(|writer| writer.progress),
                }
            })
            .collect();
        self.count_lacking(record);
        Ok(())
    }

    /// Counts the configurations that are trained on further seeds next.
    fn count_lacking(&mut self, record: &SweepRecord) {
        let is_next = self.waiting == 0 && self.running.is_empty() && self.unchosen == 0;
        self.lacking = if is_next { lacking(record, &self.ended).len() } else { 0 };
    }

    /// Reads the state of a sweep, and looks for the end of each stack by its name: a listing may be late.
    ///
    /// # Errors
    /// As for [`SweepState::update`].
    pub fn update_without_listing(&mut self, dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<()> {
        self.update(dir, record)?;
        let mut unlisted = Vec::new();
        for stack in
            record.stacks.iter().map(|stack| stack.name.as_str()).filter(|name| !self.ended.contains_key(*name))
        {
            let path = ended::path(dir, stack);
            if exists(&path).with_context(|| format!("failed to read `{}`", path.display()))? {
                unlisted.push(stack);
            }
        }
        self.ended.extend(EndedStack::read_all(dir, &unlisted)?.into_iter().map(|end| (end.stack.clone(), end)));
        self.running.retain(|running| !self.ended.contains_key(&running.stack));
        self.waiting = record.stacks.len() - self.ended.len() - self.running.len();
        self.count_lacking(record);
        Ok(())
    }

    /// Returns how many stacks have ended, and how many configurations are not chosen yet, in words.
    pub fn progress(&self, record: &SweepRecord) -> String {
        let ended = format!("{} of {} stacks have ended", count(self.ended.len()), count(record.stacks.len()));
        match (self.unchosen, self.lacking) {
            (0, 0) => ended,
            (0, 1) => format!("{ended}; 1 configuration is trained on further seeds next"),
            (0, lacking) => format!("{ended}; {} configurations are trained on further seeds next", count(lacking)),
            (unchosen, _) => format!("{ended}; {} configurations are not chosen yet", count(unchosen)),
        }
    }

    /// Whether all stacks have ended, and neither a round nor further seeds follow.
    pub fn is_over(&self) -> bool {
        self.waiting == 0 && self.running.is_empty() && self.unchosen == 0 && self.lacking == 0
    }
}

/// Returns the generations under which a stack failed before it was tried again, the newest for each stack.
pub fn retried_generations<'a>(names: impl IntoIterator<Item = &'a String>) -> HashMap<String, u32> {
    claim::newest_of(names.into_iter().filter_map(|name| ended::tried_again(name)))
}
