//! Fields of a run by name, for columns, filters, the order and groups: fields such as `id` and `status`, metric paths
//! such as `test.acc`, and settings such as `train.batch` or `lr`.

use serde_json::{Value, json};

use crate::compare::group::Group;
use crate::compare::runs::changes::ShortKeys;
use crate::compare::runs::run_info::{RunInfo, RunState};
use crate::compare::settings;
use crate::compare::statistics::mean;
use crate::history::Status;
use crate::history::metric_path::{MetricValue, canonical, lookup as lookup_metric};
use crate::history::number::Number;

/// Names of the fields that are neither metrics nor settings.
pub const FIELDS: [&str; 20] = [
    "id",
    "name",
    "tags",
    "note",
    "experiment",
    "variant",
    "run",
    "folder",
    "changed",
    "status",
    "trials",
    "seeds",
    "epochs",
    "seconds",
    "device",
    "host",
    "job",
    "started",
    "best",
    "test",
];

/// Returns the field that a name means in an order or beside a number. There `loss` is the metric, not the setting
/// `train.loss`.
pub fn metric_or_field(name: &str) -> String {
    match canonical(name).as_str() {
        "loss" => "best.loss".to_owned(),
        other => other.to_owned(),
    }
}

/// Value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Values of a metric in the trials, at least one; shown as their mean.
    Metric(Vec<f64>),
    /// Text, which may be a number.
    Word(String),
}

impl FieldValue {
    /// Returns the number, or the mean of a metric; `None` for other words.
    pub fn number(&self) -> Option<f64> {
        match self {
            FieldValue::Metric(values) => Some(mean(values)),
            FieldValue::Word(word) => word.parse().ok().filter(|number: &f64| !number.is_nan()),
        }
    }

    /// Returns the value as JSON: numbers as numbers.
    pub fn to_json(&self) -> Value {
        match (self, self.number()) {
            (FieldValue::Metric(values), _) => json!(Number(mean(values))),
            (FieldValue::Word(word), _) if word == "true" || word == "false" => json!(word == "true"),
            (FieldValue::Word(word), Some(_)) => serde_json::from_str(word).unwrap_or_else(|_| json!(word)),
            (FieldValue::Word(word), None) => json!(word),
        }
    }

    /// Returns the value for CSV: numbers with all digits.
    pub fn to_csv(&self) -> String {
        match self {
            FieldValue::Metric(values) => match mean(values) {
                value if value.is_nan() => "NaN".to_owned(),
                value => value.to_string(),
            },
            FieldValue::Word(word) => word.clone(),
        }
    }
}

/// Returns a field of a group of trials of a run. `group` is `None` if the run has no history yet.
pub fn lookup(name: &str, group: Option<&Group>, info: &RunInfo) -> Option<FieldValue> {
    let word = |text: &str| (!text.is_empty()).then(|| FieldValue::Word(text.to_owned()));
    let metric = |values: Vec<f64>| (!values.is_empty()).then_some(FieldValue::Metric(values));
    let histories = || group.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history());
    match name {
        "id" => word(&info.short_id),
        "name" => word(info.about.name.as_deref()?),
        "tags" | "tag" => word(&info.about.tags.join(", ")),
        "note" => word(info.about.note.as_deref()?),
        "experiment" => word(&info.entry.experiment),
        "variant" => word(group?.variant()?),
        "run" => word(&info.entry.name),
        "folder" => word(&info.entry.folder.to_string_lossy()),
        "changed" => word(&ShortKeys::default().describe(&info.changes)),
        "status" => word(&status_words(group, info).into_iter().next()?),
        "trials" => word(&group.map_or(0, |group| group.trials.len()).to_string()),
        "seeds" => word(&settings::format_seeds(&group?.seeds()).replace(", ", ",")),
        "started" => word(&info.started),
        "host" => word(info.host.as_deref()?),
        "job" => word(info.job.as_deref()?),
        "device" => word(&histories().next()?.environment.device),
        "seconds" => metric(histories().map(|history| history.seconds).collect()),
        "epochs" => metric(group?.values(|trial| Some(trial.epochs() as f64))),
        "seed" => metric(group?.values(|trial| trial.seed().map(|seed| seed as f64))),
        "best" => {
            let monitor = group?.trials.iter().find_map(|trial| Some(trial.monitor()?.to_owned()))?;
            lookup(&format!("best.{monitor}"), group, info)
        }
        name => of_histories(name, group?),
    }
}

