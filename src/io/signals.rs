//! Signals to a running program: stop, or write a checkpoint.
//!
//! During training, Ctrl-C, SIGTERM and SIGHUP finish the current step and write the files. Before training, or on the
//! second signal, they end the program at once, which leaves no partly written file either. SIGUSR1 requests a
//! checkpoint. In a job of a batch system SIGUSR2 stops the run as well, because the time of the job is over; there, no
//! second SIGTERM or SIGUSR2 ends the program at once, because the system itself ends it when it has waited long enough.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Number of the signal that Ctrl-C sends.
const INTERRUPT: i32 = 2;

/// Number of the signal that requests to end.
const TERMINATE: i32 = 15;

/// Number of the signal that a batch system sends some time before the end of a job.
#[cfg(unix)]
pub const SIGUSR2: i32 = libc::SIGUSR2;
/// Number of the signal that a batch system sends some time before the end of a job.
#[cfg(not(unix))]
pub const SIGUSR2: i32 = 12;

/// Maximum duration of the action before the program ends at once: a file server may not answer.
const LONGEST_ACTION: Duration = Duration::from_secs(2);

/// Requests received by a run.
#[derive(Debug, Default)]
pub struct Signals {
    /// Set when the run is to end at the next step.
    pub stop: AtomicBool,
    /// Set when a checkpoint is to be written at the end of the epoch; the code that writes it clears the flag.
    pub checkpoint: AtomicBool,
    /// Whether training is in progress, so that stopping the run requires writing files.
    pub training: AtomicBool,
    time_is_over: AtomicBool,
    signal: AtomicI32,
    is_job: AtomicBool,
    last_words: Mutex<Option<String>>,
    exit_action: Mutex<ExitAction>,
}

/// Action before the program ends at once.
#[derive(Default)]
struct ExitAction(Option<Box<dyn FnOnce() + Send>>);

impl fmt::Debug for ExitAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExitAction").field(&self.0.is_some()).finish()
    }
}

impl Signals {
    /// Returns whether the run is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Returns whether the time limit stopped the run, not a signal.
    pub fn has_timed_out(&self) -> bool {
        self.time_is_over.load(Ordering::SeqCst)
    }

    /// Stops the run because its time is over, unless it is already stopped.
    pub fn end_time(&self) {
        if !self.is_stopped() {
            self.time_is_over.store(true, Ordering::SeqCst);
            self.stop.store(true, Ordering::SeqCst);
        }
    }

    /// Stops the run after this time.
    ///
    /// # Errors
    /// When the system starts no thread for it.
    pub fn end_after(self: &Arc<Self>, time: Duration) -> std::io::Result<()> {
        let signals = Arc::clone(self);
        let wait = move || {
            std::thread::sleep(time);
            signals.end_time();
        };
        std::thread::Builder::new().name("time limit".to_owned()).spawn(wait).map(drop)
    }

    /// Lets the process train further after a run that something other than a signal has stopped.
    pub fn resume_unless_signaled(&self) {
        self.stop.store(false, Ordering::SeqCst);
        if self.signal.load(Ordering::SeqCst) != 0 {
            self.stop.store(true, Ordering::SeqCst);
        }
    }

    /// Returns the number of the signal that stopped the run; that of Ctrl-C if there was none.
    pub fn signal(&self) -> i32 {
        match self.signal.load(Ordering::Relaxed) {
            0 => INTERRUPT,
            signal => signal,
        }
    }

    /// Returns whether Ctrl-C stopped the run.
    pub fn is_interrupted(&self) -> bool {
        self.signal.load(Ordering::Relaxed) == INTERRUPT
    }

