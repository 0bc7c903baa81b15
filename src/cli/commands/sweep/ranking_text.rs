//! The configurations of a sweep as a table, best first, and the best one in a line.

use serde_json::Value;

use crate::cli::text::column_layout::{Cell, Column, Fitted};
use crate::cli::text::number_format::{self, count, spread};
use crate::cli::text::text_style::TextStyle;
use crate::compare::runs::changes::ShortKeys;
use crate::compare::statistics::sample::Sample;
use crate::history::number::Number;
use crate::sweep::record::{Configuration, SweepRecord};
use crate::sweep::results::csv::text;
use crate::sweep::results::{ConfigurationResult, Outcome, Ranking};

/// Number of configurations that are shown unless another number is asked for.
pub const TOP: usize = 10;

/// Returns the table of the first `top` configurations, and below it what is left out and why configurations failed.
pub fn table(record: &SweepRecord, ranking: &Ranking, metric: &str, top: usize, page: TextStyle) -> String {
    let shown = &ranking.results[..top.min(ranking.results.len())];
    let best = ranking.best().is_some();
    let short = short_keys(record);
    let names = Column::words("configuration", shown.iter().map(|result| result.configuration.name.clone()));
    let values = shown.iter().enumerate().map(|(place, result)| Cell {
        text: result.metric.as_ref().map_or("–".to_owned(), |metric| mean_and_std(metric)),
        is_best: best && place == 0,
    });
    let mut groups = vec![vec![Column::numbers(metric, values)]];
    for key in &record.settings {
        let cells: Vec<String> = shown.iter().map(|result| setting(result.configuration, key)).collect();
        let is_number = cells.iter().all(|cell| cell == "–" || cell.parse::<f64>().is_ok());
        groups.push(vec![match is_number {
            true => Column::numbers(short.label(key), cells.into_iter().map(Cell::plain)),
            false => Column::words(short.label(key), cells),
        }]);
    }
    let states: Vec<String> = shown.iter().map(status).collect();
    let closing = states.iter().any(|status| !status.is_empty()).then(|| Column::words("status", states));
    let mut parts = Fitted { labels: names, groups, spare: Vec::new(), closing }.tables(page);
    let mut below = Vec::new();
    let hidden = ranking.results.len() - shown.len();
    if hidden > 0 {
        let (noun, all) = (if hidden == 1 { "configuration" } else { "configurations" }, ranking.results.len());
        below.push(format!("{} more {noun}: show all with `--top {all}`", count(hidden)));
    }
    below.extend(failures(ranking));
    let below: Vec<String> = below.iter().map(|line| page.wrapped(line, 2)).collect();
    parts.extend((!below.is_empty()).then(|| below.join("\n")));
    parts.join("\n\n")
}

/// Returns the settings of a configuration in a line: `lr=0.01 batch=64`.
pub fn settings_of(record: &SweepRecord, configuration: &Configuration) -> String {
    let short = short_keys(record);
    let one = |key: &String| Some(format!("{}={}", short.label(key), brief(configuration.set.get(key)?)));
    record.settings.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

/// Returns the best configuration in a line: name, metric and settings.
pub fn best_line(record: &SweepRecord, best: &ConfigurationResult, metric: &str) -> String {
    let value = best.metric.as_ref().map_or("–".to_owned(), mean_and_std);
    let settings = settings_of(record, best.configuration);
    format!("{}: {metric} {value}, {settings}", best.configuration.name)
}

/// Returns why configurations failed, a line for each reason.
fn failures(ranking: &Ranking) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for result in &ranking.results {
        if let Outcome::Failed(failure) = &result.outcome {
            let name = result.configuration.name.as_str();
            match reasons.iter_mut().find(|(cause, _)| *cause == failure.cause) {
                Some((_, names)) => names.push(name),
                None => reasons.push((&failure.cause, vec![name])),
            }
        }
    }
    let line = |(cause, names): (&str, Vec<&str>)| match &names[..] {
        [first, second, third, fourth, rest @ ..] if !rest.is_empty() => {
            format!("failed: {first}, {second}, {third}, {fourth} and {} more: {cause}", rest.len())
        }
        names => format!("failed: {}: {cause}", names.join(", ")),
    };
    reasons.into_iter().map(line).collect()
}

fn mean_and_std(metric: &Sample) -> String {
    let mean = number_format::metric(Some(metric.mean));
    match metric.std {
        Some(std) => format!("{mean} ± {}", spread(Some(metric.mean), Some(std))),
        None => mean,
    }
}

fn status(result: &ConfigurationResult) -> String {
    match &result.outcome {
        Outcome::Done => String::new(),
        Outcome::Unfinished => "unfinished".to_owned(),
        Outcome::Diverged(trials) => format!("{trials} of {} diverged", result.done),
        Outcome::Failed(_) => "failed".to_owned(),
    }
}

fn setting(configuration: &Configuration, key: &str) -> String {
    configuration.set.get(key).map_or("–".to_owned(), brief)
}

/// Returns a value; a number with at most four significant digits.
fn brief(value: &Value) -> String {
    match value.as_f64().filter(|_| value.is_f64()) {
        Some(number) if number != 0.0 && number.is_finite() => {
            let digits: f64 = format!("{number:.3e}").parse().unwrap_or(number);
            number_format::setting(digits)
        }
        Some(number) => Number(number).to_string(),
        None => text(value),
    }
}

fn short_keys(record: &SweepRecord) -> ShortKeys {
    ShortKeys::for_lists(record.settings.iter().map(String::as_str))
}
