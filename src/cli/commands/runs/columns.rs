//! Columns of the list of runs.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::text::column::{Cell, Column};
use crate::cli::text::number_format;
use crate::cli::text::text_style::together;
use crate::compare::positive_class;
use crate::compare::runs::changes::ShortKeys;
use crate::compare::runs::run_field::{ARCHIVED, COMPLETE, FIELDS, FieldValue, INCOMPLETE, LEAKS};
use crate::compare::runs::run_info::RunState;
use crate::compare::runs::run_summary::RunSummary;
use crate::history::Status;

/// A column and what happens to it if the line is too long.
#[derive(Clone)]
pub(super) struct ListColumn {
    pub(super) column: Column,
    pub(super) fit: Fit,
}

/// What happens to a column if the line is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It stays as it is.
    Keep,
    /// Its texts are wrapped between words.
    Words,
    /// Its texts are names, which stay whole.
    Name,
    /// Its texts are settings or sentences, which are wrapped to at least this many characters.
    Wrap(usize),
    /// It is left out; those with higher numbers first.
    LeaveOut(usize),
}

/// Minimum width of settings and notes.
const LEAST: usize = 12;

/// Order of the column `time`, which is left out last.
pub(super) const TIME: usize = 1;

/// Order of the column `age`; those after it are for wide pages.
pub(super) const AGE: usize = 2;

/// The runs and the fields that were looked up for them.
pub(super) struct Listed<'a> {
    pub(super) runs: &'a [RunSummary],
    pub(super) fields: &'a [String],
    /// Whether all runs are of one experiment, which the user named.
    pub(super) is_of_one_experiment: bool,
    pub(super) by_variant: bool,
}