    /// Sets the message that is printed when the program ends at once.
    pub fn set_exit_message(&self, words: String) {
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Clears the message that is printed when the program ends at once.
    pub fn clear_exit_message(&self) {
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sets the action before the program ends at once. It runs in a thread of its own, and may be cut short.
    pub fn set_exit_action(&self, action: impl FnOnce() + Send + 'static) {
        self.exit_action.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(Box::new(action));
    }

    /// Removes the action before the program ends at once.
    pub fn clear_exit_action(&self) {
        self.exit_action.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
    }

    /// Runs the action before the program ends at once, if there is one.
    fn run_exit_action(&self) {
        let action = self.exit_action.lock().unwrap_or_else(PoisonError::into_inner).0.take();
        let Some(action) = action else { return };
        let (done, is_done) = mpsc::channel();
        let run = move || {
            action();
            let _ = done.send(()); // nobody waits any more if it took too long
        };
        if thread::Builder::new().name("exit".to_owned()).spawn(run).is_ok() {
            let _ = is_done.recv_timeout(LONGEST_ACTION);
        }
    }

    /// Handles a signal that stops the run. `end` prints the message and ends the program with this exit code.
    fn take(&self, signal: i32, end: impl FnOnce(i32, Option<String>)) {
        let is_second = self.signal.swap(signal, Ordering::Relaxed) != 0;
        let is_patient = self.is_job.load(Ordering::Relaxed) && matches!(signal, TERMINATE | SIGUSR2);
        let is_second = is_second && !is_patient;
        let is_idle = !self.training.load(Ordering::Relaxed);
        self.stop.store(true, Ordering::Relaxed);
        if is_second || is_idle {
            self.run_exit_action();
            let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner).take();
            end(128 + signal, words);
        }
    }
}

/// What a process does that belongs to a job of a batch system.
#[derive(Clone, Copy, Debug)]
pub struct JobSignals {
    /// Returns the exit code of a process that SIGUSR2 ends at once.
    pub exit_code: fn() -> i32,
}

/// Starts to listen for signals; `say` prints the message when the program ends at once. `job` is given if the process belongs
/// to a job of a batch system.
///
/// # Errors
/// When the system does not allow it.
#[cfg(unix)]
pub fn listen(signals: &Arc<Signals>, say: fn(&str), job: Option<JobSignals>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

    let mut wanted = vec![SIGINT, SIGTERM, SIGUSR1];
    wanted.extend((!is_ignored(SIGHUP)).then_some(SIGHUP)); // keeps `nohup` in effect
    wanted.extend(job.map(|_| SIGUSR2));
    let mut received = signal_hook::iterator::Signals::new(wanted)?;
    signals.is_job.store(job.is_some(), Ordering::Relaxed);
    let signals = Arc::clone(signals);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in received.forever() {
            match (signal, job) {
                (SIGUSR1, _) => signals.checkpoint.store(true, Ordering::Relaxed),
                (SIGUSR2, Some(job)) => signals.take(SIGUSR2, |_, words| end_at_once((job.exit_code)(), words, say)),
                (stop, _) => signals.take(stop, |code, words| end_at_once(code, words, say)),
            }
        }
    })?;
    change_mask(libc::SIG_UNBLOCK);
    Ok(())
}

/// Holds SIGUSR2 back until the process listens to signals: by default it would end the program.
pub fn hold_sigusr2() {
    #[cfg(unix)]
    change_mask(libc::SIG_BLOCK);
}

/// Blocks or unblocks SIGUSR2 for this thread and those that it starts.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not change the mask of signals")]
fn change_mask(how: i32) {
    // SAFETY: a set of signals is plain memory, for which zero is a valid value.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the call fills a local of that type.
    unsafe { libc::sigemptyset(&raw mut set) };
    // SAFETY: the set was filled by the last call, and the signal exists.
    unsafe { libc::sigaddset(&raw mut set, SIGUSR2) };
    // SAFETY: the call reads the set, and a null old set is not written.
    unsafe { libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut()) };
}

