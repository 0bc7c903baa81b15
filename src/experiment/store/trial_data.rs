//! Loads the data of a trial, split and preprocessed as for training.

use anyhow::{Context, anyhow};
use tch::{Device, Tensor};

use crate::config::hint::Hint;
use crate::data::prepare::fitted_data::FittedData;
use crate::data::prepare::prepared::Prepared;
use crate::data::split::Parts;
use crate::data::store::cache::Cache;
use crate::data::store::download_progress::DownloadProgress;
use crate::data::table::recognize::number_format;
use crate::data::{Rows, Test};
use crate::experiment::plan::Plan;
use crate::experiment::run::source_rows::SourceRows;
use crate::experiment::spec::Spec;
use crate::experiment::store::find::SavedTrial;
use crate::history::History;

/// A part of a trial's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The training rows.
    Training,
    /// The rows that the best epoch was chosen by; with cross-validation, those of the fold.
    Validation,
    /// The test rows.
    Test,
}

impl Part {
    /// All parts.
    pub const ALL: [Part; 3] = [Part::Training, Part::Validation, Part::Test];

    /// Name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Part::Training => "train",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }

    /// Name in messages, as in `training rows`.
    pub fn name(self) -> &'static str {
        match self {
            Part::Training => "training",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Part::ALL.into_iter();
        let part = parts.find(|part| text == part.word() || text == part.name());
        part.ok_or_else(|| "allowed are `test`, `validation` and `train`".to_owned())
    }
}

/// The data of a trial: the raw rows and the preprocessed rows.
///
/// The test rows are accessible here, because training is over and they cannot influence it.
#[derive(Debug)]
pub struct TrialData {
    /// The raw rows of the source.
    pub source: SourceRows,
    /// Columns, classes and fitted preprocessing.
    pub fitted: FittedData,
    spec: Spec,
    fold: Option<usize>,
    training: Rows,
    /// Targets of the rows that the model was fitted to: the training rows after resampling.
    pub fitted_targets: Tensor,
    validation: Option<Rows>,
    test: Option<Rows>,
    parts: Parts,
}

impl TrialData {
    /// Loads and preprocesses the data of a trial. `previous` are the data of another trial, which are reused if they are
    /// the same.
    ///
    /// # Errors
    /// When the data cannot be loaded or split as the history says, or their classes have changed.
    pub fn load(
        plan: &Plan,
        trial: &SavedTrial,
        previous: Option<TrialData>,
        cache: &Cache,
        watch: &mut dyn DownloadProgress,
    ) -> anyhow::Result<TrialData> {
        let history = &trial.history;
        let (spec, fold) = (&plan.spec, history.fold);
        let same = |previous: &TrialData| {
            let keys = |spec: &Spec| (spec.data.clone(), spec.resample.clone(), spec.resample_before_split);
            keys(&previous.spec) == keys(spec) && previous.fold == fold
        };
        let source = match previous {
            Some(previous) if same(&previous) => return Ok(previous),
            previous => SourceRows::load(spec, previous.map(|previous| previous.source), cache, Device::Cpu, watch)?,
        };
        let (loaded, name) = (&source.loaded, spec.data.name());
        // histories of older versions write the class `1.0` as `1`
        let is_same = |(found, wanted): (&String, &String)| number_format::same(found, wanted);
        let has_same_classes = loaded.classes.len() == history.data.classes.len()
            && loaded.classes.iter().zip(&history.data.classes).all(is_same);
        if !has_same_classes {
            let shown = |classes: &[String]| classes.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
            let (found, wanted) = (shown(&loaded.classes), shown(&history.data.classes));
            return Err(anyhow!("the data of `{}` have changed: their targets are {found}", name)
                .context(format!("failed to rebuild a network that predicts {wanted}"))
                .context(Hint("restore the data that it was trained on, or train it again".to_owned())));
        }
        let failed = || format!("failed to prepare the data of `{}`", trial.file.display());
        let prepared = Prepared::fold(loaded, &spec.data.split(), spec.data.scale(), fold).with_context(failed)?;
        let training = prepared.training.rows().shallow_clone();
        let (found, wanted) = (prepared.features.len(), plan.info.sample.elements());
        if found != wanted {
            let hint = "restore the data that it was trained on, or train it again";
            return Err(anyhow!(
                "the data of `{name}` have changed: they have {found} features, but the model takes {wanted}"
            )
            .context(Hint(hint.to_owned())));
        }
        let fitted = FittedData::new(name, &plan.info, loaded, &prepared);
        let prepared = source.resampled(prepared, spec, Device::Cpu).with_context(failed)?;
        Ok(TrialData {
            fitted,
            spec: spec.clone(),
            fold,
            training,
            fitted_targets: prepared.training.0.targets,
            validation: prepared.validation.map(|rows| rows.0),
            test: prepared.test.map(Test::open),
            parts: prepared.parts,
            source,
        })
    }

    /// Returns a warning if the data are not the same as in the history.
    pub fn difference(&self, history: &History) -> Option<String> {
        let (found, wanted) = (&self.source.loaded.sha256, &history.data.sha256);
        let short = |sum: &str| sum.chars().take(12).collect::<String>();
        (found != wanted).then(|| {
            format!(
                "the data of `{}` have changed since the run: their checksum is {}…, but the history states {}…",
                self.spec.data.name(),
                short(found),
                short(wanted)
            )
        })
    }

    /// Returns the preprocessed rows of a part; `None` if there are none. Training rows are those before resampling.
    pub fn rows(&self, part: Part) -> Option<&Rows> {
        match part {
            Part::Training => Some(&self.training),
            Part::Validation => self.validation.as_ref(),
            Part::Test => self.test.as_ref(),
        }
    }

    /// Returns one row of a part, raw and preprocessed; `None` if there is no such row.
    pub fn row(&self, part: Part, number: usize) -> Option<(Rows, Rows)> {
        let rows = self.rows(part).filter(|rows| number < rows.len())?;
        let numbers = match part {
            Part::Training => Some(&self.parts.training),
            Part::Validation => self.parts.validation.as_ref(),
            Part::Test => self.parts.test.as_ref(),
        };
        let raw = match numbers {
            Some(numbers) => self.source.loaded.rows.take(&[numbers[number]]),
            // the data set has already split off these rows
            None if part == Part::Validation => self.source.loaded.validation.as_ref()?.take(&[number]),
            None => self.source.loaded.test.as_ref()?.take(&[number]),
        };
        Some((raw, rows.take(&[number])))
    }

    /// Name of the data set.
    pub fn name(&self) -> &'static str {
        self.spec.data.name()
    }
}
