//! The screen of `runner watch`: keys, signals and the terminal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use crate::cli::commands::watch::draw::draw;
use crate::cli::commands::watch::look::Look;
use crate::cli::commands::watch::view::Model;
use crate::cli::exit::Exit;
use crate::cli::text::terminal;

/// Time between two looks at the files.
const REFRESH: Duration = Duration::from_secs(1);

/// Maximum time between two looks at signals.
const TICK: Duration = Duration::from_millis(100);

/// The terminal while it shows the screen; what was there before is restored at the end, also after a panic.
struct Screen(DefaultTerminal);

impl Screen {
    fn enter() -> io::Result<Screen> {
        ratatui::try_init().map(Screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = ratatui::try_restore(); // the terminal may be gone
    }
}

/// Shows a run or a sweep until the user quits or a signal arrives.
///
/// # Errors
/// When the terminal cannot be used.
pub fn show(model: &mut dyn Model) -> anyhow::Result<Exit> {
    let signal = listen().context("failed to listen for signals")?;
    exit_without_terminal().context("failed to listen for signals")?;
    let mut screen = Screen::enter().context("failed to use the terminal")?;
    let mut look = Look::new(terminal::is_styled());
    let (mut view, mut refreshed) = (model.refresh(), Instant::now());
    let mut needs_drawing = true;
    loop {
        if let signal @ 1.. = signal.load(Ordering::Relaxed) {
            return Ok(Exit::Interrupted(signal as i32));
        }
        if refreshed.elapsed() >= REFRESH {
            (view, refreshed) = (model.refresh(), Instant::now());
            needs_drawing = true;
        }
        if std::mem::take(&mut needs_drawing) {
            match screen.0.draw(|frame| draw(frame, &view, &look)) {
                // the terminal was closed
                Err(error) if error.raw_os_error() == Some(libc::EIO) => return Ok(Exit::Interrupted(HANGUP)),
                drawn => {
                    drawn.context("failed to write to the terminal")?;
                }
            }
        }
        let has_event = event::poll(TICK).context("failed to read from the terminal")?;
        if !has_event {
            continue;
        }
        needs_drawing = true;
        match event::read().context("failed to read from the terminal")? {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                match (key.code, key.modifiers.contains(KeyModifiers::CONTROL)) {
                    (KeyCode::Char('q') | KeyCode::Esc, false) => return Ok(Exit::Done),
                    (KeyCode::Char('c'), true) => return Ok(Exit::Interrupted(INTERRUPT)),
                    (KeyCode::Char('z'), true) => {
                        drop(screen);
                        suspend();
                        screen = Screen::enter().context("failed to use the terminal")?;
                    }
                    (KeyCode::Tab | KeyCode::Right | KeyCode::Down, false) => look.choose(&view, 1),
                    (KeyCode::BackTab | KeyCode::Left | KeyCode::Up, false) => look.choose(&view, -1),
                    (KeyCode::Char('l'), false) => look.is_logarithmic = !look.is_logarithmic,
                    (KeyCode::Char('?' | 'h'), false) => look.shows_help = !look.shows_help,
                    _ => needs_drawing = std::mem::take(&mut look.shows_help), // any other key closes the help
                }
            }
            _ => {} // a new size, or the focus
        }
    }
}

/// Number of the signal of a closed terminal.
const HANGUP: i32 = 1;

/// Number of the signal of Ctrl-C.
const INTERRUPT: i32 = 2;

/// Returns the number of the signal that arrived last, 0 before: of those that would leave the terminal as it is.
#[cfg(unix)]
fn listen() -> io::Result<Arc<AtomicUsize>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    let arrived = Arc::new(AtomicUsize::new(0));
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        signal_hook::flag::register_usize(signal, Arc::clone(&arrived), signal.unsigned_abs() as usize)?;
    }
    Ok(arrived)
}

#[cfg(not(unix))]
fn listen() -> io::Result<Arc<AtomicUsize>> {
    Ok(Arc::default())
}

/// Ends the process after SIGHUP, the signal of a closed terminal. Without it, [`event::poll`] would read again and again and never
/// return.
#[cfg(unix)]
fn exit_without_terminal() -> io::Result<()> {
    use signal_hook::consts::SIGHUP;
    let mut hangups = signal_hook::iterator::Signals::new([SIGHUP])?;
    let wait = move || {
        if hangups.forever().next().is_some() {
            std::thread::sleep(5 * TICK); // usually, `show` ends first if the terminal is still there
            let _ = ratatui::try_restore();
            std::process::exit(128 + SIGHUP);
        }
    };
    std::thread::Builder::new().name("hangup".to_owned()).spawn(wait)?;
    Ok(())
}

#[cfg(not(unix))]
fn exit_without_terminal() -> io::Result<()> {
    Ok(())
}

/// Stops this process until the shell continues it.
#[cfg(unix)]
fn suspend() {
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
}

#[cfg(not(unix))]
fn suspend() {}