impl Listed<'_> {
    fn words(&self, header: &str, fit: Fit, cell: impl Fn(&RunSummary) -> String) -> ListColumn {
        ListColumn { column: Column::words(header, self.runs.iter().map(cell)), fit }
    }

    fn numbers(&self, header: &str, fit: Fit, cell: impl Fn(&RunSummary) -> String) -> ListColumn {
        ListColumn { column: Column::numbers(header, self.runs.iter().map(|run| Cell::plain(cell(run)))), fit }
    }

    /// Returns the labels of changed settings.
    fn short_keys(&self) -> ShortKeys {
        ShortKeys::for_lists(self.runs.iter().flat_map(|run| &run.info.changes).map(|change| change.key.as_str()))
    }

    /// Returns the columns of the standard list.
    pub(super) fn standard(&self) -> Vec<ListColumn> {
        let keys = self.short_keys();
        let mut columns = vec![self.words("id", Fit::Keep, |run| run.info.short_id.clone())];
        columns.extend(self.label_column());
        if self.runs.iter().any(|run| run.info.about.name.is_some()) {
            columns.push(self.words("name", Fit::Name, |run| run.info.about.name.clone().unwrap_or_default()));
        }
        if self.runs.iter().any(|run| !run.info.changes.is_empty()) {
            columns.push(self.words("changed", Fit::Wrap(LEAST), |run| describe(&keys, run)));
        }
        columns.push(self.words("status", Fit::Words, status));
        let is_metric = |index: &usize| self.is_metric_or_setting(*index);
        columns.extend((0..self.fields.len()).filter(is_metric).map(|index| self.field(index)));
        let is_field = |name: &str| (0..self.fields.len()).filter(is_metric).any(|index| self.fields[index] == name);
        let is_best = |metric: &str| is_field(metric) || is_field(&format!("best.{metric}"));
        let best_is_field = self.runs.iter().all(|run| run.best.as_ref().is_some_and(|best| is_best(&best.metric)));
        columns.extend((!best_is_field).then(|| self.best()));
        let is_test =
            |run: &RunSummary| run.test.as_ref().is_some_and(|test| is_field(&format!("test.{}", test.metric)));
        let test_is_field = self.runs.iter().all(is_test);
        let has_test = self.runs.iter().any(|run| run.test.is_some());
        columns.extend((has_test && !test_is_field).then(|| self.test()));
        columns.push(self.numbers("time", Fit::LeaveOut(TIME), |run| match run.trials {
            0 => "–".to_owned(),
            _ => format_duration(run.seconds),
        }));
        let now = OffsetDateTime::now_utc();
        columns.push(self.numbers("age", Fit::LeaveOut(AGE), |run| format_age(&run.info.started, now)));
        columns.extend(self.further());
        columns
    }

    /// Returns the columns for wide pages.
    fn further(&self) -> Vec<ListColumn> {
        let mut columns = Vec::new();
        if self.runs.iter().any(|run| !run.info.about.tags.is_empty()) {
            columns.push(self.words("tags", Fit::LeaveOut(3), |run| run.info.about.tags.join(", ")));
        }
        columns.push(self.numbers("trials", Fit::LeaveOut(4), trials));
        columns.push(self.numbers("best epoch", Fit::LeaveOut(5), |run| {
            run.best.as_ref().and_then(|best| best.epoch).map_or("–".to_owned(), |epoch| epoch.round().to_string())
        }));
        let threshold = |run: &RunSummary| run.test.as_ref().and_then(|test| test.threshold);
        if self.runs.iter().any(|run| threshold(run).is_some()) {
            columns.push(self.numbers("threshold", Fit::LeaveOut(6), |run| number_format::metric(threshold(run))));
        }
        let needs_positive_class = |run: &RunSummary| {
            let metrics = [run.best.as_ref().map(|best| &best.metric), run.test.as_ref().map(|test| &test.metric)];
            metrics.into_iter().flatten().chain(self.fields).any(|name| positive_class::is_of_positive_class(name))
        };
        if self.runs.iter().any(needs_positive_class) {
            columns.push(self.words("positive", Fit::LeaveOut(7), |run| run.positive.clone().unwrap_or_default()));
        }
        columns.push(self.words("device", Fit::LeaveOut(8), |run| run.device.clone()));
        let hosts: Vec<&str> = self.runs.iter().filter_map(|run| run.info.host.as_deref()).collect();
        if common(&hosts).is_none() && !hosts.is_empty() {
            columns.push(self.words("host", Fit::LeaveOut(9), |run| run.info.host.clone().unwrap_or_default()));
        }
        if self.runs.iter().any(|run| run.info.job.is_some()) {
            columns.push(self.words("job", Fit::LeaveOut(10), |run| run.info.job.clone().unwrap_or_default()));
        }
        columns
    }

    /// Returns the column of the experiment or the variant, or both.
    fn label_column(&self) -> Option<ListColumn> {
        let experiment = |run: &RunSummary| run.info.entry.experiment.clone();
        match (self.is_of_one_experiment, self.by_variant) {
            (true, false) => None,
            (true, true) => Some(self.words("variant", Fit::Name, |run| run.variant.clone().unwrap_or_default())),
            (false, false) => Some(self.words("experiment", Fit::Name, experiment)),
            (false, true) => Some(self.words("experiment", Fit::Name, |run| match run.variant.as_deref() {
                None | Some("base") => experiment(run),
                Some(variant) => format!("{}/{variant}", experiment(run)),
            })),
        }
    }

    /// Returns the best value of the monitored metric.
    fn best(&self) -> ListColumn {
        self.metric("best", "", |run| run.best.as_ref().map(|best| (best.metric.as_str(), best.value)))
    }

    /// Returns the test metric.
    fn test(&self) -> ListColumn {
        self.metric("test", "test ", |run| run.test.as_ref().map(|test| (test.metric.as_str(), test.value)))
    }

    /// Returns a metric of each run. Its name, after `prefix`, is the header if all runs have the same.
    fn metric(&self, what: &str, prefix: &str, of: impl Fn(&RunSummary) -> Option<(&str, f64)>) -> ListColumn {
        let names: Vec<&str> = self.runs.iter().filter_map(|run| Some(of(run)?.0)).collect();
        let value = |run: &RunSummary| number_format::metric(of(run).map(|(_, value)| value));
        match common(&names) {
            Some(name) => self.numbers(&format!("{prefix}{name}"), Fit::Keep, value),
            None => self.words(what, Fit::Words, |run| match of(run) {
                Some((metric, _)) => together(&format!("{metric} {}", value(run))),
                None => "–".to_owned(),
            }),
        }
    }

    /// Whether a field has values and is no column of the standard list.
    fn is_metric_or_setting(&self, index: usize) -> bool {
        let name = self.fields[index].as_str();
        !FIELDS.contains(&name) && name != "tag" && self.runs.iter().any(|run| run.fields[index].is_some())
    }

    /// Returns the column of a field.
    pub(super) fn field(&self, index: usize) -> ListColumn {
        let name = self.fields[index].as_str();
        match name {
            "changed" => {
                let keys = self.short_keys();
                return self.words(name, Fit::Wrap(LEAST), |run| describe(&keys, run));
            }
            "status" => return self.words(name, Fit::Words, status),
            "trials" => return self.words(name, Fit::Words, trials),
            "best" => return self.best(),
            "test" => return self.test(),
            "note" => return self.words(name, Fit::Wrap(LEAST), |run| run.info.about.note.clone().unwrap_or_default()),
            _ => {}
        }
        let text = |run: &RunSummary| match &run.fields[index] {
            Some(FieldValue::Word(word)) => word.clone(),
            Some(value) if name == "seconds" => {
                value.number().map(|seconds| format!("{seconds:.1}")).unwrap_or_default()
            }
            Some(value) if matches!(name, "epochs" | "seed") || name.ends_with(".epoch") => {
                value.number().map(|number| format!("{:.0}", number)).unwrap_or_default()
            }
            Some(value) => number_format::of(name, value.number()),
            None => "–".to_owned(),
        };
        let is_number = |run: &RunSummary| run.fields[index].as_ref().is_none_or(|value| value.number().is_some());
        match self.runs.iter().all(is_number) {
            _ if name == "id" => self.words(name, Fit::Keep, text),
            true => self.numbers(name, Fit::Keep, text),
            false => self.words(name, Fit::Name, text),
        }
    }
}

