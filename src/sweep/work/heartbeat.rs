//! The thread that shows that a worker is alive while it trains, and that sees when it must stop.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::io::signals::Signals;
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::beat::Beat;
use crate::sweep::dir::lease::Lease;
use crate::sweep::dir::stop_request;

/// Maximum time until a worker sees a request to stop.
const LOOK: Duration = Duration::from_millis(500);

/// Why a worker must stop training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// Another worker has taken the lease, since this one was silent for too long.
    LeaseLost,
    /// `runner sweep stop`.
    Requested,
    /// The process that started the worker is gone.
    Orphaned,
}

/// What can stop a worker, except for signals.
#[derive(Clone, Debug)]
pub struct Supervision {
    /// Directory of the sweep.
    pub dir: SweepDir,
    /// The process that started the worker, which ends with it; `None` for a worker that was started by hand.
    pub parent: Option<u32>,
}

impl Supervision {
    /// Returns why the worker must stop, if it must.
    pub fn interruption(&self) -> Option<Interruption> {
        #[cfg(unix)]
        let is_orphaned = self.parent.is_some_and(|parent| std::os::unix::process::parent_id() != parent);
        #[cfg(not(unix))]
        let is_orphaned = false;
        match () {
            () if is_orphaned => Some(Interruption::Orphaned),
            () if stop_request::is_requested(&self.dir) => Some(Interruption::Requested),
            () => None,
        }
    }
}

/// A lease whose heartbeats end once something else is written in their place.
#[derive(Debug)]
struct Beating {
    lease: Lease,
    has_ended: Mutex<bool>,
}

impl Beating {
    /// Writes a heartbeat, unless they have ended. One that cannot be written is missed.
    fn beat(&self, count: u64) {
        let has_ended = self.has_ended.lock().unwrap_or_else(PoisonError::into_inner);
        if !*has_ended {
            let _ = self.lease.beat(&Beat::Count(count));
        }
    }

    /// Writes the last state of the lease.
    fn end(&self, last: &Beat) -> std::io::Result<()> {
        *self.has_ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.lease.beat(last)
    }
}

/// The heartbeat of a lease, until it is ended or dropped.
#[derive(Debug)]
pub struct Heartbeat {
    beating: Arc<Beating>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    interruption: Arc<Mutex<Option<Interruption>>>,
}

impl Heartbeat {
    /// Starts the heartbeat of a lease. If the worker must stop, the thread sets `signals.stop`.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(
        lease: &Lease,
        supervision: &Supervision,
        signals: &Arc<Signals>,
        interval: Duration,
    ) -> std::io::Result<Heartbeat> {
        let (end, ended) = mpsc::channel();
        let interruption = Arc::new(Mutex::new(None));
        let beating = Arc::new(Beating { lease: lease.clone(), has_ended: Mutex::new(false) });
        let (of_thread, supervision, signals) = (Arc::clone(&beating), supervision.clone(), Arc::clone(signals));
        let found = Arc::clone(&interruption);
        let beat = move || {
            let (mut count, mut last): (u64, Option<Instant>) = (0, None);
            loop {
                // first: a process that was suspended must not show that it is alive
                let must_stop = match of_thread.lease.is_current() {
                    true => supervision.interruption(),
                    false => Some(Interruption::LeaseLost),
                };
                let is_due = last.is_none_or(|last| last.elapsed() >= interval);
                if is_due && must_stop != Some(Interruption::LeaseLost) {
                    last = Some(Instant::now());
                    count += 1;
                    of_thread.beat(count);
                }
                if must_stop.is_some() {
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = must_stop;
                    signals.stop.store(true, Ordering::SeqCst);
                }
                match ended.recv_timeout(LOOK.min(interval)) {
                    Err(RecvTimeoutError::Timeout) if must_stop != Some(Interruption::LeaseLost) => {}
                    _ => return,
                }
            }
        };
        let thread = thread::Builder::new().name("heartbeat".to_owned()).spawn(beat)?;
        Ok(Heartbeat { beating, end: Some(end), thread: Some(thread), interruption })
    }

    /// Returns why the worker had to stop, if it had to.
    pub fn interruption(&self) -> Option<Interruption> {
        *self.interruption.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an action that releases the lease if the program ends at once.
    pub fn release_at_exit(&self) -> impl FnOnce() + Send + 'static {
        let beating = Arc::clone(&self.beating);
        move || drop(beating.end(&Beat::Released)) // otherwise its silence shows it
    }

    /// Ends the heartbeat, and writes the last state of the lease.
    ///
    /// # Errors
    /// Those of the system.
    pub fn end(mut self, last: &Beat) -> std::io::Result<()> {
        self.join();
        self.beating.end(last)
    }

    fn join(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(JoinHandle::join); // a failed thread has nothing more to say
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::dir::sweep_dir::empty_for_tests;
    use crate::sweep::work::identity::Identity;

    #[test]
    fn a_worker_beats_and_stops_when_it_is_asked_to_or_has_lost_its_lease() {
        let (_folder, dir) = empty_for_tests();
        let claim = Identity::of_this_process(None).claim(Default::default());
        let signals = Arc::new(Signals::default());
        let supervision = Supervision { dir: dir.clone(), parent: None };
        let start = |generation| {
            let lease = Lease::take(&dir, "S000", generation, &claim).unwrap().unwrap();
            Heartbeat::start(&lease, &supervision, &signals, Duration::from_millis(5)).unwrap()
        };
        let wait = |condition: &dyn Fn() -> bool| {
            let started = Instant::now();
            while !condition() {
                assert!(started.elapsed() < Duration::from_secs(20));
                thread::sleep(Duration::from_millis(2));
            }
        };
        let first = start(1);
        wait(&|| matches!(Beat::read(&dir, "S000.1"), Beat::Count(3..)));
        assert!(!signals.is_stopped());
        let second = start(2);
        wait(&|| signals.is_stopped());
        assert_eq!(first.interruption(), Some(Interruption::LeaseLost));
        drop(first);

        signals.stop.store(false, Ordering::SeqCst);
        stop_request::request(&dir, "asked").unwrap();
        wait(&|| signals.is_stopped());
        assert_eq!(second.interruption(), Some(Interruption::Requested));
        // as if a signal ended the program at once
        second.release_at_exit()();
        thread::sleep(Duration::from_millis(20));
        assert_eq!(Beat::read(&dir, "S000.2"), Beat::Released, "no later heartbeat");
        second.end(&Beat::Died("signal 9".to_owned())).unwrap();
        assert_eq!(Beat::read(&dir, "S000.2"), Beat::Died("signal 9".to_owned()));
    }
}
