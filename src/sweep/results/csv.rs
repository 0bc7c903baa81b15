//! The results of a sweep as a CSV table.

use std::path::PathBuf;

use crate::io::{atomic_write, csv_line};
use crate::sweep::dir::SweepDir;
use crate::sweep::dir::state::SweepState;
use crate::sweep::labels::format_value;
use crate::sweep::record::SweepRecord;
use crate::sweep::results::configuration_result::{ConfigurationResult, Outcome};
use crate::sweep::results::ranking::Ranking;

/// File name in the directory of a sweep.
pub const FILE: &str = "table.csv";

/// Writes the table of a sweep that has ended into its directory. All workers write the same bytes.
///
/// # Errors
/// When the files of the sweep cannot be read, or the table cannot be written.
pub fn write(dir: &SweepDir, record: &SweepRecord) -> anyhow::Result<PathBuf> {
    let mut state = SweepState::default();
    state.update_without_listing(dir, record)?;
    let path = dir.file(FILE);
    atomic_write::write_whole(&path, of_sweep(record, &state).as_bytes())?;
    Ok(path)
}

/// Returns the table of a sweep in this state.
pub fn of_sweep(record: &SweepRecord, state: &SweepState) -> String {
    let ranking = Ranking::new(record, &state.ended, record.higher_is_better);
    table(&ranking, &record.settings, &record.metric)
}

/// Returns a line for each configuration, best first: rank, name, settings, mean and standard deviation of the metric,
/// number of trials with the metric and of all trials that are done, epochs, status and error.
pub fn table(ranking: &Ranking, settings: &[String], metric: &str) -> String {
    let fixed = ["rank", "configuration"].map(str::to_owned).into_iter();
    let values = [metric.to_owned(), format!("{metric}_std")].into_iter();
    let rest = ["n", "trials", "epochs", "status", "error"].map(str::to_owned).into_iter();
    let header = csv_line::line(fixed.chain(settings.iter().cloned()).chain(values).chain(rest));
    let line = |(place, result): (usize, &ConfigurationResult)| {
        let ConfigurationResult { configuration, outcome, metric, done, epochs } = result;
        let rank = if *outcome == Outcome::Done { (place + 1).to_string() } else { String::new() };
        let mut cells = vec![rank, configuration.name.clone()];
        cells.extend(settings.iter().map(|key| configuration.set.get(key).map_or_else(String::new, format_value)));
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        cells.push(number(metric.as_ref().map(|metric| metric.mean)));
        cells.push(number(metric.as_ref().and_then(|metric| metric.std)));
        cells.push(metric.as_ref().map_or(0, |metric| metric.n).to_string());
        cells.extend([done.to_string(), epochs.to_string()]);
        let (status, error) = status(outcome);
        cells.extend([status.to_owned(), error.unwrap_or_default().to_owned()]);
        csv_line::line(cells)
    };
    let lines = ranking.results.iter().enumerate().map(line);
    std::iter::once(header).chain(lines).map(|line| line + "\n").collect()
}

/// Returns the status of a configuration in a word, and the error of a failed one.
pub fn status(outcome: &Outcome) -> (&'static str, Option<&str>) {
    match outcome {
        Outcome::Done => ("done", None),
        Outcome::Unfinished => ("unfinished", None),
        Outcome::Diverged(_) => ("diverged", None),
        Outcome::Failed(failure) => ("failed", Some(&failure.error)),
    }
}
