//! What is asked of a run from outside while it goes on: to stop, or to write a checkpoint.
//!
//! Ctrl-C, SIGTERM and SIGHUP let the step end and the files be written; before training, and the second time, they end
//! the program at once, which leaves no half file either. SIGUSR1 asks for a checkpoint.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What the keyboard's Ctrl-C sends.
const INTERRUPT: i32 = 2;

/// What has been asked of a run.
#[derive(Debug, Default)]
pub struct Requests {
    /// Set when the run is to end at the next step.
    pub stop: AtomicBool,
    /// Set when a checkpoint is to be written at the end of the epoch; whoever writes it takes it back.
    pub checkpoint: AtomicBool,
    /// Whether something is trained, so that there is something to be written when the run is stopped.
    pub training: AtomicBool,
    signal: AtomicI32,
    last_words: Mutex<Option<String>>,
}

impl Requests {
    /// Whether the run is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The number of the signal that stopped the run, that of Ctrl-C where none has.
    pub fn signal(&self) -> i32 {
        match self.signal.load(Ordering::Relaxed) {
            0 => INTERRUPT,
            signal => signal,
        }
    }

    /// What is said when the program ends at once, as long as nothing else is said in its place.
    pub fn say_at_the_end(&self, words: String) {
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Says nothing more when the program ends at once.
    pub fn say_nothing_at_the_end(&self) {
        *self.last_words.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Takes a signal that asks the run to stop. `end` ends the program with its exit code, and says the last words.
    fn take(&self, signal: i32, end: impl FnOnce(i32, Option<String>)) {
        self.signal.store(signal, Ordering::Relaxed);
        let is_idle = !self.training.load(Ordering::Relaxed);
        if self.stop.swap(true, Ordering::Relaxed) || is_idle {
            let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner).take();
            end(128 + signal, words);
        }
    }
}

/// Listens to signals from now on; `say` prints what is said when the program ends at once.
///
/// # Errors
/// When the system does not let it.
#[cfg(unix)]
pub fn listen(requests: &Arc<Requests>, say: fn(&str)) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

    let mut wanted = vec![SIGINT, SIGTERM, SIGUSR1];
    wanted.extend((!is_ignored(SIGHUP)).then_some(SIGHUP)); // `nohup` stays what it is
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    let requests = Arc::clone(requests);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGUSR1 => requests.checkpoint.store(true, Ordering::Relaxed),
                stop => requests.take(stop, |code, words| end_at_once(code, words, say)),
            }
        }
    })?;
    Ok(())
}

/// Listens to Ctrl-C from now on; `say` prints what is said when the program ends at once.
///
/// # Errors
/// When the system does not let it.
#[cfg(not(unix))]
pub fn listen(requests: &Arc<Requests>, say: fn(&str)) -> std::io::Result<()> {
    let requests = Arc::clone(requests);
    ctrlc::set_handler(move || requests.take(INTERRUPT, |code, words| end_at_once(code, words, say)))
        .map_err(std::io::Error::other)
}

/// From now on SIGUSR1 does not end the program where nothing can be asked of it: before a run listens, and in commands
/// that run nothing.
#[cfg_attr(unix, expect(unsafe_code, reason = "the standard library ignores no signal but SIGPIPE"))]
pub fn outlive_asking() {
    // SAFETY: ignoring a signal installs no handler, and `SIGUSR1` is one that may be ignored.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGUSR1, libc::SIG_IGN);
    }
}

/// Whether this process was started with the signal ignored.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not ask")]
fn is_ignored(signal: i32) -> bool {
    // SAFETY: numbers, a set of bits and an optional function, for all of which zeros are a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action nothing is changed; the old one is written to a local of that type.
    let is_known = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) } == 0;
    is_known && action.sa_sigaction == libc::SIG_IGN
}

/// Says the last words and ends the program as it stands.
fn end_at_once(code: i32, words: Option<String>, say: fn(&str)) {
    if let Some(words) = words {
        say(&words);
    }
    leave(code)
}

/// Ends the program as it stands, from any thread: nothing registered for the end is run. What `process::exit` would clean
/// up may be in use by threads that compute, and libtorch takes 0.07 s to unregister each of its operators.
#[cfg_attr(
    unix,
    expect(unsafe_code, reason = "the standard library ends no program without running what is registered")
)]
pub fn leave(code: i32) -> ! {
    // SAFETY: it ends the process and touches no memory of it.
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

    /// The exit code with which the program would end at once, and its last words.
    fn ended(requests: &Requests, signal: i32) -> Option<(i32, Option<String>)> {
        let mut ended = None;
        requests.take(signal, |code, words| ended = Some((code, words)));
        ended
    }

    #[test]
    fn while_training_the_first_signal_lets_the_step_end_and_the_second_ends_the_program() {
        let requests = Requests::default();
        requests.training.store(true, Ordering::Relaxed);
        requests.say_at_the_end("so long".to_owned());
        assert_eq!(ended(&requests, 15), None);
        assert!(requests.is_stopped());
        assert_eq!(requests.signal(), 15);
        assert_eq!(ended(&requests, 2), Some((130, Some("so long".to_owned()))));
    }

    #[test]
    fn before_training_a_signal_ends_the_program() {
        assert_eq!(ended(&Requests::default(), 15), Some((143, None)));
    }
}
