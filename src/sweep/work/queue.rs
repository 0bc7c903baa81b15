//! The next stack of a worker.
//!
//! Each worker begins its search at another place, so that many workers that start in the same second take different
//! stacks. Directory listings, which may be late on a network file system, only save attempts: a stack is taken by
//! creating its claim. When all stacks are claimed, the worker watches the heartbeats of the others and takes over the
//! stacks of those that have left or died.

use std::collections::{HashMap, HashSet};
use std::io::Result;
use std::time::Duration;

use crate::data::store::checksum::sha256;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::claim::{lease_name, newest_generation, newest_generations};
use crate::sweep::dir::create_once::exists;
use crate::sweep::dir::ended::{self, EndedStack};
use crate::sweep::dir::lease::Lease;
use crate::sweep::dir::liveness::{Holder, Liveness};
use crate::sweep::dir::saved_progress::SavedProgress;
use crate::sweep::dir::state::retried_generations;
use crate::sweep::work::deaths;
use crate::sweep::work::identity::{self, Identity};

/// Time after which the directories are listed again.
const LISTING: Duration = Duration::from_secs(1);

/// What a worker does next.
#[derive(Debug)]
pub enum Next {
    /// It trains the stack of this lease.
    Train(Lease),
    /// It publishes the end of a stack whose workers have died again and again.
    GiveUp(EndedStack),
    /// It waits: other workers have all stacks that have not ended.
    Wait,
    /// All stacks have ended.
    Over,
}

/// The stacks of a sweep as a worker sees them.
#[derive(Debug)]
pub struct Queue<'a> {
    dir: &'a SweepDir,
    identity: &'a Identity,
    /// All stacks, from the place where this worker begins.
    stacks: Vec<&'a str>,
    /// Number of stacks at the beginning of `stacks` that are claimed or have ended.
    passed: usize,
    ended: HashSet<String>,
    /// Newest known generation of each claimed stack.
    newest: HashMap<String, u32>,
    /// Last generation before a failure that was tried again.
    retried: HashMap<String, u32>,
    liveness: Liveness,
    listed: Option<Duration>,
}

