//! A trial's data, from where they came from, split and prepared as they were for training.

use anyhow::{Context, anyhow};
use tch::{Device, Tensor};

use crate::config::hint::Hint;
use crate::data::prepare::fitted_data::FittedData;
use crate::data::prepare::prepared::Prepared;
use crate::data::split::Parts;
use crate::data::store::cache::Cache;
use crate::data::store::fetch::Watch;
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
    /// The rows that it was trained on.
    Training,
    /// The rows that its best epoch was chosen by; of a fold, the fold's.
    Validation,
    /// The rows that it was tested on.
    Test,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 3] = [Part::Training, Part::Validation, Part::Test];

    /// The word that names it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Part::Training => "train",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }

    /// What its rows are called.
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
        match text {
            "train" | "training" => Ok(Part::Training),
            "validation" => Ok(Part::Validation),
            "test" => Ok(Part::Test),
            _ => Err("allowed are `test`, `validation` and `train`".to_owned()),
        }
    }
}

/// A trial's data: as its source gives them, and as its network takes them.
///
/// The test rows lie open here, since nothing can be chosen by them any more.
#[derive(Debug)]
pub struct TrialData {
    /// The rows as their source gives them.
    pub source: SourceRows,
    /// Their form, and what was fitted to the training rows.
    pub fitted: FittedData,
    spec: Spec,
    fold: Option<usize>,
    training: Rows,
    trained_on: Tensor,
    validation: Option<Rows>,
    test: Option<Rows>,
    parts: Parts,
}

impl TrialData {
    /// Loads and prepares the data of a trial; `before` are those of another one, which are used again as far as they
    /// are the same.
    ///
    /// # Errors
    /// When the data cannot be had or split as the history says, or no longer have its classes.
    pub fn load(
        plan: &Plan,
        trial: &SavedTrial,
        before: Option<TrialData>,
        cache: &Cache,
        watch: &mut dyn Watch,
    ) -> anyhow::Result<TrialData> {
        let history = &trial.history;
        let (spec, fold) = (&plan.spec, history.fold);
        let same = |before: &TrialData| {
            let keys = |spec: &Spec| (spec.data.clone(), spec.resample.clone(), spec.resample_before_split);
            keys(&before.spec) == keys(spec) && before.fold == fold
        };
        let source = match before {
            Some(before) if same(&before) => return Ok(before),
            before => SourceRows::load(spec, before.map(|before| before.source), cache, Device::Cpu, watch)?,
        };
        let (loaded, name) = (&source.loaded, spec.data.name());
        // histories of older versions name the class `1.0` as `1`
        let is_same = |(found, wanted): (&String, &String)| number_format::same(found, wanted);
        let has_same_classes = loaded.classes.len() == history.data.classes.len()
            && loaded.classes.iter().zip(&history.data.classes).all(is_same);
        if !has_same_classes {
            let shown = |classes: &[String]| classes.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
            let (found, wanted) = (shown(&loaded.classes), shown(&history.data.classes));
            return Err(anyhow!("the data of `{}` have changed: {found} are to be predicted", name)
                .context(format!("failed to rebuild a network that predicts {wanted}"))
                .context(Hint("restore the data that it was trained on, or train it again".to_owned())));
        }
        let failed = || format!("failed to prepare the data of `{}`", trial.file.display());
        let prepared = Prepared::fold(loaded, &spec.data.split(), spec.data.scale(), fold).with_context(failed)?;
        let training = prepared.training.rows().shallow_clone();
        let (found, wanted) = (prepared.features.len(), plan.card.sample.elements());
        if found != wanted {
            let hint = "restore the data that it was trained on, or train it again";
            return Err(anyhow!(
                "the data of `{name}` have changed: they have {found} features, and the model takes {wanted}"
            )
            .context(Hint(hint.to_owned())));
        }
        let fitted = FittedData::new(name, &plan.card, loaded, &prepared);
        let prepared = source.resampled(prepared, spec, Device::Cpu).with_context(failed)?;
        Ok(TrialData {
            fitted,
            spec: spec.clone(),
            fold,
            training,
            trained_on: prepared.training.0.targets,
            validation: prepared.validation.map(|rows| rows.0),
            test: prepared.test.map(Test::open),
            parts: prepared.parts,
            source,
        })
    }

    /// What is to be said where the data are not those that the history states.
    pub fn difference(&self, history: &History) -> Option<String> {
        let (found, wanted) = (&self.source.loaded.sha256, &history.data.sha256);
        let short = |sum: &str| sum.chars().take(12).collect::<String>();
        (found != wanted).then(|| {
            format!(
                "the data of `{}` have changed since the run: their checksum is {}…, and the history states {}…",
                self.spec.data.name(),
                short(found),
                short(wanted)
            )
        })
    }

    /// The targets of the rows that it was fitted to, which are those of the training rows after resampling.
    pub fn trained_on(&self) -> &Tensor {
        &self.trained_on
    }

    /// The rows of a part, as the network takes them; `None` where there are none. Training rows are those of the split,
    /// before they are resampled.
    pub fn rows(&self, part: Part) -> Option<&Rows> {
        match part {
            Part::Training => Some(&self.training),
            Part::Validation => self.validation.as_ref(),
            Part::Test => self.test.as_ref(),
        }
    }

    /// One row of a part, as the source gives it and as the network takes it; `None` where there is no such row.
    pub fn row(&self, part: Part, number: usize) -> Option<(Rows, Rows)> {
        let rows = self.rows(part).filter(|rows| number < rows.len())?;
        let numbers = match part {
            Part::Training => Some(&self.parts.training),
            Part::Validation => self.parts.validation.as_ref(),
            Part::Test => self.parts.test.as_ref(),
        };
        let raw = match numbers {
            Some(numbers) => self.source.loaded.rows.take(&[numbers[number]]),
            None => self.source.loaded.test.as_ref()?.take(&[number]), // the source brings its own test rows
        };
        Some((raw, rows.take(&[number])))
    }

    /// What the data are called.
    pub fn name(&self) -> &'static str {
        self.spec.data.name()
    }
}