/// Ignores SIGTERM from now on: the process is about to end.
pub fn ignore_sigterm() {
    #[cfg(unix)]
    ignore(libc::SIGTERM);
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library ignores no signal but SIGPIPE")]
fn ignore(signal: i32) {
    // SAFETY: ignoring a signal installs no handler, and SIGTERM, SIGUSR1 and SIGXFSZ may be ignored.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Starts to listen for Ctrl-C; `say` prints the message when the program ends at once.
///
/// # Errors
/// When the system does not allow it.
#[cfg(not(unix))]
pub fn listen(signals: &Arc<Signals>, say: fn(&str), _job: Option<JobSignals>) -> std::io::Result<()> {
    let signals = Arc::clone(signals);
    ctrlc::set_handler(move || signals.take(INTERRUPT, |code, words| end_at_once(code, words, say)))
        .map_err(std::io::Error::other)
}

/// Sends a signal to a process; nothing if the process has ended.
#[cfg_attr(unix, expect(unsafe_code, reason = "the standard library sends no signal but SIGKILL"))]
pub fn send(process: u32, signal: i32) {
    // SAFETY: the call accesses none of this process's memory.
    #[cfg(unix)]
    unsafe {
        libc::kill(process.cast_signed(), signal);
    }
    #[cfg(not(unix))]
    let _ = (process, signal);
}

/// Ignores two signals that end the program by default: SIGXFSZ, so that writes beyond the file size limit (`ulimit -f`) fail
/// with an ordinary error, and SIGUSR1 where no run can receive it, before a run listens and in commands without a run.
pub fn ignore_sigxfsz_and_sigusr1() {
    #[cfg(unix)]
    [libc::SIGXFSZ, libc::SIGUSR1].into_iter().for_each(ignore);
}

/// Returns whether this process was started with the signal ignored.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not ask")]
fn is_ignored(signal: i32) -> bool {
    // SAFETY: the struct holds numbers, a bit set and an optional function, for all of which zero is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action changes nothing; the old one is written to a local of that type.
    let is_known = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) } == 0;
    is_known && action.sa_sigaction == libc::SIG_IGN
}

/// Prints the message and ends the program at once.
fn end_at_once(code: i32, words: Option<String>, say: fn(&str)) {
    if let Some(words) = words {
        say(&words);
    }
    exit_immediately(code)
}

/// Ends the program at once, from any thread, without running exit handlers. `process::exit` would clean up what
/// computing threads may still use, and libtorch takes 0.07 s to unregister its operators.
#[cfg_attr(
    unix,
    expect(unsafe_code, reason = "the standard library ends no program without running what is registered")
)]
pub fn exit_immediately(code: i32) -> ! {
    // SAFETY: it ends the process and accesses none of its memory.
    #[cfg(unix)]
    unsafe {
        libc::_exit(code)
    }
    #[cfg(not(unix))]
    std::process::exit(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the exit code with which the program would end at once, and its message.
    fn ended(signals: &Signals, signal: i32) -> Option<(i32, Option<String>)> {
        let mut ended = None;
        signals.take(signal, |code, words| ended = Some((code, words)));
        ended
    }

    #[test]
    fn while_training_the_first_signal_lets_the_step_end_and_the_second_ends_the_program() {
        let signals = Signals::default();
        signals.training.store(true, Ordering::Relaxed);
        signals.set_exit_message("so long".to_owned());
        assert_eq!(ended(&signals, 15), None);
        assert!(signals.is_stopped());
        assert_eq!(signals.signal(), 15);
        assert_eq!(ended(&signals, 2), Some((130, Some("so long".to_owned()))));
    }

    #[test]
    fn in_a_job_only_ctrl_c_ends_the_program_at_once() {
        let signals = Signals::default();
        signals.training.store(true, Ordering::Relaxed);
        signals.is_job.store(true, Ordering::Relaxed);
        assert_eq!(ended(&signals, SIGUSR2), None);
        assert_eq!(signals.signal(), SIGUSR2);
        assert_eq!(ended(&signals, 15), None, "the checkpoint is written first");
        assert_eq!(signals.signal(), 15, "a job that is cancelled in the meantime is not requeued");
        assert_eq!(ended(&signals, 2), Some((130, None)));
    }

    #[test]
    fn before_training_a_signal_ends_the_program() {
        assert_eq!(ended(&Signals::default(), 15), Some((143, None)));
    }

    #[test]
    fn the_action_runs_once_and_only_if_the_program_ends_at_once() {
        let (signals, runs) = (Signals::default(), Arc::new(AtomicI32::new(0)));
        let set_action = || {
            let runs = Arc::clone(&runs);
            signals.set_exit_action(move || {
                runs.fetch_add(1, Ordering::SeqCst);
            });
        };
        set_action();
        signals.training.store(true, Ordering::Relaxed);
        assert_eq!(ended(&signals, 15), None);
        assert_eq!(runs.load(Ordering::SeqCst), 0);
        assert_eq!(ended(&signals, 15), Some((143, None)));
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        set_action();
        signals.clear_exit_action();
        assert_eq!(ended(&signals, 15), Some((143, None)));
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}
