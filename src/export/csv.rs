//! CSV export: `epochs.csv` with a row for each epoch of each trial, and `trials.csv` with a row for each trial.
//!
//! Both start with the columns that identify the trial, which serve as keys for joins and groups. `trials.csv` has every
//! setting as a column, `epochs.csv` those that differ between the trials. A value that a trial does not have is an empty
//! cell. A non-finite value is `NaN`, `inf` or `-inf`, which pandas and polars read as
//! numbers.

use std::path::PathBuf;

use indexmap::{IndexMap, IndexSet};

use crate::compare::settings::flatten;
use crate::export::files::{File, Trial};
use crate::history::History;
use crate::io::csv_line;

/// Returns the CSV files of the trials.
pub fn files(trials: &[Trial]) -> Vec<File> {
    let file = |name: &str, table: Table| File { path: PathBuf::from(name), bytes: table.text().into_bytes() };
    vec![file("epochs.csv", epochs(trials)), file("trials.csv", summary(trials))]
}

/// A table of text cells; columns are in the order of their first appearance.
#[derive(Default)]
struct Table {
    columns: IndexSet<String>,
    rows: Vec<Vec<(usize, String)>>,
}

impl Table {
    fn push(&mut self, row: Vec<(String, String)>) {
        let row = row.into_iter().map(|(column, cell)| (self.columns.insert_full(column).0, cell)).collect();
        self.rows.push(row);
    }

    fn text(self) -> String {
        let mut text = csv_line::line(&self.columns) + "\n";
        for row in self.rows {
            let mut cells = vec![String::new(); self.columns.len()];
            row.into_iter().for_each(|(column, cell)| cells[column] = cell);
            text.push_str(&csv_line::line(cells));
            text.push('\n');
        }
        text
    }
}

/// Returns the columns that identify the trial.
fn key(history: &History) -> Vec<(String, String)> {
    let fold = history.fold.map(|fold| fold.to_string()).unwrap_or_default();
    let cells = [history.experiment.clone(), history.variant.clone(), history.seed.to_string(), fold];
    ["experiment", "variant", "seed", "fold"].map(str::to_owned).into_iter().zip(cells).collect()
}

fn epochs(trials: &[Trial]) -> Table {
    let mut table = Table::default();
    let differing = differing_settings(trials);
    let columns = ["experiment", "variant", "seed", "fold", "epoch"].map(str::to_owned);
    table.columns.extend(columns.into_iter().chain(differing.iter().map(|(key, _)| key.clone())));
    for (place, Trial { history, .. }) in trials.iter().enumerate() {
        for (row, epoch) in history.history.epoch.iter().enumerate() {
            let mut cells = key(history);
            cells.push(("epoch".to_owned(), epoch.to_string()));
            cells
                .extend(differing.iter().map(|(key, values)| (key.clone(), values[place].clone().unwrap_or_default())));
            let metrics = history.history.series.iter();
            cells.extend(metrics.filter_map(|(name, values)| Some((name.clone(), values.get(row)?.0.to_string()))));
            table.push(cells);
        }
    }
    table
}

fn summary(trials: &[Trial]) -> Table {
    let mut table = Table::default();
    for Trial { history, .. } in trials {
        let mut cells = key(history);
        let mut add = |column: &str, cell: String| cells.push((column.to_owned(), cell));
        let or_empty = |text: Option<String>| text.unwrap_or_default();
        add("status", history.status.word().to_owned());
        add("started", history.started.clone());
        add("seconds", history.seconds.to_string());
        add("device", history.environment.device.clone());
        add("parameters", or_empty(history.network.as_ref().map(|network| network.parameters.to_string())));
        add("epochs", history.history.len().to_string());
        add("diagnosis", or_empty(history.verdict().map(|verdict| verdict.word().to_owned())));
        add("monitor", or_empty(history.best.as_ref().map(|best| best.monitor.clone())));
        add("best_epoch", or_empty(history.best.as_ref().map(|best| best.epoch.to_string())));
        for (name, value) in history.best.iter().flat_map(|best| &best.metrics) {
            add(&format!("best_{name}"), value.0.to_string());
        }
        if let Some(test) = &history.test {
            add("test_weights", test.weights.clone());
            for (name, value) in &test.metrics {
                add(&format!("test_{name}"), value.0.to_string());
            }
        }
        cells.extend(flatten(&history.config));
        table.push(cells);
    }
    table
}

/// Returns the settings that differ between the trials, each with its value in every trial.
fn differing_settings(trials: &[Trial]) -> Vec<(String, Vec<Option<String>>)> {
    let all: Vec<IndexMap<String, String>> = trials.iter().map(|trial| flatten(&trial.history.config)).collect();
    let keys: IndexSet<&String> = all.iter().flat_map(IndexMap::keys).collect();
    let values = |key: &String| all.iter().map(|settings| settings.get(key).cloned()).collect::<Vec<_>>();
    let with_values = keys.into_iter().map(|key| (key.clone(), values(key)));
    with_values.filter(|(_, values)| values.windows(2).any(|pair| pair[0] != pair[1])).collect()
}
