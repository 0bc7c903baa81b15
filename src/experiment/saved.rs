//! A trained network rebuilt from what its trial left: the settings from the history, the weights from the file beside
//! it, the data from where they came from, split and prepared as they were for training.

use anyhow::{Context, anyhow};
use tch::{Device, Kind, Tensor};

use crate::data::batches::DeviceRows;
use crate::data::cache::Cache;
use crate::data::fetch::Watch;
use crate::data::preprocessing::Preprocessing;
use crate::data::source::DataSpec;
use crate::data::split::Parts;
use crate::data::{Loaded, Prepared, Rows, Test, told};
use crate::experiment::plan::Plan;
use crate::experiment::runs::SavedTrial;
use crate::experiment::source_text::{SpecError, reread};
use crate::experiment::spec::Spec;
use crate::experiment::testing;
use crate::hint::Hint;
use crate::history::tested::TestRecord;
use crate::history::{History, Status};
use crate::network::stack::Stack;
use crate::network::state_dict;
use crate::train::evaluate;

/// A trial's network with the weights that it ended with.
#[derive(Debug)]
pub struct Saved {
    /// The plan that it was trained by.
    pub plan: Plan,
    stack: Stack,
    device: Device,
}

impl Saved {
    /// Builds the network anew, and loads its weights.
    ///
    /// # Errors
    /// When the trial has diverged, its settings can no longer be used, or its weights are missing, damaged or of
    /// another network.
    pub fn load(trial: &SavedTrial, device: Device) -> anyhow::Result<Saved> {
        let (history, stem) = (&trial.history, trial.stem());
        if history.status == Status::Diverged {
            let hint = "a smaller learning rate often helps: `--set train.optimizer.….lr=…` of `runner exp`";
            return Err(anyhow!("trial `{stem}` diverged: its weights predict nothing").context(Hint(hint.to_owned())));
        }
        let plan = plan(history).with_context(|| format!("failed to rebuild the network of `{stem}`"))?;
        let stack = plan.architecture.build(&[history.seed], device);
        let weights = trial.weights();
        if !weights.exists() {
            let hint = format!("keep it beside its history, `{}`", trial.file.display());
            return Err(
                anyhow!("the weights of `{stem}` are missing: there is no `{}`", weights.display()).context(Hint(hint))
            );
        }
        state_dict::load(&stack, 0, &weights)
            .with_context(|| format!("failed to load the weights of `{stem}`"))
            .context(Hint("the file is damaged, or of another network: `runner exp` makes it anew".to_owned()))?;
        Ok(Saved { plan, stack, device })
    }

    /// Loss, metrics and confusion matrix on these rows, prepared as the network takes them.
    pub fn test(&self, data: &TrialData, rows: &Rows) -> TestRecord {
        let (train, width) = (&self.plan.spec.train, self.plan.architecture.output().elements());
        let measure = testing::measure(&self.plan, &data.training.targets.to_device(self.device).unsqueeze(0));
        let rows = evaluate::on_device(rows, &train.loss, width, self.device);
        testing::tested(&self.stack, &rows, &measure, train.keep).remove(0)
    }

    /// What the network makes of rows, prepared as it takes them: `[rows, …sample]` f32 → `[rows, outputs]` f64, on the
    /// CPU.
    pub fn outputs(&self, features: &Tensor) -> Tensor {
        let truth = Tensor::zeros([features.size()[0]], (Kind::Int64, Device::Cpu)); // nothing is asked of it
        let targets = truth.shallow_clone();
        let rows =
            DeviceRows { features: features.to_device(self.device), targets, truth, weights: None, chosen: None };
        evaluate::outputs(&self.stack, &rows).get(0).to_device(Device::Cpu).to_kind(Kind::Double)
    }
}

/// The plan that a history was made by.
fn plan(history: &History) -> anyhow::Result<Plan> {
    let spec: Spec = reread(history.config.clone()).map_err(|SpecError { message, hint }| {
        let hint = hint.unwrap_or_else(|| "another version of runner wrote the history".to_owned());
        anyhow!("its settings cannot be read: {message}").context(Hint(hint))
    })?;
    // what was expected of the run is no part of the network
    Plan::new(&history.experiment, &history.variant, Spec { expect: Vec::new(), ..spec }).map_err(told)
}

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
    pub loaded: Loaded,
    /// What was fitted to the training rows.
    pub preprocessing: Preprocessing,
    spec: DataSpec,
    fold: Option<usize>,
    training: Rows,
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
        let (spec, fold) = (&plan.spec.data, history.fold);
        let loaded = match before {
            Some(before) if before.spec == *spec && before.fold == fold => return Ok(before),
            Some(before) if before.spec == *spec => before.loaded,
            _ => spec.load(cache, watch)?,
        };
        if loaded.classes != history.data.classes {
            let shown = |classes: &[String]| classes.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
            let (found, wanted) = (shown(&loaded.classes), shown(&history.data.classes));
            return Err(anyhow!("the data of `{}` have changed: {found} are to be predicted", spec.name())
                .context(format!("failed to rebuild a network that predicts {wanted}"))
                .context(Hint("restore the data that it was trained on, or train it again".to_owned())));
        }
        let prepared = Prepared::fold(&loaded, &spec.split(), spec.scale(), fold)
            .with_context(|| format!("failed to prepare the data of `{}`", trial.file.display()))?;
        Ok(TrialData {
            preprocessing: prepared.preprocessing,
            spec: spec.clone(),
            fold,
            training: prepared.training.0,
            validation: prepared.validation.map(|rows| rows.0),
            test: prepared.test.map(Test::open),
            parts: prepared.parts,
            loaded,
        })
    }

    /// What is to be said where the data are not those that the history states.
    pub fn difference(&self, history: &History) -> Option<String> {
        let (found, wanted) = (&self.loaded.sha256, &history.data.sha256);
        let short = |sum: &str| sum.chars().take(12).collect::<String>();
        (found != wanted).then(|| {
            format!(
                "the data of `{}` have changed since the run: their checksum is {}…, and the history states {}…",
                self.spec.name(),
                short(found),
                short(wanted)
            )
        })
    }

    /// The rows of a part, as the network takes them; `None` where there are none.
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
            Some(numbers) => self.loaded.rows.take(&[numbers[number]]),
            None => self.loaded.test.as_ref()?.take(&[number]), // the source brings its own test rows
        };
        Some((raw, rows.take(&[number])))
    }

    /// What the data are called.
    pub fn name(&self) -> &'static str {
        self.spec.name()
    }

    /// The settings of the data.
    pub fn spec(&self) -> &DataSpec {
        &self.spec
    }
}