/// Returns a metric or a setting of a group.
fn of_histories(name: &str, group: &Group) -> Option<FieldValue> {
    let metric = |name: &str| {
        let values = group.values(|trial| trial.metric_value(name));
        (!values.is_empty()).then_some(FieldValue::Metric(values))
    };
    let trials = || group.trials.iter();
    let undefined = || Some(FieldValue::Metric(vec![trials().find_map(|trial| trial.metric_value(name))?]));
    let word = || {
        trials().filter_map(|trial| lookup_metric(trial.history()?, name)).find_map(|found| match found {
            MetricValue::Word(word) => Some(FieldValue::Word(word)),
            MetricValue::Number(_) => None,
        })
    };
    let of_best = || (!name.contains('.')).then(|| metric(&format!("best.{name}")))?;
    metric(name).or_else(undefined).or_else(word).or_else(|| setting(name, group)).or_else(of_best)
}

/// Returns a setting by its key, or by the end of its key if only one key ends in it: `lr`.
fn setting(name: &str, group: &Group) -> Option<FieldValue> {
    let settings = settings::flatten(group.config()?);
    if let Some(value) = settings.get(name) {
        return Some(FieldValue::Word(value.clone()));
    }
    let mut with_end =
        settings.iter().filter(|(key, _)| key.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')));
    let (_, value) = with_end.next()?;
    with_end.next().is_none().then(|| FieldValue::Word(value.clone()))
}

/// Word of lists for a trial that has ended as planned.
pub const COMPLETE: &str = "complete";

/// Word of lists for a run with trials whose history is missing.
pub const INCOMPLETE: &str = "incomplete";

/// Word of lists for a run with rows that were resampled before the split.
pub const LEAKS: &str = "leaks";

/// Word of lists for a run that is hidden from them by default.
pub const ARCHIVED: &str = "archived";

/// Returns the words for the status of a group: first the one that lists show, then those that filters also accept. A run
/// with early stopping is complete, too.
pub fn status_words(group: Option<&Group>, info: &RunInfo) -> Vec<String> {
    let mut words = Vec::new();
    let histories = group.iter().flat_map(|group| &group.trials).filter_map(|trial| trial.history());
    let statuses: Vec<Status> = histories.map(|history| history.status).collect();
    let is_finished = info.state == RunState::Finished;
    if !is_finished {
        let is_out_of_time =
            matches!(info.state, RunState::Interrupted { .. }) && statuses.contains(&Status::TimeLimit);
        words.extend(is_out_of_time.then(|| Status::TimeLimit.word().to_owned()));
        words.extend([info.state.word(), "unfinished"].map(str::to_owned));
    }
    for status in statuses {
        let shown = match status {
            Status::Completed if is_finished && info.missing > 0 => &[INCOMPLETE][..],
            Status::Completed if is_finished => &[COMPLETE, "done"],
            Status::EarlyStopped if is_finished && info.missing == 0 => {
                &[Status::EarlyStopped.word(), COMPLETE, "stopped"]
            }
            Status::EarlyStopped => &[Status::EarlyStopped.word(), "stopped"],
            Status::Completed | Status::Dropped | Status::Diverged | Status::Interrupted | Status::TimeLimit => &[],
        };
        words.extend(shown.iter().map(|word| (*word).to_owned()));
        words.extend([status.word().to_owned(), status.word().replace(' ', "_")]);
    }
    words.extend(group.is_some_and(Group::leaks).then(|| LEAKS.to_owned()));
    words.extend(info.about.archived.then(|| ARCHIVED.to_owned()));
    words
}