/// Returns the changed settings, each of which stays on a line if possible.
fn describe(keys: &ShortKeys, run: &RunSummary) -> String {
    keys.each(&run.info.changes).iter().map(|change| together(change)).collect::<Vec<_>>().join(" ")
}

/// Returns the name that all entries share.
fn common<'a>(names: &[&'a str]) -> Option<&'a str> {
    names.first().copied().filter(|first| names.iter().all(|name| name == first))
}

/// Returns the number of trials, with variants as `4×5`: 4 variants with 5 trials each; `3 of 4` if the files of a trial are missing.
pub(super) fn trials(run: &RunSummary) -> String {
    match run.variants {
        0 => "0".to_owned(),
        _ if run.missing > 0 => format!("{} of {}", run.trials, run.trials + run.missing),
        1 => run.trials.to_string(),
        variants if run.trials.is_multiple_of(variants) => format!("{variants}×{}", run.trials / variants),
        variants => format!("{} in {variants} variants", run.trials),
    }
}

/// Returns the status: the progress of an unfinished run, or how the trials ended; if they differ, the worst and its
/// count.
pub(super) fn status(run: &RunSummary) -> String {
    const WORST_FIRST: [Status; 6] = [
        Status::Interrupted,
        Status::TimeLimit,
        Status::Diverged,
        Status::Dropped,
        Status::EarlyStopped,
        Status::Completed,
    ];
    let word = |status: Status| match status {
        Status::Completed if run.missing > 0 => together(INCOMPLETE),
        Status::Completed => together(COMPLETE),
        _ => together(status.word()),
    };
    let progress = run.info.state.progress().map(|(epoch, epochs)| format!(" {epoch}/{epochs}")).unwrap_or_default();
    let ended = match (run.info.state, &run.statuses[..]) {
        (RunState::Running { process, .. }, _) => {
            // a process of another machine is not visible here
            let place = match (&run.info.job, process) {
                (Some(job), _) => format!(", job {job}"),
                (None, Some(process)) => format!(", pid {process}"),
                (None, None) => String::new(),
            };
            format!("running{progress}{place}")
        }
        (RunState::Interrupted { .. }, statuses) if statuses.iter().any(|(status, _)| *status == Status::TimeLimit) => {
            format!("{}{progress}", word(Status::TimeLimit))
        }
        (state @ (RunState::Interrupted { .. } | RunState::Failed), _) => format!("{}{progress}", state.word()),
        (RunState::Finished, [(status, _)]) => word(*status),
        (RunState::Finished, several) => {
            let worst = WORST_FIRST.iter().find_map(|status| several.iter().find(|(other, _)| other == status));
            worst.map(|(status, count)| together(&format!("{count} {}", word(*status)))).unwrap_or_default()
        }
    };
    let marks = [(run.leaks, LEAKS), (run.info.about.archived, ARCHIVED)];
    let marks = marks.into_iter().filter(|(is_marked, _)| *is_marked).map(|(_, mark)| mark.to_owned());
    std::iter::once(ended).chain(marks).collect::<Vec<_>>().join(", ")
}

/// Returns the time since `started`: `12 s`, `3 min`, `5 h`, `2 d`, `7 weeks`, `3 years`; `–` if `started` is invalid.
fn format_age(started: &str, now: OffsetDateTime) -> String {
    let Ok(started) = OffsetDateTime::parse(started, &Rfc3339) else { return "–".to_owned() };
    format_whole((now - started).whole_seconds().max(0))
}

/// Returns a duration: `260 ms`, `1.5 s`, `12 s`, `3 min`, `5 h`, `2 d`.
fn format_duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds => format_whole(seconds.round() as i64),
    }
}

fn format_whole(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        86_400..1_209_600 => format!("{} d", seconds / 86_400),
        1_209_600..63_072_000 => format!("{} weeks", seconds / 604_800),
        _ => format!("{} years", seconds / 31_536_000),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    #[test]
    fn an_age_has_its_largest_unit() {
        let now = datetime!(2026-11-22 12:00 UTC);
        let age = |started| super::format_age(started, now);
        assert_eq!(age("2026-11-22T11:59:48Z"), "12 s");
        assert_eq!(age("2026-11-22T09:00:00Z"), "3 h");
        assert_eq!(age("2026-11-15T12:00:00Z"), "7 d");
        assert_eq!(age("2026-08-15T12:00:00Z"), "14 weeks");
        assert_eq!(age("2027-01-01T00:00:00Z"), "0 s");
        assert_eq!(age("yesterday"), "–");
        assert_eq!([0.26, 59.4, 61.0].map(super::format_duration), ["260 ms", "59 s", "1 min"]);
    }
}
