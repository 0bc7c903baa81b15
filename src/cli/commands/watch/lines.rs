//! Lines instead of a screen, for pipes and simple terminals.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::cli::commands::watch::view::{Model, State, View};
use crate::cli::exit::Exit;
use crate::cli::text::number_format;
use crate::cli::text::terminal;

/// Time between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);

/// Time after which a run or a sweep that nobody trains is regarded as interrupted: a worker may just start or change.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints a line for each change until the run or the sweep has ended.
///
/// # Errors
/// When its directory is removed.
pub fn print(model: &mut dyn Model) -> anyhow::Result<Exit> {
    let (mut printed, mut last_seen) = (String::new(), Instant::now());
    let mut is_first = true;
    loop {
        let view = model.refresh();
        if std::mem::take(&mut is_first) {
            terminal::say(&format!("{}: {}", view.name, view.facts.join(", ")));
        }
        if view.state == State::Training {
            last_seen = Instant::now();
        }
        let is_over = match view.state {
            State::Deleted => return Err(anyhow!("`{}` was removed while it was watched", view.name)),
            State::Training => false,
            State::Interrupted => last_seen.elapsed() >= PATIENCE,
            State::Finished | State::Failed => true,
        };
        let line = line(&view);
        if line != printed || is_over {
            let left = view.left.map(|left| format!("  {} left", number_format::seconds(left))).unwrap_or_default();
            if !terminal::try_out(&format!("{line}{left}")) {
                return Ok(Exit::Done); // nobody reads on
            }
            printed = line;
        }
        if is_over {
            view.notes.iter().for_each(|note| terminal::say(note));
            return Ok(Exit::Done);
        }
        thread::sleep(LOOK);
    }
}

/// Returns the state, the progress and the last values of the metric that matters.
fn line(view: &View) -> String {
    let mut parts = vec![format!("{}: {}", view.state.word(), view.progress)];
    if let Some(metric) = view.metrics.get(view.first_metric()) {
        for curve in &metric.curves {
            let Some(point) = curve.points.last() else { continue };
            let label = if metric.curves.len() > 1 { format!(" {}", curve.label) } else { String::new() };
            parts.push(format!("{}{label} {}", metric.name, number_format::of(&metric.name, Some(point.mean))));
        }
    }
    parts.join("  ")
}
