//! The pictures that a run leaves by itself, written beside its histories. A fault in drawing is a warning: what was
//! trained is there all the same.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cli::terminal;
use crate::experiment::run::Finished;
use crate::hint::in_a_line;
use crate::plot::of_run;

/// Draws and writes them, and returns the names of their files.
pub fn write(finished: &Finished) -> Vec<&'static str> {
    let drawn = catch_unwind(AssertUnwindSafe(|| of_run::draw(&finished.histories)));
    let Ok(drawn) = drawn else {
        terminal::warn("no pictures were drawn; the histories are whole");
        return Vec::new();
    };
    let mut written = Vec::new();
    for (name, drawn) in drawn {
        match drawn.and_then(|drawn| finished.folder.try_write(name, drawn.svg.finish().as_bytes())) {
            Ok(()) => written.push(name),
            Err(error) => terminal::warn(&format!("`{name}` was not drawn: {}", in_a_line(&error))),
        }
    }
    written
}
