//! TensorBoard export: one event file per trial in its own folder, which TensorBoard shows as a run.
//!
//! The first part of a tag is its group in TensorBoard: `loss/train`, `loss/validation`, `acc/train`,
//! `gradient_norm/0`; test metrics are `test/loss`, `test/acc`. The step is the epoch. The wall time of an epoch is the
//! start of the trial plus the seconds of all epochs so far. The settings appear in the HParams tab. Values are in
//! single precision, as TensorBoard stores them.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::export::files::{File, Trial};
use crate::history::event_file::{
    self, Event, HParams, PluginData, SessionEnd, SessionStart, Setting, Summary, SummaryMetadata, SummaryValue,
    VERSION,
};
use crate::history::{History, Status};

/// Keys of an experiment that are not hyperparameters, or that the trial itself records.
const WORDS: [&str; 11] =
    ["name", "title", "question", "source", "lesson", "quick", "reference", "theirs", "expect", "variants", "seeds"];

/// Returns the event file of a trial.
pub fn file(trial: &Trial) -> File {
    let history = trial.history;
    // A start time that cannot be parsed becomes 0; the curves are exported anyway.
    let start = OffsetDateTime::parse(&history.started, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp);
    let path = format!("{}/events.out.tfevents.{start:010}.runner", trial.stem);
    File { path: path.into(), bytes: bytes(history, start as f64) }
}

fn bytes(history: &History, start: f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let version = Some(VERSION.to_owned());
    event_file::write(&Event { wall_time: start, file_version: version, ..Event::default() }, &mut bytes);
    let mut write = |wall_time: f64, step: usize, value: Vec<SummaryValue>| {
        if !value.is_empty() {
            let step = i64::try_from(step).unwrap_or(i64::MAX);
            let event = Event { wall_time, step, summary: Some(Summary { value }), ..Event::default() };
            event_file::write(&event, &mut bytes);
        }
    };
    let begin = SessionStart { hparams: settings(history), start_time_secs: start, ..SessionStart::default() };
    write(
        start,
        0,
        vec![session(
            "_hparams_/session_start_info",
            HParams { session_start_info: Some(begin), ..HParams::default() },
        )],
    );
    let curves = &history.history;
    let mut now = start;
    for (row, &epoch) in curves.epoch.iter().enumerate() {
        let seconds = curves.series.get("seconds").and_then(|seconds| seconds.get(row));
        now += seconds.map_or(0.0, |seconds| seconds.0).clamp(0.0, f64::MAX); // turns NaN into 0
        let metrics = curves.series.iter();
        let values = metrics.filter_map(|(name, values)| Some(scalar(tag(name), values.get(row)?.0)));
        write(now, epoch, values.collect());
    }
    if let Some(test) = &history.test {
        let best = history.best.as_ref().filter(|_| test.weights == "best").map(|best| best.epoch);
        let epoch = best.or(curves.epoch.last().copied()).unwrap_or_default();
        let values = test.metrics.iter().map(|(name, value)| scalar(format!("test/{name}"), value.0));
        write(now, epoch, values.collect());
    }
    let status = match history.status {
        Status::Completed | Status::EarlyStopped | Status::Dropped | Status::TimeLimit => 1, // success
        Status::Diverged | Status::Interrupted => 2,                                         // failure
    };
    let end = SessionEnd { status, end_time_secs: now };
    write(
        now,
        0,
        vec![session("_hparams_/session_end_info", HParams { session_end_info: Some(end), ..HParams::default() })],
    );
    bytes
}

fn scalar(tag: String, value: f64) -> SummaryValue {
    SummaryValue { tag, simple_value: Some(value as f32), ..SummaryValue::default() }
}

/// Returns the tag of a metric.
fn tag(name: &str) -> String {
    match name.split_once('.') {
        Some((observed, layer)) => format!("{observed}/{layer}"),
        None if matches!(name, "lr" | "seconds") => name.to_owned(),
        None => match name.strip_prefix("val_") {
            Some(metric) => format!("{metric}/validation"),
            None => format!("{name}/train"),
        },
    }
}

/// Returns a message for the HParams tab.
fn session(tag: &str, content: HParams) -> SummaryValue {
    let plugin_name = "hparams".to_owned();
    let plugin_data = Some(PluginData { plugin_name, content: prost::Message::encode_to_vec(&content) });
    SummaryValue { tag: tag.to_owned(), metadata: Some(SummaryMetadata { plugin_data }), ..SummaryValue::default() }
}

/// Returns the trial's settings by key.
fn settings(history: &History) -> BTreeMap<String, Setting> {
    let mut settings = BTreeMap::new();
    if let Value::Object(config) = &history.config {
        for (key, value) in config.iter().filter(|(key, _)| !WORDS.contains(&key.as_str())) {
            add(key.clone(), value, &mut settings);
        }
    }
    settings.insert("experiment".to_owned(), text(&history.experiment));
    settings.insert("variant".to_owned(), text(&history.variant));
    settings.insert("seed".to_owned(), number(history.seed as f64));
    if let Some(fold) = history.fold {
        settings.insert("fold".to_owned(), number(fold as f64));
    }
    settings
}

/// Adds a setting, and nested settings under dotted keys; null values are skipped.
fn add(key: String, value: &Value, settings: &mut BTreeMap<String, Setting>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| add(format!("{key}.{name}"), value, settings));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(place, item)| add(format!("{key}.{place}"), item, settings));
        }
        Value::Bool(truth) => {
            settings.insert(key, Setting { truth: Some(*truth), ..Setting::default() });
        }
        Value::String(value) => {
            settings.insert(key, text(value));
        }
        value => {
            settings.insert(key, value.as_f64().map_or_else(|| text(&value.to_string()), number));
        }
    }
}

fn text(text: &str) -> Setting {
    Setting { text: Some(text.to_owned()), ..Setting::default() }
}

fn number(number: f64) -> Setting {
    Setting { number: Some(number), ..Setting::default() }
}
