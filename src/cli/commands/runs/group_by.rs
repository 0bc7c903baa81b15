//! `runner runs --group-by SETTING`: mean and standard deviation of the metrics for each value of a setting.

use indexmap::{IndexMap, IndexSet};
use serde_json::{Map, Value, json};

use crate::cli::commands::runs::columns::{Fit, ListColumn};
use crate::cli::text::column::{Cell, Column};
use crate::compare::direction::higher_is_better;
use crate::compare::metric_name::metric_of;
use crate::compare::runs::run_field::FieldValue;
use crate::compare::runs::run_summary::RunSummary;
use crate::compare::statistics::mean;
use crate::compare::statistics::sample::Sample;
use crate::io::csv_line;
use crate::views::document::statistic::mean_and_std_of;

/// Runs with the same value of a setting.
struct ValueGroup {
    value: String,
    runs: IndexSet<String>,
    trials: usize,
    /// Values of each metric in all trials.
    metrics: Vec<Vec<f64>>,
}

/// Returns the mean and the standard deviation of these values.
fn statistics(values: &[f64]) -> (Option<f64>, Option<f64>) {
    Sample::from_values(values).map_or((None, None), |sample| (Some(sample.mean), sample.std))
}

/// The metrics for each value of a setting, over the trials of all runs that have this value.
pub(super) struct Grouped {
    setting: String,
    metrics: Vec<String>,
    groups: Vec<ValueGroup>,
}

impl Grouped {
    /// Groups the lines by the field at `place`. The metrics are those of the fields at `metrics`; without any, the best
    /// values of the monitored metrics and the test metrics.
    pub(super) fn new(runs: &[RunSummary], fields: &[String], place: usize, metrics: &[usize]) -> Grouped {
        let values_of = |run: &RunSummary| -> Vec<(String, Vec<f64>)> {
            if !metrics.is_empty() {
                let of_field = |&place: &usize| match &run.fields[place] {
                    Some(FieldValue::Metric(values)) => Some((fields[place].clone(), values.clone())),
                    Some(value) => Some((fields[place].clone(), vec![value.number()?])),
                    None => None,
                };
                return metrics.iter().filter_map(of_field).collect();
            }
            let best = run.best.as_ref().map(|best| (format!("best.{}", best.metric), best.values.clone()));
            let test = run.test.as_ref().map(|test| (format!("test.{}", test.metric), test.values.clone()));
            best.into_iter().chain(test).collect()
        };
        let mut names: IndexSet<String> = metrics.iter().map(|&place| fields[place].clone()).collect();
        let mut by_value: IndexMap<String, ValueGroup> = IndexMap::new();
        for run in runs.iter().filter(|run| run.trials > 0) {
            let value = run.fields[place].as_ref().map_or("–".to_owned(), FieldValue::to_csv);
            let empty = || ValueGroup { value: value.clone(), runs: IndexSet::new(), trials: 0, metrics: Vec::new() };
            let group = by_value.entry(value.clone()).or_insert_with(empty);
            group.runs.insert(run.info.entry.id.clone());
            group.trials += run.trials;
            for (name, values) in values_of(run) {
                let (metric, _) = names.insert_full(name);
                group.metrics.resize_with(names.len().max(group.metrics.len()), Vec::new);
                group.metrics[metric].extend(values.into_iter().filter(|value| value.is_finite()));
            }
        }
        let mut groups: Vec<ValueGroup> = by_value.into_values().collect();
        groups.iter_mut().for_each(|group| group.metrics.resize_with(names.len(), Vec::new));
        groups.sort_by(|a, b| match (a.value.parse::<f64>(), b.value.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => a.value.cmp(&b.value),
        });
        Grouped { setting: fields[place].clone(), metrics: names.into_iter().collect(), groups }
    }

    /// Sorts the values by a metric, best first; values without it come last.
    ///
    /// # Errors
    /// If the metric is not shown: the names of those that are.
    pub(super) fn sort(&mut self, metric: &str) -> Result<(), &[String]> {
        let Some(place) = self.metrics.iter().position(|name| name == metric) else { return Err(&self.metrics) };
        let sign = if higher_is_better(metric_of(metric)) == Some(false) { 1.0 } else { -1.0 };
        let key = |group: &ValueGroup| match &group.metrics[place][..] {
            [] => f64::INFINITY,
            values => sign * mean(values),
        };
        self.groups.sort_by(|a, b| key(a).total_cmp(&key(b)));
        Ok(())
    }

    /// Reverses the order, and keeps only the first `most` values.
    pub(super) fn arrange(&mut self, reverse: bool, most: usize) {
        if reverse {
            self.groups.reverse();
        }
        self.groups.truncate(most);
    }

    /// Returns the columns: the value, numbers of runs and trials, and each metric.
    pub(super) fn columns(&self) -> Vec<ListColumn> {
        let cells =
            |cell: &dyn Fn(&ValueGroup) -> String| self.groups.iter().map(|g| Cell::plain(cell(g))).collect::<Vec<_>>();
        let are_numbers = self.groups.iter().all(|group| group.value.parse::<f64>().is_ok());
        let value = match are_numbers {
            true => Column::numbers(&*self.setting, cells(&|group| group.value.clone())),
            false => Column::words(&*self.setting, self.groups.iter().map(|group| group.value.clone())),
        };
        let mut columns = vec![ListColumn { column: value, fit: Fit::Name }];
        let mut add = |header: &str, cells: Vec<Cell>| {
            columns.push(ListColumn { column: Column::numbers(header, cells), fit: Fit::Keep });
        };
        add("runs", cells(&|group| group.runs.len().to_string()));
        add("n", cells(&|group| group.trials.to_string()));
        for (place, name) in self.metrics.iter().enumerate() {
            add(name, cells(&|group| mean_and_std_of(&group.metrics[place])));
        }
        columns
    }

    /// Returns the values as JSON.
    pub(super) fn to_json(&self) -> Value {
        let group_json = |group: &ValueGroup| {
            let metric = |(name, values): (&String, &Vec<f64>)| {
                let (mean, std) = statistics(values);
                (name.clone(), json!({ "mean": mean, "std": std, "n": values.len() }))
            };
            let metrics: Map<String, Value> = self.metrics.iter().zip(&group.metrics).map(metric).collect();
            json!({
                "setting": self.setting,
                "value": FieldValue::Word(group.value.clone()).to_json(),
                "runs": group.runs,
                "trials": group.trials,
                "metrics": metrics,
            })
        };
        Value::Array(self.groups.iter().map(group_json).collect())
    }

    /// Returns CSV with a line for each value.
    pub(super) fn to_csv(&self) -> String {
        let of_metric = |name: &String| ["mean", "std", "n"].map(|what| format!("{name}_{what}"));
        let header = [self.setting.clone(), "runs".to_owned(), "trials".to_owned()];
        let header = csv_line::line(header.into_iter().chain(self.metrics.iter().flat_map(of_metric)));
        let line = |group: &ValueGroup| {
            let cells = group.metrics.iter().flat_map(|values| {
                let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
                let (mean, std) = statistics(values);
                [number(mean), number(std), values.len().to_string()]
            });
            let first = [group.value.clone(), group.runs.len().to_string(), group.trials.to_string()];
            csv_line::line(first.into_iter().chain(cells))
        };
        std::iter::once(header).chain(self.groups.iter().map(line)).collect::<Vec<_>>().join("\n")
    }
}
