//! The trials of a sweep as a CSV table: a line for each configuration, seed and fold.

use std::collections::HashMap;

use crate::io::csv_line;
use crate::sweep::dir::ended::{EndedStack, EndedTrial};
use crate::sweep::labels::format_value;
use crate::sweep::record::{Configuration, SweepRecord};

/// Returns a line for each trial that is done, by configuration, fold and seed: names, settings, status, epochs and metric.
pub fn table(record: &SweepRecord, ended: &HashMap<String, EndedStack>) -> String {
    let settings = record.settings.iter().map(String::as_str);
    let rest = ["seed", "fold", "status", "epochs", &record.metric];
    let header = csv_line::line(["configuration", "stack"].into_iter().chain(settings).chain(rest));
    let mut trials_of: HashMap<&str, Vec<(&str, &EndedTrial)>> = HashMap::new();
    for (stack, end) in ended {
        for trial in &end.trials {
            trials_of.entry(&trial.configuration).or_default().push((stack, trial));
        }
    }
    let mut lines = vec![header];
    for configuration in &record.configurations {
        let mut trials = trials_of.remove(configuration.name.as_str()).unwrap_or_default();
        trials.sort_by_key(|(_, trial)| (trial.fold, trial.seed));
        lines.extend(trials.into_iter().map(|(stack, trial)| line(record, configuration, stack, trial)));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn line(record: &SweepRecord, configuration: &Configuration, stack: &str, trial: &EndedTrial) -> String {
    let EndedTrial { seed, fold, status, epochs, value, .. } = trial;
    let mut cells = vec![configuration.name.clone(), stack.to_owned()];
    let set = &configuration.set;
    cells.extend(record.settings.iter().map(|key| set.get(key).map_or_else(String::new, format_value)));
    let fold = fold.map_or_else(String::new, |fold| fold.to_string());
    let value = value.map_or_else(String::new, |value| value.0.to_string());
    cells.extend([seed.to_string(), fold, status.word().to_owned(), epochs.to_string(), value]);
    csv_line::line(cells)
}
