//! The results of a sweep as a CSV table.

use std::path::PathBuf;

use crate::experiment::halving::rule::Halving;
use crate::io::{atomic_write, csv_line};
use crate::sweep::dir::state::SweepState;
use crate::sweep::dir::{SweepDir, extensions};
use crate::sweep::labels::format_value;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};
use crate::sweep::results::ranking::Ranking;

/// File name in the directory of a sweep.
pub const FILE: &str = "table.csv";

/// Writes the table of a sweep that has ended into its directory. All workers write the same bytes. Returns its path; `None`
/// if the sweep has not ended, since it was extended or failed stacks are tried again: then there is no table.
///
/// # Errors
/// When the files of the sweep cannot be read, or the table cannot be written.
pub fn write(dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<Option<PathBuf>> {
    let (path, mut record, mut state) = (dir.file(FILE), record.clone(), SweepState::default());
    loop {
        state.update_without_listing(dir, &record)?;
        let is_over = state.is_over();
        match is_over {
            true => atomic_write::write_whole(&path, of_sweep(&record, &state).as_bytes())?,
            false => remove(dir),
        }
        // an extension and `retry` remove the table: this process may have written an older one after that
        let is_extended = extensions::read_new(dir.path(), &mut record)?;
        state.update_without_listing(dir, &record)?;
        if !is_extended && state.is_over() == is_over {
            return Ok(is_over.then_some(path));
        }
    }
}

/// Removes the table of a sweep that has further trials. It is written again at the end.
pub fn remove(dir: &SweepDir) {
    let _ = std::fs::remove_file(dir.file(FILE)); // a table of other trials is found by `verify`
}

/// Returns the table of a sweep in this state.
pub fn of_sweep(record: &SweepRecord, state: &SweepState) -> String {
    let ranking = Ranking::new(record, &state.ended, record.higher_is_better);
    table(record, &ranking, &record.metric)
}

/// Returns a line for each configuration, best first: rank, name, settings, mean and standard deviation of the metric,
/// number of trials with the metric and of all trials that are done, epochs, status and error; with halving also the number
/// of the rung at which it was dropped.
pub fn table(record: &SweepRecord, ranking: &Ranking, metric: &str) -> String {
    let (settings, halving) = (&record.settings, record.halving);
    let std = format!("{metric}_std");
    let rest = [metric, &std, "n", "trials", "epochs", "status", "error"].into_iter().chain(halving.map(|_| "rung"));
    let header = ["rank", "configuration"].into_iter().chain(settings.iter().map(String::as_str)).chain(rest);
    let header = csv_line::line(header);
    let line = |(place, result): (usize, &ConfigurationResult)| {
        let ConfigurationResult { configuration, outcome, metric, done, epochs } = result;
        let rank = if *outcome == Outcome::Done { (place + 1).to_string() } else { String::new() };
        let mut cells = vec![rank, configuration.name.clone()];
        cells.extend(settings.iter().map(|key| configuration.set.get(key).map_or_else(String::new, format_value)));
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let (mean, std) = (metric.as_ref().map(|metric| metric.mean), metric.as_ref().and_then(|metric| metric.std));
        let n = metric.as_ref().map_or(0, |metric| metric.n).to_string();
        let (status, error) = status(outcome);
        cells.extend([number(mean), number(std), n, done.to_string(), epochs.to_string(), status.to_owned()]);
        cells.push(error.unwrap_or_default().to_owned());
        cells.extend(halving.map(|halving| rung(outcome, halving).map_or_else(String::new, |rung| rung.to_string())));
        csv_line::line(cells)
    };
    let lines = ranking.results.iter().enumerate().map(line);
    std::iter::once(header).chain(lines).map(|line| line + "\n").collect()
}

/// Returns the number of the rung at which a configuration was dropped, from 1.
pub fn rung(outcome: &Outcome, halving: Halving) -> Option<usize> {
    let Outcome::Dropped(epoch) = outcome else { return None };
    halving.rung_at(*epoch)
}

/// Returns the status of a configuration in a word, and the error of a failed one.
pub fn status(outcome: &Outcome) -> (&'static str, Option<&str>) {
    match outcome {
        Outcome::Done => ("done", None),
        Outcome::Dropped(_) => ("dropped", None),
        Outcome::Unfinished => ("unfinished", None),
        Outcome::Diverged(_) => ("diverged", None),
        Outcome::Failed(failure) => ("failed", Some(&failure.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::dir::ended::EndedStack;
    use crate::sweep::dir::sweep_dir::empty_for_tests;
    use crate::sweep::record::{Configuration, Extension, StackPlan, record_for_tests};

    #[test]
    fn a_process_that_does_not_know_an_extension_leaves_no_table_without_it() {
        let (_folder, dir) = empty_for_tests();
        let stack = |name: &str, configuration: &str| StackPlan {
            name: name.to_owned(),
            configurations: vec![configuration.to_owned()],
            seeds: None,
        };
        let end = |name: &str| EndedStack::new(name, 1, "w", String::new()).publish(&dir).unwrap();
        let mut record = record_for_tests(&["0000"], &[0]);
        record.stacks = vec![stack("S000", "0000")];
        end("S000");
        let table = || std::fs::read_to_string(dir.file(FILE)).unwrap().lines().count();
        assert_eq!(write(&dir, &record).unwrap(), Some(dir.file(FILE)));
        assert_eq!(table(), 2);

        // the extension arrives between the last look of the process and its table
        let extension = Extension {
            configurations: vec![Configuration { name: "0001".to_owned(), set: Default::default() }],
            stacks: vec![stack("S001", "0001")],
            ..Extension::empty()
        };
        assert!(extensions::publish(dir.path(), 1, &extension).unwrap());
        assert_eq!(write(&dir, &record).unwrap(), None);
        assert!(!dir.file(FILE).exists());
        // another process has trained what was added
        end("S001");
        assert!(write(&dir, &record).unwrap().is_some());
        assert_eq!(table(), 3);
    }
}
