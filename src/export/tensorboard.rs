//! TensorBoard export: one event file per trial in its own folder, which TensorBoard shows as a run.
//!
//! The first part of a tag is its group in TensorBoard: `loss/train`, `loss/validation`, `acc/train`,
//! `gradient_norm/0`; test metrics are `test/loss`, `test/acc`. The step is the epoch. The wall time of an epoch is the
//! start of the trial plus the seconds of all epochs so far. The settings appear in the HParams tab. Values are in
//! single precision, as TensorBoard stores them.
//!
//! Runs in training write the same events, one epoch after the other (see `experiment::run::progress::event_log`).

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::export::files::{File, Trial};
use crate::history::event_file::{
    self, Event, HParams, PluginData, SessionEnd, SessionLog, SessionStart, Setting, Summary, SummaryMetadata,
    SummaryValue, VERSION,
};
use crate::history::{History, Status};

/// Keys of an experiment that are not hyperparameters, or that the trial itself records.
const WORDS: [&str; 11] =
    ["name", "title", "question", "source", "lesson", "quick", "reference", "theirs", "expect", "variants", "seeds"];

/// Returns the event file of a trial.
pub fn file(trial: &Trial) -> File {
    let history = trial.history;
    let start = start_of(history);
    let mut bytes = start_events(history, false);
    let end = epoch_events(history, &mut bytes);
    end_events(history, end, &mut bytes);
    File { path: format!("{}/{}", trial.stem, file_name(start as u64)).into(), bytes }
}

/// Returns the name of an event file that was started at this time, in seconds since 1970. TensorBoard reads the files of a
/// directory in the order of their names.
pub fn file_name(seconds: u64) -> String {
    format!("events.out.tfevents.{seconds:010}.runner")
}

/// Returns the start of a trial in seconds since 1970. A time that cannot be parsed becomes 0; the curves are exported anyway.
fn start_of(history: &History) -> f64 {
    OffsetDateTime::parse(&history.started, &Rfc3339).map_or(0, |start| start.unix_timestamp().max(0)) as f64
}

/// Returns the first events of a file: the version of the format, and the settings of the trial. A file of a trial in training
/// has a session start before the settings: at each one but the first of a directory, TensorBoard drops all earlier events, which
/// files with earlier names have.
pub fn start_events(history: &History, is_in_training: bool) -> Vec<u8> {
    let (start, mut bytes) = (start_of(history), Vec::new());
    let version = Some(VERSION.to_owned());
    event_file::write(&Event { wall_time: start, file_version: version, ..Event::default() }, &mut bytes);
    if is_in_training {
        let session_log = Some(SessionLog { status: SessionLog::START });
        event_file::write(&Event { wall_time: start, session_log, ..Event::default() }, &mut bytes);
    }
    let begin = SessionStart { hparams: settings(history), start_time_secs: start, ..SessionStart::default() };
    let begin = HParams { session_start_info: Some(begin), ..HParams::default() };
    write(start, 0, vec![session("_hparams_/session_start_info", begin)], &mut bytes);
    bytes
}

/// Adds the events of all epochs. Returns the time of the last one.
pub fn epoch_events(history: &History, bytes: &mut Vec<u8>) -> f64 {
    let curves = &history.history;
    let mut now = start_of(history);
    for (row, &epoch) in curves.epoch.iter().enumerate() {
        let seconds = curves.series.get("seconds").and_then(|seconds| seconds.get(row));
        now += seconds.map_or(0.0, |seconds| seconds.0).clamp(0.0, f64::MAX); // turns NaN into 0
        let metrics = curves.series.iter();
        let values = metrics.filter_map(|(name, values)| Some((name.as_str(), values.get(row)?.0)));
        add_epoch(now, epoch, values, bytes);
    }
    now
}

/// Adds the event of an epoch, with the values of its metrics.
pub fn add_epoch<'a>(wall_time: f64, epoch: usize, values: impl Iterator<Item = (&'a str, f64)>, bytes: &mut Vec<u8>) {
    write(wall_time, epoch, values.map(|(name, value)| scalar(tag(name), value)).collect(), bytes);
}

/// Adds the last events of a trial: its test metrics, and how it ended.
pub fn end_events(history: &History, wall_time: f64, bytes: &mut Vec<u8>) {
    if let Some(test) = &history.test {
        let best = history.best.as_ref().filter(|_| test.weights == "best").map(|best| best.epoch);
        let epoch = best.or(history.history.epoch.last().copied()).unwrap_or_default();
        let values = test.metrics.iter().map(|(name, value)| scalar(format!("test/{name}"), value.0));
        write(wall_time, epoch, values.collect(), bytes);
    }
    let status = match history.status {
        Status::Completed | Status::EarlyStopped | Status::Dropped | Status::TimeLimit => 1, // success
        Status::Diverged | Status::Interrupted => 2,                                         // failure
    };
    let end = SessionEnd { status, end_time_secs: wall_time };
    let end = HParams { session_end_info: Some(end), ..HParams::default() };
    write(wall_time, 0, vec![session("_hparams_/session_end_info", end)], bytes);
}

/// Adds an event with these values, unless there are none.
fn write(wall_time: f64, step: usize, value: Vec<SummaryValue>, bytes: &mut Vec<u8>) {
    if !value.is_empty() {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let event = Event { wall_time, step, summary: Some(Summary { value }), ..Event::default() };
        event_file::write(&event, bytes);
    }
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
