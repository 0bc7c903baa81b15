//! What `runner eval` finds: the rows that figures are taken on, and the figures of each trial.

use std::path::{MAIN_SEPARATOR, PathBuf};

use anyhow::anyhow;
use tch::Device;

use crate::cli::text::number_format;
use crate::config::hint::Hint;
use crate::experiment::store::find::{SavedRun, SavedTrial};
use crate::experiment::store::trial_data::Part;
use crate::experiment::verify::agreement::{Agreement, Stated};
use crate::history::RowCounts;
use crate::history::tested::TestRecord;
use crate::train::keep::Keep;

/// The rows that figures are taken on.
pub(crate) enum Chosen {
    /// A part of the trial's own.
    Part {
        /// The part.
        part: Part,
        /// Whether it stands in for test rows, which the run has none of.
        stands_in: bool,
    },
    /// Those of a file.
    File(String),
}

impl Chosen {
    /// Those that were asked for; without a word, test rows where the run has any.
    pub(super) fn of(written: Option<&str>, run: &SavedRun) -> anyhow::Result<Chosen> {
        let Some(written) = written else {
            let has = |rows: fn(&RowCounts) -> usize| run.trials.iter().any(|t| rows(&t.history.data.rows) > 0);
            return Ok(match !has(|rows| rows.test) && has(|rows| rows.validation) {
                true => Chosen::Part { part: Part::Validation, stands_in: true },
                false => Chosen::Part { part: Part::Test, stands_in: false },
            });
        };
        if let Ok(part) = written.parse() {
            return Ok(Chosen::Part { part, stands_in: false });
        }
        let is_path = written.contains(['.', ',', MAIN_SEPARATOR]) || PathBuf::from(written).exists();
        if is_path {
            return Ok(Chosen::File(written.to_owned()));
        }
        let hint = "`test`, `validation`, `train`, or the path of a file";
        Err(anyhow!("there are no rows `{written}`: no part of the data and no file has this name")
            .context(Hint(format!("`--data` takes {hint}"))))
    }

    /// The part of the trial's own; `None` of a file.
    pub(crate) fn part(&self) -> Option<Part> {
        match self {
            Chosen::Part { part, .. } => Some(*part),
            Chosen::File(_) => None,
        }
    }

    /// What the rows are called: `test rows`.
    pub(crate) fn name(&self) -> String {
        match self {
            Chosen::Part { part, stands_in: false } => format!("{} rows", part.name()),
            Chosen::Part { part, stands_in: true } => format!("{} rows, since the run has no test rows", part.name()),
            Chosen::File(file) => format!("rows of `{file}`"),
        }
    }
}

/// What has come of one trial.
pub(crate) struct Evaluated<'a> {
    pub(crate) trial: &'a SavedTrial,
    pub(crate) found: Result<Found, Unfound>,
}

/// Why a trial has no figures.
pub(crate) enum Unfound {
    /// It has diverged.
    Diverged,
    /// A file of it is missing or damaged, or its data are.
    Failed(anyhow::Error),
}

/// The figures of one trial.
pub(crate) struct Found {
    /// What the data set is called.
    pub(crate) data: &'static str,
    /// How many rows they are taken on.
    pub(crate) rows: usize,
    /// The model in a few words.
    pub(crate) model: String,
    /// Where they are taken.
    pub(crate) device: Device,
    /// Which weights were kept.
    pub(crate) keep: Keep,
    /// The figures.
    pub(crate) record: TestRecord,
    /// Those of the history, where it states any.
    pub(crate) stated: Option<Stated>,
    /// How far both agree.
    pub(crate) agreement: Option<Agreement>,
}

/// So many rows.
pub(crate) fn count(rows: usize) -> String {
    format!("{} {}", number_format::count(rows), if rows == 1 { "row" } else { "rows" })
}
