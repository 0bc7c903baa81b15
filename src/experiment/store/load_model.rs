//! A trained model rebuilt from what its trial left: the settings from the history, the weights or the tree from the file
//! beside it.

use std::path::Path;

use anyhow::{Context, anyhow, ensure};
use tch::{Device, Tensor};

use crate::classical::tree::Tree;
use crate::config::hint::{Hint, told};
use crate::data::prepare::fitted_data::FittedData;
use crate::data::{DatasetInfo, Rows};
use crate::experiment::plan::network_plan::NetworkPlan;
use crate::experiment::plan::{Model, Plan};
use crate::experiment::run::test_metrics;
use crate::experiment::spec::source_text::{SpecError, reread};
use crate::experiment::spec::{Spec, data_paths};
use crate::experiment::store::find::SavedTrial;
use crate::experiment::store::preprocessing_file;
use crate::experiment::store::run_record::RunRecord;
use crate::experiment::store::trial_data::TrialData;
use crate::history::tested::{TestRecord, ThresholdRecord};
use crate::history::{History, Status};
use crate::metrics::threshold::Choice;
use crate::network::stack::Stack;
use crate::network::state_dict;
use crate::tensor::predictor::Predictor;
use crate::train::evaluate;
use crate::train::keep::Keep;

/// A trial's model as it ended.
#[derive(Debug)]
pub struct Saved {
    /// The plan that it was trained by.
    pub plan: Plan,
    /// What is known of its data without their rows; `None` where the run did not store it.
    pub data: Option<FittedData>,
    fitted: Fitted,
    /// Positive class, of two.
    positive: usize,
    /// The threshold that its test was taken at, where one was chosen.
    threshold: Option<Choice>,
    device: Device,
}

/// What was fitted.
#[derive(Debug)]
enum Fitted {
    Network(Box<(NetworkPlan, Stack)>),
    Tree(Tree),
}

impl Saved {
    /// Builds the model anew, and loads its weights or its splits.
    ///
    /// # Errors
    /// When the trial has diverged, its settings can no longer be used, or they are missing, damaged or of
    /// another model.
    pub fn load(trial: &SavedTrial, device: Device) -> anyhow::Result<Saved> {
        let (history, stem) = (&trial.history, trial.stem());
        if history.status == Status::Diverged {
            let hint = "a smaller learning rate often helps: `--set train.optimizer.….lr=…` of `runner exp`";
            return Err(anyhow!("trial `{stem}` diverged: its weights predict nothing").context(Hint(hint.to_owned())));
        }
        if history.network.is_none() && history.tree.is_none() {
            let hint = "fit it again with `runner exp`".to_owned();
            return Err(anyhow!("trial `{stem}` was interrupted before its tree was there").context(Hint(hint)));
        }
        let folder = trial.file.parent().unwrap_or(Path::new(""));
        let data = preprocessing_file::of_trial(folder, history)?;
        let card = data.as_ref().map(|data| data.card.clone());
        let plan = plan(history, card, folder).with_context(|| format!("failed to rebuild the network of `{stem}`"))?;
        let (file, what) = match &plan.model {
            Model::Network(_) => (trial.weights(), "weights"),
            Model::Tree(_) => (trial.tree(), "splits"),
        };
        if !file.exists() {
            let hint = format!("keep it in the directory of its history, `{}`", trial.file.display());
            return Err(
                anyhow!("the {what} of `{stem}` are missing: there is no `{}`", file.display()).context(Hint(hint))
            );
        }
        let damaged = "the file is damaged or belongs to another model: train again with `runner exp`";
        let fitted = match &plan.model {
            Model::Network(network) => long_enough(&file, network.architecture.parameters()).and_then(|()| {
                let stack = network.architecture.build(&[history.seed], device);
                state_dict::load(&stack, 0, &file).map(|()| Fitted::Network(Box::new((*network.clone(), stack))))
            }),
            Model::Tree(_) => Tree::read(&file).and_then(|tree| fits(tree, &plan)).map(Fitted::Tree),
        };
        let fitted = fitted
            .with_context(|| format!("failed to load the {what} of `{stem}`"))
            .context(Hint(damaged.to_owned()))?;
        let threshold = history.test.as_ref().and_then(|test| test.threshold.as_ref());
        let threshold = threshold.map(choice).transpose().with_context(|| format!("failed to read `{stem}`"))?;
        Ok(Saved { plan, data, fitted, positive: history.data.positive_index(), threshold, device })
    }

