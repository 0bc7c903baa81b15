//! The plots that each run writes beside its histories. An error in drawing is only a warning, because the trained models
//! are saved.

use crate::config::hint::in_a_line;
use crate::device::fault::{contained, text};
use crate::experiment::run::Finished;
use crate::history::History;
use crate::plot::charts::run_plots::{self, NamedPlot};

/// Draws and writes the plots. Returns the names of their files, and a warning for each plot that was not written.
pub fn write(finished: &Finished) -> (Vec<&'static str>, Vec<String>) {
    write_drawn(finished, run_plots::draw)
}

fn write_drawn(finished: &Finished, draw: impl Fn(&[History]) -> Vec<NamedPlot>) -> (Vec<&'static str>, Vec<String>) {
    let drawn = match contained(|| draw(&finished.histories)) {
        Ok(drawn) => drawn,
        Err(panic) => {
            let why = text(&*panic).unwrap_or("no reason given").lines().next().unwrap_or_default();
            let warning =
                format!("no plots were written because of a bug in runner: {why}; the histories are complete");
            return (Vec::new(), vec![warning]);
        }
    };
    let (mut written, mut warnings) = (Vec::new(), Vec::new());
    for (name, drawn) in drawn {
        match drawn.and_then(|drawn| finished.folder.try_write(name, drawn.svg.finish().as_bytes())) {
            Ok(()) => written.push(name),
            Err(error) => warnings.push(format!("`{name}` was not drawn: {}", in_a_line(&error))),
        }
    }
    (written, warnings)
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::cli::text::terminal;
    use crate::history::trial_for_tests;
    use crate::run_dir::RunDir;

    #[test]
    fn a_panic_while_drawing_is_a_warning_and_ends_nothing() {
        let out = tempfile::tempdir().unwrap();
        let folder = RunDir::create(out.path(), "digits", "", &[], OffsetDateTime::UNIX_EPOCH).unwrap();
        let histories = vec![trial_for_tests("base", 0, 1.0)];
        let finished = Finished {
            folder,
            histories,
            failures: Vec::new(),
            interrupted: false,
            timed_out: false,
            checkpoint: None,
        };
        let hook = std::panic::take_hook();
        terminal::install_panic_hook(); // the program's own hook, which ends it
        let faulty = write_drawn(&finished, |_| {
            let values: Vec<i32> = Vec::new();
            let _ = values[5];
            unreachable!()
        });
        std::panic::set_hook(hook);
        assert!(faulty.0.is_empty());
        assert!(faulty.1[0].contains("index out of bounds: the len is 0 but the index is 5"), "{:?}", faulty.1);
        assert_eq!(write(&finished), (vec!["curves.svg"], Vec::new()));
        assert!(finished.folder.file("curves.svg").is_file());
    }
}