impl<'a> Queue<'a> {
    /// Returns the queue of a worker. `interval` is the time between two heartbeats.
    pub fn new(
        dir: &'a SweepDir,
        identity: &'a Identity,
        stacks: impl IntoIterator<Item = &'a str>,
        interval: Duration,
    ) -> Queue<'a> {
        let mut stacks: Vec<&str> = stacks.into_iter().collect();
        let digits = &sha256(identity.worker.as_bytes())[..8];
        let place = usize::from_str_radix(digits, 16).unwrap_or(0) % stacks.len().max(1);
        stacks.rotate_left(place);
        let liveness = Liveness::new(interval);
        let (ended, newest, retried) = Default::default();
        Queue { dir, identity, stacks, passed: 0, ended, newest, retried, liveness, listed: None }
    }

    /// Takes the next stack. `now` is the time of the worker's monotonic clock.
    ///
    /// # Errors
    /// Those of the system.
    pub fn next(&mut self, now: Duration) -> Result<Next> {
        if self.listed.is_none_or(|listed| now.saturating_sub(listed) >= LISTING) {
            self.list()?;
            self.listed = Some(now);
        }
        match self.take_free()? {
            Some(lease) => Ok(Next::Train(lease)),
            None => self.take_over(now),
        }
    }

    /// Lists what is claimed and what has ended.
    fn list(&mut self) -> Result<()> {
        let names = self.dir.names("ended")?;
        self.ended = names.iter().filter_map(|name| ended::stack_of(name)).map(str::to_owned).collect();
        self.retried = retried_generations(&names);
        self.newest = newest_generations(self.dir)?;
        self.passed = 0;
        Ok(())
    }

    /// Takes the next stack that nobody has claimed yet.
    fn take_free(&mut self) -> Result<Option<Lease>> {
        while let Some(&stack) = self.stacks.get(self.passed) {
            self.passed += 1;
            if self.ended.contains(stack) || self.newest.contains_key(stack) {
                continue;
            }
            let lease = Lease::take(self.dir, stack, 1, &self.identity.claim(SavedProgress::default()))?;
            self.newest.insert(stack.to_owned(), 1);
            if lease.is_some() {
                return Ok(lease);
            }
        }
        Ok(None)
    }

    /// Takes over a stack whose worker has left or died.
    fn take_over(&mut self, now: Duration) -> Result<Next> {
        let mut is_over = true;
        for place in 0..self.stacks.len() {
            let stack = self.stacks[place];
            if self.ended.contains(stack) {
                continue;
            }
            if exists(&ended::path(self.dir, stack))? {
                self.ended.insert(stack.to_owned());
                continue;
            }
            is_over = false;
            let known = self.newest.get(stack).copied().unwrap_or(0);
            let generation = newest_generation(self.dir, stack, known)?;
            self.newest.insert(stack.to_owned(), generation);
            let retried = self.retried.get(stack).copied().unwrap_or(0);
            let lease = lease_name(stack, generation);
            let holder = match generation <= retried {
                true => Holder::Left,
                false => self.liveness.observe(&lease, Beat::read(self.dir, &lease), now),
            };
            if holder == Holder::Alive {
                continue;
            }
            let saved = SavedProgress::read(&self.dir.stack(stack));
            let given_up = match holder {
                Holder::Dead(_) => deaths::reason_to_give_up(self.dir, stack, generation, retried, saved),
                Holder::Left | Holder::Alive => None,
            };
            if let Some(failure) = given_up {
                let end = EndedStack::new(stack, generation, &self.identity.worker, identity::now());
                return Ok(Next::GiveUp(EndedStack { failure: Some(failure), ..end }));
            }
            if let Some(lease) = Lease::take(self.dir, stack, generation + 1, &self.identity.claim(saved))? {
                self.newest.insert(stack.to_owned(), generation + 1);
                return Ok(Next::Train(lease));
            }
        }
        Ok(if is_over { Next::Over } else { Next::Wait })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::dir::sweep_dir::empty_for_tests;

    const BEAT: Duration = Duration::from_secs(2);

    fn worker(name: &str) -> Identity {
        Identity { worker: name.to_owned(), host: "here".to_owned(), process: 1 }
    }

    fn train(next: Result<Next>) -> (String, u32) {
        match next.unwrap() {
            Next::Train(lease) => (lease.stack, lease.generation),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn workers_begin_at_different_stacks_and_each_takes_all_that_are_left() {
        let (_folder, dir) = empty_for_tests();
        let names: Vec<String> = (0..40).map(|number| format!("S{number:03}")).collect();
        let stacks = || names.iter().map(String::as_str);
        let identities: Vec<Identity> = (0..10).map(|number| worker(&format!("here-{number}"))).collect();
        let mut queues: Vec<Queue> =
            identities.iter().map(|identity| Queue::new(&dir, identity, stacks(), BEAT)).collect();
        let mut taken: Vec<String> = queues.iter_mut().map(|queue| train(queue.next(Duration::ZERO)).0).collect();
        let starts: HashSet<&str> = queues.iter().map(|queue| queue.stacks[0]).collect();
        assert!(starts.len() > 5, "{starts:?}");
        taken.extend((10..40).map(|_| train(queues[3].next(Duration::ZERO)).0));
        taken.sort();
        assert_eq!(taken, names);
        assert!(matches!(queues[3].next(Duration::ZERO), Ok(Next::Wait)));
        for stack in stacks() {
            EndedStack::new(stack, 1, "here-3", String::new()).publish(&dir).unwrap();
        }
        assert!(matches!(queues[5].next(Duration::ZERO), Ok(Next::Over)));
    }

    #[test]
    fn a_silent_worker_is_replaced_after_ten_beats_and_one_that_left_at_once() {
        let (_folder, dir) = empty_for_tests();
        let (first, second) = (worker("a"), worker("b"));
        assert_eq!(train(Queue::new(&dir, &first, ["S000"], BEAT).next(Duration::ZERO)), ("S000".to_owned(), 1));
        Beat::Count(3).write(&dir, "S000.1").unwrap();
        let mut queue = Queue::new(&dir, &second, ["S000"], BEAT);
        for beat in 0..10 {
            assert!(matches!(queue.next(BEAT * beat), Ok(Next::Wait)), "{beat}");
        }
        assert_eq!(train(queue.next(BEAT * 10)), ("S000".to_owned(), 2));
        Beat::Released.write(&dir, "S000.2").unwrap();
        assert_eq!(train(Queue::new(&dir, &first, ["S000"], BEAT).next(Duration::ZERO)), ("S000".to_owned(), 3));
    }

    #[test]
    fn a_stack_in_which_three_workers_died_without_progress_has_failed_until_it_is_tried_again() {
        let (_folder, dir) = empty_for_tests();
        let worker = worker("a");
        let next = || Queue::new(&dir, &worker, ["S000"], BEAT).next(Duration::ZERO);
        for generation in 1..=2 {
            assert_eq!(train(next()), ("S000".to_owned(), generation));
            Beat::Died("signal 9".to_owned()).write(&dir, &lease_name("S000", generation)).unwrap();
        }
        // the third one leaves, which is no death and starts the count again
        assert_eq!(train(next()), ("S000".to_owned(), 3));
        Beat::Released.write(&dir, "S000.3").unwrap();
        for generation in 4..=6 {
            assert_eq!(train(next()), ("S000".to_owned(), generation));
            Beat::Died("signal 9".to_owned()).write(&dir, &lease_name("S000", generation)).unwrap();
        }
        let Ok(Next::GiveUp(end)) = next() else { panic!() };
        assert_eq!(end.failure.as_ref().unwrap().error, "the worker died 3 times without progress (signal 9)");
        assert!(end.publish(&dir).unwrap());
        assert!(matches!(next(), Ok(Next::Over)));
        assert!(ended::try_again(&dir, &end).unwrap());
        assert!(!ended::try_again(&dir, &end).unwrap(), "once");
        assert_eq!(train(next()), ("S000".to_owned(), 7), "at once, and with a new count");
    }
}
