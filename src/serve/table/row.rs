//! Rows of the table of runs.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::compare::runs::read_run::ReadRun;
use crate::compare::runs::run_field::FieldValue;
use crate::compare::runs::run_info::RunState;
use crate::compare::runs::run_summary::RunSummary;
use crate::compare::settings;
use crate::compare::statistics::sample::Sample;
use crate::compare::trial::Trial;
use crate::history::number::Number;
use crate::run_dir::writer::Writer;
use crate::views::document::thinning::rounded;

/// A run in the table, or one of its variants.
#[derive(Clone, Debug)]
pub struct Row {
    /// Complete id of the run.
    pub id: String,
    experiment: String,
    name: Option<String>,
    /// The variant; `None` for the row of the run.
    pub variant: Option<String>,
    changed: String,
    status: String,
    progress: Option<(usize, usize)>,
    trials: usize,
    variants: usize,
    missing: usize,
    best: Option<(String, Sample)>,
    test: Option<(String, Sample)>,
    seconds: f64,
    started: String,
    tags: String,
    device: String,
    leaks: bool,
    archived: bool,
    /// Equal for runs that differ only in their seeds; `None` without a history.
    same: Option<u32>,
    /// Settings of the first variant: indices of keys and values.
    pub settings: Vec<(u32, u32)>,
}

/// Texts that many runs share, each stored once.
#[derive(Debug, Default)]
pub struct Texts {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Texts {
    /// Returns the number of a text.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let text: Arc<str> = text.into();
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    /// Returns the number of a text that is stored already.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// Returns the text with a number.
    pub fn get(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| &text[..])
    }
}

/// A row before its texts are stored.
#[derive(Debug)]
pub struct NewRow {
    row: Row,
    same: Option<u64>,
    settings: Vec<(String, String)>,
}

impl NewRow {
    /// Returns the row of a run, and those of its variants if it has several.
    pub fn of_run(run: &ReadRun) -> Vec<NewRow> {
        let fields = ["status".to_owned()];
        let mut rows = vec![NewRow::new(run, &run.summary(&fields, true), 0)];
        if run.groups.len() > 1 {
            let variants = run.summaries_by_variant(&fields, true);
            rows.extend(variants.iter().enumerate().map(|(place, summary)| NewRow::new(run, summary, place)));
        }
        rows
    }

    fn new(run: &ReadRun, summary: &RunSummary, group: usize) -> NewRow {
        let info = &run.info;
        let sample = |metric: &str, values: &[f64]| Some((metric.to_owned(), Sample::from_values(values)?));
        let history = run.groups.get(group).and_then(|group| group.trials.iter().find_map(Trial::history));
        let same = history.filter(|_| run.groups.len() == 1 || summary.variant.is_some()).map(|history| {
            let mut hasher = DefaultHasher::new();
            settings::identity(history).hash(&mut hasher);
            hasher.finish()
        });
        let status = match &summary.fields[0] {
            Some(FieldValue::Word(word)) => word.clone(),
            _ => info.state.word().to_owned(),
        };
        let keys =
            crate::compare::runs::changes::ShortKeys::for_lists(info.changes.iter().map(|change| change.key.as_str()));
        let row = Row {
            id: info.entry.id.clone(),
            experiment: info.entry.experiment.clone(),
            name: info.about.name.clone(),
            variant: summary.variant.clone(),
            changed: keys.each(&info.changes).join(" "),
            status,
            progress: info.state.progress(),
            trials: summary.trials,
            variants: summary.variants,
            missing: summary.missing,
            best: summary.best.as_ref().and_then(|best| sample(&best.metric, &best.values)),
            test: summary.test.as_ref().and_then(|test| sample(&test.metric, &test.values)),
            seconds: summary.seconds,
            started: info.started.clone(),
            tags: info.about.tags.join(", "),
            device: summary.device.clone(),
            leaks: summary.leaks,
            archived: info.about.archived,
            same: None,
            settings: Vec::new(),
        };
        let settings = summary.settings.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        NewRow { row, same, settings }
    }

    /// Stores its texts.
    pub fn store(self, texts: &mut Texts) -> Row {
        let pair = |(key, value): &(String, String)| (texts.number(key), texts.number(value));
        let settings = self.settings.iter().map(pair).collect();
        let same = self.same.map(|same| texts.number(&format!("{same:x}")));
        Row { settings, same, ..self.row }
    }
}

impl Row {
    /// Whether a process is training the run.
    pub fn is_running(&self) -> bool {
        self.status == RunState::Running { process: None, progress: None }.word()
    }

    /// Whether the run may still change: it is running, or can be resumed.
    pub fn is_open(&self) -> bool {
        self.is_running() || self.progress.is_some() || self.trials == 0
    }

    /// Updates the progress of a running run. Returns whether it changed.
    pub fn update_progress(&mut self, writer: &Writer) -> bool {
        let has_changed = self.is_running() && writer.progress.is_some() && self.progress != writer.progress;
        if has_changed {
            self.progress = writer.progress;
        }
        has_changed
    }

    /// Returns the row as a JSON list without its last bracket, so that a value can be added. `page/runs.js` names its
    /// places.
    pub fn to_json(&self, short_id: &str) -> String {
        let number = |value: f64| json!(Number(rounded(value)));
        let metric = |metric: &Option<(String, Sample)>| -> [Value; 4] {
            match metric {
                Some((name, sample)) => {
                    [json!(name), number(sample.mean), sample.std.map_or(Value::Null, number), json!(sample.n)]
                }
                None => [const { Value::Null }; 4],
            }
        };
        let flags = u8::from(self.leaks) + 2 * u8::from(self.archived);
        let mut cells = vec![json!(self.id), json!(short_id), json!(self.experiment), json!(self.name)];
        cells.extend([json!(self.variant), json!(self.changed), json!(self.status)]);
        cells.extend([json!(self.progress.map(|p| p.0)), json!(self.progress.map(|p| p.1))]);
        cells.extend([json!(self.trials), json!(self.variants), json!(self.missing)]);
        cells.extend(metric(&self.best));
        cells.extend(metric(&self.test));
        cells.extend([number(self.seconds), json!(self.started), json!(self.tags), json!(self.device)]);
        cells.extend([json!(flags), json!(self.same)]);
        let mut text = Value::Array(cells).to_string();
        text.pop();
        text
    }
}