    /// Positive class, of two; 1 otherwise.
    pub fn positive(&self) -> usize {
        self.positive
    }

    /// The threshold that the positive class is predicted from, where one was chosen.
    pub fn threshold(&self) -> Option<f64> {
        self.threshold.as_ref().map(|choice| choice.value)
    }

    /// Which weights were kept; `None` of what has no epochs to choose from.
    pub fn keep(&self) -> Option<Keep> {
        self.plan.network().map(|network| network.train.keep)
    }

    /// Loss, metrics and confusion matrix on these rows, prepared as the model takes them; at the threshold that
    /// was chosen for its test, where that is wanted.
    pub fn test(&self, data: &TrialData, rows: &Rows, at_threshold: bool) -> TestRecord {
        let choice = self.threshold.clone().filter(|_| at_threshold);
        let (network, stack) = match &self.fitted {
            Fitted::Network(network) => &**network,
            Fitted::Tree(tree) => return test_metrics::of_tree(&self.plan, tree, rows, self.positive, choice),
        };
        let truth = data.trained_on().to_device(self.device).unsqueeze(0);
        let measure = test_metrics::measure(network, self.plan.card.target, &truth, self.positive);
        let rows = evaluate::on_device(rows, &network.train.loss, network.outputs(), self.device);
        test_metrics::tested(stack, &rows, &measure, network.train.keep, &[choice]).remove(0)
    }

    /// What the network makes of rows, prepared as it takes them: `[rows, …sample]` f32 → `[rows, outputs]` f64, on the
    /// CPU.
    pub fn outputs(&self, features: &Tensor) -> Tensor {
        let predictor: &dyn Predictor = match &self.fitted {
            Fitted::Network(network) => &network.1,
            Fitted::Tree(tree) => tree,
        };
        predictor.outputs(features)
    }
}

/// The threshold as it was chosen.
fn choice(record: &ThresholdRecord) -> anyhow::Result<Choice> {
    let by =
        serde_json::from_value(record.by.clone()).context("its threshold was chosen in a way that is not known")?;
    Ok(Choice { by, value: record.value, validation: record.validation.clone() })
}

/// Whether a file may hold so many weights, before room is made for them: a history may claim any number.
fn long_enough(weights: &Path, parameters: usize) -> anyhow::Result<()> {
    let found = std::fs::metadata(weights).with_context(|| format!("failed to read `{}`", weights.display()))?.len();
    let wanted = parameters as u64 * 4;
    ensure!(
        found >= wanted,
        "`{}` has {found} bytes, and the {parameters} parameters of its history take {wanted}",
        weights.display()
    );
    Ok(())
}

/// A tree that was read, where it is one of the plan's data.
fn fits(tree: Tree, plan: &Plan) -> anyhow::Result<Tree> {
    let (features, classes) = (plan.card.sample.elements(), plan.card.target.outputs());
    ensure!(
        (tree.features(), tree.classes()) == (features, classes),
        "it is a tree of {} features and {} classes, and the data have {features} and {classes}",
        tree.features(),
        tree.classes()
    );
    Ok(tree)
}

/// The plan that a history was made by, whose run lies in `folder`; `card` is what is known of its data, which are read
/// where it is not known.
///
/// # Errors
/// When its settings or its data cannot be read.
pub fn plan(history: &History, card: Option<DatasetInfo>, folder: &Path) -> anyhow::Result<Plan> {
    let mut spec: Spec = reread(history.config.clone()).map_err(|SpecError { message, hint }| {
        let hint = hint.unwrap_or_else(|| "another version of runner wrote the history".to_owned());
        anyhow!("its settings cannot be read: {message}").context(Hint(hint))
    })?;
    let is_resolved = spec.train.as_ref().is_none_or(|train| train.schedule.is_resolved());
    // what was expected of the run is no part of the network
    if spec.data.paths_mut().into_iter().any(|(_, path)| Path::new(path).is_relative() || !Path::new(path).exists()) {
        let bases = RunRecord::read(folder).map(|record| record.folders()).unwrap_or_default();
        data_paths::relocate(&mut spec.data, &bases, &std::env::current_dir().unwrap_or_default());
    }
    let spec = Spec { expect: Vec::new(), ..spec };
    let plan = match card {
        Some(card) => Plan::with_card(&history.experiment, &history.variant, spec, card),
        None => Plan::new(&history.experiment, &history.variant, spec),
    }
    .map_err(told)?;
    Ok(if is_resolved { plan } else { plan.before_momentum_cycles() })
}
