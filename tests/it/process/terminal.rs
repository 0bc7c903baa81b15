//! Progress of a run in a terminal.

#![expect(unsafe_code, reason = "opens a terminal with libc")]

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::Stdio;
use std::ptr::null_mut;

use crate::support::{TestDir, assert_says, send};

/// Opens a terminal with 80 columns, and returns the end of its window and that of programs.
fn open_terminal() -> (File, OwnedFd) {
    let (mut outer, mut inner) = (0, 0);
    let mut size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the pointers are those of local variables, or null where nothing is wanted.
    let opened = unsafe { libc::openpty(&raw mut outer, &raw mut inner, null_mut(), null_mut(), &raw mut size) };
    assert_eq!(opened, 0);
    // SAFETY: the descriptor was just opened, and nothing else owns it.
    let outer = unsafe { File::from_raw_fd(outer) };
    // SAFETY: as above.
    (outer, unsafe { OwnedFd::from_raw_fd(inner) })
}

/// Runs a command whose stderr is a terminal of this type, and returns what it wrote there.
fn in_terminal(dir: &TestDir, term: &str, arguments: &[&str]) -> String {
    let (mut outer, inner) = open_terminal();
    let mut child = dir.command(arguments).env("TERM", term).stdout(Stdio::null()).stderr(inner).spawn().unwrap();
    let mut written = Vec::new();
    let _ = outer.read_to_end(&mut written); // fails when the command has closed the terminal
    assert!(child.wait().unwrap().success());
    String::from_utf8_lossy(&written).into_owned()
}

#[test]
fn the_bar_is_there_before_the_first_epoch_ends() {
    let dir = TestDir::with_idea();
    let text = in_terminal(&dir, "xterm", &["exp", "idea.toml"]);
    let frames: Vec<&str> = text.split('\r').filter(|frame| frame.contains("1/2 ") || frame.contains("2/2 ")).collect();
    assert!(!frames[0].contains("loss"), "{text:?}");
    assert_says(frames.last().unwrap(), &["2/2 ", "loss"]);
}

#[test]
fn a_terminal_that_cannot_redraw_gets_lines() {
    let dir = TestDir::with_idea();
    assert_says(&in_terminal(&dir, "dumb", &["exp", "idea.toml"]), &["epoch 1/2  loss", "epoch 2/2  loss"]);
}

#[test]
fn watch_ends_with_its_terminal() {
    let dir = TestDir::with_idea();
    dir.run(&["exp", "idea.toml", "--quiet"]).success();
    let (mut outer, inner) = open_terminal();
    let mut command = dir.command(&["watch", "idea"]);
    command.env("TERM", "xterm").stdin(inner.try_clone().unwrap()).stdout(inner.try_clone().unwrap()).stderr(inner);
    let mut child = command.spawn().unwrap();
    drop(command); // with its copies of the terminal
    outer.read_exact(&mut [0; 100]).unwrap(); // the screen is drawn, so signals are received
    drop(outer);
    send(&child, libc::SIGHUP); // as a shell does
    assert_eq!(child.wait().unwrap().code(), Some(128 + libc::SIGHUP));
}
